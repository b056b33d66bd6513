#include "account/pop3/stage.h"

#include <sys/socket.h>

#include "base/mem.h"

enum { LINE_LONGEST = 1024 * 1024, WAIT_MS = 10000, QUIET_MS = 50 };

void stage_deliver(struct stage *t, str message)
{
	size_t header = str_find(message, STR("\r\n\r\n"));
	struct letter l = {
		.trace = STR(STAGE_TRACE),
		.body = message,
		.header_size = header == STR_NONE ? message.n : header + 4,
		.envelope = STR("NIL"),
		.structure = STR("NIL"),
		.basic = STR("NIL"),
		.parts = STR("parts"),
		.search = STR(""),
	};
	struct incoming in = {.delivery = kit_delivery(t->kit), .received = 1772532001, .letter = &l};
	struct arrived done;
	assert_ok(message_deliver(&t->kit->courier, &in, &done));
}

struct entry {
	struct pop3_home *home;
	int fd;
};

static void session(void *arg)
{
	struct entry *e = arg;
	pop3_session_run(e->home, e->fd);
	mem_free(e);
}

void stage_join(struct stage *t, size_t who)
{
	int ends[2];
	struct entry *e = mem_alloc(sizeof *e);
	assert_non_null(e);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	*e = (struct entry){&t->home, ends[1]};
	assert_ok(stream_open(ends[0], &t->clients[who]));
	stream_set_idle(t->clients[who], WAIT_MS);
	assert_ok(fiber_start(session, e, "session", NULL));
}

void stage_open(struct stage *t, struct kit *k)
{
	*t = (struct stage){.kit = k, .m = arena_new(64 * 1024 * 1024), .at = "?"};
	t->home.owner = k->owner;
	t->home.idle_ms = 60000;
	pop3_home_init(&t->home);
}

void stage_close(struct stage *t)
{
	for (size_t i = 0; i < STAGE_SESSIONS; i++)
		stream_free(&t->clients[i]);
	pop3_sessions_stop(&t->home);
	assert_true(list_empty(&t->home.sessions));
	arena_free(&t->m);
}

/* ---- what is said */

static void fail_at(const struct stage *t, const char *what, str got)
{
	fail_msg("at \"%s\": %s, got \"%.*s\"", t->at, what, STR_ARG(got));
}

void stage_send(struct stage *t, size_t who, str bytes)
{
	assert_ok(stream_write(t->clients[who], bytes));
	assert_ok(stream_flush(t->clients[who]));
}

str stage_line(struct stage *t, size_t who)
{
	str line;
	result r = stream_read_line(t->clients[who], LINE_LONGEST, LINE_CRLF, &line);
	if (failed(r))
		fail_at(t, r.text, STR(""));
	return arena_dup(&t->m, line);
}

/* "..." stands for anything, once. */
static bool fits(str want, str got)
{
	size_t dots = str_find(want, STR("..."));
	if (dots == STR_NONE)
		return str_eq(want, got);
	str rest = str_skip(want, dots + 3);
	return got.n >= dots + rest.n && str_starts(got, str_sub(want, 0, dots)) && str_ends(got, rest);
}

static void say(struct stage *t, size_t who, str text, bool whole)
{
	AUTO_BUF buf out = buf_new(LINE_LONGEST);
	for (size_t i = 0; i < text.n; i++) {
		bool escape = text.p[i] == '\\' && i + 1 < text.n;
		buf_putc(&out, !escape ? text.p[i] : text.p[i + 1] == 'r' ? '\r' : '\n');
		i += escape;
	}
	if (whole)
		buf_put(&out, STR("\r\n"));
	stage_send(t, who, buf_str(&out));
}

static void hear(struct stage *t, size_t who, str want)
{
	str line = stage_line(t, who);
	if (!fits(want, line))
		fail_at(t, "another line", line);
}

static void hear_nothing(struct stage *t, size_t who, enum fail_kind end)
{
	str some;
	stream_set_idle(t->clients[who], end == FAIL_TIMEOUT ? QUIET_MS : WAIT_MS);
	result r = stream_read_some(t->clients[who], &some);
	stream_set_idle(t->clients[who], WAIT_MS);
	if (!failed(r))
		fail_at(t, "nothing was expected", some);
	assert_int_equal(r.kind, end);
}

static void deliver(struct stage *t, str name)
{
	AUTO_BUF buf text = buf_new(4096);
	buf_printf(&text, "Subject: %.*s\r\n\r\n%.*s\r\n", STR_ARG(name), STR_ARG(name));
	stage_deliver(t, buf_str(&text));
}

static void remove_one(struct stage *t, str uid)
{
	uint32_t n;
	struct view *v = kit_view(t->kit, "INBOX");
	assert_true(str_to_u32(uid, &n));
	struct uids which = kit_uids(t->kit, 1, n);
	assert_ok(message_remove(v, &which));
	view_close(&v);
}

static void step(struct stage *t, str line)
{
	size_t who = line.n > 1 && line.p[0] == '2';
	line = str_skip(line, who);
	if (!t->clients[who] && line.n > 1 && !str_starts(line, STR("DELIVER ")))
		stage_join(t, who);
	str text = str_skip(line, 3);
	if (str_starts(line, STR("C: ")) || str_starts(line, STR("C- ")))
		say(t, who, text, line.p[1] == ':');
	else if (str_starts(line, STR("S: ")))
		hear(t, who, text);
	else if (str_starts(line, STR("DELIVER ")))
		deliver(t, str_skip(line, 8));
	else if (str_starts(line, STR("REMOVE ")))
		remove_one(t, str_skip(line, 7));
	else if (str_eq(line, STR("QUIET")))
		hear_nothing(t, who, FAIL_TIMEOUT);
	else if (str_eq(line, STR("EOF")))
		hear_nothing(t, who, FAIL_CLOSED);
	else
		fail_msg("no such step: %.*s", STR_ARG(line));
}

void stage_play(struct stage *t, const char *const *lines)
{
	for (; *lines; lines++) {
		t->at = *lines;
		step(t, str_from(*lines));
	}
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
