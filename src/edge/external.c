/* EXTERNAL (RFC 4422 appendix A): the client has shown who it is by its certificate, and says only whose account it
 * wants; nothing means the certificate's own. */
#include "edge/neighbours.h"
#include "edge/sasl.h"
#include "grammar/text/sasl.h"
#include "run/tls_visitor.h"

bool external_is_possible(const struct client *c)
{
	struct tls_visitor v;
	return stream_tls(c->stream) && tls_visitor(stream_tls(c->stream), &v);
}

static result ask(const struct sasl_carrier *c, str authzid, buf *user, struct login_answer *out)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct tls_visitor v;
	struct channel *auth;
	struct edge_auth_login_is is;
	const struct asking how = {.trace = &c->client->session, .arena = &a, .timeout_ms = NEIGHBOUR_LOGIN_MS};
	struct edge_auth_certificate_login m = {.protocol = c->protocol, .authzid = authzid, .tag = c->tag,
		.client = str_from(c->client->text), .session = c->session};
	must(tls_visitor(stream_tls(c->client->stream), &v)); /* it was possible, and nothing of a session changes */
	memcpy(m.fingerprint, v.fingerprint, sizeof m.fingerprint);
	m.subject = str_from(v.name);
	TRY(neighbour(NEIGHBOUR_AUTH, &auth));
	result r = edge_auth_certificate_login_call_within(auth, &how, &m, &is);
	if (failed(r)) /* the refusal's sentence ends with the arena */
		return failure(r.kind, "auth does not check logins now");
	buf_put(user, is.address);
	r = login_take(c->client, &is, c->session, out);
	edge_auth_login_is_release(&is);
	return r;
}

result external_run(const struct sasl_carrier *c, buf *user, struct login_answer *out)
{
	AUTO_BUF buf authzid = buf_new(SASL_LINE_MAX);
	TRY(sasl_hear_first(c, &authzid));
	if (authzid.n > 0 && failed(sasl_login_check(buf_str(&authzid), SASL_NAME_MAX)))
		return failure(FAIL_INPUT, "nobody has such a name");
	result r = ask(c, buf_str(&authzid), user, out);
	return failed(r) ? sasl_later(out, r) : OK;
}
