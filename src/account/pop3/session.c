#include "account/pop3/session.h"

/* These belong to the edge: it speaks to the client until the login. */
#define pop3_run_STLS NULL
#define pop3_run_USER NULL
#define pop3_run_PASS NULL
#define pop3_run_AUTH NULL

static pop3_run *const runs[POP3_VERBS] = {
#define VERB(ID, NAME, STATES, ARGUMENTS) [POP3_##ID] = pop3_run_##ID,
#include "grammar/pop3/pop3_verbs.h"
#undef VERB
};

/* ---- answers */

result pop3_send(struct pop3_session *s, bool now)
{
	if (!failed(s->link))
		s->link = speech_send(&s->speech, &s->out, now);
	return s->link;
}

result pop3_send_if_long(struct pop3_session *s)
{
	return s->out.n < POP3_OUT_SEND && !s->out.broken ? s->link : pop3_send(s, false);
}

/* RFC 3206; without a code where asking again in another way is what helps. */
static const char *code_of(enum fail_kind kind)
{
	switch (kind) {
	case FAIL_ABSENT:
	case FAIL_INPUT:
	case FAIL_EXISTS:
		return "";
	case FAIL_DAMAGE:
	case FAIL_DENIED:
		return "[SYS/PERM] ";
	default:
		return "[SYS/TEMP] ";
	}
}

static void refuse(struct pop3_session *s, result why)
{
	buf *out = &s->out;
	buf_put(out, STR("-ERR "));
	buf_put(out, str_from(code_of(why.kind)));
	size_t at = out->n;
	buf_put(out, str_from(why.text));
	if (!out->broken && out->n > at)
		out->p[at] = (char)ascii_upper((unsigned char)out->p[at]);
	buf_put(out, STR("\r\n"));
}

/* ---- commands */

static result run(struct pop3_session *s, str line)
{
	struct pop3_command c;
	struct effort effort;
	TRY(pop3_parse(line, &c));
	if (!(pop3_verb_states(c.verb) & POP3_AFTER_LOGIN))
		return failure(FAIL_INPUT, "you are logged in already");
	effort_begin(&effort, s->home->command_cpu_ms);
	result r = runs[c.verb](s, &c);
	return speech_command_over(&effort, r, &(struct speech_command){.verb = pop3_verb_name(c.verb)});
}

/* Answers go out before the session waits; with another command at hand they
 * are gathered (PIPELINING, RFC 2449 section 6.6). */
static result rest(struct pop3_session *s)
{
	if (str_chr(stream_peek(s->speech.stream), '\n') != STR_NONE)
		return OK;
	TRY(pop3_send(s, true));
	buf_free(&s->out); /* an idle session keeps no memory but its maildrop */
	s->link = speech_rest(&s->speech);
	return s->link;
}

static void command(struct pop3_session *s)
{
	str line;
	if (failed(rest(s)))
		return;
	result r = stream_read_line(s->speech.stream, POP3_COMMAND_MAX, LINE_ANY, &line);
	if (failed(r) && r.kind != FAIL_LIMIT) {
		s->link = r;
		return;
	}
	r = failed(r) ? failure(FAIL_INPUT, "no command is that long") : run(s, line);
	if (failed(s->link))
		return;
	if (failed(r))
		refuse(s, r);
	result sent = pop3_send_if_long(s);
	(void)sent; /* is in s->link */
}

static void serve(struct pop3_session *s)
{
	while (!s->ending && !failed(s->link)) {
		command(s);
		if (s->home->stirred)
			s->home->stirred();
	}
}

static void greet(struct pop3_session *s)
{
	result r = maildrop_open(&s->drop, &s->home->owner);
	if (failed(r)) {
		refuse(s, r);
		s->ending = true;
	} else {
		buf_printf(&s->out, "+OK %u messages, %llu octets\r\n", s->drop.n, (unsigned long long)s->drop.octets);
	}
}

/* A session that waited too long ends without a word (RFC 1939 section 3). */
static void part(struct pop3_session *s)
{
	enum fail_kind why = s->link.kind;
	if (why != FAIL_NONE && why != FAIL_CANCELLED)
		return;
	s->link = OK;
	if (why == FAIL_CANCELLED && s->speech.revoked)
		refuse(s, failure(FAIL_CANCELLED, "the password was changed or revoked and nothing was removed; log in again"));
	else if (why == FAIL_CANCELLED)
		refuse(s, failure(FAIL_CANCELLED, "the server is being stopped and nothing was removed; log in again"));
	result r = pop3_send(s, true);
	if (!failed(r))
		r = stream_end(s->speech.stream);
	(void)r; /* whoever has gone does not hear it */
}

void pop3_home_init(struct pop3_home *h)
{
	list_init(&h->sessions);
}

void pop3_session_run(struct pop3_home *h, int socket, uint64_t credential)
{
	struct pop3_session s = {.home = h, .out = buf_new(POP3_OUT_MAX)};
	const struct speech_login login = {socket, credential, h->idle_ms};
	if (failed(speech_open(&s.speech, &login, &h->sessions)))
		return;
	greet(&s);
	serve(&s);
	part(&s);
	maildrop_close(&s.drop);
	buf_free(&s.out);
	speech_close(&s.speech);
}

void pop3_sessions_stop(struct pop3_home *h)
{
	speech_stop(&h->sessions);
}
