/* Who receives here: the rules, over a book made by hand. */
#include "base/test.h"

#include <stdio.h>
#include <time.h>

#include "auth/reach.h"

static struct book book;
static const struct reach_rule plus = {'+'}, none = {'\0'};
static uint64_t entries;

static uint64_t add_account(uint64_t id, const char *key, bool admin)
{
	struct book_new_account n = {.id = id, .entry = ++entries, .key = str_from(key), .admin = admin};
	assert_ok(book_add_account(&book, &n));
	return n.entry;
}

static uint64_t add_alias(const char *key, const uint64_t *to, size_t n)
{
	assert_ok(book_add_alias(&book, ++entries, str_from(key), false));
	assert_ok(book_set_targets(&book, book_entry_by_id(&book, entries), to, n));
	return entries;
}

static void add_domain(uint64_t id, const char *name)
{
	char key[100];
	assert_ok(book_add_domain(&book, id, str_from(name)));
	snprintf(key, sizeof key, "postmaster@%s", name);
	assert_ok(book_add_alias(&book, ++entries, str_from(key), true));
	snprintf(key, sizeof key, "abuse@%s", name);
	assert_ok(book_add_alias(&book, ++entries, str_from(key), true));
}

static struct reach to(const char *address)
{
	struct reach r;
	reach_recipient(&book, plus, str_from(address), &r);
	return r;
}

static void reaches(const char *address, uint64_t account)
{
	struct reach r = to(address);
	assert_int_equal(r.verdict, REACH_RECEIVED);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.accounts[0], account);
}

static int begin(void **state)
{
	(void)state;
	entries = 0;
	book_init(&book);
	add_domain(1, "example.test");
	add_domain(2, "xn--bcher-kva.example");
	return 0;
}

static int end(void **state)
{
	(void)state;
	book_free(&book);
	return 0;
}

static void an_address_is_found_in_every_spelling(void **state)
{
	(void)state;
	add_account(1, "anna@example.test", false);
	add_account(2, "otto@xn--bcher-kva.example", false);
	reaches("anna@example.test", 1);
	reaches("Anna@EXAMPLE.Test", 1);
	reaches("\"anna\"@example.test", 1);
	reaches("otto@b\xc3\xbc" "cher.example", 2);
	reaches("otto@B\xc3\x9c" "CHER.example", 2);
	reaches("otto@xn--bcher-kva.example", 2);
	assert_int_equal(to("nobody@example.test").verdict, REACH_UNKNOWN);
	assert_int_equal(to("anna@example.org").verdict, REACH_ELSEWHERE);
	assert_int_equal(to("anna@[192.0.2.1]").verdict, REACH_ELSEWHERE);
	assert_int_equal(to("anna").verdict, REACH_ELSEWHERE);
	assert_int_equal(to("").verdict, REACH_ELSEWHERE);
}

static void a_subaddress_reaches_its_owner(void **state)
{
	struct reach r;
	(void)state;
	add_account(1, "anna@example.test", false);
	add_account(2, "anna+work@example.test", false);
	reaches("anna+news@example.test", 1);
	reaches("anna+work@example.test", 2);
	reaches("anna+work+today@example.test", 2);
	assert_int_equal(to("+news@example.test").verdict, REACH_UNKNOWN);
	reach_recipient(&book, none, STR("anna+news@example.test"), &r);
	assert_int_equal(r.verdict, REACH_UNKNOWN);
}

static void aliases_are_followed_and_loops_end(void **state)
{
	(void)state;
	uint64_t anna = add_account(1, "anna@example.test", false), otto = add_account(2, "otto@example.test", false);
	uint64_t team = add_alias("team@example.test", (uint64_t[]){anna, otto}, 2);
	uint64_t all = add_alias("all@example.test", (uint64_t[]){team, anna}, 2);
	assert_int_equal(to("all@example.test").n, 2);
	assert_ok(book_set_targets(&book, book_entry_by_id(&book, team), (uint64_t[]){all, anna}, 2));
	reaches("all@example.test", 1);
	assert_ok(book_set_targets(&book, book_entry_by_id(&book, team), (uint64_t[]){all}, 1));
	assert_ok(book_set_targets(&book, book_entry_by_id(&book, all), (uint64_t[]){team}, 1));
	assert_int_equal(to("all@example.test").verdict, REACH_UNKNOWN);
}

