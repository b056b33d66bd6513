/* The vault room: gives each principal its own key and nobody else's.
 *
 * Who asks is what the supervisor said when it made the channel; nothing in a
 * message can change it. */
#include <sodium.h>
#include <stdio.h>

#include "base/log.h"
#include "run/clock.h"
#include "run/secret.h"
#include "talk/principal_vault.h"
#include "talk/room.h"
#include "talk/settings.h"
#include "talk/web_vault.h"
#include "vault/audit_key.h"
#include "vault/authority.h"
#include "vault/handshakes.h"
#include "vault/keys.h"
#include "vault/signing.h"

/* One process, one keys folder. */
static struct masters *masters;
static struct keys *keys;
static struct signing *signing;
static struct handshakes *handshakes;

struct principal {
	char text[PRINCIPAL_MAX];
	size_t n;
};

static str name_of(const struct principal *p)
{
	return str_of(p->text, p->n);
}

static struct principal principal_of(const char *role, uint64_t number)
{
	struct principal p;
	int n = snprintf(p.text, sizeof p.text, "%s-%llu", role, (unsigned long long)number);
	must(n > 0 && (size_t)n < sizeof p.text);
	p.n = (size_t)n;
	return p;
}

static const struct room_visitor *visitor_of(const struct arrival *in)
{
	return in->ctx;
}

static bool is_role(const struct arrival *in, const char *role)
{
	return str_eq(str_from(visitor_of(in)->role), str_from(role));
}

/* All processes of the relay share one: a message may be sent by any of them. */
static struct principal principal_of_item(uint64_t account)
{
	return account ? principal_of("account", account) : (struct principal){"relay", sizeof "relay" - 1};
}

static bool is_edge(const struct arrival *in)
{
	return is_role(in, "edge-mx") || is_role(in, "edge-client");
}

static void refused(const struct arrival *in, const char *what)
{
	const struct room_visitor *v = visitor_of(in);
	log_event(EV_KEY_REFUSED, &in->trace, F_STR("role", str_from(v->role)), F_U64("number", v->number),
		  F_STR("asked", str_from(what)));
}

static result deny(const struct arrival *in, const char *what)
{
	refused(in, what);
	return failure(FAIL_DENIED, "the vault does not give this to that room");
}

/* An account's key is its owner's to know about. */
static void given(const struct room_visitor *v, bool made)
{
	bool account = str_eq(str_from(v->role), STR("account"));
	log_event(EV_KEY_GIVEN, NULL, F_STR("role", str_from(v->role)), F_U64("number", v->number),
		  F_STR("state", made ? STR("made") : STR("opened")), F_U64("account", account ? v->number : 0));
}

static struct gate unlocked;

static result await_unlocked(void)
{
	while (masters_locked(masters))
		TRY(gate_wait(&unlocked, FIBER_FOREVER));
	return OK;
}

static result own_key(str principal, const struct principal_vault_own_key *m, unsigned char key[KEY_SIZE])
{
	if (m->next)
		return keys_next(keys, principal, m->make, key);
	return m->make ? keys_make(keys, principal, key) : keys_get(keys, principal, key);
}

static result on_own_key(
	struct arrival *in, struct principal_vault_own_key *m, struct principal_vault_own_key_is *answer)
{
	const struct room_visitor *v = visitor_of(in);
	struct principal p = principal_of(v->role, v->number);
	if (is_edge(in) || is_role(in, "relay"))
		return deny(in, "a key of its own");
	if (!is_role(in, "account")) /* a client waits for an account, so that one is refused at once */
		TRY(await_unlocked());
	if (m->next && !is_role(in, "account"))
		return deny(in, "another key of its own");
	result r = own_key(name_of(&p), m, answer->key);
	if (r.kind == FAIL_DENIED || r.kind == FAIL_DAMAGE)
		refused(in, "its key");
	else if (!failed(r))
		given(v, m->make);
	return r;
}

static result on_follow(struct arrival *in, struct principal_vault_follow *m, struct principal_vault_erased *answer)
{
	const struct room_visitor *v = visitor_of(in);
	struct principal p = principal_of(v->role, v->number);
	(void)m;
	(void)answer;
	if (!is_role(in, "account"))
		return deny(in, "another key of its own");
	TRY(keys_follow(keys, name_of(&p)));
	log_event(EV_KEY_CHANGED, NULL, F_STR("act", STR("account's key replaced")), F_U64("account", v->number));
	return OK;
}

