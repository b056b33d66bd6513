#include "base/test.h"

#include "fetch/request.h"

static struct request ordinary(void)
{
	return (struct request){.host = STR("mta-sts.example.test"), .port = REQUEST_PORT,
				.path = STR("/.well-known/mta-sts.txt"), .octets = 65536};
}

static void what_libcurl_is_told(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct request r = ordinary();
	net_addr list[2];
	assert_ok(request_check(&r));
	assert_string_equal(request_url(&r, &a), "https://mta-sts.example.test:443/.well-known/mta-sts.txt");
	assert_ok(net_parse_ip(STR("2001:db8::1"), &list[0]));
	assert_ok(net_parse_ip(STR("192.0.2.1"), &list[1]));
	assert_string_equal(request_addresses(&r, list, 2, &a), "+mta-sts.example.test:443:2001:db8::1,192.0.2.1");
	AUTO_ARENA arena none = arena_new(8);
	assert_null(request_url(&r, &none));
}

static void the_longest_of_all(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	char host[254], path[2049];
	net_addr list[REQUEST_ADDRESSES_MAX];
	memset(path, 'a', sizeof path);
	path[0] = '/';
	for (size_t i = 0; i < sizeof host; i++)
		host[i] = i % 2 ? '.' : 'a';
	for (size_t i = 0; i < REQUEST_ADDRESSES_MAX; i++)
		assert_ok(net_parse_ip(STR("1111:2222:3333:4444:5555:6666:7777:8888"), &list[i]));
	struct request r = {.host = str_of(host, 253), .port = 65535, .path = str_of(path, 2048)};
	assert_ok(request_check(&r));
	assert_non_null(request_url(&r, &a));
	assert_non_null(request_addresses(&r, list, REQUEST_ADDRESSES_MAX, &a));
	r.path.n++;
	assert_int_equal(request_check(&r).kind, FAIL_INPUT);
	r.path.n--;
	r.host.n++;
	assert_int_equal(request_check(&r).kind, FAIL_INPUT);
}

static void what_cannot_be_asked(void **state)
{
	(void)state;
	static const char *const hosts[] = {"", "a b", "a@b.test", "a.test:80", "10.0.0.1", "[::1]", "a..test", ".a", "a/b",
					    "a.test.", "\303\274.test", "a,b.test"};
	static const char *const paths[] = {"", "x", "/a b", "/a\r\nHost: x", "/#", "/\303\274", "/\x7f"};
	static const char *const types[] = {"", "text/plain\r\nCookie: a=b", "text/\303\274"};
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
		struct request r = ordinary();
		r.host = str_from(hosts[i]);
		assert_int_equal(request_check(&r).kind, FAIL_INPUT);
	}
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		struct request r = ordinary();
		r.path = str_from(paths[i]);
		assert_int_equal(request_check(&r).kind, FAIL_INPUT);
	}
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		struct request r = ordinary();
		r.post = true;
		r.type = str_from(types[i]);
		assert_int_equal(request_check(&r).kind, FAIL_INPUT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_libcurl_is_told), cmocka_unit_test(the_longest_of_all),
		cmocka_unit_test(what_cannot_be_asked),
	};
	return cmocka_run_group_tests_name("fetch request", tests, NULL, NULL);
}