static void an_alias_leads_elsewhere_too(void **state)
{
	(void)state;
	const str outside[] = {STR("Anna@example.org"), STR("otto@example.net")};
	uint64_t anna = add_account(1, "anna@example.test", false);
	uint64_t both = add_alias("both@example.test", &anna, 1), away = add_alias("away@example.test", NULL, 0);
	assert_ok(book_set_outside(book_entry_by_id(&book, both), outside, 2));
	assert_ok(book_set_outside(book_entry_by_id(&book, away), outside, 1));
	add_alias("all@example.test", (uint64_t[]){both, away}, 2);
	struct reach r = to("all@example.test");
	assert_int_equal(r.verdict, REACH_RECEIVED);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.outside_n, 2);
	assert_str(r.outside[0], STR("Anna@example.org"));
	r = to("away@example.test");
	assert_int_equal(r.verdict, REACH_RECEIVED);
	assert_int_equal(r.n + 10 * r.outside_n, 10);
	book_remove_account(&book, book_account(&book, 1));
	assert_int_equal(to("both@example.test").outside_n, 2);
}

static void what_is_too_deep_or_wide_is_not_cut(void **state)
{
	char key[60];
	uint64_t last = add_account(1, "anna@example.test", false), wide[BOOK_TARGETS];
	(void)state;
	for (int i = 0; i <= REACH_DEPTH; i++) {
		snprintf(key, sizeof key, "a%d@example.test", i);
		last = add_alias(key, &last, 1);
	}
	reaches("a9@example.test", 1);
	assert_int_equal(to("a10@example.test").verdict, REACH_TOO_WIDE);
	for (uint64_t i = 0; i < REACH_ACCOUNTS_MAX; i++) {
		snprintf(key, sizeof key, "u%d@example.test", (int)i);
		wide[i] = add_account(100 + i, key, false);
	}
	uint64_t many = add_alias("many@example.test", wide, BOOK_TARGETS);
	assert_int_equal(to("many@example.test").n, REACH_ACCOUNTS_MAX);
	add_alias("more@example.test", (uint64_t[]){many, 5}, 2);
	assert_int_equal(to("more@example.test").verdict, REACH_TOO_WIDE);
}

static void the_disabled_do_not_receive(void **state)
{
	(void)state;
	uint64_t anna = add_account(1, "anna@example.test", false), otto = add_account(2, "otto@example.test", false);
	add_alias("team@example.test", (uint64_t[]){anna, otto}, 2);
	book_account(&book, 1)->disabled = true;
	assert_int_equal(to("anna@example.test").verdict, REACH_DISABLED);
	reaches("team@example.test", 2);
	book_account(&book, 2)->disabled = true;
	assert_int_equal(to("team@example.test").verdict, REACH_DISABLED);
}

static void postmaster_and_abuse_always_lead_somewhere(void **state)
{
	(void)state;
	assert_int_equal(to("postmaster@example.test").verdict, REACH_NOBODY);
	add_account(3, "old@example.test", false);
	reaches("postmaster@example.test", 3);
	add_account(4, "chief@example.test", true);
	add_account(5, "otto@xn--bcher-kva.example", false);
	reaches("postmaster@example.test", 4);
	reaches("Abuse+spam@example.test", 4);
	reaches("abuse@xn--bcher-kva.example", 4);
	add_account(6, "bea@xn--bcher-kva.example", true);
	reaches("abuse@xn--bcher-kva.example", 6);
	reaches("PostMaster", 4);
	book_account(&book, 6)->disabled = true;
	reaches("abuse@xn--bcher-kva.example", 4);
	struct book_entry *e = book_entry(&book, STR("abuse@example.test"));
	uint64_t elsewhere = book_account(&book, 5)->entry->id;
	assert_ok(book_set_targets(&book, e, &elsewhere, 1));
	reaches("abuse@example.test", 5);
	book_remove_account(&book, book_account(&book, 5));
	reaches("abuse@example.test", 4);
}

static void a_catch_all_takes_the_rest(void **state)
{
	(void)state;
	uint64_t anna = add_account(1, "anna@example.test", false);
	book_domain(&book, STR("example.test"))->catch_all = book_entry_by_id(&book, anna);
	reaches("anyone@example.test", 1);
	assert_int_equal(to("anyone@xn--bcher-kva.example").verdict, REACH_UNKNOWN);
	book_remove_account(&book, book_account(&book, 1));
	assert_int_equal(to("anyone@example.test").verdict, REACH_UNKNOWN);
}

