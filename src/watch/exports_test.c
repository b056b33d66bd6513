#include <jansson.h>

#include "base/log_read.h"
#include "base/test.h"
#include "run/files.h"
#include "run/random.h"
#include "watch/exports.h"
#include "watch/ledger_kit.h"

static void take(struct exports *x, enum log_name event, const struct log_field *fields)
{
	struct log_octets o;
	struct log_record r;
	log_encode(event, NULL, fields, &o);
	const struct entry e = {.at = 1700000000123, .from = {.role = STR("auth")}, .record = str_of(o.p, o.n)};
	assert_true(log_read(e.record, &r));
	exports_take(x, &e, &r);
}
#define TAKE(X, EVENT, ...) take((X), (EVENT), (const struct log_field[]){__VA_ARGS__, {0}})

/* The next line's src_ip; NULL where it has none. */
static void expect_source(str *rest, const char *want)
{
	str line = str_sub(*rest, 0, str_chr(*rest, '\n'));
	json_t *v = json_loadb(line.p, line.n, 0, NULL);
	assert_non_null(v);
	const char *source = json_string_value(json_object_get(v, "src_ip"));
	assert_int_equal(source != NULL, want != NULL);
	if (want)
		assert_string_equal(source, want);
	json_decref(v);
	*rest = str_skip(*rest, line.n + 1);
}

static void eve_on_fiber(void *arg)
{
	AUTO_BUF buf lines = buf_new(1 << 20);
	struct exports *x = NULL;
	(void)arg;
	assert_ok(exports_open(STR("eve"), &x));
	TAKE(x, EV_LOGIN_FAILED, F_STR("client", STR("192.0.2.7")));
	TAKE(x, EV_LOGIN_FAILED, F_STR("client", STR("local uid 33")));
	TAKE(x, EV_BAN_ADDED, F_STR("network", STR("2001:db8:7::/48")));
	TAKE(x, EV_SENT, F_STR("client", STR("192.0.2.7"))); /* nobody's business */
	exports_close(&x);
	assert_ok(file_load("eve.json", &lines));
	str rest = buf_str(&lines);
	expect_source(&rest, "192.0.2.7");
	expect_source(&rest, NULL);
	expect_source(&rest, "2001:db8:7::");
	assert_int_equal(rest.n, 0);
}

/* What is too long is cut; a character that would be cut in two goes, and not the whole value. */
static void syslog_on_fiber(void *arg)
{
	AUTO_BUF buf lines = buf_new(1 << 20), why = buf_new(4096);
	struct exports *x = NULL;
	(void)arg;
	while (why.n < 999)
		buf_putc(&why, 'w');
	buf_put(&why, STR("\xc3\xa4 and more"));
	assert_ok(exports_open(STR("syslog"), &x));
	TAKE(x, EV_LOGIN_FAILED, F_STR("why", buf_str(&why)));
	exports_close(&x);
	assert_ok(file_load("syslog.log", &lines));
	size_t at = str_find(buf_str(&lines), STR(" why=\"w"));
	assert_true(at != STR_NONE);
	assert_str(str_sub(buf_str(&lines), at + 6, 999), str_sub(buf_str(&why), 0, 999));
	assert_int_equal(str_at(buf_str(&lines), at + 6 + 999), '"');
}

static void long_values_are_cut(void **state)
{
	(void)state;
	ledger_kit_run(syslog_on_fiber);
}

static void a_source_is_an_address(void **state)
{
	(void)state;
	ledger_kit_run(eve_on_fiber);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_source_is_an_address, ledger_kit_enter, ledger_kit_leave),
		cmocka_unit_test_setup_teardown(long_values_are_cut, ledger_kit_enter, ledger_kit_leave),
	};
	if (failed(random_open()))
		return 1;
	return cmocka_run_group_tests_name("exports", tests, NULL, NULL);
}
