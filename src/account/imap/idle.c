#include "account/imap/read.h"
#include "account/imap/verbs.h"

/* While the session waits for DONE, a second fiber tells the news. It is
 * cancelled only while it waits for them: a line cut in the middle would end
 * the connection. */
struct idling {
	struct imap_session *s;
	struct fiber *fiber;
	struct gate gone;
	bool waits;
	bool done;      /* DONE came */
	bool finished;  /* the fiber has returned */
	result trouble; /* why it could not go on */
};

static result tell_next(struct idling *w)
{
	w->waits = true;
	result r = view_wait(w->s->view, FIBER_FOREVER);
	w->waits = false;
	TRY(r);
	arena_clear(&w->s->arena);
	TRY(imap_news(w->s, true));
	return imap_send(w->s, true);
}

static void tell_news(void *arg)
{
	struct idling *w = arg;
	while (!w->done && !fiber_cancelled()) {
		result r = tell_next(w);
		if (!failed(r))
			continue;
		if (!w->done) {
			w->trouble = r; /* the mailbox was deleted, or the client does not read */
			fiber_cancel(w->s->speech.fiber);
		}
		break;
	}
	w->finished = true;
	gate_wake_all(&w->gone);
}

static void end_news(struct idling *w)
{
	w->done = true;
	while (w->fiber && !w->finished) {
		if (w->waits || fiber_cancelled())
			fiber_cancel(w->fiber);
		if (failed(gate_wait(&w->gone, FIBER_FOREVER)))
			fiber_yield();
	}
	if (failed(w->trouble))
		w->s->link = w->trouble;
}

static result wait_for_done(struct imap_session *s)
{
	str line;
	s->speech.resting = true;
	result r = imap_read_line(s, IMAP_COMMAND_MAX, &line);
	s->speech.resting = false;
	if (r.kind == FAIL_LIMIT)
		return imap_bad(s, "DONE is expected to end IDLE");
	TRY(r);
	if (!str_ieq(str_trim(line), STR("DONE")))
		return imap_bad(s, "DONE is expected to end IDLE");
	return OK;
}

/* RFC 2177. */
result run_IDLE(struct imap_session *s, struct imap_command *c)
{
	struct idling w = {.s = s};
	(void)c;
	gate_init(&w.gone);
	TRY(imap_news(s, true));
	buf_put(&s->out, STR("+ Waiting for DONE\r\n"));
	TRY(imap_send(s, true));
	effort_end(); /* what others bring from now on is not this command's doing */
	if (s->view)
		TRY(fiber_start(tell_news, &w, "idle", &w.fiber));
	result r = wait_for_done(s);
	end_news(&w);
	return r;
}
