/* SEARCH is exact whatever a message is made of: texts that are kept once, in
 * the message itself, are found as those that are repeated beside it. */
#include "account/stage.h"
#include "grammar/text/charset.h"

/* The same message delivered and appended. */
static void both_ways(struct stage *t, str message)
{
	AUTO_ARENA arena m = arena_new(16 * 1024 * 1024);
	struct letter l;
	stage_deliver(t, message);
	stage_protocol.letter(message, &m, &l);
	l.trace = (str){NULL, 0};
	const struct append_item item = {.letter = &l, .date = 1772532001};
	struct appended done;
	assert_ok(message_append(&t->kit->owner, &(struct append){STR("INBOX"), &item, 1}, &done));
}

/* Bytes of ASCII that mean something else. */
ON_STAGE(charsets_of_seven_bits_are_decoded)
{
	static const char *const lines[] = {
		"C: a SELECT INBOX", "S> a OK ...",
		"C: b SEARCH BODY {5+}", "C: CAF\xc3\xa9", "S: * SEARCH 1 2", "S: b OK ...",
		"C: c SEARCH BODY {6+}", "C: \xe6\xbc\xa2\xe5\xad\x97", "S: * SEARCH 3 4", "S: c OK ...",
		"C: d SEARCH BODY {6+}", "C: \xe6\xb1\x89\xe5\xad\x97", "S: * SEARCH 5 6", "S: d OK ...",
		"C: e SEARCH BODY {3+}", "C: \xe4\xb9\xa1", "S: * SEARCH 7 8", "S: e OK ...",
		"C: f SEARCH OR BODY AOk OR BODY \"4A;z\" OR BODY \"::WV\" BODY Na", "S: * SEARCH", "S: f OK ...",
		"C: g SEARCH NOT BODY {6+}", "C: \xc3\xa9 bar", "S: * SEARCH 3 4 5 6 7 8", "S: g OK ...", NULL,
	};
	both_ways(t, STR("Content-Type: text/plain; charset=utf-7\r\n\r\ncaf+AOk- bar\r\n"));
	both_ways(t, STR("Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B4A;z\x1b(B\r\n"));
	both_ways(t, STR("Content-Type: text/plain; charset=hz-gb-2312\r\n\r\n~{::WV~}\r\n"));
	both_ways(t, STR("Content-Type: text/plain; charset=utf-16be\r\n\r\nNaNa"));
	stage_play(t, lines);
}

/* It lies with the body then, and the body elsewhere in the message. */
ON_STAGE(a_header_too_long_for_its_column)
{
	AUTO_BUF buf text = buf_new(4 * 1024 * 1024);
	static const char *const lines[] = {
		"C: a SELECT INBOX", "S> a OK ...",
		"C: b SEARCH BODY \"the Body 0\"", "S: * SEARCH 1 2 3 4 5 6 7 8", "S: b OK ...",
		"C: c SEARCH BODY \"the body 7999\"", "S: * SEARCH 3 4 5 6 7 8", "S: c OK ...",
		"C: c SEARCH BODY \"the body 69999\"", "S: * SEARCH 7 8", "S: c OK ...",
		"C: d SEARCH TEXT \"in the head\"", "S: * SEARCH 1 2 3 4 5 6 7 8", "S: d OK ...",
		"C: e SEARCH BODY \"in the head\"", "S: * SEARCH", "S: e OK ...",
		"C: f SEARCH NOT TEXT \"nowhere\"", "S: * SEARCH 1 2 3 4 5 6 7 8", "S: f OK ...", NULL,
	};
	static const int sizes[] = {4000, 8000, 30000, 70000}; /* in a row, packed in a row, in a file */
	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		buf_clear(&text);
		for (int i = 0; text.n < (k % 2 ? STORE_HEAD_MAX + 100 : STORE_HEAD_MAX - 100); i++)
			buf_printf(&text, "X-Long-%d: this is in the head\r\n", i);
		buf_put(&text, STR("\r\n"));
		for (int i = 0; i < sizes[k]; i++)
			buf_printf(&text, "this is the body %d\r\n", i);
		both_ways(t, buf_str(&text));
	}
	stage_play(t, lines);
}

ON_STAGE(odd_bodies)
{
	static const char *const lines[] = {
		"C: a SELECT INBOX", "S> a OK ...",
		"C: b SEARCH BODY \"behind it\"", "S: * SEARCH 3 4", "S: b OK ...",
		"C: c SEARCH BODY \"in deep\"", "S: * SEARCH 5 6", "S: c OK ...",
		"C: d SEARCH BODY {13+}", "C: flowed \r\ntext", "S: * SEARCH 9 10", "S: d OK ...",
		"C: e SEARCH SUBJECT alone", "S: * SEARCH 7 8", "S: e OK ...",
		"C: f SEARCH BODY alone", "S: * SEARCH", "S: f OK ...",
		"C: g SEARCH BODY \"\"", "S: * SEARCH 1 2 3 4 5 6 7 8 9 10", "S: g OK ...",
		"C: h SEARCH BODY text", "S: * SEARCH 5 6 9 10", "S: h OK ...", NULL,
	};
	both_ways(t, STR(""));
	both_ways(t, STR("Subject: nul\r\n\r\nbefore it \0 BEHIND it\r\n"));
	both_ways(t, STR("Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ntext in DEEP\r\n"));
	both_ways(t, STR("Subject: alone\r\n"));
	both_ways(t, STR("Content-Type: text/plain; format=flowed\r\n\r\nFlowed \r\nText\r\n"));
	stage_play(t, lines);
}

