#include "base/test.h"
#include "edge/recipients.h"

#include <stdio.h>

static struct recipients r;

static int open_table(void **state)
{
	(void)state;
	recipients_init(&r);
	return 0;
}

static int close_table(void **state)
{
	(void)state;
	recipients_free(&r);
	return 0;
}

static void keep(const char *address, uint64_t account)
{
	const struct recipients_accounts to = {&account, 1};
	recipients_keep(&r, recipients_time(&r), str_from(address), &to);
}

static bool finds(const char *address, uint64_t account)
{
	struct recipients_accounts to;
	return recipients_find(&r, str_from(address), &to) && to.n == 1 && to.p[0] == account;
}

static void finds_what_it_was_told(void **state)
{
	(void)state;
	const uint64_t both[] = {1, 2};
	struct recipients_accounts to = {both, 2};
	assert_false(finds("a@here.test", 1));
	keep("a@here.test", 1);
	keep("b@here.test", 2);
	recipients_keep(&r, 0, STR("both@here.test"), &to);
	assert_true(finds("a@here.test", 1));
	assert_true(finds("b@here.test", 2));
	assert_true(recipients_find(&r, STR("both@here.test"), &to));
	assert_int_equal(to.n, 2);
	assert_int_equal(to.p[1], 2);
	assert_false(finds("A@here.test", 1)); /* as given: only auth knows what is the same */
}

static void a_change_ends_every_answer(void **state)
{
	(void)state;
	keep("a@here.test", 1);
	recipients_drop(&r);
	assert_false(finds("a@here.test", 1));
	keep("a@here.test", 2);
	assert_true(finds("a@here.test", 2));
}

static void an_answer_that_a_change_overtook_is_not_kept(void **state)
{
	(void)state;
	uint64_t account = 1, asked = recipients_time(&r);
	const struct recipients_accounts to = {&account, 1};
	recipients_drop(&r);
	recipients_keep(&r, asked, STR("a@here.test"), &to);
	assert_false(finds("a@here.test", 1));
}

static size_t keep_many(size_t from, size_t n)
{
	char text[32];
	for (size_t i = from; i < from + n; i++) {
		snprintf(text, sizeof text, "u%zu@here.test", i);
		keep(text, i + 1);
	}
	return from + n;
}

static void entries_are_bounded_and_what_is_used_stays(void **state)
{
	(void)state;
	size_t next = 0;
	keep("often@here.test", 7);
	for (int i = 0; i < 40; i++) {
		next = keep_many(next, RECIPIENTS_ENTRIES / 10);
		assert_true(finds("often@here.test", 7));
		assert_true(r.young.n + r.old.n <= RECIPIENTS_ENTRIES);
	}
	assert_true(r.young.n + r.old.n > RECIPIENTS_ENTRIES / 2);
	assert_false(finds("u0@here.test", 1));
}

static void octets_are_bounded(void **state)
{
	(void)state;
	char text[320];
	uint64_t accounts[100] = {1};
	const struct recipients_accounts to = {accounts, 100};
	const size_t each = RECIPIENTS_ENTRY + sizeof text + sizeof accounts;
	memset(text, 'a', sizeof text);
	for (unsigned i = 0; i < 3 * RECIPIENTS_OCTETS / each; i++) {
		memcpy(text, &i, sizeof i);
		recipients_keep(&r, 0, str_of(text, sizeof text), &to);
		assert_true((r.young.n + r.old.n) * each <= RECIPIENTS_OCTETS);
	}
	assert_true((r.young.n + r.old.n) * each > RECIPIENTS_OCTETS / 2);
	assert_true(r.young.n + r.old.n < RECIPIENTS_ENTRIES / 2);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, open_table, close_table)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finds_what_it_was_told),
		TEST(a_change_ends_every_answer),
		TEST(an_answer_that_a_change_overtook_is_not_kept),
		TEST(entries_are_bounded_and_what_is_used_stays),
		TEST(octets_are_bounded),
	};
	return cmocka_run_group_tests_name("edge recipients", tests, NULL, NULL);
}
