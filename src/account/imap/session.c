#include "account/imap/capability.h"
#include "account/imap/read.h"
#include "account/imap/verbs.h"
#include "base/mem.h"

void imap_home_init(struct imap_home *h)
{
	list_init(&h->sessions);
}

static void begin_command(struct imap_session *s)
{
	buf_clear(&s->text);
	buf_clear(&s->code);
	arena_clear(&s->arena);
	s->done = NULL;
	s->bad = s->uid = s->modseqs = false;
}

static unsigned state_of(const struct imap_session *s)
{
	return s->view ? IMAP_SELECTED : IMAP_AFTER_LOGIN;
}

static result allowed(struct imap_session *s, const struct imap_command *c)
{
	unsigned states = imap_verb_states(c->verb);
	if (states == IMAP_BEFORE_LOGIN)
		return imap_bad(s, "you are logged in already");
	if (!(states & state_of(s)))
		return imap_bad(s, "no mailbox is selected: send SELECT first");
	if (c->utf8 && !imap_utf8(s))
		return imap_bad(s, "a quoted string may hold UTF-8 only after ENABLE UTF8=ACCEPT or IMAP4rev2");
	return OK;
}

static result run(struct imap_session *s, struct imap_command *c)
{
	struct effort effort;
	TRY(allowed(s, c));
	s->uid = c->uid;
	effort_begin(&effort, s->home->command_cpu_ms);
	result r = imap_verb_run(c->verb)(s, c);
	return speech_command_over(&effort, r, &(struct speech_command){imap_verb_name(c->verb), &s->trace});
}

/* RFC 9051 7.5.1; for UID SEARCH with message numbers RFC 7162 3.2.10.2. */
static bool holds_expunge(const struct imap_command *c)
{
	bool numbers = !c->uid || (c->verb == IMAP_SEARCH_COMMAND && c->search.numbers);
	return (imap_verb_flags(c->verb) & IMAP_HOLDS_EXPUNGE) && numbers;
}

static void command(struct imap_session *s)
{
	struct imap_command c;
	result r = imap_parse(buf_str(&s->text), &s->arena, &c);
	if (failed(r)) {
		s->bad = r.kind == FAIL_INPUT || r.kind == FAIL_ABSENT;
		imap_answer(s, c.tag, STR(""), r);
		return;
	}
	r = run(s, &c);
	if (r.kind == FAIL_LIMIT || r.kind == FAIL_MEMORY)
		arena_clear(&s->arena); /* what follows needs a little, too */
	if (!failed(s->link))
		s->link = imap_news(s, !holds_expunge(&c));
	if (failed(s->link))
		return;
	imap_put_held_back(s);
	imap_answer(s, c.tag, imap_verb_name(c.verb), r);
}

static void greet(struct imap_session *s, str tag)
{
	buf_put(&s->out, tag.n ? tag : STR("*"));
	buf_put(&s->out, STR(" OK ["));
	imap_put_capabilities(s, &s->out);
	buf_put(&s->out, STR("] Logged in\r\n"));
}

static void serve(struct imap_session *s)
{
	while (!s->ending && !failed(s->link)) {
		begin_command(s);
		struct imap_append m = {0};
		switch (imap_read_command(s, &m)) {
		case IMAP_READ_COMMAND:
			command(s);
			break;
		case IMAP_READ_APPEND:
			imap_append(s, &m);
			break;
		case IMAP_READ_REFUSED:
		case IMAP_READ_ENDED:
			break;
		}
		if (!failed(s->link))
			s->link = imap_send_if_long(s);
		if (s->home->stirred)
			s->home->stirred();
	}
}

/* What the client hears last when it was not its own wish. */
static void part(struct imap_session *s)
{
	enum fail_kind why = s->link.kind;
	s->link = OK;
	if (why == FAIL_NONE) {
		result r = imap_send(s, true);
		(void)r;
	} else if (why == FAIL_TIMEOUT) {
		imap_bye(s, "[" IMAP_CODE_UNAVAILABLE "] Nothing was heard for too long; log in again.");
	} else if (why == FAIL_CANCELLED && s->speech.revoked) {
		imap_bye(s, "The password that this session was opened with was changed or revoked; log in again.");
	} else if (why == FAIL_CANCELLED) {
		imap_bye(s, "[" IMAP_CODE_UNAVAILABLE "] The server is being stopped; log in again in a moment.");
	} else if (why == FAIL_INPUT) {
		imap_bye(s, "This line has no end; log in again.");
	} else if (why == FAIL_ABSENT) {
		imap_bye(s, "The selected mailbox was deleted by another session; log in again.");
	} else if (why == FAIL_MEMORY || why == FAIL_LIMIT) {
		imap_bye(s, "[" IMAP_CODE_UNAVAILABLE "] The server has no memory for this session; log in again later.");
	} else if (why == FAIL_DAMAGE || why == FAIL_DISK) {
		imap_bye(s, "[" IMAP_CODE_CORRUPTION "] A message cannot be read any further; ask the server's administrator.");
	}
	if (!failed(s->link)) {
		result r = stream_end(s->speech.stream);
		(void)r;
	}
}

static void close_session(struct imap_session *s)
{
	if (s->view)
		view_close(&s->view);
	mem_free(s->saved);
	buf_free(&s->text);
	buf_free(&s->tag);
	buf_free(&s->out);
	buf_free(&s->code);
	arena_free(&s->arena);
	speech_close(&s->speech);
}

void imap_session_run(struct imap_home *h, const struct imap_login_done *l)
{
	struct imap_session s = {
		.home = h,
		.trace = l->trace,
		.text = buf_new(IMAP_COMMAND_MAX + IMAP_LITERAL_MAX),
		.tag = buf_new(IMAP_TAG_MAX),
		.out = buf_new(IMAP_OUT_MAX),
		.code = buf_new(IMAP_OUT_MAX),
		.arena = arena_new(IMAP_COMMAND_ARENA),
	};
	const struct speech_login login = {l->socket, l->credential, h->idle_ms};
	if (failed(speech_open(&s.speech, &login, &h->sessions)))
		return;
	greet(&s, l->tag);
	if (!failed(imap_send(&s, true)))
		view_expect(&h->owner, STR("INBOX")); /* nearly every client opens it next */
	serve(&s);
	part(&s);
	close_session(&s);
}

void imap_sessions_stop(struct imap_home *h)
{
	speech_stop(&h->sessions);
}