/* ---- what one key takes is given back before the next: a batch has one arena */

enum { TRACE_LINES = 1400, PARTS = 700, KEYS = 1700 };

static void search_many(struct stage *t, const char *key, const char *last)
{
	AUTO_BUF buf line = buf_new(64 * 1024);
	buf_put(&line, STR("b SEARCH"));
	for (int i = 0; i < KEYS; i++)
		buf_put(&line, str_from(key));
	buf_put(&line, str_from(last));
	buf_put(&line, STR("\r\n"));
	assert_ok(buf_result(&line));
	stage_play(t, (const char *const[]){"C: a SELECT INBOX", "S> a OK ...", NULL});
	stage_send(t, 0, buf_str(&line));
	stage_play(t, (const char *const[]){"S: * SEARCH 1", "S: b OK ...", NULL});
}

ON_STAGE(many_keys_ask_for_the_date_of_a_large_table)
{
	AUTO_BUF buf text = buf_new(1024 * 1024);
	buf_put(&text, STR("Date: Tue, 3 Mar 2026 10:00:01 +0000\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"));
	for (int i = 0; i < PARTS; i++)
		buf_printf(&text, "--b\r\nContent-Type: text/plain; name=part%d\r\n\r\ntext\r\n", i);
	buf_put(&text, STR("--b--\r\n"));
	stage_deliver(t, buf_str(&text));
	search_many(t, " SENTON 3-Mar-2026", "");
}

ON_STAGE(many_keys_look_into_a_long_trace)
{
	AUTO_BUF buf trace = buf_new(STORE_HEAD_MAX);
	struct arrived done;
	struct letter l;
	arena m = arena_new(16 * 1024 * 1024);
	buf_put(&trace, STR(STAGE_TRACE "Received: from somewhere"));
	for (int i = 0; i < TRACE_LINES; i++)
		buf_printf(&trace, "\r\n\tby a host with a long name %d of many", i);
	buf_put(&trace, STR("\r\n\tfor her\r\n"));
	stage_protocol.letter(STR("Subject: x\r\n\r\ntext\r\n"), &m, &l);
	l.trace = buf_str(&trace);
	const struct incoming in = {.delivery = kit_delivery(t->kit), .received = 1772532001, .letter = &l};
	assert_ok(message_deliver(&t->kit->courier, &in, &done));
	arena_free(&m);
	search_many(t, " NOT TEXT zz", " TEXT \"many\tfor her\"");
}

/* What one command takes has an end, too: "$" stands for all that was saved, each time. */
ON_STAGE(a_command_has_a_limit_of_memory)
{
	enum { LETTERS = 20, DOUBLINGS = 7, REFERENCES = 14000 };
	AUTO_BUF buf line = buf_new(64 * 1024);
	for (int i = 0; i < LETTERS; i++)
		stage_deliver(t, STR("A: b\r\n\r\ntext\r\n"));
	stage_play(t, (const char *const[]){"C: a SELECT INBOX", "S> a OK ...", NULL});
	for (int i = 0; i < DOUBLINGS; i++)
		stage_play(t, (const char *const[]){"C: b COPY 1:* INBOX", "S> b OK ...", NULL});
	stage_play(t, (const char *const[]){"C: c SEARCH RETURN (SAVE) ALL", "S: c OK ...", NULL});
	buf_put(&line, STR("d SEARCH"));
	for (int i = 0; i < REFERENCES; i++)
		buf_put(&line, STR(" $"));
	buf_put(&line, STR("\r\n"));
	assert_true((uint64_t)REFERENCES * (LETTERS << DOUBLINGS) * sizeof(struct imap_range) > IMAP_COMMAND_ARENA);
	stage_send(t, 0, buf_str(&line));
	stage_play(t, (const char *const[]){"S: d NO [LIMIT] ...",
		"C: e SEARCH $ UID 1", "S: * SEARCH 1", "S: e OK ...", NULL});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(charsets_of_seven_bits_are_decoded),
		cmocka_unit_test(a_header_too_long_for_its_column),
		cmocka_unit_test(odd_bodies),
		cmocka_unit_test(many_keys_ask_for_the_date_of_a_large_table),
		cmocka_unit_test(many_keys_look_into_a_long_trace),
		cmocka_unit_test(a_command_has_a_limit_of_memory),
	};
	return failed(charset_preload()) ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
