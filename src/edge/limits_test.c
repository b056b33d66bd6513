#include "base/test.h"
#include "edge/limits.h"
#include "run/clock.h"

#include <stdio.h>

static net_addr address(const char *text)
{
	net_addr a;
	assert_ok(net_parse_ip(str_from(text), &a));
	return a;
}

static void one_network_cannot_take_all(void **state)
{
	(void)state;
	struct limits l;
	net_addr a = address("192.0.2.1"), b = address("192.0.2.2");
	limits_init(&l, &(struct limits_most){.all = 10, .address = 3, .network = 10});
	for (int i = 0; i < 3; i++)
		assert_ok(limits_enter(&l, &a, false));
	assert_int_equal(limits_enter(&l, &a, false).kind, FAIL_LIMIT);
	assert_ok(limits_enter(&l, &b, false));
	limits_leave(&l, &a, false);
	assert_ok(limits_enter(&l, &a, false));
	for (int i = 0; i < 3; i++)
		limits_leave(&l, &a, false);
	limits_leave(&l, &b, false);
	assert_int_equal(l.now, 0);
	assert_int_equal(l.idle_n, l.networks.n);
	limits_free(&l);
}

static void an_ipv6_customer_is_one_network(void **state)
{
	(void)state;
	struct limits l;
	net_addr a = address("2001:db8:1:2::1"), b = address("2001:db8:1:2:ffff::9"), c = address("2001:db8:1:3::1");
	limits_init(&l, &(struct limits_most){.all = 10, .address = 1, .network = 10});
	assert_ok(limits_enter(&l, &a, false));
	assert_int_equal(limits_enter(&l, &b, false).kind, FAIL_LIMIT);
	assert_ok(limits_enter(&l, &c, false));
	limits_free(&l);
}

static void the_whole_is_bounded_for_everybody(void **state)
{
	(void)state;
	struct limits l;
	net_addr a = address("127.0.0.1");
	limits_init(&l, &(struct limits_most){.all = 2, .address = 1, .network = 1});
	assert_ok(limits_enter(&l, &a, true));
	assert_ok(limits_enter(&l, &a, true));
	assert_int_equal(limits_enter(&l, &a, true).kind, FAIL_LIMIT);
	limits_leave(&l, &a, true);
	limits_leave(&l, &a, true);
	limits_free(&l);
}

static void many_addresses_of_one_network_are_one_network(void **state)
{
	(void)state;
	struct limits l;
	net_addr four[] = {address("192.0.2.1"), address("192.0.2.2"), address("192.0.2.200"), address("192.0.3.1")};
	net_addr six[] = {address("2001:db8:1:1::1"), address("2001:db8:1:2::1"), address("2001:db8:1:3::1"),
			  address("2001:db8:2:1::1")};
	limits_init(&l, &(struct limits_most){.all = 100, .address = 10, .network = 2});
	for (int i = 0; i < 4; i++) {
		assert_int_equal(limits_enter(&l, &four[i], false).kind, i == 2 ? FAIL_LIMIT : FAIL_NONE);
		assert_int_equal(limits_enter(&l, &six[i], false).kind, i == 2 ? FAIL_LIMIT : FAIL_NONE);
	}
	limits_leave(&l, &four[0], false);
	assert_ok(limits_enter(&l, &four[2], false));
	limits_free(&l);
}

static void nobody_connects_without_end(void **state)
{
	(void)state;
	struct limits l;
	net_addr a = address("192.0.2.1"), b = address("198.51.100.1");
	clock_test_hold(1000);
	limits_init(&l, &(struct limits_most){.all = 10, .address = 10, .network = 10, .address_minute = 60});
	for (int i = 0; i < 60; i++) {
		assert_ok(limits_enter(&l, &a, false));
		limits_leave(&l, &a, false);
	}
	assert_int_equal(limits_enter(&l, &a, false).kind, FAIL_LIMIT);
	assert_ok(limits_enter(&l, &b, false));
	clock_test_advance(1001); /* one a second */
	assert_ok(limits_enter(&l, &a, false));
	assert_int_equal(limits_enter(&l, &a, false).kind, FAIL_LIMIT);
	limits_free(&l);
	clock_test_release();
}

