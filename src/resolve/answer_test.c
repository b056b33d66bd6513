#include "base/test.h"

#include "resolve/answer.h"
#include "resolve/resolver.h"

static char *data[ASKER_RESOLVE_LOOKED_UP_RECORDS_MAX + 2];
static int sizes[ASKER_RESOLVE_LOOKED_UP_RECORDS_MAX + 2];

static struct ub_result found(size_t n)
{
	static char name[] = "mx.example.test.";
	for (size_t i = 0; i < n; i++) {
		data[i] = name;
		sizes[i] = 4;
	}
	data[n] = NULL;
	return (struct ub_result){.qname = name, .havedata = n > 0, .data = data, .len = sizes, .ttl = 60};
}

static void names_that_can_be_asked(void **state)
{
	(void)state;
	char label[65 + 4];
	memset(label, 'a', sizeof label);
	assert_true(answer_name_ok(STR("_25._tcp.mx-1.example.test")));
	assert_true(answer_name_ok(STR("1.0/25.2.0.192.in-addr.arpa")));
	assert_true(answer_name_ok(str_of(label, RESOLVER_LABEL_MAX)));
	assert_false(answer_name_ok(str_of(label, RESOLVER_LABEL_MAX + 1)));
	static const char *const wrong[] = {"", ".", "a.", ".a", "a..b", "a b", "a\\.b", "b\303\274.test", "a\tb"};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_false(answer_name_ok(str_from(wrong[i])));
	char longest[RESOLVER_NAME_MAX + 1];
	for (size_t i = 0; i < sizeof longest; i++)
		longest[i] = i % 2 ? '.' : 'a';
	assert_true(answer_name_ok(str_of(longest, RESOLVER_NAME_MAX)));
	assert_false(answer_name_ok(str_of(longest, RESOLVER_NAME_MAX + 1)));
}

static void findings_are_told_apart(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct asker_resolve_looked_up answer;
	struct ub_result r = found(2);
	r.secure = 1;
	r.canonname = (char[]){"Other.test."};
	assert_ok(answer_of(&r, &a, &answer));
	assert_int_equal(answer.finding, ASKER_RESOLVE_FINDING_FOUND);
	assert_true(answer.secure && answer.records.n == 2 && answer.ttl == 60);
	assert_str(answer.records.p[1], STR("mx.e"));
	assert_str(answer.canonical, STR("Other.test"));
	r.canonname = (char[]){"MX.example.test."};
	assert_ok(answer_of(&r, &a, &answer));
	assert_int_equal(answer.canonical.n, 0);
	r = found(0);
	assert_ok(answer_of(&r, &a, &answer));
	assert_int_equal(answer.finding, ASKER_RESOLVE_FINDING_NO_DATA);
	r.nxdomain = 1;
	r.rcode = 3;
	assert_ok(answer_of(&r, &a, &answer));
	assert_int_equal(answer.finding, ASKER_RESOLVE_FINDING_NO_NAME);
	r.nxdomain = 0;
	r.rcode = 2;
	assert_ok(answer_of(&r, &a, &answer));
	assert_int_equal(answer.finding, ASKER_RESOLVE_FINDING_FAILED);
	assert_true(answer.why.n > 0 && !answer.secure);
	r.bogus = 1;
	assert_ok(answer_of(&r, &a, &answer));
	assert_int_equal(answer.finding, ASKER_RESOLVE_FINDING_BOGUS);
}

static void times_and_numbers_are_bounded(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct asker_resolve_looked_up answer;
	struct ub_result r = found(ASKER_RESOLVE_LOOKED_UP_RECORDS_MAX + 1);
	r.ttl = 1 << 30;
	assert_ok(answer_of(&r, &a, &answer));
	assert_int_equal(answer.records.n, ASKER_RESOLVE_LOOKED_UP_RECORDS_MAX);
	assert_int_equal(answer.ttl, RESOLVER_TTL_MAX);
	r = found(0);
	r.ttl = 1 << 30;
	assert_ok(answer_of(&r, &a, &answer));
	assert_int_equal(answer.ttl, RESOLVER_TTL_NONE);
	r.ttl = -1;
	assert_ok(answer_of(&r, &a, &answer));
	assert_int_equal(answer.ttl, 0);
	AUTO_ARENA arena small = arena_new(64);
	r = found(2);
	assert_int_equal(answer_of(&r, &small, &answer).kind, FAIL_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_can_be_asked),
		cmocka_unit_test(findings_are_told_apart),
		cmocka_unit_test(times_and_numbers_are_bounded),
	};
	return cmocka_run_group_tests_name("resolve answer", tests, NULL, NULL);
}