/* An edge seals a queue item for an account or the relay, and may have nothing unwrapped; the relay seals reports. */
static result on_wrap_for(
	struct arrival *in, struct principal_vault_wrap_for *m, struct principal_vault_wrapped_key *answer)
{
	struct principal p = principal_of_item(m->account);
	if (!is_edge(in) && !is_role(in, "relay"))
		return deny(in, "a wrapping");
	unsigned char *wrapped = arena_alloc(in->arena, KEY_WRAPPED);
	if (!wrapped)
		return arena_result(in->arena);
	TRY(keys_wrap_new(keys, name_of(&p), answer->key, wrapped));
	answer->wrapped = str_of((const char *)wrapped, KEY_WRAPPED);
	return OK;
}

static result on_unwrap(struct arrival *in, struct principal_vault_unwrap *m, struct principal_vault_own_key_is *answer)
{
	const struct room_visitor *v = visitor_of(in);
	bool relay = is_role(in, "relay");
	struct principal p = principal_of_item(relay ? 0 : v->number);
	if (!relay && !is_role(in, "account"))
		return deny(in, "an unwrapping");
	result r = keys_unwrap(keys, name_of(&p), m->wrapped, answer->key);
	if (failed(r) && r.kind != FAIL_BUSY)
		refused(in, "an unwrapping of another's");
	return r;
}

static result on_erase(struct arrival *in, struct principal_vault_erase *m, struct principal_vault_erased *answer)
{
	struct principal p = principal_of("account", m->account);
	(void)answer;
	if (!is_role(in, "auth"))
		return deny(in, "an erasure");
	log_event(EV_KEY_CHANGED, &in->trace, F_STR("act", STR("account's key destroyed")), F_U64("account", m->account));
	return keys_erase(keys, name_of(&p));
}

/* Whoever has mail leaving through its hands has it signed. */
static result on_sign(struct arrival *in, struct principal_vault_sign *m, struct principal_vault_signatures_are *answer)
{
	if (!is_edge(in) && !is_role(in, "relay"))
		return deny(in, "a signature");
	str *made = arena_array(in->arena, m->wanted.n + 1, sizeof *made);
	if (!made)
		return arena_result(in->arena);
	TRY(signing_sign(signing, &(struct signing_wish){m->wanted.p, m->wanted.n}, in->arena, made));
	answer->signatures.p = made;
	answer->signatures.n = m->wanted.n;
	return OK;
}

static result on_signing_key_make(
	struct arrival *in, struct principal_vault_signing_key_make *m, struct principal_vault_signing_key_is *answer)
{
	AUTO_BUF buf public = buf_new(PRINCIPAL_VAULT_SIGNING_KEY_IS_PUBLIC_MAX);
	const struct signing_wanted w = {m->key, m->domain, m->algorithm};
	if (!is_role(in, "auth"))
		return deny(in, "the making of a signing key");
	TRY(signing_make(signing, &w, &public));
	log_event(EV_KEY_CHANGED, &in->trace, F_STR("act", STR("signing key made")), F_STR("domain", m->domain),
		F_STR("key", m->key));
	answer->public = arena_dup(in->arena, buf_str(&public));
	return arena_result(in->arena);
}

static result on_signing_key_drop(
	struct arrival *in, struct principal_vault_signing_key_drop *m, struct principal_vault_erased *answer)
{
	(void)answer;
	if (!is_role(in, "auth"))
		return deny(in, "the end of a signing key");
	log_event(EV_KEY_CHANGED, &in->trace, F_STR("act", STR("signing key dropped")), F_STR("key", m->key));
	return signing_drop(signing, m->key);
}

static result on_sign_handshake(
	struct arrival *in, struct principal_vault_sign_handshake *m, struct principal_vault_handshake_signed *answer)
{
	AUTO_BUF buf made = buf_new(PRINCIPAL_VAULT_HANDSHAKE_SIGNED_SIGNATURE_MAX);
	const struct tls_to_sign what = {(enum tls_scheme)m->scheme, (enum tls_hash)m->hash, m->bytes};
	if (!is_edge(in))
		return deny(in, "a handshake's signature");
	TRY(handshakes_sign(handshakes, &what, &made));
	answer->signature = arena_dup(in->arena, buf_str(&made));
	return arena_result(in->arena);
}

