#include "auth/scram_login.h"

#include "auth/address.h"
#include "grammar/text/base64.h"
#include "grammar/text/scram.h"
#include "run/random.h"

enum { NONCE_OCTETS = 18, SCRAM_ARENA = 16384 };

/* ---- the first message ---- */

static bool binding_data(const struct edge_auth_scram *m, str name, str *out)
{
	if (str_eq(name, STR("tls-exporter")))
		*out = m->exporter;
	else if (str_eq(name, STR("tls-server-end-point")))
		*out = m->end_point;
	else
		return false;
	return out->n > 0;
}

/* An account by its own address. */
static uint64_t account_of(const struct auth *a, const struct scram_first *first, arena *m)
{
	struct address address;
	const struct book_account *who = login_claimed(a, first->authzid, first->user);
	if (!who || failed(address_parse(first->user, m, &address)) || !str_eq(address.key, who->entry->key))
		return 0;
	return who->id;
}

static void put_challenge(const struct auth *a, const struct scram_first *first, struct exchange *e, buf *out)
{
	unsigned char fresh[NONCE_OCTETS], salt[SCRAM_SALT];
	random_fill(fresh, sizeof fresh);
	app_salt_of(&a->salts, first->user, salt);
	buf_put(&e->nonce, first->nonce);
	base64_encode(&e->nonce, str_of((const char *)fresh, sizeof fresh), 0);
	const struct scram_challenge c = {.nonce = buf_str(&e->nonce), .salt = str_of((const char *)salt, sizeof salt),
		.iterations = SCRAM_ITERATIONS};
	scram_challenge_print(out, &c);
}

static result fill(const struct auth *a, const struct edge_auth_scram *m, const struct scram_first *first,
	struct exchange *e)
{
	AUTO_BUF buf challenge = buf_new(EDGE_AUTH_SCRAM_IS_FIRST_MAX);
	str data = {NULL, 0};
	if (first->flag == SCRAM_BOUND && !binding_data(m, first->binding, &data))
		return failure(FAIL_INPUT, "this channel binding is not offered");
	put_challenge(a, first, e, &challenge);
	TRY(buf_result(&challenge));
	buf_put(&e->binding, first->header);
	buf_put(&e->binding, data);
	buf_put(&e->said, first->bare);
	buf_putc(&e->said, ',');
	buf_put(&e->said, buf_str(&challenge));
	buf_put(&e->user, first->user);
	buf_put(&e->client, m->client);
	e->protocol = m->protocol;
	e->encrypted = m->encrypted;
	e->mechanism = m->plus ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
	bool broken = e->binding.broken || e->said.broken || e->user.broken || e->client.broken || e->nonce.broken;
	return broken ? failure(FAIL_LIMIT, "the message is too long") : OK;
}

static void report(const struct auth *a, const struct scram_caller *who, const struct edge_auth_scram *m,
	const struct scram_first *first)
{
	const struct book_account *claimed = login_claimed(a, first->authzid, first->user);
	log_event(EV_LOGIN_FAILED, who->trace, F_STR("user", first->user), F_STR("client", m->client),
		  F_STR("protocol", str_from(edge_auth_protocol_names[m->protocol])),
		  F_U64("account", claimed ? claimed->id : 0),
		  F_STR("verdict", str_from(edge_auth_login_verdict_names[EDGE_AUTH_LOGIN_VERDICT_REFUSED])),
		  F_STR("mechanism", STR("SCRAM-SHA-256")),
		  F_STR("why", STR("the client was told that channel binding is not offered, by somebody in between")));
}

static result keep(struct auth *a, const struct scram_caller *who, struct exchange **e,
	struct edge_auth_scram_is *answer)
{
	(*e)->channel = who->channel;
	answer->verdict = EDGE_AUTH_LOGIN_VERDICT_ACCEPTED;
	return exchanges_keep(&a->exchanges, e, &answer->exchange);
}

result scram_login_begin(struct auth *a, const struct scram_caller *who, const struct edge_auth_scram *m,
	struct edge_auth_scram_is *answer)
{
	AUTO_ARENA arena memory = arena_new(SCRAM_ARENA);
	struct scram_first first;
	answer->verdict = EDGE_AUTH_LOGIN_VERDICT_MALFORMED;
	if (failed(scram_first_parse(m->first, &memory, &first)) || m->plus != (first.flag == SCRAM_BOUND))
		return OK;
	if (first.flag == SCRAM_UNOFFERED && m->offered) {
		answer->verdict = EDGE_AUTH_LOGIN_VERDICT_REFUSED;
		report(a, who, m, &first);
		return OK;
	}
	struct exchange *e = exchange_new();
	if (!e)
		return failure(FAIL_MEMORY, "out of memory");
	e->account = account_of(a, &first, &memory);
	result r = fill(a, m, &first, e);
	answer->first = arena_dup(who->m, str_skip(buf_str(&e->said), first.bare.n + 1));
	if (!failed(r))
		r = arena_result(who->m);
	if (!failed(r))
		return keep(a, who, &e, answer);
	exchange_free(&e);
	return r.kind == FAIL_MEMORY ? r : OK;
}

