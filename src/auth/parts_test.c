#include "base/test.h"

#include <stdio.h>
#include <sodium.h>

#include "auth/common.h"
#include "auth/huge_pages.h"
#include "auth/password.h"
#include "auth/recent.h"
#include "auth/throttle.h"
#include "auth/tokens.h"
#include "base/sanitized.h"
#include "run/random.h"

static void a_hash_opens_only_with_its_password(void **state)
{
	(void)state;
	char text[PASSWORD_HASH_MAX];
	assert_true(sodium_init() >= 0);
	assert_ok(password_hash(STR("correct horse"), 8388608, text));
	assert_true(password_is_hash(str_from(text)));
	assert_ok(password_verify(str_from(text), STR("correct horse")));
	assert_int_equal(password_verify(str_from(text), STR("correct hors")).kind, FAIL_DENIED);
	assert_int_equal(password_verify(STR("$2b$12$abc"), STR("x")).kind, FAIL_DENIED);
	assert_int_equal(password_verify(STR(""), STR("")).kind, FAIL_DENIED);
}

/* How many mappings a verification made in huge pages; it opens all the same. */
static size_t verified_within(const char *text)
{
	huge_pages_begin();
	assert_ok(password_verify(str_from(text), STR("correct horse")));
	return huge_pages_end();
}

static void hashing_asks_for_huge_pages(void **state)
{
	(void)state;
	char text[PASSWORD_HASH_MAX], within[PASSWORD_HASH_MAX];
	assert_ok(password_hash(STR("correct horse"), 8388608, text));
	assert_int_equal(verified_within(text), SANITIZED ? 0 : 1);
	huge_pages_begin();
	assert_ok(password_hash(STR("correct horse"), 9437184, within)); /* no multiple of a huge page */
	assert_int_equal(huge_pages_end(), SANITIZED ? 0 : 1);
	assert_ok(password_verify(str_from(within), STR("correct horse")));
	assert_int_equal(huge_pages_end(), SANITIZED ? 0 : 1); /* not counted: it was over */
}

static void new_passwords_follow_the_rules(void **state)
{
	(void)state;
	str a = STR("user1@example.test");
	assert_int_equal(password_acceptable(STR("short"), a).kind, FAIL_INPUT);
	assert_int_equal(password_acceptable(STR("Password1234"), a).kind, FAIL_INPUT);
	assert_int_equal(password_acceptable(STR("my user1@example.test"), a).kind, FAIL_INPUT);
	assert_ok(password_acceptable(STR("four easy words here"), a));
}

static void what_everybody_takes_is_known(void **state)
{
	static const char *const all[] = {"1234567890", "12345678910", "0987654321", "qwertyuiop", "qwerty123456",
		"Password12", "P@ssw0rd123", "passw0rd!!", "iloveyou123", "1111111111", "abcabcabcabc", "abcdefghij",
		"1qaz2wsx3edc", "letmein2024", "Welcome1234", "administrator", "changeme123", "mailserver!",
		"trustno1trustno1", "qwertzuiop", "Passwort123", "correcthorsebatterystaple", "Summer2026!", "admin12345",
		"!!football!!", "12341234", "asdfghjkl1", "ILoveYouBaby", "2026password"};
	static const char *const none[] = {"four easy words here", "correct horse", "wxgkvbtrmd", "tulip-42-canoe",
		"my dog eats blue socks", ("Gr\xc3\xbc\xc3\x9f" "e aus Wien"), "x7#kQ9vLp2"};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (!common_password(str_from(all[i])))
			fail_msg("%s passes", all[i]);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		if (common_password(str_from(none[i])))
			fail_msg("%s does not pass", none[i]);
}

static void waits_grow_and_decay(void **state)
{
	(void)state;
	struct throttle t;
	throttle_init(&t);
	for (int i = 0; i < THROTTLE_FREE; i++)
		assert_int_equal(throttle_failed(&t, STR("192.0.2.1"), 1000), 0);
	assert_int_equal(throttle_failed(&t, STR("192.0.2.1"), 1000), THROTTLE_STEP);
	assert_int_equal(throttle_wait(&t, STR("192.0.2.2"), 1000), 0);
	for (int i = 0; i < 100; i++)
		throttle_failed(&t, STR("192.0.2.1"), 1000);
	assert_int_equal(throttle_wait(&t, STR("192.0.2.1"), 1000), THROTTLE_MOST);
	assert_int_equal(throttle_wait(&t, STR("192.0.2.1"), 1000 + 40ull * THROTTLE_HALF_LIFE), 0);
	throttle_free(&t);
}

