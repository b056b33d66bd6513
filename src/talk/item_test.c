#include "base/test.h"
#include "talk/item.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_opens),
		cmocka_unit_test(every_changed_octet_is_noticed),
	};
	return cmocka_run_group_tests_name("item", tests, NULL, NULL);
}
