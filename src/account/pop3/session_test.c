#include "account/stage.h"
#include "grammar/pop3/pop3.h"

#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/effort.h"

DIALOGUE(an_empty_maildrop,
	"S: +OK 0 messages, 0 octets",
	"C: STAT", "S: +OK 0 0",
	"C: LIST", "S: +OK 0 messages, 0 octets", "S: .",
	"C: UIDL", "S: +OK 0 messages, 0 octets", "S: .",
	"C: LIST 1", "S: -ERR There is no message with this number",
	"C: RETR 1", "S: -ERR There is no message with this number",
	"C: NOOP", "S: +OK ...",
	"C: RSET", "S: +OK 0 messages, 0 octets",
	"C: QUIT", "S: +OK 0 messages removed...", "EOF")

DIALOGUE(says_what_it_can,
	"S: +OK ...",
	"C: CAPA", "S: +OK ...", "S: USER", "S: SASL PLAIN", "S: TOP", "S: UIDL", "S: RESP-CODES", "S: AUTH-RESP-CODE",
	"S: PIPELINING", "S: UTF8 USER", "S: EXPIRE NEVER", "S: IMPLEMENTATION Postern", "S: .",
	"C: UTF8", "S: +OK ...",
	"C: USER a", "S: -ERR You are logged in already",
	"C: PASS a", "S: -ERR You are logged in already",
	"C: AUTH PLAIN", "S: -ERR You are logged in already",
	"C: STLS", "S: -ERR You are logged in already",
	"C: LAST", "S: -ERR This server does not know this command",
	"C: ", "S: -ERR ...",
	"C: RETR", "S: -ERR The number of a message has to follow",
	"C: QUIT", "S: +OK ...", "EOF")

DIALOGUE(counts_and_lists,
	"DELIVER one",
	"DELIVER three",
	"S: +OK 2 messages, 116 octets",
	"C: STAT", "S: +OK 2 116",
	"C: LIST", "S: +OK 2 messages, 116 octets", "S: 1 56", "S: 2 60", "S: .",
	"C: LIST 2", "S: +OK 2 60",
	"C: LIST 0", "S: -ERR ...",
	"C: LIST 3", "S: -ERR ...",
	"C: LIST 4294967297", "S: -ERR There is no...",
	"C: LIST 18446744073709551615", "S: -ERR There is no...",
	"C: UIDL", "S: +OK ...", "S: 1 M...", "S: 2 M...", "S: .",
	"C: UIDL 2", "S: +OK 2 M...")

DIALOGUE(retrieves,
	"DELIVER one",
	"S: +OK ...",
	"C: RETR 1", "S: +OK 56 octets", "S: Return-Path: <sender@example.net>", "S: Subject: one", "S: ", "S: one", "S: .",
	"C: TOP 1 0", "S: +OK ...", "S: Return-Path: <sender@example.net>", "S: Subject: one", "S: ", "S: .",
	"C: TOP 1 1", "S: +OK ...", "S: Return-Path: <sender@example.net>", "S: Subject: one", "S: ", "S: one", "S: .",
	"C: TOP 1 99", "S: +OK ...", "S: Return-Path: <sender@example.net>", "S: Subject: one", "S: ", "S: one", "S: .",
	"C: TOP 2 0", "S: -ERR ...")

DIALOGUE(marks_and_removes,
	"DELIVER one",
	"DELIVER two",
	"DELIVER three",
	"S: +OK 3 messages, 172 octets",
	"C: DELE 2", "S: +OK ...",
	"C: DELE 2", "S: -ERR This message is marked...",
	"C: RETR 2", "S: -ERR This message is marked...",
	"C: LIST 2", "S: -ERR This message is marked...",
	"C: UIDL 2", "S: -ERR This message is marked...",
	"C: STAT", "S: +OK 2 116",
	"C: LIST", "S: +OK 2 messages, 116 octets", "S: 1 56", "S: 3 60", "S: .",
	"C: RSET", "S: +OK 3 messages, 172 octets",
	"C: DELE 1", "S: +OK ...",
	"C: DELE 3", "S: +OK ...",
	"C: QUIT", "S: +OK 2 messages removed...", "EOF",
	"2S: +OK 1 messages, 56 octets",
	"2C: RETR 1", "2S: +OK 56 octets", "2S: Return-Path...", "2S: Subject: two", "2S: ", "2S: two", "2S: .")

