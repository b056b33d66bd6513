#include "account/imap/stage.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "account/letters.h"
#include "grammar/mime/facts.h"
#include "grammar/mime/search_text.h"
#include "grammar/text/nfc.h"
#include "run/loop.h"
#include "talk/body.h"

enum { LINE_MAX_ = 8 * 1024 * 1024, WAIT_MS = 10000, QUIET_MS = 50 };

/* ---- in inspect's place */

struct examining {
	str message;
	arena *m;
	struct facts facts;
	result done;
};

static void examine_here(void *arg)
{
	struct examining *e = arg;
	struct charsets *cs = charsets_new();
	e->done = facts_of(e->message, &(struct facts_wants){cs, true}, e->m, &e->facts);
	charsets_free(&cs);
}

static result letter_here(str message, arena *m, struct letter *out)
{
	struct examining e = {.message = message, .m = m};
	AUTO_BUF buf encoded = buf_new(FACTS_ENCODED_MAX);
	fiber_on_loop_stack(examine_here, &e);
	TRY(e.done);
	facts_encode(&e.facts, &encoded);
	return letter_of(arena_dup(m, buf_str(&encoded)), message, m, out);
}

static result examine(const struct imap_home *home, struct body *message, arena *m, struct letter *out)
{
	(void)home;
	return letter_here(message->bytes, m, out);
}

struct folding {
	const struct imap_needle *needle;
	buf out;
	bool known;
};

static void fold_here(void *arg)
{
	struct folding *f = arg;
	struct charsets *cs = charsets_new();
	AUTO_BUF buf utf8 = buf_new(LINE_MAX_);
	f->known = !f->needle->charset.n || charset_known(cs, f->needle->charset);
	charset_text(cs, f->needle->charset.n ? f->needle->charset : STR("UTF-8"), f->needle->text, &utf8);
	if (f->needle->name)
		nfc_put(buf_str(&utf8), &f->out);
	else
		search_fold(buf_str(&utf8), &f->out);
	charsets_free(&cs);
}

static result fold(const struct imap_home *home, const struct imap_needle *needle, arena *m, str *out)
{
	struct folding f = {.needle = needle, .out = buf_new(LINE_MAX_)};
	(void)home;
	fiber_on_loop_stack(fold_here, &f);
	*out = arena_dup(m, buf_str(&f.out));
	buf_free(&f.out);
	return f.known ? arena_result(m) : failure(FAIL_ABSENT, "nobody knows it");
}

struct looking {
	str message;
	const struct search_key *key;
	bool yes;
	result done;
};

static void look_here(void *arg)
{
	struct looking *k = arg;
	struct charsets *cs = charsets_new();
	arena m = arena_new(MIME_ARENA_MAX);
	struct mime_table table;
	assert_ok(mime_parse(k->message, &m, &table));
	k->done = search_message_has(&(struct search_source){k->message, &table, cs}, k->key, &k->yes);
	arena_free(&m);
	charsets_free(&cs);
}

static result look(const struct imap_home *home, struct body *message, const struct search_key *key, bool *yes)
{
	struct looking k = {.message = message->bytes, .key = key};
	(void)home;
	fiber_on_loop_stack(look_here, &k);
	*yes = k.yes;
	return k.done;
}

void stage_deliver(struct stage *t, str message)
{
	arena m = arena_new(FACTS_ARENA_MAX);
	struct letter l;
	assert_ok(letter_here(message, &m, &l));
	l.trace = STR("Return-Path: <sender@example.net>\r\nReceived: from test\r\n");
	struct incoming in = {.delivery = kit_delivery(t->kit), .received = 1772532001, .letter = &l};
	struct arrived done;
	assert_ok(message_deliver(&t->kit->courier, &in, &done));
	arena_free(&m);
}

/* ---- sessions */

struct entry {
	struct imap_home *home;
	int fd;
};

static void session(void *arg)
{
	struct entry *e = arg;
	const struct imap_login_done l = {.socket = e->fd, .tag = STR("t")};
	imap_session_run(e->home, &l);
	test_free(e);
}

void stage_join(struct stage *t, size_t who)
{
	int ends[2];
	struct entry *e = test_malloc(sizeof *e);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	*e = (struct entry){&t->home, ends[1]};
	assert_ok(stream_open(ends[0], &t->clients[who]));
	stream_set_idle(t->clients[who], WAIT_MS);
	assert_ok(fiber_start(session, e, "session", NULL));
	assert_true(str_starts(stage_line(t, who), STR("t OK [CAPABILITY IMAP4rev1")));
}

void stage_open(struct stage *t, struct kit *k)
{
	*t = (struct stage){.kit = k, .m = arena_new(256 * 1024 * 1024)};
	t->home.owner = k->owner;
	t->home.message_max = 1024 * 1024;
	t->home.idle_ms = 60000;
	t->home.append = budget_new(4 * 1024 * 1024);
	t->home.examine = examine;
	t->home.fold = fold;
	t->home.look = look;
	imap_home_init(&t->home);
}

void stage_close(struct stage *t)
{
	for (size_t i = 0; i < STAGE_SESSIONS; i++)
		stream_free(&t->clients[i]);
	imap_sessions_stop(&t->home);
	assert_true(list_empty(&t->home.sessions));
	assert_int_equal(t->home.append.taken, 0);
	arena_free(&t->m);
}

