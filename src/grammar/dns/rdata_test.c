#include "base/test.h"

#include "grammar/dns/rdata.h"

static void mail_exchangers(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct rdata_mx mx;
	assert_ok(rdata_mx(STR("\x01\x02\x03MX1\x07" "example\x04" "test\0"), &a, &mx));
	assert_int_equal(mx.preference, 258);
	assert_str(mx.host, STR("mx1.example.test"));
	assert_ok(rdata_mx(STR("\0\0\0"), &a, &mx));
	assert_int_equal(mx.host.n, 0);
	static const str wrong[] = {
		STR_INIT(""), STR_INIT("\0\x0a"), STR_INIT("\0\x0a\x03mx1"), STR_INIT("\0\x0a\x03mx1\0x"),
		STR_INIT("\0\x0a\x03m.1\0"), STR_INIT("\0\x0a\xc0\x0c"), STR_INIT("\0\x0a\x04m\0x1\0"),
	};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(rdata_mx(wrong[i], &a, &mx).kind, FAIL_INPUT);
}

static void names_are_bounded(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	char wire[DNS_NAME_MAX + 2];
	str name;
	for (size_t i = 0; i < sizeof wire; i++)
		wire[i] = i % 2 ? 'a' : 1;
	wire[DNS_NAME_MAX - 1] = 0;
	assert_ok(rdata_name(str_of(wire, DNS_NAME_MAX), &a, &name));
	assert_int_equal(name.n, DNS_NAME_MAX - 2);
	wire[DNS_NAME_MAX - 1] = 1;
	wire[DNS_NAME_MAX + 1] = 0;
	assert_int_equal(rdata_name(str_of(wire, sizeof wire), &a, &name).kind, FAIL_INPUT);
	memset(wire, 'a', sizeof wire);
	wire[0] = DNS_LABEL_MAX;
	wire[DNS_LABEL_MAX + 1] = 0;
	assert_ok(rdata_name(str_of(wire, DNS_LABEL_MAX + 2), &a, &name));
	wire[0] = DNS_LABEL_MAX + 1;
	wire[DNS_LABEL_MAX + 1] = 'a';
	wire[DNS_LABEL_MAX + 2] = 0;
	assert_int_equal(rdata_name(str_of(wire, DNS_LABEL_MAX + 3), &a, &name).kind, FAIL_INPUT);
}

static void addresses(void **state)
{
	(void)state;
	unsigned char ip[16];
	assert_ok(rdata_ip(STR("\x7f\0\0\x01"), ip));
	assert_memory_equal(ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01", 16);
	assert_ok(rdata_ip(STR("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"), ip));
	assert_memory_equal(ip, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	assert_int_equal(rdata_ip(STR("\x7f\0\0"), ip).kind, FAIL_INPUT);
}

static void texts_are_joined(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	str text;
	assert_ok(rdata_txt(STR("\x04v=ST\0\x03Sv1"), &a, &text));
	assert_str(text, STR("v=STSv1"));
	assert_ok(rdata_txt(STR("\0"), &a, &text));
	assert_int_equal(text.n, 0);
	assert_int_equal(rdata_txt(STR(""), &a, &text).kind, FAIL_INPUT);
	assert_int_equal(rdata_txt(STR("\x04v=S"), &a, &text).kind, FAIL_INPUT);
}

static void tlsa(void **state)
{
	(void)state;
	struct rdata_tlsa t;
	char sha[3 + 64] = {3, 1, 1};
	assert_ok(rdata_tlsa(str_of(sha, 35), &t));
	assert_true(t.usage == 3 && t.selector == 1 && t.matching == 1 && t.data.n == 32);
	assert_int_equal(rdata_tlsa(str_of(sha, 34), &t).kind, FAIL_INPUT);
	assert_int_equal(rdata_tlsa(str_of(sha, 36), &t).kind, FAIL_INPUT);
	sha[2] = 2;
	assert_ok(rdata_tlsa(str_of(sha, 67), &t));
	assert_int_equal(rdata_tlsa(str_of(sha, 35), &t).kind, FAIL_INPUT);
	sha[2] = 0;
	assert_ok(rdata_tlsa(str_of(sha, 4), &t));
	assert_int_equal(rdata_tlsa(str_of(sha, 3), &t).kind, FAIL_INPUT);
	assert_int_equal(rdata_tlsa(str_of(sha, 2), &t).kind, FAIL_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_exchangers), cmocka_unit_test(names_are_bounded), cmocka_unit_test(addresses),
		cmocka_unit_test(texts_are_joined), cmocka_unit_test(tlsa),
	};
	return cmocka_run_group_tests_name("rdata", tests, NULL, NULL);
}