static void the_table_is_bounded(void **state)
{
	(void)state;
	struct throttle t;
	char key[32];
	throttle_init(&t);
	for (int i = 0; i < THROTTLE_ENTRIES + 500; i++) {
		int n = snprintf(key, sizeof key, "10.0.%d.%d", i / 256, i % 256);
		throttle_failed(&t, str_of(key, (size_t)n), (uint64_t)i);
	}
	assert_int_equal(t.table.n, THROTTLE_ENTRIES);
	throttle_free(&t);
}

static void recent_logins_are_bounded_and_end(void **state)
{
	struct recent r;
	(void)state;
	assert_ok(recent_open(&r, RECENT_MS));
	recent_keep(&r, 1, STR("secret"), 1000);
	assert_true(recent_knows(&r, 1, STR("secret"), 1000 + RECENT_MS - 1));
	assert_false(recent_knows(&r, 1, STR("secret"), 1000 + RECENT_MS));
	assert_false(recent_knows(&r, 1, STR("secre"), 1000) || recent_knows(&r, 2, STR("secret"), 1000));
	recent_keep(&r, 1, STR("secret"), 5000);
	assert_int_equal(r.table.n, 1);
	for (uint64_t i = 2; i < RECENT_MAX + 10; i++)
		recent_keep(&r, i, STR("secret"), 6000);
	assert_int_equal(r.table.n, RECENT_MAX);
	assert_false(recent_knows(&r, 1, STR("secret"), 6000));
	assert_true(recent_knows(&r, 100, STR("secret"), 6000));
	recent_forget(&r, 100);
	assert_false(recent_knows(&r, 100, STR("secret"), 6000));
	recent_close(&r);
}

static void wrong_secrets_are_counted(void **state)
{
	struct recent r;
	(void)state;
	assert_ok(recent_open(&r, 1000));
	assert_int_equal(recent_again(&r, 1, STR("guess"), 1), 0);
	assert_int_equal(recent_again(&r, 1, STR("guess"), 2), 1);
	assert_int_equal(recent_again(&r, 1, STR("guess"), 3), 2);
	assert_int_equal(recent_times(&r, 1, STR("guess"), 3), 3);
	assert_int_equal(recent_times(&r, 1, STR("guess2"), 3), 0);
	assert_int_equal(recent_times(&r, 2, STR("guess"), 3), 0);
	assert_int_equal(recent_again(&r, 1, STR("guess"), 1004), 0); /* forgotten meanwhile */
	recent_close(&r);
}

static void tokens_are_bounded(void **state)
{
	struct tokens t;
	trace_id first, token;
	(void)state;
	tokens_init(&t);
	assert_ok(tokens_give(&t, &t, (struct token_owner){7, 0}, &first));
	assert_int_equal(tokens_account(&t, &t, &first), 7);
	for (size_t i = 0; i < TOKENS_MAX; i++)
		assert_ok(tokens_give(&t, &t, (struct token_owner){8, 0}, &token));
	assert_int_equal(t.table.n, TOKENS_MAX);
	assert_int_equal(tokens_account(&t, &t, &first), 0);
	tokens_drop_account(&t, 8);
	assert_int_equal(t.table.n, 0);
	tokens_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_opens_only_with_its_password),
		cmocka_unit_test(hashing_asks_for_huge_pages),
		cmocka_unit_test(new_passwords_follow_the_rules),
		cmocka_unit_test(what_everybody_takes_is_known),
		cmocka_unit_test(waits_grow_and_decay),
		cmocka_unit_test(the_table_is_bounded),
		cmocka_unit_test(recent_logins_are_bounded_and_end),
		cmocka_unit_test(wrong_secrets_are_counted),
		cmocka_unit_test(tokens_are_bounded),
	};
	if (failed(random_open()))
		return 1;
	return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
