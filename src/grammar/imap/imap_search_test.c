#include "base/buf.h"
#include "base/test.h"
#include "grammar/imap/imap_command.h"

/* A key as an expression: "and", "or", "!" for negated, then the content. */
static void show(buf *b, const struct imap_key *k)
{
	if (k->negated)
		buf_putc(b, '!');
	if (k->kind <= IMAP_KEY_OR) {
		buf_put(b, k->kind == IMAP_KEY_AND ? STR("and(") : STR("or("));
		for (const struct imap_key *o = k->first; o; o = o->next) {
			show(b, o);
			if (o->next)
				buf_putc(b, ' ');
		}
		buf_putc(b, ')');
	} else if (k->kind == IMAP_KEY_FLAGS) {
		buf_printf(b, "+%u-%u", k->on, k->off);
	} else if (k->kind == IMAP_KEY_SET || k->kind == IMAP_KEY_UID) {
		buf_put(b, k->kind == IMAP_KEY_UID ? STR("uid:") : STR(""));
		imap_put_set(b, &k->set);
	} else if (k->kind == IMAP_KEY_LARGER || k->kind == IMAP_KEY_SMALLER || k->kind == IMAP_KEY_MODSEQ) {
		buf_printf(b, "%u:%llu", k->kind, (unsigned long long)k->number);
	} else if (k->kind >= IMAP_KEY_BEFORE && k->kind <= IMAP_KEY_SAVEDSINCE) {
		buf_printf(b, "%u:%u/%u/%u", k->kind, k->date.year, k->date.month, k->date.day);
	} else {
		buf_printf(b, "%u:", k->kind);
		if (k->kind == IMAP_KEY_HEADER)
			buf_printf(b, "%.*s=", STR_ARG(k->field));
		buf_put(b, k->text);
	}
}

static void reads(str keys, str want)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	AUTO_BUF buf text = buf_new(1 << 20), shown = buf_new(1 << 20);
	struct imap_command c;
	buf_printf(&text, "a SEARCH %.*s", STR_ARG(keys));
	assert_ok(imap_parse(buf_str(&text), &a, &c));
	assert_int_equal(c.verb, IMAP_SEARCH_COMMAND);
	show(&shown, c.search.key);
	assert_str(buf_str(&shown), want);
}

static void refuses(str keys)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	AUTO_BUF buf text = buf_new(1 << 20);
	struct imap_command c;
	buf_printf(&text, "a SEARCH %.*s", STR_ARG(keys));
	if (imap_parse(buf_str(&text), &a, &c).kind != FAIL_INPUT)
		fail_msg("%.*s was taken", STR_ARG(keys));
	assert_str(c.tag, STR("a"));
}

static void keys_of_the_examples(void **state)
{
	(void)state;
	reads(STR("FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\""), STR("and(+2-0 12:1994/2/1 !21:Smith)"));
	reads(STR("TEXT \"string not in mailbox\""), STR("and(27:string not in mailbox)"));
	reads(STR("CHARSET UTF-8 TEXT {6}\r\nabcdef"), STR("and(27:abcdef)"));
	reads(STR("2,4:7 UID 1:* $"), STR("and(2,4:7 uid:1:* $)"));
	reads(STR("NEW OLD UNSEEN RECENT"), STR("and(+32-8 +0-32 +0-8 +32-0)"));
	reads(STR("ANSWERED DELETED DRAFT SEEN UNANSWERED UNDELETED UNDRAFT UNFLAGGED"),
		STR("and(+1-0 +4-0 +16-0 +8-0 +0-1 +0-4 +0-16 +0-2)"));
	reads(STR("KEYWORD $Work UNKEYWORD junk NOT UNKEYWORD x"), STR("and(4:$Work !4:junk 4:x)"));
	reads(STR("LARGER 0 SMALLER 9223372036854775807"), STR("and(7:0 8:9223372036854775807)"));
	reads(STR("MODSEQ 620162338"), STR("and(9:620162338)"));
	reads(STR("MODSEQ \"/flags/\\\\draft\" all 620162338"), STR("and(9:620162338)"));
	reads(STR("HEADER Message-ID \"\" header X {1}\r\n("), STR("and(20:Message-ID= 20:X=()"));
	reads(STR("BEFORE \"1-Jan-2001\" ON 2-Jan-2001 SENTBEFORE 3-Jan-2001 SENTON 4-Jan-2001 SENTSINCE 5-Jan-2001"),
		STR("and(10:2001/1/1 11:2001/1/2 13:2001/1/3 14:2001/1/4 15:2001/1/5)"));
	reads(STR("SAVEDBEFORE 1-Jan-2001 SAVEDON 2-Jan-2001 SAVEDSINCE 3-Jan-2001 SAVEDATESUPPORTED"),
		STR("and(16:2001/1/1 17:2001/1/2 18:2001/1/3 19:)"));
	reads(STR("EMAILID M6d99ac3275bb4e THREADID T64b478a75b7ea9"),
		STR("and(28:M6d99ac3275bb4e 29:T64b478a75b7ea9)"));
	reads(STR("TO a CC b BCC c SUBJECT d BODY e ALL"), STR("and(22:a 23:b 24:c 25:d 26:e 2:)"));
}