static void rows_of_those_who_left_go(void **state)
{
	(void)state;
	struct limits l;
	clock_test_hold(1000);
	limits_init(&l, &(struct limits_most){.all = 10, .address = 10, .network = 10, .address_minute = 60});
	for (unsigned i = 0; i < 3 * LIMITS_IDLE; i++) {
		char text[32];
		snprintf(text, sizeof text, "10.%u.%u.1", i >> 8 & 255, i & 255);
		net_addr a = address(text);
		assert_ok(limits_enter(&l, &a, false));
		limits_leave(&l, &a, false);
		assert_true(l.idle_n <= LIMITS_IDLE + 2 && l.networks.n == l.idle_n);
	}
	assert_true(l.idle_n >= LIMITS_IDLE - 2);
	clock_test_advance(LIMITS_MINUTE_MS);
	net_addr last = address("192.0.2.1");
	for (unsigned i = 0; i < LIMITS_IDLE; i++) {
		assert_ok(limits_enter(&l, &last, true));
		limits_leave(&l, &last, true);
		if (limits_enter(&l, &last, false).kind == FAIL_NONE)
			limits_leave(&l, &last, false);
	}
	assert_true(l.networks.n <= 4);
	limits_free(&l);
	clock_test_release();
}

static void the_log_is_told_once_a_second(void **state)
{
	(void)state;
	struct limits l;
	net_addr a = address("192.0.2.1"), b = address("192.0.2.2");
	uint64_t times;
	clock_test_hold(5000);
	limits_init(&l, &(struct limits_most){.all = 10, .address = 1, .network = 1});
	assert_ok(limits_enter(&l, &a, false));
	for (int i = 0; i < 100; i++) {
		assert_int_equal(limits_enter(&l, i % 2 ? &a : &b, false).kind, FAIL_LIMIT);
		assert_int_equal(limits_tell(&l, &a, &times), i == 0);
	}
	clock_test_advance(LIMITS_TELL_MS);
	assert_int_equal(limits_enter(&l, &b, false).kind, FAIL_LIMIT);
	assert_true(limits_tell(&l, &b, &times));
	assert_int_equal(times, 100);
	limits_free(&l);
	clock_test_release();
}

/* A crowd of strangers before a full server is one line a second, not one each. */
static void a_full_server_tells_once_a_second_too(void **state)
{
	(void)state;
	struct limits l;
	net_addr in = address("192.0.2.1");
	uint64_t times;
	clock_test_hold(5000);
	limits_init(&l, &(struct limits_most){.all = 1, .address = 1, .network = 1});
	assert_ok(limits_enter(&l, &in, false));
	for (unsigned i = 0; i < 100; i++) {
		char text[32];
		snprintf(text, sizeof text, "10.0.%u.1", i);
		net_addr a = address(text);
		assert_int_equal(limits_enter(&l, &a, i % 2 == 0).kind, FAIL_LIMIT);
		assert_int_equal(limits_tell(&l, &a, &times), i == 0);
	}
	assert_int_equal(limits_enter(&l, &in, false).kind, FAIL_LIMIT);
	assert_true(limits_tell(&l, &in, &times));
	assert_int_equal(times, 1);
	clock_test_advance(LIMITS_TELL_MS);
	net_addr last = address("10.1.0.1");
	assert_int_equal(limits_enter(&l, &last, false).kind, FAIL_LIMIT);
	assert_true(limits_tell(&l, &last, &times));
	assert_int_equal(times, 100);
	limits_free(&l);
	clock_test_release();
}

static void under_pressure_nobody_waits_long(void **state)
{
	(void)state;
	struct limits l;
	net_addr a = address("192.0.2.1");
	limits_init(&l, &(struct limits_most){.all = 4, .address = 4, .network = 4});
	for (int i = 0; i < 2; i++)
		assert_ok(limits_enter(&l, &a, false));
	assert_int_equal(limits_patience(&l, 300000), 300000);
	assert_ok(limits_enter(&l, &a, false));
	assert_int_equal(limits_patience(&l, 300000), LIMITS_HURRY_MS);
	assert_int_equal(limits_patience(&l, 2000), 2000);
	limits_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_network_cannot_take_all),
		cmocka_unit_test(an_ipv6_customer_is_one_network),
		cmocka_unit_test(the_whole_is_bounded_for_everybody),
		cmocka_unit_test(many_addresses_of_one_network_are_one_network),
		cmocka_unit_test(nobody_connects_without_end),
		cmocka_unit_test(rows_of_those_who_left_go),
		cmocka_unit_test(the_log_is_told_once_a_second),
		cmocka_unit_test(a_full_server_tells_once_a_second_too),
		cmocka_unit_test(under_pressure_nobody_waits_long),
	};
	return cmocka_run_group_tests_name("edge limits", tests, NULL, NULL);
}