/* ---- what is said */

static void fail_at(struct stage *t, const char *what, str got)
{
	fail_msg("at \"%s\": %s, got \"%.*s\"", t->at ? *t->at : "?", what, STR_ARG(got));
}

void stage_send(struct stage *t, size_t who, str bytes)
{
	if (!t->clients[who])
		stage_join(t, who);
	assert_ok(stream_write(t->clients[who], bytes));
	assert_ok(stream_flush(t->clients[who]));
}

str stage_line(struct stage *t, size_t who)
{
	str line;
	result r = stream_read_line(t->clients[who], LINE_MAX_, LINE_CRLF, &line);
	if (failed(r))
		fail_at(t, r.text, STR(""));
	return arena_dup(&t->m, line);
}

str stage_octets(struct stage *t, size_t who, size_t n)
{
	AUTO_BUF buf all = buf_new(n + 1);
	while (all.n < n) {
		str piece;
		result r = stream_read_some(t->clients[who], &piece);
		if (failed(r))
			fail_at(t, r.text, STR(""));
		piece = str_sub(piece, 0, n - all.n);
		buf_put(&all, piece);
		stream_consume(t->clients[who], piece.n);
	}
	return arena_dup(&t->m, buf_str(&all));
}

/* "..." stands for anything. */
static bool fits(str want, str got)
{
	size_t dots = str_find(want, STR("..."));
	if (dots == STR_NONE)
		return str_eq(want, got);
	if (!str_starts(got, str_sub(want, 0, dots)))
		return false;
	str rest = str_skip(want, dots + 3);
	for (size_t i = dots; i <= got.n; i++)
		if (fits(rest, str_skip(got, i)))
			return true;
	return false;
}

static void put_unescaped(buf *out, str text)
{
	static const char marks[] = "rn0", octets[] = "\r\n";
	for (size_t i = 0; i < text.n; i++) {
		const char *mark = text.p[i] == '\\' && i + 1 < text.n ? memchr(marks, text.p[i + 1], 3) : NULL;
		buf_putc(out, mark ? octets[mark - marks] : text.p[i]);
		i += mark != NULL;
	}
}

static void say(struct stage *t, size_t who, str text, bool whole)
{
	AUTO_BUF buf out = buf_new(LINE_MAX_);
	put_unescaped(&out, text);
	if (whole)
		buf_put(&out, STR("\r\n"));
	stage_send(t, who, buf_str(&out));
}

static void hear(struct stage *t, size_t who, str want, bool pass_over)
{
	for (;;) {
		str line = stage_line(t, who);
		if (fits(want, line))
			return;
		if (!pass_over)
			fail_at(t, "another line", line);
	}
}

static void hear_nothing(struct stage *t, size_t who, enum fail_kind end)
{
	str some;
	if (end == FAIL_TIMEOUT)
		stream_set_idle(t->clients[who], QUIET_MS);
	result r = stream_read_some(t->clients[who], &some);
	stream_set_idle(t->clients[who], WAIT_MS);
	if (!failed(r))
		fail_at(t, "nothing was expected", some);
	assert_int_equal(r.kind, end);
}

static void deliver(struct stage *t, str name)
{
	AUTO_BUF buf text = buf_new(4096);
	buf_put(&text, STR("From: \"A. Sender\" <sender@example.net>\r\nTo: user@example.test\r\nSubject: "));
	buf_put(&text, name);
	buf_put(&text, STR("\r\nDate: Tue, 3 Mar 2026 10:00:01 +0000\r\nMessage-ID: <1@example.net>\r\n\r\n"));
	buf_put(&text, STR("This is a message.\r\n"));
	stage_deliver(t, buf_str(&text));
}

static void step(struct stage *t, str line)
{
	size_t who = 0;
	if (line.n > 1 && line.p[0] >= '2' && line.p[0] <= '3') {
		who = (size_t)(line.p[0] - '1');
		line = str_skip(line, 1);
	}
	if (!t->clients[who])
		stage_join(t, who);
	str text = str_skip(line, 3);
	if (str_starts(line, STR("C: ")) || str_starts(line, STR("C- ")))
		say(t, who, text, line.p[1] == ':');
	else if (str_starts(line, STR("S: ")) || str_starts(line, STR("S> ")))
		hear(t, who, text, line.p[1] == '>');
	else if (str_starts(line, STR("DELIVER ")))
		deliver(t, str_skip(line, 8));
	else if (str_eq(line, STR("QUIET")))
		hear_nothing(t, who, FAIL_TIMEOUT);
	else if (str_eq(line, STR("EOF")))
		hear_nothing(t, who, FAIL_CLOSED);
	else
		fail_msg("no such step: %.*s", STR_ARG(line));
}

void stage_play(struct stage *t, const char *const *lines)
{
	for (t->at = lines; *t->at; t->at++)
		step(t, str_from(*t->at));
	t->at = NULL;
}

static const char *const *script;

static void run_script(struct kit *k)
{
	struct stage t;
	stage_open(&t, k);
	stage_play(&t, script);
	stage_close(&t);
}

void stage_run(const char *const *lines)
{
	script = lines;
	kit_run(run_script);
}
