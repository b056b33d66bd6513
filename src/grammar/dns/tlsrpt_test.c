#include "base/test.h"

#include "base/buf.h"
#include "grammar/dns/tlsrpt.h"

static void both_kinds_of_places(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct tlsrpt t;
	assert_ok(tlsrpt_record(STR("v=TLSRPTv1; rua=mailto:tls%2Creports@example.com?subject=x , "
				    "https://Reports.example.com:8443/v1/tls?a=b,https://b.example,ftp://c.example/"), &a, &t));
	assert_int_equal(t.n, 3);
	assert_str(t.place[0].address, STR("tls,reports@example.com"));
	assert_str(t.place[1].host, STR("Reports.example.com"));
	assert_int_equal(t.place[1].port, 8443);
	assert_str(t.place[1].path, STR("/v1/tls?a=b"));
	assert_str(t.place[2].path, STR("/"));
	assert_true(t.place[2].address.n == 0 && t.place[2].port == 0);
}

static void what_is_no_place(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct tlsrpt t;
	static const char *const wrong[] = {
		"v=TLSRPTv1", "v=TLSRPTv1; rua=", "v=TLSRPTv2; rua=mailto:a@b.test", "rua=mailto:a@b.test",
		"v=TLSRPTv1; rua=mailto:a", "v=TLSRPTv1; rua=mailto:a%0D%0A@b.test", "v=TLSRPTv1; rua=mailto:a%4@b.test",
		"v=TLSRPTv1; rua=https:///x", "v=TLSRPTv1; rua=https://u@b.test/", "v=TLSRPTv1; rua=https://b.test:0/",
		"v=TLSRPTv1; rua=https://b.test:99999/", "v=TLSRPTv1; rua=https://b.test/#x", "v=TLSRPTv1; rua=http://b.test/",
		"v=TLSRPTv1; rua=https://[::1]/", "v=TLSRPTv1; rua=mailto:a@b c.test", "",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (!failed(tlsrpt_record(str_from(wrong[i]), &a, &t)))
			fail_msg("taken: %s", wrong[i]);
	assert_true(tlsrpt_is_record(STR("v=TLSRPTv1;x")) && !tlsrpt_is_record(STR("v=TLSRPTv1x")));
}

static void further_places_are_left_out(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	AUTO_BUF buf text = buf_new(65536);
	struct tlsrpt t;
	buf_put(&text, STR("v=TLSRPTv1; rua=mailto:a@b.test"));
	for (size_t i = 0; i < TLSRPT_PLACES_MAX; i++)
		buf_put(&text, STR(",mailto:a@b.test"));
	assert_ok(tlsrpt_record(buf_str(&text), &a, &t));
	assert_int_equal(t.n, TLSRPT_PLACES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_kinds_of_places), cmocka_unit_test(what_is_no_place),
		cmocka_unit_test(further_places_are_left_out),
	};
	return cmocka_run_group_tests_name("TLSRPT", tests, NULL, NULL);
}
