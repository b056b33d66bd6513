/* What one command may cost: each kind of long work asks, and the command is
 * refused with nothing done. A question costs a millisecond here. */
#include "account/stage.h"
#include "base/mem.h"
#include "grammar/text/charset.h"
#include "run/effort.h"

#include <stdio.h>

enum { LETTERS = 40, QUESTION_NS = 1000000, LIMIT_MS = 25 };

#define REFUSED(TAG) "S: " TAG " NO [LIMIT] This took more processor time than one command may; ask for less at a time"

static void fill(struct stage *t)
{
	for (int i = 0; i < LETTERS; i++)
		stage_deliver(t, STR("Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n"));
	stage_play(t, (const char *const[]){"C: a SELECT INBOX", "S> a OK ...", NULL});
}

/* The dialogue while questions cost, then without. */
static void play(struct stage *t, const char *const *dear, const char *const *free)
{
	t->imap.command_cpu_ms = LIMIT_MS;
	effort_test_cost(QUESTION_NS);
	stage_play(t, dear);
	effort_test_cost(0);
	stage_play(t, free);
}

#define PLAY(...) (const char *const[]){__VA_ARGS__, NULL}

/* More of it than the limit has questions, as a step of a dialogue. */
static void put_many(buf *step, const char *head, const char *each, const char *tail)
{
	buf_put(step, str_from(head));
	for (int i = 0; i < 2 * LIMIT_MS; i++)
		buf_put(step, str_from(each));
	buf_put(step, str_from(tail));
	buf_putc(step, '\0');
	assert_ok(buf_result(step));
}

ON_STAGE(a_search_over_many)
{
	fill(t);
	play(t, PLAY("C: b SEARCH TEXT nowhere", REFUSED("b"), "C: c SEARCH 1:5 TEXT nowhere", "S: * SEARCH",
		     "S: c OK ..."),
		PLAY("C: d SEARCH RETURN (COUNT) TEXT x", "S: * ESEARCH (TAG \"d\") COUNT 40", "S: d OK ..."));
}

ON_STAGE(a_search_of_many_keys)
{
	AUTO_BUF buf line = buf_new(64 * 1024);
	fill(t);
	put_many(&line, "C: b SEARCH 1", " NOT TEXT zz", "");
	play(t, PLAY(line.p, "S: * SEARCH", REFUSED("b")), PLAY("C: c NOOP", "S: c OK ..."));
}

/* In memory alone, where nothing else would suspend. */
ON_STAGE(a_search_of_flags)
{
	fill(t);
	for (int i = 0; i < 5; i++) /* 40 messages become 1,280 */
		stage_play(t, PLAY("C: b COPY 1:* INBOX", "S> b OK ..."));
	t->imap.command_cpu_ms = 1;
	effort_test_cost(QUESTION_NS);
	stage_play(t, PLAY("C: b SEARCH SEEN", REFUSED("b"), "C: c FETCH 1:* FLAGS", "S> * 64 ...", REFUSED("c")));
	effort_test_cost(0);
}

ON_STAGE(a_fetch_of_many)
{
	fill(t);
	play(t, PLAY("C: b FETCH 1:* ENVELOPE", REFUSED("b"), "C: c FETCH 1:2 INTERNALDATE", "S: * 1 ...", "S: * 2 ...",
		     "S: c OK ..."),
		PLAY("C: d FETCH 40 UID", "S: * 40 FETCH (UID 40)", "S: d OK ..."));
}

/* A line that was begun is ended. */
ON_STAGE(a_fetch_of_many_sections)
{
	AUTO_BUF buf line = buf_new(64 * 1024);
	fill(t);
	put_many(&line, "C: b FETCH 1:2 (BINARY.SIZE[1]", " BINARY.SIZE[1]", ")");
	play(t, PLAY(line.p, "S: * 1 FETCH (BINARY.SIZE[1] 5 ... BINARY.SIZE[1] 0)", REFUSED("b")),
		PLAY("C: c FETCH 2 BINARY.SIZE[1]", "S: * 2 FETCH (BINARY.SIZE[1] 5)", "S: c OK ..."));
}

ON_STAGE(a_list_of_many)
{
	char line[64];
	stage_play(t, PLAY("C: a NOOP", "S: a OK ..."));
	for (int i = 0; i < LETTERS; i++) {
		snprintf(line, sizeof line, "C: a CREATE box%d", i);
		stage_play(t, PLAY(line, "S: a OK ..."));
	}
	play(t, PLAY("C: b LIST \"\" (\"*x*x*x*\" \"*b%o%x*\")", REFUSED("b")),
		PLAY("C: c LIST \"\" box39", "S: * LIST ...", "S: c OK ..."));
}

/* On the store's thread; all of it is undone. */
ON_STAGE(changes_of_many)
{
	fill(t);
	stage_play(t, PLAY("C: a STORE 1 +FLAGS.SILENT (\\Deleted)", "S: a OK ..."));
	play(t, PLAY("C: b STORE 1:* +FLAGS (\\Flagged)", REFUSED("b"), "C: c COPY 1:* Trash", REFUSED("c"),
		     "C: d MOVE 1:* Trash", REFUSED("d")),
		PLAY("C: e SEARCH FLAGGED", "S: * SEARCH", "S: e OK ...", "C: f STATUS Trash (MESSAGES)",
		     "S: * STATUS Trash (MESSAGES 0)", "S: f OK ...",
		     "C: g STORE 1:* +FLAGS.SILENT (\\Deleted)", "S: g OK ..."));
	play(t, PLAY("C: h EXPUNGE", REFUSED("h")),
		PLAY("C: i STATUS INBOX (MESSAGES)", "S: * STATUS INBOX (MESSAGES 40)", "S: i OK ...",
		     "C: j EXPUNGE", "S> j OK ..."));
}

/* All of them or none. */
ON_STAGE(an_append_of_many)
{
	AUTO_BUF buf command = buf_new(64 * 1024);
	stage_play(t, PLAY("C: a NOOP", "S: a OK ..."));
	put_many(&command, "b APPEND INBOX", " {6+}\r\nA: b\r\n", "\r\n");
	t->imap.command_cpu_ms = LIMIT_MS;
	effort_test_cost(QUESTION_NS);
	stage_send(t, 0, str_sub(buf_str(&command), 0, command.n - 1));
	stage_play(t, PLAY(REFUSED("b"), "C: c APPEND INBOX {6+}", "C: A: b\\r\\n", "S: c OK ..."));
	effort_test_cost(0);
	stage_play(t, PLAY("C: d STATUS INBOX (MESSAGES)", "S: * STATUS INBOX (MESSAGES 1)", "S: d OK ..."));
}

/* Who waits in IDLE is not charged for what others bring. */
ON_STAGE(waiting_for_others)
{
	stage_play(t, PLAY("C: a SELECT INBOX", "S> a OK ..."));
	play(t, PLAY("C: b IDLE", "S: + ...", "DELIVER one", "S: * 1 EXISTS", "S: * 1 RECENT", "C: DONE", "S: b OK ..."),
		PLAY("C: c NOOP", "S: c OK ..."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_search_over_many),
		cmocka_unit_test(a_search_of_many_keys),
		cmocka_unit_test(a_search_of_flags),
		cmocka_unit_test(a_fetch_of_many),
		cmocka_unit_test(a_fetch_of_many_sections),
		cmocka_unit_test(a_list_of_many),
		cmocka_unit_test(changes_of_many),
		cmocka_unit_test(an_append_of_many),
		cmocka_unit_test(waiting_for_others),
	};
	return failed(charset_preload()) ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
