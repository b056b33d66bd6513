#include "grammar/smtp/proxy.h"
#include "base/test.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static const str tcp4 = STR_INIT(SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x30\x39\0\x19");
static const str tcp6 =
	STR_INIT(SIGNATURE "\x21\x21\0\x27"
			   "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"
			   "\xff\xff\1\xbb\4\0\0");

static struct proxy_header accept(str in)
{
	struct proxy_header h = {0};
	size_t need = 1;
	assert_ok(proxy_parse(in, &h, &need));
	assert_int_equal(need, 0);
	return h;
}

static void refuse(str in, enum fail_kind kind)
{
	struct proxy_header h;
	size_t need;
	assert_int_equal(proxy_parse(in, &h, &need).kind, kind);
}

static void addresses_are_read(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(200);
	struct proxy_header h = accept(tcp4);
	assert_int_equal(h.kind, PROXY_TCP4);
	assert_int_equal(h.source_port, 12345);
	assert_int_equal(h.destination_port, 25);
	assert_int_equal(h.size, tcp4.n);
	ip_print(&b, &h.source);
	assert_str(buf_str(&b), STR("192.0.2.1"));
	h = accept(tcp6);
	assert_int_equal(h.kind, PROXY_TCP6);
	assert_int_equal(h.source_port, 65535);
	assert_int_equal(h.destination_port, 443);
	assert_int_equal(h.size, tcp6.n);
	buf_clear(&b);
	ip_print(&b, &h.destination);
	assert_str(buf_str(&b), STR("2001:db8::2"));
}

static void what_has_no_address(void **state)
{
	(void)state;
	assert_int_equal(accept(STR(SIGNATURE "\x20\0\0\0EHLO")).kind, PROXY_LOCAL);
	assert_int_equal(accept(STR(SIGNATURE "\x20\0\0\0EHLO")).size, PROXY_FIXED);
	assert_int_equal(accept(STR(SIGNATURE "\x20\x11\0\1x")).kind, PROXY_LOCAL);
	assert_int_equal(accept(STR(SIGNATURE "\x21\0\0\2xx")).kind, PROXY_UNSPEC);
	assert_int_equal(accept(STR(SIGNATURE "\x21\x12\0\0")).kind, PROXY_UNSPEC);
	assert_int_equal(accept(STR(SIGNATURE "\x21\x31\0\0")).kind, PROXY_UNSPEC);
}

static void it_says_how_much_is_missing(void **state)
{
	(void)state;
	for (size_t n = 0; n < tcp6.n; n++) {
		struct proxy_header h;
		size_t need = 0;
		assert_ok(proxy_parse(str_sub(tcp6, 0, n), &h, &need));
		assert_int_equal(need, n < PROXY_FIXED ? PROXY_FIXED - n : tcp6.n - n);
	}
}

static void others_are_refused_at_once(void **state)
{
	(void)state;
	refuse(STR("P"), FAIL_INPUT);
	refuse(STR("PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n"), FAIL_INPUT);
	refuse(STR("EHLO x\r\n"), FAIL_INPUT);
	refuse(STR("\r\n\r\n\0\r\nQUIT\r"), FAIL_INPUT);
	refuse(STR(SIGNATURE "\x11\x11\0\0"), FAIL_INPUT);
	refuse(STR(SIGNATURE "\x22\x11\0\0"), FAIL_INPUT);
	refuse(STR(SIGNATURE "\x21\x11\0\x0bxxxxxxxxxxx"), FAIL_INPUT);
	refuse(STR(SIGNATURE "\x21\x21\0\x0cxxxxxxxxxxxx"), FAIL_INPUT);
}

static void length_has_a_limit(void **state)
{
	(void)state;
	struct proxy_header h;
	size_t need = 0;
	assert_ok(proxy_parse(STR(SIGNATURE "\x21\0\x0f\xf0"), &h, &need));
	assert_int_equal(need, PROXY_HEADER_MAX - PROXY_FIXED);
	refuse(STR(SIGNATURE "\x21\0\x0f\xf1"), FAIL_LIMIT);
}

static void headers_print(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(200);
	struct proxy_header h = accept(tcp4);
	proxy_print(&b, &h);
	assert_str(buf_str(&b), tcp4);
	buf_clear(&b);
	h = accept(tcp6);
	proxy_print(&b, &h);
	assert_int_equal(b.n, tcp6.n - 3);
	struct proxy_header again = accept(buf_str(&b));
	assert_true(ip_eq(&again.source, &h.source) && ip_eq(&again.destination, &h.destination));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read),	       cmocka_unit_test(what_has_no_address),
		cmocka_unit_test(it_says_how_much_is_missing), cmocka_unit_test(others_are_refused_at_once),
		cmocka_unit_test(length_has_a_limit),	       cmocka_unit_test(headers_print),
	};
	return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
