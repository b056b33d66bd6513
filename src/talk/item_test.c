#include "base/test.h"
#include "run/clock.h"
#include "run/kit.h"
#include "run/loop.h"
#include "talk/item_keys.h"

#include <sodium.h>

static const unsigned char key[ITEM_KEY] = {1, 2, 3};
static const trace_id delivery = {.b = {9}};

static void seal_sample(buf *out)
{
	struct item i = {.received = -5, .sender = STR("a@b"), .recipient = STR("c@d"), .trace = STR("Received: x\r\n"),
			 .facts = STR("\x01\x00\x02"), .message = STR("Subject: x\r\n\r\nhello\r\n")};
	assert_true(sodium_init() >= 0);
	assert_ok(item_seal(&i, &delivery, key, out));
}

static void what_was_sealed_opens(void **state)
{
	(void)state;
	AUTO_BUF buf sealed = buf_new(10000), plain = buf_new(10000);
	struct item i;
	seal_sample(&sealed);
	assert_true(str_find(buf_str(&sealed), STR("hello")) == STR_NONE);
	assert_ok(item_open(buf_str(&sealed), &delivery, key, &plain, &i));
	assert_true(i.received == -5);
	assert_str(i.sender, STR("a@b"));
	assert_str(i.facts, STR("\x01\x00\x02"));
	assert_str(i.message, STR("Subject: x\r\n\r\nhello\r\n"));
}

static void every_changed_octet_is_noticed(void **state)
{
	(void)state;
	AUTO_BUF buf sealed = buf_new(10000), plain = buf_new(10000);
	struct item i;
	trace_id other = {.b = {8}};
	seal_sample(&sealed);
	assert_int_equal(item_open(buf_str(&sealed), &other, key, &plain, &i).kind, FAIL_DAMAGE);
	for (size_t at = 0; at < sealed.n; at++) {
		sealed.p[at] ^= 1;
		buf_clear(&plain);
		assert_int_equal(item_open(buf_str(&sealed), &delivery, key, &plain, &i).kind, FAIL_DAMAGE);
		sealed.p[at] ^= 1;
	}
	for (size_t n = 0; n < sealed.n; n++) {
		buf_clear(&plain);
		assert_int_equal(item_open(str_of(sealed.p, n), &delivery, key, &plain, &i).kind, FAIL_DAMAGE);
	}
}

/* ---- keys in hand for a moment ---- */

static struct item_keys keys;

static bool has(const char *wrapped, unsigned char first)
{
	unsigned char found[ITEM_KEY];
	return item_keys_find(&keys, str_from(wrapped), found) && found[0] == first;
}

static void keep(const char *wrapped, unsigned char first)
{
	item_keys_keep(&keys, str_from(wrapped), (const unsigned char[ITEM_KEY]){first});
}

static void run_keys(void *arg)
{
	unsigned char found[ITEM_KEY];
	str wrapped;
	(void)arg;
	assert_false(item_keys_newest(&keys, found, &wrapped));
	keep("one", 1);
	keep("two", 2);
	assert_true(has("one", 1) && has("two", 2));
	assert_false(has("three", 3) || has("", 0));
	for (unsigned letters = 1; letters < ITEM_KEY_LETTERS; letters++) {
		assert_true(item_keys_newest(&keys, found, &wrapped));
		assert_true(found[0] == 2 && str_eq(wrapped, STR("two")));
	}
	assert_false(item_keys_newest(&keys, found, &wrapped)); /* it has sealed enough */
	assert_true(has("two", 2));
	for (unsigned char i = 0; i < ITEM_KEYS; i++)
		keep((const char[]){'a', (char)('a' + i), 0}, i);
	assert_false(has("two", 2)); /* as many have come since */
	assert_true(has("aa", 0) && has("ah", ITEM_KEYS - 1));
	clock_test_advance(ITEM_KEY_MS - 1);
	keep("late", 9);
	clock_test_advance(2);
	assert_false(has("ah", ITEM_KEYS - 1));
	assert_true(has("late", 9));
	item_keys_close(&keys);
	keep("never", 9);
	assert_false(has("late", 9) || has("never", 9) || item_keys_newest(&keys, found, &wrapped));
}

static void a_key_is_in_hand_for_a_moment(void **state)
{
	(void)state;
	clock_test_hold(1000000000);
	assert_ok(fiber_start(run_keys, NULL, "keys", NULL));
	loop_run();
	clock_test_release();
}

static void run_waiting(void *arg)
{
	(void)arg;
	keys = (struct item_keys){.newest = 0};
	keep("one", 1);
	clock_test_advance(ITEM_KEY_MS);
	fiber_yield();
	fiber_yield();
	for (size_t i = 0; i < (size_t)ITEM_KEYS * ITEM_KEY; i++)
		assert_int_equal(secret_bytes(keys.keys)[i], 0);
	assert_false(keys.forgetting);
	item_keys_close(&keys);
}

static void what_nobody_asks_for_is_wiped_in_time(void **state)
{
	(void)state;
	clock_test_hold(1000000000);
	assert_ok(fiber_start(run_waiting, NULL, "keys", NULL));
	loop_run();
	clock_test_release();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_opens),
		cmocka_unit_test(every_changed_octet_is_noticed),
		ON_LOOP(a_key_is_in_hand_for_a_moment),
		ON_LOOP(what_nobody_asks_for_is_wiped_in_time),
	};
	return cmocka_run_group_tests_name("item", tests, NULL, NULL);
}
