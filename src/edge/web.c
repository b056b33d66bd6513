#include "edge/web.h"

#include "edge/login.h"
#include "talk/edge_web.h"

static result visit(const struct client *c, int *session)
{
	AUTO_ARENA arena a = arena_new(4096);
	struct channel *web;
	const struct edge_web_visit m = {.client = str_from(c->text), .trusted = c->trusted};
	struct edge_web_visited is;
	const struct asking ask = {.trace = &c->session, .arena = &a, .timeout_ms = NEIGHBOUR_LOOKUP_MS};
	TRY(neighbour(NEIGHBOUR_WEB, &web));
	TRY(edge_web_visit_call_within(web, &ask, &m, &is));
	*session = talk_take_fd(&is.socket);
	edge_web_visited_release(&is);
	return OK;
}

static void say_busy(struct client *c)
{
	result r = stream_write(c->stream, STR(WEB_BUSY "Administration is not possible now; try again in a moment\r\n"));
	if (!failed(r))
		client_end(c);
}

/* Web is not troubled by who says nothing, and an answer does not come before its question. */
void web_session(struct client *c)
{
	int session;
	stream_set_deadline(c->stream, client_time(c, OPT_LOGIN_TIME));
	result r = stream_fill(c->stream);
	c->stalled = r.kind == FAIL_TIMEOUT;
	if (failed(r))
		return;
	if (failed(visit(c, &session)))
		say_busy(c);
	else
		login_hand_over(c, STR("https"), session);
}