static void alternation_and_negation(void **state)
{
	(void)state;
	reads(STR("OR SEEN DRAFT"), STR("and(or(+8-0 +16-0))"));
	reads(STR("OR 1 OR 2 OR 3 4"), STR("and(or(1 2 3 4))"));
	reads(STR("OR OR OR 1 2 3 4"), STR("and(or(1 2 3 4))"));
	reads(STR("(OR (1) (OR (2) (3)))"), STR("and(or(1 2 3))"));
	reads(STR("OR (1 2) 3 4"), STR("and(or(and(1 2) 3) 4)"));
	reads(STR("OR NOT OR 1 2 3"), STR("and(or(!or(1 2) 3))"));
	reads(STR("NOT NOT 1 NOT (NOT (2))"), STR("and(1 2)"));
	reads(STR("NOT (1 2)"), STR("and(!and(1 2))"));
	reads(STR("((1 (2 3)) (4)) 5"), STR("and(1 2 3 4 5)"));
	reads(STR("(NOT (1 2))"), STR("and(!and(1 2))"));
	reads(STR("OR (OR 1 2) (NOT OR 3 4)  "), STR("and(or(1 2 !or(3 4)))"));
}

static void keys_that_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "FOO", "OR 1", "OR 1 ", "NOT", "NOT ", "(", "()", "(1", "1)", "(1 )",
		"1  2", "OR (1 2)",
		"FROM", "FROM ", "HEADER a", "KEYWORD \\Seen", "KEYWORD \"a\"", "UID", "UID 0", "SINCE yesterday",
		"LARGER -1", "LARGER a",
		"MODSEQ", "MODSEQ \"x\" none 1", "MODSEQ \"x\" 1", "CHARSET UTF-8", "CHARSET", "UNSEEN,SEEN",
		"RETURN (FOO) 1",
		"RETURN 1", "RETURN (MIN)", "RETURN (MIN)1", "RETURN () ", "NOT(1", "SEEN(1)", "ALL\r\n"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refuses(str_from(bad[i]));
}

static struct imap_search options(str args, arena *a)
{
	AUTO_BUF buf text = buf_new(1000);
	struct imap_command c;
	buf_printf(&text, "a UID SEARCH %.*s", STR_ARG(args));
	str kept = arena_dup(a, buf_str(&text));
	assert_ok(imap_parse(kept, a, &c));
	assert_true(c.uid);
	return c.search;
}

static void result_options(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct imap_search s = options(STR("RETURN (MIN COUNT) CHARSET \"UTF-8\" FLAGGED"), &a);
	assert_true(s.extended && s.returns == (IMAP_RETURN_MIN | IMAP_RETURN_COUNT));
	assert_str(s.charset, STR("UTF-8"));
	s = options(STR("RETURN () 1"), &a);
	assert_true(s.extended && s.returns == IMAP_RETURN_ALL);
	s = options(STR("return (save) $"), &a);
	assert_true(s.returns == IMAP_RETURN_SAVE);
	s = options(STR("RETURN (MAX ALL) 1"), &a);
	assert_true(s.returns == (IMAP_RETURN_MAX | IMAP_RETURN_ALL));
	s = options(STR("SEEN"), &a);
	assert_true(!s.extended && s.charset.n == 0 && !s.modseq);
	s = options(STR("OR SEEN (UNSEEN NOT MODSEQ 5)"), &a);
	assert_true(s.modseq);
}

static void nest(buf *text, unsigned levels)
{
	buf_put(text, STR("a SEARCH "));
	for (unsigned i = 0; i < levels; i++)
		buf_put(text, i % 2 ? STR("NOT OR 1 ") : STR("NOT (2 "));
	buf_put(text, STR("3"));
	for (unsigned i = 0; i < (levels + 1) / 2; i++)
		buf_putc(text, ')');
}

static void depth_is_bounded(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(1 << 20);
	AUTO_BUF buf text = buf_new(1 << 20);
	struct imap_command c;
	nest(&text, IMAP_SEARCH_DEPTH_MAX);
	assert_ok(imap_parse(buf_str(&text), &a, &c));
	buf_clear(&text);
	nest(&text, IMAP_SEARCH_DEPTH_MAX + 1);
	assert_int_equal(imap_parse(buf_str(&text), &a, &c).kind, FAIL_LIMIT);
	assert_str(c.tag, STR("a"));
}

/* Hundreds of alternatives are one level, however they are written. */
static void long_alternations_are_flat(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(1 << 20);
	AUTO_BUF buf text = buf_new(1 << 20);
	struct imap_command c;
	buf_put(&text, STR("a SEARCH "));
	for (unsigned i = 0; i < 1000; i++)
		buf_printf(&text, "(OR (UID %u) ", i + 1);
	buf_put(&text, STR("SEEN"));
	for (unsigned i = 0; i < 1000; i++)
		buf_putc(&text, ')');
	assert_ok(imap_parse(buf_str(&text), &a, &c));
	size_t n = 0;
	for (const struct imap_key *k = c.search.key->first->first; k; k = k->next)
		n++;
	assert_int_equal(n, 1001);
}

static void parentheses_without_end_are_cheap(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(64 << 20);
	AUTO_BUF buf text = buf_new(1 << 20);
	struct imap_command c;
	buf_put(&text, STR("a SEARCH "));
	for (unsigned i = 0; i < 65000; i++)
		buf_putc(&text, '(');
	assert_int_equal(imap_parse(buf_str(&text), &a, &c).kind, FAIL_INPUT);
	AUTO_ARENA arena small = arena_new(65536);
	assert_int_equal(imap_parse(buf_str(&text), &small, &c).kind, FAIL_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_the_examples),
		cmocka_unit_test(alternation_and_negation),
		cmocka_unit_test(keys_that_are_refused),
		cmocka_unit_test(result_options),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(long_alternations_are_flat),
		cmocka_unit_test(parentheses_without_end_are_cheap),
	};
	return cmocka_run_group_tests_name("imap_search", tests, NULL, NULL);
}