DIALOGUE(keeps_what_it_saw_at_login,
	"DELIVER one",
	"DELIVER two",
	"S: +OK 2 messages, 112 octets",
	"DELIVER three",
	"C: STAT", "S: +OK 2 112",
	"C: RETR 3", "S: -ERR There is no...",
	"REMOVE 1",
	"C: STAT", "S: +OK 2 112",
	"C: LIST", "S: +OK 2 messages, 112 octets", "S: 1 56", "S: 2 56", "S: .",
	"C: UIDL 1", "S: +OK 1 M...",
	"C: RETR 1", "S: -ERR Another session has removed this message meanwhile",
	"C: TOP 1 0", "S: -ERR Another session has removed this message meanwhile",
	"C: RETR 2", "S: +OK 56 octets", "S: Return-Path...", "S: Subject: two", "S: ", "S: two", "S: .",
	"2S: +OK 2 messages, 116 octets",
	"C: DELE 1", "S: +OK ...",
	"C: DELE 2", "S: +OK ...",
	"C: QUIT", "S: +OK 2 messages removed...", "EOF",
	"2C: RETR 1", "2S: -ERR Another session...",
	"2C: QUIT", "2S: +OK 0 messages...", "2EOF")

DIALOGUE(answers_together_what_comes_together,
	"DELIVER one",
	"S: +OK ...",
	"C- STAT\\r\\nUIDL 1\\r\\nNOOP x\\r\\nDELE 1\\nQUIT\\r\\nNOOP\\r\\n", "S: +OK 1 56", "S: +OK 1 M...", "S: -ERR ...",
	"S: +OK ...", "S: +OK 1 messages removed...", "EOF")

/* ---- what a dialogue cannot say */

ON_STAGE(removes_nothing_without_quit)
{
	static const char *const first[] = {"DELIVER one", "S: +OK ...", "C: DELE 1", "S: +OK ...", NULL};
	static const char *const then[] = {"2S: +OK 1 messages...", NULL};
	stage_play(t, first);
	stream_free(&t->clients[0]);
	stage_play(t, then);
}

ON_STAGE(ends_in_silence_after_the_idle_time)
{
	static const char *const lines[] = {"DELIVER one", "S: +OK ...", "C: DELE 1", "S: +OK ...", "EOF",
		"2S: +OK 1 messages...", NULL};
	t->pop3.idle_ms = 100;
	stage_play(t, lines);
}

ON_STAGE(says_that_the_server_stops)
{
	static const char *const first[] = {"DELIVER one", "S: +OK ...", "C: DELE 1", "S: +OK ...", NULL};
	static const char *const then[] = {"S: -ERR [SYS/TEMP] The server is being stopped...", "EOF",
		"2S: +OK 1 messages...", NULL};
	stage_play(t, first);
	pop3_sessions_stop(&t->pop3);
	stage_play(t, then);
}

/* Unique ids are the same in every session, and go with a message that is moved
 * away and back (RFC 1939 section 7: they persist across sessions). */
ON_STAGE(unique_ids_survive_moves)
{
	static const char *const join[] = {"DELIVER one", "DELIVER two", "S: +OK 2 messages...", NULL};
	static const char *const again[] = {"2S: +OK 2 messages...", NULL};
	struct copied moved;
	stage_play(t, join);
	stage_send(t, 0, STR("UIDL 1\r\n"));
	str before = stage_line(t, 0);
	struct view *v = kit_view(t->kit, "INBOX");
	struct uids which = kit_uids(t->kit, 1, 1);
	assert_ok(message_move(v, &(struct copy_order){&which, STR("Trash"), false}, &t->kit->m, &moved));
	view_close(&v);
	v = kit_view(t->kit, "Trash");
	assert_ok(message_move(v, &(struct copy_order){&which, STR("INBOX"), false}, &t->kit->m, &moved));
	view_close(&v);
	stage_play(t, again);
	stage_send(t, 1, STR("UIDL 2\r\n"));
	str after = stage_line(t, 1);
	assert_str(str_skip(after, 6), str_skip(before, 6));
	assert_int_equal(after.n, 6 + 17);
}

