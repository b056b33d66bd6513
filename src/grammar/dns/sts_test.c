#include "base/test.h"

#include "base/buf.h"
#include "grammar/dns/sts.h"

static void records(void **state)
{
	(void)state;
	str id;
	assert_ok(sts_record(STR("v=STSv1; id=20160831085700Z;"), &id));
	assert_str(id, STR("20160831085700Z"));
	assert_ok(sts_record(STR("v=STSv1;id=a"), &id));
	assert_ok(sts_record(STR("v=STSv1 ; later=x y ; id=a; id=b"), &id));
	assert_str(id, STR("a"));
	assert_ok(sts_record(STR("v=STSv1; id=12345678901234567890123456789012"), &id));
	static const char *const wrong[] = {"v=STSv1", "v=STSv1;", "v=STSv1; id=", "v=STSv1; id=a-b", "v=STSv2; id=a",
					    "V=STSv1; id=a", "v=STSv1; id", "v=STSv1 id=a", "v=STSv1; id=a; =b", "id=a; v=STSv1",
					    "v=STSv1; id=123456789012345678901234567890123", "v=STSv1;; id=a", ""};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (!failed(sts_record(str_from(wrong[i]), &id)))
			fail_msg("taken: %s", wrong[i]);
	assert_true(sts_is_record(STR("v=STSv1; nonsense")) && sts_is_record(STR("v=STSv1")));
	assert_false(sts_is_record(STR("v=STSv1x")) || sts_is_record(STR("v=spf1 -all")));
}

static const char example[] = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\n"
			      "later: whatever it says\r\nmax_age: 604800\r\n";

static void the_example_of_the_rfc(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct sts_policy p;
	assert_ok(sts_policy(STR(example), &a, &p));
	assert_int_equal(p.mode, STS_ENFORCE);
	assert_int_equal(p.max_age, 604800);
	assert_int_equal(p.mx.n, 2);
	assert_true(sts_mx_matches(&p, STR("Mail.example.com")) && sts_mx_matches(&p, STR("mx1.example.NET")));
	assert_false(sts_mx_matches(&p, STR("example.net")) || sts_mx_matches(&p, STR("a.b.example.net")));
	assert_false(sts_mx_matches(&p, STR("mx.mail.example.com")) || sts_mx_matches(&p, STR(".example.net")));
	assert_false(sts_mx_matches(&p, STR("example.com")) || sts_mx_matches(&p, STR("")));
}

static void forms_of_a_policy(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct sts_policy p;
	assert_ok(sts_policy(STR("version:STSv1\nmode:none\nmax_age:0"), &a, &p));
	assert_true(p.mode == STS_NONE && p.mx.n == 0 && p.max_age == 0);
	assert_ok(sts_policy(STR("max_age: 9999999999\nmx: a.test\nmode: testing\nmode: none\nversion: STSv1\n\n"),
			     &a, &p));
	assert_true(p.mode == STS_TESTING && p.max_age == STS_AGE_MAX);
}

static void what_is_no_policy(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct sts_policy p;
	static const char *const wrong[] = {
		"", "version: STSv1\nmode: enforce\nmax_age: 1\n", "mode: none\nmax_age: 1\n",
		"version: STSv1\nmode: none\n", "version: STSv1\nmax_age: 1\nmx: a.test\n",
		"version: STSv2\nmode: none\nmax_age: 1\n", "version: STSv1\nmode: Enforce\nmax_age: 1\nmx: a.test\n",
		"version: STSv1\nmode: none\nmax_age: 12345678901\n", "version: STSv1\nmode: none\nmax_age: x\n",
		"version: STSv1\nmode: none\nmax_age: 1\nmx: *\n", "version: STSv1\nmode: none\nmax_age: 1\nmx: a.*.test\n",
		"version: STSv1\nmode: none\nmax_age: 1\nmx: a..test\n", "version: STSv1\nmode: none\nmax_age: 1\nno line\n",
		"<html>\nversion: STSv1\nmode: none\nmax_age: 1\n",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (!failed(sts_policy(str_from(wrong[i]), &a, &p)))
			fail_msg("taken: %s", wrong[i]);
}

static void limits(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(1 << 20);
	AUTO_BUF buf text = buf_new(1 << 20);
	struct sts_policy p;
	buf_put(&text, STR("version: STSv1\nmode: enforce\nmax_age: 1\n"));
	for (size_t i = 0; i < STS_MX_MAX; i++)
		buf_put(&text, STR("mx: a.test\n"));
	assert_ok(sts_policy(buf_str(&text), &a, &p));
	assert_int_equal(p.mx.n, STS_MX_MAX);
	buf_put(&text, STR("mx: a.test\n"));
	assert_int_equal(sts_policy(buf_str(&text), &a, &p).kind, FAIL_INPUT);
	buf_clear(&text);
	buf_put(&text, STR("version: STSv1\nmode: none\nmax_age: 1\nx: "));
	while (text.n < STS_POLICY_MAX)
		buf_putc(&text, 'x');
	assert_ok(sts_policy(buf_str(&text), &a, &p));
	buf_putc(&text, 'x');
	assert_int_equal(sts_policy(buf_str(&text), &a, &p).kind, FAIL_INPUT);
	AUTO_ARENA arena small = arena_new(64);
	assert_int_equal(sts_policy(STR(example), &small, &p).kind, FAIL_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records), cmocka_unit_test(the_example_of_the_rfc), cmocka_unit_test(forms_of_a_policy),
		cmocka_unit_test(what_is_no_policy), cmocka_unit_test(limits),
	};
	return cmocka_run_group_tests_name("MTA-STS", tests, NULL, NULL);
}