static void a_removed_account_takes_what_led_to_it_alone(void **state)
{
	(void)state;
	uint64_t anna = add_account(1, "anna@example.test", false), otto = add_account(2, "otto@example.test", false);
	uint64_t only = add_alias("only@example.test", &anna, 1);
	add_alias("over@example.test", &only, 1);
	add_alias("both@example.test", (uint64_t[]){anna, otto}, 2);
	assert_ok(hash_put(&book_account(&book, 2)->grants, STR("anna@example.test"), &book));
	book_remove_account(&book, book_account(&book, 1));
	assert_null(book_entry(&book, STR("only@example.test")));
	assert_null(book_entry(&book, STR("over@example.test")));
	assert_null(hash_get(&book_account(&book, 2)->grants, STR("anna@example.test")));
	reaches("both@example.test", 2);
}

static void names_for_logins_are_exact(void **state)
{
	(void)state;
	uint64_t anna = add_account(1, "anna@example.test", false), otto = add_account(2, "otto@example.test", false);
	add_alias("a@example.test", &anna, 1);
	add_alias("both@example.test", (uint64_t[]){anna, otto}, 2);
	book_domain(&book, STR("example.test"))->catch_all = book_entry_by_id(&book, anna);
	assert_int_equal(reach_login(&book, STR("ANNA@example.test"))->id, 1);
	assert_int_equal(reach_login(&book, STR("a@example.test"))->id, 1);
	assert_null(reach_login(&book, STR("both@example.test")));
	assert_null(reach_login(&book, STR("anna+x@example.test")));
	assert_null(reach_login(&book, STR("anyone@example.test")));
	assert_null(reach_login(&book, STR("postmaster@example.test")));
	assert_null(reach_login(&book, STR("anna")));
}

static bool may(uint64_t account, const char *address)
{
	return reach_may_send(&book, plus, book_account(&book, account), str_from(address));
}

static void senders_are_the_accounts_own_or_granted(void **state)
{
	(void)state;
	uint64_t anna = add_account(1, "anna@example.test", false);
	add_account(2, "otto@example.test", false);
	add_alias("sales@example.test", &anna, 1);
	book_domain(&book, STR("example.test"))->catch_all = book_entry_by_id(&book, anna);
	assert_true(may(1, "") && may(1, "Anna@Example.test") && may(1, "anna+x@example.test") && may(1,
		"sales@example.test"));
	assert_false(may(2, "anna@example.test") || may(2, "sales@example.test"));
	assert_false(may(1, "anyone@example.test") || may(1, "x@example.org") || may(1, "nonsense"));
	assert_ok(hash_put(&book_account(&book, 2)->grants, STR("@example.org"), &book));
	assert_ok(hash_put(&book_account(&book, 2)->grants, STR("sales@example.test"), &book));
	assert_true(may(2, "who@example.org") && may(2, "sales@example.test"));
	assert_false(may(2, "who@sub.example.org"));
}

static double us_per_look_up(const char *address)
{
	enum { TIMES = 20000 };
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < TIMES; i++)
		must(to(address).n == 1);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return ((double)(b.tv_sec - a.tv_sec) * 1e6 + (double)(b.tv_nsec - a.tv_nsec) / 1e3) / TIMES;
}

/* Told, not asserted: test machines are busy and sanitizers slow. */
static void a_look_up_is_quick(void **state)
{
	char key[60];
	(void)state;
	for (uint64_t i = 0; i < 20000; i++) {
		snprintf(key, sizeof key, "user%d@example.test", (int)i);
		add_account(i + 1, key, false);
	}
	uint64_t one = book_account(&book, 77)->entry->id;
	add_alias("alias@example.test", &one, 1);
	print_message("account %.2f us, subaddress %.2f us, alias %.2f us\n", us_per_look_up("user15000@example.test"),
		      us_per_look_up("user15000+tag@example.test"), us_per_look_up("alias@example.test"));
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(an_address_is_found_in_every_spelling),
		TEST(a_subaddress_reaches_its_owner),
		TEST(aliases_are_followed_and_loops_end),
		TEST(an_alias_leads_elsewhere_too),
		TEST(what_is_too_deep_or_wide_is_not_cut),
		TEST(the_disabled_do_not_receive),
		TEST(postmaster_and_abuse_always_lead_somewhere),
		TEST(a_catch_all_takes_the_rest),
		TEST(a_removed_account_takes_what_led_to_it_alone),
		TEST(names_for_logins_are_exact),
		TEST(senders_are_the_accounts_own_or_granted),
		TEST(a_look_up_is_quick),
	};
	return cmocka_run_group_tests_name("auth-reach", tests, NULL, NULL);
}
