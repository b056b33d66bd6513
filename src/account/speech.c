#include "account/speech.h"

#include <unistd.h>

result speech_open(struct speech *s, const struct speech_login *l, struct list *sessions)
{
	result r = stream_open(l->socket, &s->stream);
	if (failed(r)) {
		close(l->socket);
		return r;
	}
	stream_set_idle(s->stream, l->idle_ms);
	s->credential = l->credential;
	s->fiber = fiber_self();
	list_insert(sessions, &s->place);
	return OK;
}

void speech_close(struct speech *s)
{
	list_remove(&s->place);
	stream_free(&s->stream);
}

result speech_send(struct speech *s, buf *out, bool now)
{
	TRY(buf_result(out));
	if (out->n)
		TRY(stream_write(s->stream, buf_str(out)));
	buf_clear(out);
	return now ? stream_flush(s->stream) : OK;
}

result speech_command_over(const struct effort *e, result r, const struct speech_command *c)
{
	effort_end();
	if (effort_spent(e))
		log_event(EV_LIMITED, c->trace, F_STR("why", c->verb), F_STR("limit", STR("command-cpu-time")));
	return r;
}

result speech_rest(struct speech *s)
{
	str first;
	if (s->stopping)
		return failure(FAIL_CANCELLED, "the server is being stopped");
	s->resting = true;
	result r = stream_read_some(s->stream, &first);
	s->resting = false;
	return r;
}

static void end(struct speech *s)
{
	s->stopping = true;
	if (s->resting)
		fiber_cancel(s->fiber);
}

uint32_t speech_revoke(struct list *sessions, uint64_t credential, bool all)
{
	uint32_t n = 0;
	LIST_EACH_SAFE(node, sessions) {
		struct speech *s = LIST_OWNER(node, struct speech, place);
		if (!all && s->credential != credential)
			continue;
		s->revoked = true;
		end(s);
		n++;
	}
	return n;
}

void speech_stop(struct list *sessions)
{
	enum { STEP_MS = 10 };
	LIST_EACH_SAFE(node, sessions)
		end(LIST_OWNER(node, struct speech, place));
	for (unsigned waited = 0; !list_empty(sessions); waited += STEP_MS) {
		if (waited == SPEECH_STOP_MS)
			LIST_EACH(node, sessions)
				fiber_cancel(LIST_OWNER(node, struct speech, place)->fiber);
		if (failed(fiber_sleep(STEP_MS)))
			return;
	}
}
