/* SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, 7677): messages to and fro between the client and auth, which alone
 * knows what is proved; this side adds the channel bindings (RFC 5929 and 9266) and reads no message. */
#include "edge/sasl.h"

#include <unistd.h>

#include "edge/neighbours.h"
#include "grammar/text/sasl.h"
#include "grammar/text/scram.h"

/* ---- auth's side ---- */

static void bind(const struct client *c, buf *exporter, buf *end_point)
{
	struct tls *t = stream_tls(c->stream);
	if (t && failed(tls_exporter(t, exporter)))
		buf_clear(exporter);
	if (t && failed(tls_end_point(t, end_point)))
		buf_clear(end_point);
}

struct begun {
	enum edge_auth_login_verdict verdict;
	trace_id exchange;
	buf challenge;
};

static result begin(const struct sasl_carrier *c, bool plus, str first, struct begun *out)
{
	AUTO_ARENA arena a = arena_new(65536);
	AUTO_BUF buf exporter = buf_new(TLS_BINDING_MAX), end_point = buf_new(TLS_BINDING_MAX);
	struct channel *auth;
	struct edge_auth_scram_is is;
	const struct asking ask = {.trace = &c->client->session, .arena = &a, .timeout_ms = NEIGHBOUR_LOGIN_MS};
	bind(c->client, &exporter, &end_point);
	const struct edge_auth_scram m = {.protocol = c->protocol, .client = str_from(c->client->text),
		.encrypted = c->client->encrypted, .plus = plus, .first = first,
		.offered = stream_tls(c->client->stream) != NULL,
		.exporter = buf_str(&exporter), .end_point = buf_str(&end_point)};
	TRY(neighbour(NEIGHBOUR_AUTH, &auth));
	result r = edge_auth_scram_call_within(auth, &ask, &m, &is);
	if (failed(r)) /* the refusal's sentence ends with the arena */
		return failure(r.kind, "auth does not check logins now");
	out->verdict = is.verdict;
	out->exchange = is.exchange;
	buf_put(&out->challenge, is.first);
	return buf_result(&out->challenge);
}

struct proved {
	str final;    /* the client's last message */
	buf *user;
	buf signature; /* the server's */
};

static result prove(const struct sasl_carrier *c, const struct begun *b, struct proved *p, struct login_answer *out)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct channel *auth;
	struct edge_auth_login_is is;
	const struct asking ask = {.trace = &c->client->session, .arena = &a, .timeout_ms = NEIGHBOUR_LOGIN_MS};
	const struct edge_auth_scram_proof m = {
		.exchange = b->exchange, .final = p->final, .tag = c->tag, .session = c->session};
	TRY(neighbour(NEIGHBOUR_AUTH, &auth));
	result r = edge_auth_scram_proof_call_within(auth, &ask, &m, &is);
	if (failed(r)) /* the refusal's sentence ends with the arena */
		return failure(r.kind, "auth does not check logins now");
	buf_put(p->user, is.address);
	buf_put(&p->signature, is.final);
	r = login_take(c->client, &is, c->session, out);
	edge_auth_login_is_release(&is);
	return r;
}

/* ---- the exchange ---- */

/* The outcome travels in a message of its own, which the client confirms with an empty one. */
static result confirm(const struct sasl_carrier *c, const struct proved *p)
{
	AUTO_BUF buf nothing = buf_new(SASL_LINE_MAX);
	TRY(sasl_say(c, buf_str(&p->signature)));
	TRY(sasl_hear(c, &nothing));
	return nothing.n == 0 ? OK : failure(FAIL_INPUT, "nothing is awaited any more");
}

static result second_half(const struct sasl_carrier *c, const struct begun *b, struct proved *p,
	struct login_answer *out)
{
	AUTO_BUF buf message = buf_new(SASL_LINE_MAX);
	TRY(sasl_say(c, buf_str(&b->challenge)));
	TRY(sasl_hear(c, &message));
	p->final = buf_str(&message);
	result r = prove(c, b, p, out);
	if (failed(r))
		return sasl_later(out, r);
	if (out->verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED)
		r = confirm(c, p);
	if (failed(r) && out->session >= 0) {
		close(out->session);
		out->session = -1;
	}
	return r;
}

/* Of an accepted login the client has confirmed the server's signature. */
result scram_run(const struct sasl_carrier *c, bool plus, buf *user, struct login_answer *out)
{
	AUTO_BUF buf first = buf_new(SASL_LINE_MAX);
	struct begun b = {.challenge = buf_new(SCRAM_MESSAGE_MAX)};
	struct proved p = {.user = user, .signature = buf_new(SCRAM_MESSAGE_MAX)};
	TRY(sasl_hear_first(c, &first));
	result r = begin(c, plus, buf_str(&first), &b);
	if (failed(r))
		r = sasl_later(out, r);
	else if (b.verdict != EDGE_AUTH_LOGIN_VERDICT_ACCEPTED)
		*out = (struct login_answer){.verdict = b.verdict, .session = -1};
	else
		r = second_half(c, &b, &p, out);
	buf_free(&b.challenge);
	buf_free(&p.signature);
	return r;
}