/* A message whose octets are hard to send: what comes is dot-stuffed right. */
static void hear_message(struct stage *t, str want)
{
	AUTO_BUF buf got = buf_new(1024 * 1024);
	assert_true(str_starts(stage_line(t, 0), STR("+OK ")));
	for (str line = stage_line(t, 0); !str_eq(line, STR(".")); line = stage_line(t, 0)) {
		buf_put(&got, str_skip(line, str_starts(line, STR("."))));
		buf_put(&got, STR("\r\n"));
	}
	assert_str(buf_str(&got), want);
}

ON_STAGE(sends_dots_and_other_octets)
{
	static const struct {
		str body, wire; /* wire: behind the trace block */
	} cases[] = {
		{STR_INIT("A: b\r\n\r\n.\r\n..\r\n.a\r\n"), STR_INIT("A: b\r\n\r\n.\r\n..\r\n.a\r\n")},
		{STR_INIT("A: b\r\n\r\nno end"), STR_INIT("A: b\r\n\r\nno end\r\n")},
		{STR_INIT("A: b"), STR_INIT("A: b\r\n")},
		{STR_INIT("A: b\r\n\r\na\n.\nb\r\n"), STR_INIT("A: b\r\n\r\na\n..\nb\r\n")},
		{STR_INIT("A: \xc3\xbc\r\n\r\n\0\xff\r\n"), STR_INIT("A: \xc3\xbc\r\n\r\n\0\xff\r\n")},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		stage_deliver(t, cases[i].body);
	stage_join(t, 0);
	stage_line(t, 0);
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO_BUF buf want = buf_new(4096), ask = buf_new(64);
		buf_put(&want, STR(STAGE_TRACE));
		buf_put(&want, cases[i].wire);
		buf_printf(&ask, "RETR %u\r\n", i + 1);
		stage_send(t, 0, buf_str(&ask));
		hear_message(t, buf_str(&want));
	}
}

/* Pieces end anywhere: within the header block, behind a CR, before a dot. */
ON_STAGE(sends_large_messages_in_pieces)
{
	AUTO_BUF buf text = buf_new(1024 * 1024), want = buf_new(1024 * 1024);
	buf_put(&text, STR("X: "));
	while (text.n < 70000)
		buf_put(&text, STR("header "));
	buf_put(&text, STR("\r\n\r\n"));
	buf_put(&want, STR(STAGE_TRACE));
	for (unsigned i = 0; i < 20000; i++) {
		if (i == 19000)
			buf_put(&want, buf_str(&text));
		buf_printf(&text, ".%0*u\r\n", (int)(i % 17), i);
	}
	assert_ok(buf_result(&text));
	stage_deliver(t, buf_str(&text));
	stage_join(t, 0);
	stage_line(t, 0);
	stage_send(t, 0, STR("TOP 1 19000\r\nRETR 1\r\nTOP 1 0\r\n"));
	hear_message(t, buf_str(&want));
	buf_clear(&want);
	buf_put(&want, STR(STAGE_TRACE));
	buf_put(&want, buf_str(&text));
	hear_message(t, buf_str(&want));
	size_t header = str_find(buf_str(&want), STR("\r\n\r\n")) + 4;
	hear_message(t, str_sub(buf_str(&want), 0, header));
}