static result on_audit_key(
	struct arrival *in, struct principal_vault_audit_key *m, struct principal_vault_audit_key_is *answer)
{
	struct audit_key_is is;
	(void)m;
	if (!is_role(in, "watch"))
		return deny(in, "the audit log's key");
	TRY(audit_key_get(keys, &is));
	memcpy(answer->public, is.public, sizeof answer->public);
	memcpy(answer->hash, is.hash.b, sizeof answer->hash);
	answer->seq = is.seq;
	return OK;
}

static result on_audit_sign(
	struct arrival *in, struct principal_vault_audit_sign *m, struct principal_vault_audit_signed *answer)
{
	struct audit_head h = {.seq = m->seq, .time = m->time};
	memcpy(h.hash.b, m->hash, sizeof h.hash.b);
	if (!is_role(in, "watch"))
		return deny(in, "a signature under the audit log");
	result r = audit_key_sign(keys, &h, answer->signature);
	if (r.kind == FAIL_DENIED)
		refused(in, "a second history of the audit log");
	return r;
}

static result certify(struct arrival *in, const struct tls_client_wish *w, struct principal_vault_certified *answer)
{
	struct authority_issued made = {buf_new(TLS_CLIENT_CERT_MAX), buf_new(TLS_AUTHORITY_MAX)};
	result r = authority_certify(keys, w, &made);
	answer->certificate = arena_dup(in->arena, buf_str(&made.certificate));
	answer->authority = arena_dup(in->arena, buf_str(&made.authority));
	buf_free(&made.certificate);
	buf_free(&made.authority);
	return failed(r) ? r : arena_result(in->arena);
}

static result on_certify(
	struct arrival *in, struct principal_vault_certify *m, struct principal_vault_certified *answer)
{
	struct tls_client_wish w = {.public = m->public, .subject = m->subject, .from = clock_wall_s(), .until = m->until};
	char serial[2 * TLS_SERIAL + 1];
	memcpy(w.serial, m->serial, sizeof w.serial);
	if (!is_role(in, "auth"))
		return deny(in, "a certificate");
	TRY(certify(in, &w, answer));
	sodium_bin2hex(serial, sizeof serial, m->serial, sizeof m->serial);
	log_event(EV_KEY_CHANGED, &in->trace, F_STR("act", STR("client certificate issued")),
		  F_STR("key", str_from(serial)), F_U64("account", m->account));
	return OK;
}

/* ---- the master key ---- */

static void tell_supervisor(bool locked)
{
	const struct supervisor_room_locked m = {.locked = locked};
	result r = supervisor_room_locked_send(room_supervisor(), NULL, &m);
	if (failed(r)) /* it has ended, or will ask nothing any more */
		log_event(EV_ROOM_NONSENSE, NULL, F_STR("role", STR("supervisor")), F_STR("why", str_from(r.text)));
}

static bool rewrapping;

/* What a former key sealed still opens meanwhile; what a crash leaves undone is done at the next start. */
static void rewrap(void *arg)
{
	(void)arg;
	result r = keys_rewrap(keys);
	if (!failed(r))
		r = signing_rewrap(signing);
	if (!failed(r))
		r = audit_key_rewrap(keys);
	if (!failed(r))
		r = authority_rewrap(keys);
	if (!failed(r))
		r = masters_finish(masters);
	if (failed(r))
		log_event(EV_VAULT_REWRAP_FAILED, NULL, F_STR("why", str_from(r.text)));
	else
		log_event(EV_VAULT_REWRAPPED, NULL, F_U64("keys", masters_count(masters)));
	rewrapping = false;
}

static result begin_rewrap(void)
{
	if (rewrapping || masters_locked(masters) || !masters_unfinished(masters))
		return OK;
	result r = fiber_start(rewrap, NULL, "rewrap", NULL);
	rewrapping = !failed(r);
	return r;
}

