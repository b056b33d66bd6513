/* The vault room: gives each principal its own key and nobody else's.
 *
 * Who asks is what the supervisor said when it made the channel; nothing in a
 * message can change it. */
#include <sodium.h>
#include <stdio.h>

#include "base/log.h"
#include "talk/principal_vault.h"
#include "talk/room.h"
#include "vault/audit_key.h"
#include "vault/handshakes.h"
#include "vault/keys.h"
#include "vault/signing.h"

/* One process, one keys folder. */
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

static result on_own_key(
	struct arrival *in, struct principal_vault_own_key *m, struct principal_vault_own_key_is *answer)
{
	const struct room_visitor *v = visitor_of(in);
	struct principal p = principal_of(v->role, v->number);
	if (is_edge(in) || is_role(in, "relay"))
		return deny(in, "a key of its own");
	result r = m->make ? keys_make(keys, name_of(&p), answer->key) : keys_get(keys, name_of(&p), answer->key);
	if (r.kind == FAIL_DENIED || r.kind == FAIL_DAMAGE)
		refused(in, "its key");
	else if (!failed(r))
		given(v, m->make);
	return r;
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
	if (failed(r))
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

static result prepare(const struct supervisor_room_begin *b)
{
	TRY(signing_prepare());
	return handshakes_read(b->private_key, &handshakes);
}

static result start(void)
{
	TRY(keys_open(&keys));
	TRY(handshakes_open(handshakes));
	return signing_open(keys, SIGNING_KEYS_MAX, &signing);
}

static void end(void)
{
	signing_close(&signing);
	handshakes_close(&handshakes);
}

static const struct principal_vault_as_vault handlers = {
	.own_key = on_own_key, .wrap_for = on_wrap_for, .unwrap = on_unwrap, .erase = on_erase, .sign = on_sign,
	.sign_handshake = on_sign_handshake, .signing_key_make = on_signing_key_make,
	.signing_key_drop = on_signing_key_drop, .audit_key = on_audit_key, .audit_sign = on_audit_sign};
static const struct room_door doors[] = {{.kind = &principal_vault_as_vault_kind, .handlers = &handlers}};
static const struct sandbox_call *const tables[] = {sandbox_files, NULL};
static const struct sandbox sandbox = {.room = "vault", .tables = tables};
static const struct room room = {
	.sandbox = &sandbox, .own_folder = true, .prepare = prepare, .start = start, .close = end, .doors = doors,
	.doors_n = 1};

int main(void)
{
	int status = room_main(&room);
	keys_close(&keys);
	return status;
}
