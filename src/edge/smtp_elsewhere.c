/* Whether mail goes on from here to another server. */
#include "edge/smtp.h"
#include "talk/edge_relay.h"

#include <stdio.h>

enum { SENTENCE_MAX = 700 };

/* A neighbour's own words, in a reply of ours. */
static result refuse_with(struct smtp_session *s, struct smtp_fault f, str words)
{
	char text[SENTENCE_MAX];
	snprintf(text, sizeof text, "%s%.*s", f.text, STR_ARG(words));
	f.text = text;
	return session_refuse(s, &f);
}

static result refuse_later(struct smtp_session *s)
{
	return SMTP_REFUSE(s, 451, "4.3.0", "The server cannot look this address up now; try again later");
}

result smtp_limited(struct smtp_session *s, str why)
{
	static const struct smtp_fault limited = {.code = 450, .status = "4.7.1", .text = ""};
	return refuse_with(s, limited, why);
}

/* ---- for a domain whose primary server is another ---- */

static result judge_primary(struct smtp_session *s, const struct edge_relay_verified *v, bool *accepted)
{
	static const struct smtp_fault no = {.code = 550, .status = "5.1.1",
		.text = "The server that this mail is for refuses the address: "};
	static const struct smtp_fault later = {.code = 451, .status = "4.4.1",
		.text = "The server that this mail is for cannot be asked about the address now; try again later. "};
	*accepted = v->verdict == EDGE_RELAY_VERDICT_YES;
	if (*accepted)
		return OK;
	return refuse_with(s, v->verdict == EDGE_RELAY_VERDICT_NO ? no : later, v->text);
}

static result ask_primary(struct smtp_session *s, const struct elsewhere *to, bool *accepted)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct channel *relay;
	const struct asking ask = {.trace = &s->trace, .arena = &a, .timeout_ms = NEIGHBOUR_VERIFY_MS};
	const struct edge_relay_verify q = {
		.route = to->route, .domain = to->domain, .sender = s->sender, .address = to->address};
	struct edge_relay_verified v = {.verdict = EDGE_RELAY_VERDICT_LATER};
	result r = neighbour(NEIGHBOUR_RELAY, &relay);
	if (!failed(r))
		r = edge_relay_verify_call_within(relay, &ask, &q, &v);
	if (r.kind == FAIL_CANCELLED)
		return r;
	return failed(r) ? refuse_later(s) : judge_primary(s, &v, accepted);
}

result smtp_elsewhere(struct smtp_session *s, const struct elsewhere *to, bool *accepted)
{
	*accepted = false;
	if (s->logged_in) { /* auth has said that it may */
		*accepted = true;
		return OK;
	}
	if (to->relayed)
		return ask_primary(s, to, accepted);
	return SMTP_REFUSE(s, 550, "5.7.1",
			   "This address is not of this server, and it does not pass mail on; if you have an account here, "
			   "use the submission port and log in");
}