static result on_unlock(struct arrival *in, struct web_vault_unlock *m, struct web_vault_done *answer)
{
	(void)answer;
	bool was = masters_locked(masters);
	result r = masters_unlock(masters, m->passphrase);
	if (r.kind == FAIL_DENIED)
		refused(in, "the master key");
	TRY(r);
	gate_wake_all(&unlocked);
	if (was)
		tell_supervisor(false);
	return begin_rewrap();
}

static result on_rotate(struct arrival *in, struct web_vault_rotate *m, struct web_vault_done *answer)
{
	(void)in;
	(void)answer;
	if (rewrapping)
		return failure(FAIL_BUSY, "the last replacement of the master key is still under way; try again in a minute");
	TRY(masters_rotate(masters, m->passphrase));
	return begin_rewrap();
}

static result on_rephrase(struct arrival *in, struct web_vault_rephrase *m, struct web_vault_done *answer)
{
	(void)in;
	(void)answer;
	return masters_rephrase(masters, m->passphrase, m->next);
}

static result on_state(struct arrival *in, struct web_vault_state *m, struct web_vault_state_is *answer)
{
	(void)in;
	(void)m;
	answer->locked = masters_locked(masters);
	answer->source = (enum web_vault_key_source)masters_source(masters);
	answer->keys = (uint32_t)masters_count(masters);
	answer->unfinished = masters_unfinished(masters);
	return OK;
}

/* ---- life ---- */

/* Until the jail is there and the folder may be read. */
static struct {
	enum masters_source source;
	struct secret *secret, *former;
} told;

static result keep_secret(str s, struct secret **out)
{
	return s.n ? secret_take((char *)(uintptr_t)s.p, s.n, out) : OK;
}

static result read_told(const struct supervisor_room_begin *b)
{
	struct options options;
	TRY(settings_read(b, &options));
	told.source = (enum masters_source)options_number(&options, OPT_MASTER_KEY);
	options_free(&options);
	TRY(keep_secret(b->master, &told.secret));
	return keep_secret(b->former, &told.former);
}

static result prepare(const struct supervisor_room_begin *b)
{
	gate_init(&unlocked);
	TRY(signing_prepare());
	TRY(read_told(b));
	return handshakes_read(b->private_key, &handshakes);
}

static str view(const struct secret *s)
{
	return s ? secret_open(s) : (str){0};
}

static result open_masters(void)
{
	const struct masters_told t = {.source = told.source, .secret = view(told.secret), .former = view(told.former)};
	result r = masters_open(&t, &masters);
	secret_free(&told.secret);
	secret_free(&told.former);
	return r;
}

static result start(void)
{
	TRY(open_masters());
	TRY(keys_open(masters, &keys));
	TRY(handshakes_open(handshakes));
	TRY(signing_open(keys, SIGNING_KEYS_MAX, &signing));
	if (masters_locked(masters))
		tell_supervisor(true);
	return begin_rewrap();
}

static void end(void)
{
	signing_close(&signing);
	handshakes_close(&handshakes);
}

static const struct principal_vault_as_vault handlers = {
	.own_key = on_own_key, .follow = on_follow,
	.wrap_for = on_wrap_for, .unwrap = on_unwrap, .erase = on_erase, .sign = on_sign,
	.sign_handshake = on_sign_handshake, .signing_key_make = on_signing_key_make,
	.signing_key_drop = on_signing_key_drop, .audit_key = on_audit_key, .audit_sign = on_audit_sign,
	.certify = on_certify};
static const struct web_vault_as_vault from_web = {
	.unlock = on_unlock, .rotate = on_rotate, .rephrase = on_rephrase, .state = on_state};
static const struct room_door doors[] = {
	{.kind = &principal_vault_as_vault_kind, .handlers = &handlers},
	{.kind = &web_vault_as_vault_kind, .handlers = &from_web},
};
static const struct sandbox_call *const tables[] = {sandbox_files, NULL};
static const struct sandbox sandbox = {.room = "vault", .tables = tables};
static const struct room room = {
	.sandbox = &sandbox, .own_folder = true, .prepare = prepare, .start = start, .close = end, .doors = doors,
	.doors_n = sizeof doors / sizeof *doors};

int main(void)
{
	int status = room_main(&room);
	keys_close(&keys);
	masters_close(&masters);
	return status;
}