ON_STAGE(refuses_a_long_line)
{
	static const char *const lines[] = {"S: -ERR No command is that long", "C: NOOP", "S: +OK ...", NULL};
	stage_join(t, 0);
	stage_line(t, 0);
	for (int i = 0; i <= POP3_COMMAND_MAX; i++)
		stage_send(t, 0, STR("x"));
	stage_send(t, 0, STR("\r\n"));
	stage_play(t, lines);
}

/* RFC 1939 section 6: -ERR when some could not be removed; here none is. */
/* After a flush that failed the account's process ends, and another one opens the store. */
ON_STAGE(tells_when_nothing_could_be_removed)
{
	static const char *const first[] = {"DELIVER one", "DELIVER two", "S: +OK ...", "C: DELE 1", "S: +OK ...",
		"C: DELE 2", "S: +OK ...", NULL};
	static const char *const then[] = {"C: QUIT", "S: -ERR [SYS/TEMP] The marked messages could not be removed: ...",
		"EOF", NULL};
	static const char *const after[] = {"S: +OK 2 messages...", "C: DELE 1", "S: +OK ...", "C: QUIT",
		"S: +OK 1 messages removed...", "EOF", NULL};
	struct kit *k = t->kit;
	stage_play(t, first);
	sim_fault_at(k->sim, SIM_REFUSE, 1);
	stage_play(t, then);
	sim_fault_at(k->sim, SIM_REFUSE, 0);
	stage_close(t);
	kit_reopen(k);
	stage_open(t, k);
	stage_play(t, after);
}

/* Longer than what is gathered before it is sent. */
ON_STAGE(lists_thousands)
{
	enum { ONCE = STORE_APPEND_MAX, TIMES = 4 };
	struct letter l = kit_letter(t->kit, "one of many", 10);
	struct append_item *items = arena_array(&t->kit->m, ONCE, sizeof *items);
	for (size_t i = 0; i < ONCE; i++)
		items[i].letter = &l;
	for (int i = 0; i < TIMES; i++)
		assert_ok(message_append(&t->kit->owner, &(struct append){STR("INBOX"), items, ONCE}, &(struct appended){0}));
	stage_join(t, 0);
	assert_true(str_starts(stage_line(t, 0), STR("+OK 4000 messages")));
	stage_send(t, 0, STR("UIDL\r\nDELE 4000\r\nUIDL 4000\r\nQUIT\r\n"));
	assert_true(str_starts(stage_line(t, 0), STR("+OK 4000 messages")));
	size_t octets = 0, n = 0;
	for (str line = stage_line(t, 0); !str_eq(line, STR(".")); line = stage_line(t, 0), n++)
		octets += line.n + 2;
	assert_int_equal(n, ONCE * TIMES);
	assert_true(octets > POP3_OUT_MAX);
	assert_true(str_starts(stage_line(t, 0), STR("+OK ")));
	assert_true(str_starts(stage_line(t, 0), STR("-ERR ")));
	assert_true(str_starts(stage_line(t, 0), STR("+OK 1 messages removed")));
}

/* A client that reads nothing does not hold up the room's end beyond SPEECH_STOP_MS. */
ON_STAGE(stops_before_a_reader_that_does_not_read)
{
	AUTO_BUF buf text = buf_new(8 * 1024 * 1024);
	buf_put(&text, STR("A: b\r\n\r\n"));
	while (text.n < 4 * 1024 * 1024)
		buf_put(&text, STR("a line of a message that nobody reads\r\n"));
	stage_deliver(t, buf_str(&text));
	stage_join(t, 0);
	stage_line(t, 0);
	stage_send(t, 0, STR("RETR 1\r\n"));
	assert_ok(fiber_sleep(20));
	pop3_sessions_stop(&t->pop3);
	assert_true(list_empty(&t->pop3.sessions));
}

/* Whatever allocation is refused, the session ends in order, and what the client
 * was told is gone has gone. */
static void hear_to_the_end(int fd, buf *out)
{
	char piece[4096];
	for (;;) {
		ssize_t n = read(fd, piece, sizeof piece);
		if (n == 0)
			return;
		if (n > 0)
			buf_put(out, str_of(piece, (size_t)n));
		else
			assert_ok(fiber_sleep(1));
	}
}

