#include "account/stage.h"

#include <sys/socket.h>

enum { LINE_LONGEST = 8 * 1024 * 1024, WAIT_MS = 10000, QUIET_MS = 50 };

void stage_deliver(struct stage *t, str message)
{
	arena m = arena_new(128 * 1024 * 1024);
	struct letter l;
	stage_protocol.letter(message, &m, &l);
	struct incoming in = {.delivery = kit_delivery(t->kit), .received = 1772532001, .letter = &l};
	struct arrived done;
	assert_ok(message_deliver(&t->kit->courier, &in, &done));
	arena_free(&m);
}

/* ---- sessions */

static void session(void *arg)
{
	struct stage_session *s = arg;
	stage_protocol.run(s->stage, s->socket);
	s->over = true;
}

int stage_connect(struct stage *t, size_t who)
{
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	t->sessions[who] = (struct stage_session){.stage = t, .socket = ends[1]};
	assert_ok(fiber_start(session, &t->sessions[who], "session", NULL));
	return ends[0];
}

void stage_join(struct stage *t, size_t who)
{
	assert_ok(stream_open(stage_connect(t, who), &t->clients[who]));
	stream_set_idle(t->clients[who], WAIT_MS);
	stage_protocol.greeted(t, who);
}

void stage_open(struct stage *t, struct kit *k)
{
	*t = (struct stage){.kit = k, .m = arena_new(256 * 1024 * 1024), .at = "?"};
	stage_protocol.open(t);
}

void stage_close(struct stage *t)
{
	for (size_t i = 0; i < STAGE_SESSIONS; i++)
		stream_free(&t->clients[i]);
	stage_protocol.close(t);
	arena_free(&t->m);
}

/* ---- what is said */

static void fail_at(const struct stage *t, const char *what, str got)
{
	fail_msg("at \"%s\": %s, got \"%.*s\"", t->at, what, STR_ARG(got));
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
	result r = stream_read_line(t->clients[who], LINE_LONGEST, LINE_CRLF, &line);
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

struct speaking {
	struct stream *client;
	str says;
	bool over;
};

static void speak(void *arg)
{
	struct speaking *s = arg;
	result r = stream_write(s->client, s->says);
	if (!failed(r))
		r = stream_end(s->client);
	(void)r; /* the session may have gone */
	s->over = true;
}

void stage_exchange(struct stage *t, str says, buf *heard)
{
	str piece;
	stage_join(t, 0);
	struct speaking s = {.client = t->clients[0], .says = says};
	assert_ok(fiber_start(speak, &s, "client", NULL));
	while (!failed(stream_read_some(s.client, &piece))) {
		buf_put(heard, piece);
		stream_consume(s.client, piece.n);
	}
	while (!s.over)
		assert_ok(fiber_sleep(1));
}

/* ---- dialogues */

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
	AUTO_BUF buf out = buf_new(LINE_LONGEST);
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
	stage_protocol.small(&text, name);
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

static void session_step(struct stage *t, size_t who, str line)
{
	if (!t->clients[who])
		stage_join(t, who);
	str text = str_skip(line, 3);
	if (str_starts(line, STR("C: ")) || str_starts(line, STR("C- ")))
		say(t, who, text, line.p[1] == ':');
	else if (str_starts(line, STR("S: ")) || str_starts(line, STR("S> ")))
		hear(t, who, text, line.p[1] == '>');
	else if (str_eq(line, STR("QUIET")))
		hear_nothing(t, who, FAIL_TIMEOUT);
	else if (str_eq(line, STR("EOF")))
		hear_nothing(t, who, FAIL_CLOSED);
	else
		fail_msg("no such step: %.*s", STR_ARG(line));
}

static void step(struct stage *t, str line)
{
	bool other = line.n > 1 && line.p[0] >= '2' && line.p[0] <= '3';
	if (str_starts(line, STR("DELIVER ")))
		deliver(t, str_skip(line, 8));
	else if (str_starts(line, STR("REMOVE ")))
		remove_one(t, str_skip(line, 7));
	else
		session_step(t, other ? (size_t)(line.p[0] - '1') : 0, str_skip(line, other));
}

void stage_play(struct stage *t, const char *const *lines)
{
	for (; *lines; lines++) {
		t->at = *lines;
		step(t, str_from(t->at));
	}
	t->at = "?";
}

/* ---- running */

static void (*on_stage)(struct stage *t);
static const char *const *script;

static void open_and_close(struct kit *k)
{
	struct stage t;
	stage_open(&t, k);
	on_stage(&t);
	stage_close(&t);
}

void stage_with(void (*fn)(struct stage *t))
{
	on_stage = fn;
	kit_run(open_and_close);
}

static void play_script(struct stage *t)
{
	stage_play(t, script);
}

void stage_run(const char *const *lines)
{
	script = lines;
	stage_with(play_script);
}
