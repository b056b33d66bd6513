#include "base/test.h"
#include "grammar/imap/imap_append.h"

static void the_head_up_to_the_message(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct imap_append m = {0};
	enum imap_append_step step;
	assert_ok(imap_append_head(STR("A003 APPEND saved-messages (\\Seen) {326}"), &a, &m, &step));
	assert_int_equal(step, IMAP_APPEND_MESSAGE);
	assert_str(m.tag, STR("A003"));
	assert_str(m.mailbox, STR("saved-messages"));
	assert_true(m.flags.system == IMAP_SEEN && !m.has_date && m.literal.size == 326 && m.literal.sync && !m.utf8);

	assert_ok(imap_append_head(STR("a append \"x y\" (\\Seen k) \" 7-Feb-1994 22:43:04 -0800\" ~{5+}"), &a, &m,
		&step));
	assert_int_equal(step, IMAP_APPEND_MESSAGE);
	assert_true(m.has_date && m.date.minutes == -480 && m.literal.binary && !m.literal.sync);
	assert_str(m.flags.keywords.v[0], STR("k"));

	assert_ok(imap_append_head(STR("a APPEND x {1}"), &a, &m, &step));
	assert_true(step == IMAP_APPEND_MESSAGE && m.flags.system == 0 && m.flags.keywords.n == 0 && !m.has_date);
}

static void the_mailbox_name_may_be_a_literal(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct imap_append m = {0};
	enum imap_append_step step;
	assert_ok(imap_append_head(STR("a APPEND {3}"), &a, &m, &step));
	assert_int_equal(step, IMAP_APPEND_NAME);
	assert_ok(imap_append_head(STR("a APPEND {3}\r\nx y () {9}"), &a, &m, &step));
	assert_int_equal(step, IMAP_APPEND_MESSAGE);
	assert_str(m.mailbox, STR("x y"));
	/* A name that looks like an announcement. */
	assert_ok(imap_append_head(STR("a APPEND {4}\r\n {5} {9}"), &a, &m, &step));
	assert_int_equal(step, IMAP_APPEND_MESSAGE);
	assert_str(m.mailbox, STR(" {5}"));
	assert_true(m.literal.size == 9);
}

static void several_messages(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct imap_append m = {0};
	enum imap_append_step step;
	assert_ok(imap_append_head(STR("A003 APPEND saved-messages (\\Seen) {329}"), &a, &m, &step));
	assert_ok(imap_append_more(STR(" () \" 7-Feb-1994 22:43:04 -0800\" {295}"), &a, &m, &step));
	assert_int_equal(step, IMAP_APPEND_MESSAGE);
	assert_true(m.flags.system == 0 && m.has_date && m.literal.size == 295);
	assert_ok(imap_append_more(STR(" {1}"), &a, &m, &step));
	assert_true(step == IMAP_APPEND_MESSAGE && !m.has_date);
	assert_ok(imap_append_more(STR(""), &a, &m, &step));
	assert_int_equal(step, IMAP_APPEND_END);
	assert_str(m.mailbox, STR("saved-messages"));
}

static void utf8_messages(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct imap_append m = {0};
	enum imap_append_step step;
	assert_ok(imap_append_head(STR("a APPEND \"\xc3\xbc\" UTF8 (~{12+}"), &a, &m, &step));
	assert_true(step == IMAP_APPEND_MESSAGE && m.utf8 && m.utf8_name && m.literal.size == 12);
	assert_ok(imap_append_more(STR(") (\\Draft) UTF8 (~{4}"), &a, &m, &step));
	assert_true(step == IMAP_APPEND_MESSAGE && m.utf8 && m.flags.system == IMAP_DRAFT);
	struct imap_append before = m;
	assert_int_equal(imap_append_more(STR(""), &a, &m, &step).kind, FAIL_INPUT);
	assert_true(m.utf8 && m.literal.size == before.literal.size);
	assert_ok(imap_append_more(STR(")"), &a, &m, &step));
	assert_int_equal(step, IMAP_APPEND_END);
}

static void other_commands_go_by(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	static const char *const other[] = {"a LOGIN {3}", "{3}", "a {3}", "+ APPEND x {3}", "a APPENDX x {3}",
		"a APPEND{3}"};
	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		struct imap_append m = {0};
		enum imap_append_step step = IMAP_APPEND_END;
		assert_ok(imap_append_head(str_from(other[i]), &a, &m, &step));
		assert_int_equal(step, IMAP_APPEND_NOT);
	}
}

static void heads_that_are_refused(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	static const char *const bad[] = {"a APPEND  {3}", "a APPEND x  {3}", "a APPEND x () () {3}",
		"a APPEND x (\\Recent) {3}",
		"a APPEND x \"today\" {3}", "a APPEND x foo {3}", "a APPEND x () \"17-Jul-1996 02:44:25 -0700\"{3}",
		"a APPEND x UTF8 ({3}", "a APPEND x UTF8 ~{3}", "a APPEND x {4}\r\nabcd", "a APPEND ~{3}",
		"a APPEND x (a {3}"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct imap_append m = {0};
		enum imap_append_step step;
		if (imap_append_head(str_from(bad[i]), &a, &m, &step).kind != FAIL_INPUT)
			fail_msg("%s was taken", bad[i]);
		assert_str(m.tag, STR("a"));
		assert_true(m.error_at > 8);
	}
	struct imap_append m = {0};
	enum imap_append_step step;
	assert_int_equal(imap_append_head(STR("a APPEND x CATENATE (TEXT {3}"), &a, &m, &step).kind, FAIL_ABSENT);
	m = (struct imap_append){0};
	assert_int_equal(imap_append_more(STR("x {3}"), &a, &m, &step).kind, FAIL_INPUT);
	assert_int_equal(imap_append_more(STR(")"), &a, &m, &step).kind, FAIL_INPUT);
	assert_int_equal(imap_append_more(STR(" (\\Seen)"), &a, &m, &step).kind, FAIL_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_head_up_to_the_message),
		cmocka_unit_test(the_mailbox_name_may_be_a_literal),
		cmocka_unit_test(several_messages),
		cmocka_unit_test(utf8_messages),
		cmocka_unit_test(other_commands_go_by),
		cmocka_unit_test(heads_that_are_refused),
	};
	return cmocka_run_group_tests_name("imap_append", tests, NULL, NULL);
}
