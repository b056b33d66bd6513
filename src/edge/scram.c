#include "edge/scram.h"

#include <unistd.h>

#include "edge/neighbours.h"
#include "grammar/text/base64.h"
#include "grammar/text/sasl.h"
#include "grammar/text/scram.h"

#define PLAIN_NAME STR("SCRAM-SHA-256")
#define PLUS_NAME STR("SCRAM-SHA-256-PLUS")

bool scram_offers_plus(const struct client *c)
{
	return stream_tls(c->stream) != NULL;
}

bool scram_is_mechanism(const struct client *c, str name, bool *plus)
{
	*plus = str_ieq(name, PLUS_NAME);
	return *plus ? scram_offers_plus(c) : str_ieq(name, PLAIN_NAME);
}

bool scram_is_offered(const struct client *c)
{
	struct edge *e = c->edge;
	AUTO_ARENA arena a = arena_new(4096);
	struct channel *auth;
	const struct asking ask = {.trace = &c->session, .arena = &a, .timeout_ms = NEIGHBOUR_OFFERS_MS};
	const struct edge_auth_offers q = {0};
	struct edge_auth_offers_are are;
	if (e->scram != EDGE_SCRAM_UNKNOWN)
		return e->scram == EDGE_SCRAM_OFFERED;
	uint64_t change = e->changes;
	if (failed(neighbour(NEIGHBOUR_AUTH, &auth)) || failed(edge_auth_offers_call_within(auth, &ask, &q, &are)))
		return false;
	if (change == e->changes)
		e->scram = are.scram ? EDGE_SCRAM_OFFERED : EDGE_SCRAM_USELESS;
	return are.scram;
}

void scram_forget(struct edge *e)
{
	e->scram = EDGE_SCRAM_UNKNOWN;
	e->changes++;
}

void scram_put_mechanisms(const struct client *c, str before, buf *out)
{
	if (!scram_is_offered(c))
		return;
	buf_putc(out, ' ');
	buf_put(out, before);
	buf_put(out, PLAIN_NAME);
	if (!scram_offers_plus(c))
		return;
	buf_putc(out, ' ');
	buf_put(out, before);
	buf_put(out, PLUS_NAME);
}

/* ---- the client's side of the wire ---- */

static result say(const struct scram_carrier *c, str message)
{
	AUTO_BUF buf line = buf_new(2 * SCRAM_MESSAGE_MAX);
	buf_put(&line, c->before);
	base64_encode(&line, message, 0);
	buf_put(&line, STR("\r\n"));
	TRY(buf_result(&line));
	return stream_write(c->client->stream, buf_str(&line));
}

static result hear(const struct scram_carrier *c, buf *out)
{
	str line;
	result r = stream_read_line(c->client->stream, SASL_LINE_MAX, c->end, &line);
	if (r.kind == FAIL_LIMIT)
		return failure(FAIL_INPUT, "the login message is too long");
	TRY(r);
	TRY(sasl_decode(line, out));
	return out->n <= SCRAM_MESSAGE_MAX ? OK : failure(FAIL_INPUT, "the login message is too long");
}

static result first_message(const struct scram_carrier *c, buf *out)
{
	if (!c->has_initial) {
		TRY(say(c, (str){NULL, 0}));
		return hear(c, out);
	}
	TRY(sasl_decode(c->initial, out));
	return out->n <= SCRAM_MESSAGE_MAX ? OK : failure(FAIL_INPUT, "the login message is too long");
}

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

static result begin(const struct scram_carrier *c, bool plus, str first, struct begun *out)
{
	AUTO_ARENA arena a = arena_new(65536);
	AUTO_BUF buf exporter = buf_new(TLS_BINDING_MAX), end_point = buf_new(TLS_BINDING_MAX);
	struct channel *auth;
	struct edge_auth_scram_is is;
	const struct asking ask = {.trace = &c->client->session, .arena = &a, .timeout_ms = NEIGHBOUR_LOGIN_MS};
	bind(c->client, &exporter, &end_point);
	const struct edge_auth_scram m = {.protocol = c->protocol, .client = str_from(c->client->text),
		.encrypted = c->client->encrypted, .plus = plus, .offered = scram_offers_plus(c->client), .first = first,
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

static result prove(const struct scram_carrier *c, const struct begun *b, struct proved *p, struct login_answer *out)
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

static result later(struct login_answer *out, result r)
{
	*out = login_unanswered;
	return r.kind == FAIL_CANCELLED ? r : OK;
}

/* The outcome travels in a message of its own, which the client confirms with an empty one. */
static result confirm(const struct scram_carrier *c, const struct proved *p)
{
	AUTO_BUF buf nothing = buf_new(SASL_LINE_MAX);
	TRY(say(c, buf_str(&p->signature)));
	TRY(hear(c, &nothing));
	return nothing.n == 0 ? OK : failure(FAIL_INPUT, "nothing is awaited any more");
}

static result second_half(const struct scram_carrier *c, const struct begun *b, struct proved *p,
	struct login_answer *out)
{
	AUTO_BUF buf message = buf_new(SASL_LINE_MAX);
	TRY(say(c, buf_str(&b->challenge)));
	TRY(hear(c, &message));
	p->final = buf_str(&message);
	result r = prove(c, b, p, out);
	if (failed(r))
		return later(out, r);
	if (out->verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED)
		r = confirm(c, p);
	if (failed(r) && out->session >= 0) {
		close(out->session);
		out->session = -1;
	}
	return r;
}

result scram_run(const struct scram_carrier *c, bool plus, buf *user, struct login_answer *out)
{
	AUTO_BUF buf first = buf_new(SASL_LINE_MAX);
	struct begun b = {.challenge = buf_new(SCRAM_MESSAGE_MAX)};
	struct proved p = {.user = user, .signature = buf_new(SCRAM_MESSAGE_MAX)};
	TRY(first_message(c, &first));
	result r = begin(c, plus, buf_str(&first), &b);
	if (failed(r))
		r = later(out, r);
	else if (b.verdict != EDGE_AUTH_LOGIN_VERDICT_ACCEPTED)
		*out = (struct login_answer){.verdict = b.verdict, .session = -1};
	else
		r = second_half(c, &b, &p, out);
	buf_free(&b.challenge);
	buf_free(&p.signature);
	return r;
}
