#include "base/test.h"
#include "edge/limits.h"

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
	limits_init(&l, 10, 3);
	for (int i = 0; i < 3; i++)
		assert_ok(limits_enter(&l, &a, false));
	assert_int_equal(limits_enter(&l, &a, false).kind, FAIL_LIMIT);
	assert_ok(limits_enter(&l, &b, false));
	limits_leave(&l, &a, false);
	assert_ok(limits_enter(&l, &a, false));
	for (int i = 0; i < 3; i++)
		limits_leave(&l, &a, false);
	limits_leave(&l, &b, false);
	assert_int_equal(l.networks.n, 0);
	assert_int_equal(l.now, 0);
	limits_free(&l);
}

static void an_ipv6_customer_is_one_network(void **state)
{
	(void)state;
	struct limits l;
	net_addr a = address("2001:db8:1:2::1"), b = address("2001:db8:1:2:ffff::9"), c = address("2001:db8:1:3::1");
	limits_init(&l, 10, 1);
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
	limits_init(&l, 2, 1);
	assert_ok(limits_enter(&l, &a, true));
	assert_ok(limits_enter(&l, &a, true));
	assert_int_equal(limits_enter(&l, &a, true).kind, FAIL_LIMIT);
	limits_leave(&l, &a, true);
	limits_leave(&l, &a, true);
	limits_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_network_cannot_take_all),
		cmocka_unit_test(an_ipv6_customer_is_one_network),
		cmocka_unit_test(the_whole_is_bounded_for_everybody),
	};
	return cmocka_run_group_tests_name("edge limits", tests, NULL, NULL);
}
