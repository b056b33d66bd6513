#include "base/test.h"
#include "grammar/text/http.h"

static void a_request_is_known(void **state)
{
	(void)state;
	assert_true(http_is_request(STR("GET / HTTP/1.1")));
	assert_true(http_is_request(STR("POST http://mail.example.test:25/a?b HTTP/1.0")));
	assert_true(http_is_request(STR("CONNECT mail.example.test:25 HTTP/1.1")));
	assert_true(http_is_request(STR("PROPFIND /a b HTTP/1.1")));
	assert_true(http_is_request(STR("PRI * HTTP/2.0"))); /* RFC 9113 3.4 */
}

static void commands_of_mail_are_none(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"", " ", "GET", "GET /", "GET HTTP/1.1", "EHLO client.test", "MAIL FROM:<a@b.test> SIZE=1 BODY=8BITMIME",
		"a1 LOGIN user HTTP/1.1", "get / HTTP/1.1", "GET / HTTP/1.", "GET / HTTP/1.1 ", "GET / XTTP/1.1",
		"GET / HTTP/x.1",
		"USER a HTTP/11", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1",
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (http_is_request(str_from(lines[i])))
			fail_msg("\"%s\" is taken for HTTP", lines[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_known),
		cmocka_unit_test(commands_of_mail_are_none),
	};
	return cmocka_run_group_tests_name("grammar http", tests, NULL, NULL);
}