/* ---- the proof ---- */

struct proving {
	struct auth *auth;
	struct exchange *exchange;
	const struct scram_final *final;
	str message; /* AuthMessage */
	struct scram_key proof;
	struct scram_key signature;
};

static bool fits(const struct exchange *e, const struct scram_final *f)
{
	return str_eq(f->binding, buf_str(&e->binding)) && str_eq(f->nonce, buf_str(&e->nonce)) &&
	       f->proof.n == SCRAM_KEY;
}

static bool opens(struct proving *g, const struct scram_verifier *v, struct proof *p)
{
	struct scram_key client = scram_client_of_proof(v, g->message, &g->proof);
	if (!scram_opens(v, &client))
		return false;
	p->client = client;
	g->signature = scram_server_signature(v, g->message);
	return true;
}

static void compare(struct proving *g, const struct login_try *t, struct proof *p)
{
	struct app_passwords rows = {0};
	const struct app_password *found = NULL;
	result r = prove_rows(g->auth, p, &rows);
	for (size_t i = 0; !failed(r) && i < rows.n; i++)
		if (opens(g, &rows.v[i].plain, p) || opens(g, &rows.v[i].grouped, p))
			found = &rows.v[i];
	if (failed(r))
		p->r = r;
	else if (found)
		prove_found(p, t, found);
	app_passwords_wipe(&rows);
}

static result put_signature(const struct scram_caller *who, const struct proving *g, struct edge_auth_login_is *answer)
{
	AUTO_BUF buf text = buf_new(EDGE_AUTH_LOGIN_IS_FINAL_MAX);
	scram_signature_print(&text, str_of((const char *)g->signature.b, sizeof g->signature.b));
	TRY(buf_result(&text));
	answer->final = arena_dup(who->m, buf_str(&text));
	answer->address = arena_dup(who->m, buf_str(&g->exchange->user));
	return arena_result(who->m);
}

static result conclude(const struct scram_caller *who, struct proving *g,
	const struct edge_auth_scram_proof *m, struct edge_auth_login_is *answer)
{
	struct auth *a = g->auth;
	const struct exchange *e = g->exchange;
	const struct login_try t = {.protocol = e->protocol, .user = buf_str(&e->user), .client = buf_str(&e->client),
		.tag = m->tag, .encrypted = e->encrypted, .session = m->session, .mechanism = e->mechanism,
		.channel = who->channel, .trace = who->trace, .claimed = book_account(&a->directory->book, e->account)};
	struct proof p;
	prove_begin(&p, &t);
	if (fits(e, g->final)) {
		memcpy(g->proof.b, g->final->proof.p, sizeof g->proof.b);
		compare(g, &t, &p);
	}
	result r = login_conclude(a, &t, &p, answer);
	if (!failed(r) && answer->verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED)
		r = put_signature(who, g, answer);
	prove_end(&p);
	return r;
}

static result prove(const struct scram_caller *who, struct proving *g, const struct edge_auth_scram_proof *m,
	struct edge_auth_login_is *answer)
{
	AUTO_ARENA arena memory = arena_new(SCRAM_ARENA);
	AUTO_BUF buf message = buf_new(EXCHANGE_TEXT + SCRAM_MESSAGE_MAX + 1);
	struct scram_final final;
	answer->verdict = EDGE_AUTH_LOGIN_VERDICT_MALFORMED;
	if (failed(scram_final_parse(m->final, &memory, &final)))
		return OK;
	buf_put(&message, buf_str(&g->exchange->said));
	buf_putc(&message, ',');
	buf_put(&message, final.without_proof);
	TRY(buf_result(&message));
	g->final = &final;
	g->message = buf_str(&message);
	return conclude(who, g, m, answer);
}

result scram_login_prove(struct auth *a, const struct scram_caller *who, const struct edge_auth_scram_proof *m,
	struct edge_auth_login_is *answer)
{
	struct proving g = {.auth = a, .exchange = exchanges_take(&a->exchanges, who->channel, &m->exchange)};
	answer->session = -1;
	answer->verdict = EDGE_AUTH_LOGIN_VERDICT_LATER; /* it took too long, and was forgotten */
	result r = g.exchange ? prove(who, &g, m, answer) : OK;
	exchange_free(&g.exchange);
	return r;
}