static bool refused_once(struct stage *t, uint64_t n)
{
	static const char all[] = "STAT\r\nUIDL\r\nRETR 1\r\nTOP 1 1\r\nDELE 1\r\nQUIT\r\n";
	AUTO_BUF buf said = buf_new(65536);
	struct view *v = kit_view(t->kit, "INBOX");
	uint32_t before = view_exists(v);
	view_close(&v);
	buf_reserve(&said, 65536);
	int client = stage_connect(t, 0);
	const bool *over = &t->sessions[0].over;
	assert_int_equal(write(client, all, sizeof all - 1), sizeof all - 1);
	mem_fail_at(n);
	for (int i = 0; i < 5000 && !*over; i++)
		assert_ok(fiber_sleep(1));
	bool hit = mem_count() >= n;
	mem_fail_at(0);
	if (!*over || !list_empty(&t->pop3.sessions))
		fail_msg("allocation %llu: the session goes on", (unsigned long long)n);
	hear_to_the_end(client, &said);
	close(client);
	v = kit_view(t->kit, "INBOX");
	bool removed = view_exists(v) < before;
	view_close(&v);
	bool told = str_find(buf_str(&said), STR("+OK 1 messages removed")) != STR_NONE;
	if (told && !removed)
		fail_msg("allocation %llu: told, but not removed", (unsigned long long)n);
	if (removed)
		stage_deliver(t, STR("A: b\r\n\r\ntext\r\n"));
	return hit;
}

ON_STAGE(outlives_refused_memory)
{
	stage_deliver(t, STR("A: b\r\n\r\ntext\r\n"));
	uint64_t n = 1;
	while (refused_once(t, n))
		n++;
	assert_true(n > 5);
}

/* Of the commands only QUIT has work without end; nothing is removed then. */
ON_STAGE(quit_has_a_limit_of_processor_time)
{
	enum { MARKED = 20, QUESTION_NS = 1000000 };
	char line[32];
	for (int i = 0; i < MARKED; i++)
		stage_deliver(t, STR("A: b\r\n\r\ntext\r\n"));
	t->pop3.command_cpu_ms = MARKED / 2;
	stage_play(t, (const char *const[]){"S: +OK 20 messages...", NULL});
	for (int i = 1; i <= MARKED; i++) {
		snprintf(line, sizeof line, "C: DELE %d", i);
		stage_play(t, (const char *const[]){line, "S: +OK ...", NULL});
	}
	effort_test_cost(QUESTION_NS);
	stage_play(t, (const char *const[]){"C: QUIT",
		"S: -ERR [SYS/TEMP] The marked messages could not be removed: this took more processor time...", "EOF", NULL});
	effort_test_cost(0);
	stage_play(t, (const char *const[]){"2S: +OK 20 messages...", NULL});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_maildrop),
		cmocka_unit_test(says_what_it_can),
		cmocka_unit_test(counts_and_lists),
		cmocka_unit_test(retrieves),
		cmocka_unit_test(marks_and_removes),
		cmocka_unit_test(keeps_what_it_saw_at_login),
		cmocka_unit_test(answers_together_what_comes_together),
		cmocka_unit_test(removes_nothing_without_quit),
		cmocka_unit_test(ends_in_silence_after_the_idle_time),
		cmocka_unit_test(says_that_the_server_stops),
		cmocka_unit_test(unique_ids_survive_moves),
		cmocka_unit_test(sends_dots_and_other_octets),
		cmocka_unit_test(sends_large_messages_in_pieces),
		cmocka_unit_test(refuses_a_long_line),
		cmocka_unit_test(tells_when_nothing_could_be_removed),
		cmocka_unit_test(lists_thousands),
		cmocka_unit_test(stops_before_a_reader_that_does_not_read),
		cmocka_unit_test(outlives_refused_memory),
		cmocka_unit_test(quit_has_a_limit_of_processor_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
