#include "base/test.h"

#include <stdio.h>
#include <sodium.h>

#include "auth/password.h"
#include "auth/throttle.h"

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

static void new_passwords_follow_the_rules(void **state)
{
	(void)state;
	str a = STR("user1@example.test");
	assert_int_equal(password_acceptable(STR("short"), a).kind, FAIL_INPUT);
	assert_int_equal(password_acceptable(STR("Password1234"), a).kind, FAIL_INPUT);
	assert_int_equal(password_acceptable(STR("my user1@example.test"), a).kind, FAIL_INPUT);
	assert_ok(password_acceptable(STR("four easy words here"), a));
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
	throttle_forget(&t, STR("192.0.2.1"));
	assert_int_equal(throttle_wait(&t, STR("192.0.2.1"), 1000), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_opens_only_with_its_password),
		cmocka_unit_test(new_passwords_follow_the_rules),
		cmocka_unit_test(waits_grow_and_decay),
		cmocka_unit_test(the_table_is_bounded),
	};
	return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
