#include "grammar/text/sasl.h"
#include "base/test.h"
#include "grammar/text/base64.h"

static void messages_of_the_rfc(void **state)
{
	(void)state;
	struct sasl_plain p = {0};
	assert_ok(sasl_plain_parse(STR("\0tim\0tanstaaftanstaaf"), &p));
	assert_int_equal(p.authzid.n, 0);
	assert_str(p.authcid, STR("tim"));
	assert_str(p.passwd, STR("tanstaaftanstaaf"));
	assert_ok(sasl_plain_parse(STR("Ursel\0Kurt\0xipj3plmq"), &p));
	assert_str(p.authzid, STR("Ursel"));
	AUTO_BUF buf b = buf_new(100);
	sasl_plain_print(&b, &p);
	assert_str(buf_str(&b), STR("Ursel\0Kurt\0xipj3plmq"));
}

static void malformed_messages(void **state)
{
	(void)state;
	static const str bad[] = {STR_INIT(""),		 STR_INIT("\0"),	STR_INIT("a\0b"),
				  STR_INIT("\0\0"),	 STR_INIT("\0a\0"),	STR_INIT("\0\0p"),
				  STR_INIT("\0a\0p\0"),	 STR_INIT("\0a\0p\0q"), STR_INIT("\0a\0\xff"),
				  STR_INIT("\0\xc3\0p"), STR_INIT("\xff\0a\0p")};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct sasl_plain p;
		assert_int_equal(sasl_plain_parse(bad[i], &p).kind, FAIL_INPUT);
	}
}

/* A PLAIN message of parts with these lengths. */
static enum fail_kind sized(size_t authzid, size_t authcid, size_t passwd)
{
	AUTO_BUF buf b = buf_new(1 << 16);
	struct sasl_plain p;
	static char text[SASL_PASSWORD_MAX + 2];
	memset(text, 'x', sizeof text);
	p = (struct sasl_plain){str_of(text, authzid), str_of(text, authcid), str_of(text, passwd)};
	sasl_plain_print(&b, &p);
	return sasl_plain_parse(buf_str(&b), &p).kind;
}

static void parts_have_limits(void **state)
{
	(void)state;
	assert_int_equal(sized(SASL_NAME_MAX, SASL_NAME_MAX, SASL_PASSWORD_MAX), FAIL_NONE);
	assert_int_equal(sized(SASL_NAME_MAX + 1, 1, 1), FAIL_LIMIT);
	assert_int_equal(sized(0, SASL_NAME_MAX + 1, 1), FAIL_LIMIT);
	assert_int_equal(sized(0, 1, SASL_PASSWORD_MAX + 1), FAIL_LIMIT);
}

static void lines_are_decoded(void **state)
{
	(void)state;
	static char line[SASL_LINE_MAX + 4];
	AUTO_BUF buf b = buf_new(SASL_MESSAGE_MAX + 2);
	assert_ok(sasl_decode(STR("AHRpbQ=="), &b));
	assert_str(buf_str(&b), STR("\0tim"));
	buf_clear(&b);
	assert_ok(sasl_decode(STR(""), &b));
	assert_int_equal(sasl_decode(STR("*"), &b).kind, FAIL_CANCELLED);
	assert_int_equal(sasl_decode(STR("AHRpbQ="), &b).kind, FAIL_INPUT);
	assert_int_equal(sasl_decode(STR("AHRp bQ=="), &b).kind, FAIL_INPUT);
	memset(line, 'A', sizeof line);
	assert_ok(sasl_decode(str_of(line, SASL_LINE_MAX), &b));
	assert_int_equal(sasl_decode(str_of(line, sizeof line), &b).kind, FAIL_LIMIT);
}

static void login_asks_twice(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(100);
	base64_encode(&b, STR("Username:"), 0);
	assert_str(buf_str(&b), SASL_LOGIN_USERNAME);
	buf_clear(&b);
	base64_encode(&b, STR("Password:"), 0);
	assert_str(buf_str(&b), SASL_LOGIN_PASSWORD);
	assert_ok(sasl_login_check(STR("user@example.org"), SASL_NAME_MAX));
	assert_int_equal(sasl_login_check(STR(""), SASL_NAME_MAX).kind, FAIL_INPUT);
	assert_int_equal(sasl_login_check(STR("a\0b"), SASL_NAME_MAX).kind, FAIL_INPUT);
	assert_int_equal(sasl_login_check(STR("abc"), 2).kind, FAIL_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_of_the_rfc), cmocka_unit_test(malformed_messages),
		cmocka_unit_test(parts_have_limits),   cmocka_unit_test(lines_are_decoded),
		cmocka_unit_test(login_asks_twice),
	};
	return cmocka_run_group_tests_name("sasl", tests, NULL, NULL);
}
