#include "base/test.h"
#include "grammar/imap/imap_set.h"

static struct imap_set parse(str text, arena *a, result *why)
{
	struct imap_lex x = imap_lex_on(text, a);
	struct imap_set s = imap_sequence_set(&x);
	if (!imap_ends(&x))
		imap_want(&x, "rest");
	*why = x.error;
	return s;
}

static void prints(str text, uint32_t max, str want)
{
	AUTO_ARENA arena a = arena_new(65536);
	AUTO_BUF buf b = buf_new(65536);
	result why;
	struct imap_set s = parse(text, &a, &why);
	assert_ok(why);
	imap_set_resolve(&s, max);
	imap_put_set(&b, &s);
	assert_str(buf_str(&b), want);
}

static void sets_are_sorted_and_merged(void **state)
{
	(void)state;
	prints(STR("2,4:7,9,12:*"), 15, STR("2,4:7,9,12:15"));
	prints(STR("*:4,5:7"), 10, STR("4:10"));
	prints(STR("7:1"), 10, STR("1:7"));
	prints(STR("3,1,2"), 10, STR("1:3"));
	prints(STR("9,1,5,3,7,2"), 10, STR("1:3,5,7,9"));
	prints(STR("1:5,2:3"), 10, STR("1:5"));
	prints(STR("*"), 7, STR("7"));
	prints(STR("559:*"), 500, STR("500:559")); /* RFC 9051: "*" always names the last message */
	prints(STR("4294967295,1:4294967294"), 10, STR("1:4294967295"));
	prints(STR("4294967295,4294967295"), 10, STR("4294967295"));
}

static void an_empty_mailbox_has_no_last_message(void **state)
{
	(void)state;
	prints(STR("*"), 0, STR(""));
	prints(STR("5:*,3"), 0, STR("3"));
}

static void sets_that_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "0", "1,", ",1", "1:", ":1", "1::2", "1:2:3", "-1", "4294967296", "01",
		"a", "**",
		"1,,2", "$1", "$,1", "1,$", "1;2"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		AUTO_ARENA arena a = arena_new(4096);
		result why;
		parse(str_from(bad[i]), &a, &why);
		if (why.kind != FAIL_INPUT)
			fail_msg("%s was taken", bad[i]);
	}
}

static void known_uids_have_no_star(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(4096);
	struct imap_lex x = imap_lex_on(STR("1:*"), &a);
	imap_known_uids(&x);
	assert_int_equal(x.error.kind, FAIL_INPUT);
	assert_int_equal(x.error_at, 2);
}

static void the_saved_result(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(4096);
	AUTO_BUF buf b = buf_new(100);
	result why;
	struct imap_set s = parse(STR("$"), &a, &why);
	assert_ok(why);
	assert_true(s.saved && s.n == 0);
	imap_put_set(&b, &s);
	assert_str(buf_str(&b), STR("$"));
}

static void members_are_found_and_counted(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(4096);
	result why;
	struct imap_set s = parse(STR("2,4:7,9,12:*"), &a, &why);
	imap_set_resolve(&s, 14);
	static const uint32_t want[] = {2, 4, 5, 6, 7, 9, 12, 13, 14};
	for (size_t i = 0; i < sizeof want / sizeof *want; i++)
		assert_true(imap_set_has(&s, want[i]));
	assert_false(imap_set_has(&s, 1));
	assert_false(imap_set_has(&s, 8));
	assert_false(imap_set_has(&s, 15));
	assert_true(imap_set_count(&s) == 9);
}

static void a_long_set_in_the_worst_order(void **state)
{
	(void)state;
	enum { N = 10000 };
	AUTO_ARENA arena a = arena_new(1 << 20);
	AUTO_BUF buf text = buf_new(1 << 20);
	for (unsigned i = 0; i < N; i++)
		buf_printf(&text, "%s%u", i ? "," : "", 1 + 2 * ((i * 7919) % N));
	result why;
	struct imap_set s = parse(buf_str(&text), &a, &why);
	assert_ok(why);
	imap_set_resolve(&s, 1);
	assert_int_equal(s.n, N);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(s.r[i].first, 1 + 2 * i);
}

static void the_arena_bounds_a_set(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(64);
	result why;
	parse(STR("1,2,3,4,5,6,7,8,9"), &a, &why);
	assert_int_equal(why.kind, FAIL_LIMIT);
}

static void the_writer_joins_runs(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(100);
	struct imap_set_writer w = {.out = &b};
	assert_false(imap_set_end(&w));
	static const uint32_t in[] = {1, 2, 3, 7, 9, 10, 4, UINT32_MAX};
	for (size_t i = 0; i < sizeof in / sizeof *in; i++)
		imap_set_add(&w, in[i]);
	assert_true(imap_set_end(&w));
	assert_str(buf_str(&b), STR("1:3,7,9:10,4,4294967295"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_are_sorted_and_merged),
		cmocka_unit_test(an_empty_mailbox_has_no_last_message),
		cmocka_unit_test(sets_that_are_refused),
		cmocka_unit_test(known_uids_have_no_star),
		cmocka_unit_test(the_saved_result),
		cmocka_unit_test(members_are_found_and_counted),
		cmocka_unit_test(a_long_set_in_the_worst_order),
		cmocka_unit_test(the_arena_bounds_a_set),
		cmocka_unit_test(the_writer_joins_runs),
	};
	return cmocka_run_group_tests_name("imap_set", tests, NULL, NULL);
}
