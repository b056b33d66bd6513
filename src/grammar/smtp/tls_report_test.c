#include "base/test.h"

#include "grammar/mime/mime.h"
#include "grammar/smtp/tls_report.h"
#include "grammar/text/base64.h"

static const struct tls_report_row rows[] = {
	{STR_INIT("sts"), STR_INIT("version: STSv1\nmode: enforce\nmx: mx.b.test\nmx: *.c.test\nmax_age: 86400"),
		STR_INIT("mx.b.test"), STR_INIT("192.0.2.2"), STR_INIT("192.0.2.1"), STR_INIT(""), STR_INIT(""), 7},
	{STR_INIT("no-policy-found"), STR_INIT(""), STR_INIT("mx.b.test"), STR_INIT("192.0.2.2"), STR_INIT("192.0.2.1"),
		STR_INIT(""), STR_INIT(""), 1},
	{STR_INIT("sts"), STR_INIT("version: STSv1\nmode: enforce\nmx: mx.b.test\nmx: *.c.test\nmax_age: 86400"),
		STR_INIT("mx.b.test"), STR_INIT("192.0.2.2"), STR_INIT(""), STR_INIT("certificate-expired"),
		STR_INIT("it \"ended\"\n"), 3},
};
static const struct tls_report report = {.organization = STR_INIT("a.test"), .contact = STR_INIT("postmaster@a.test"),
	.id = STR_INIT("19000.b.test"), .domain = STR_INIT("b.test"), .day = 19000, .rows = rows, .n = 3};

static void a_day_is_told_in_json(void **state)
{
	AUTO_BUF buf b = buf_new(65536);
	(void)state;
	tls_report_json(&b, &report);
	assert_str(buf_str(&b), STR("{\"organization-name\":\"a.test\",\"date-range\":{"
		"\"start-datetime\":\"2022-01-08T00:00:00Z\",\"end-datetime\":\"2022-01-08T23:59:59Z\"},"
		"\"contact-info\":\"postmaster@a.test\",\"report-id\":\"19000.b.test\",\"policies\":["
		"{\"policy\":{\"policy-type\":\"sts\",\"policy-string\":[\"version: STSv1\",\"mode: enforce\",\"mx: "
		"mx.b.test\","
		"\"mx: *.c.test\",\"max_age: 86400\"],\"policy-domain\":\"b.test\",\"mx-host\":[\"mx.b.test\",\"*.c.test\"]},"
		"\"summary\":{\"total-successful-session-count\":7,\"total-failure-session-count\":3},"
		"\"failure-details\":[{\"result-type\":\"certificate-expired\",\"receiving-mx-hostname\":\"mx.b.test\","
		"\"receiving-ip\":\"192.0.2.2\",\"additional-information\":\"it \\u0022ended\\u0022\\u000a\","
		"\"failed-session-count\":3}]},"
		"{\"policy\":{\"policy-type\":\"no-policy-found\",\"policy-domain\":\"b.test\"},"
		"\"summary\":{\"total-successful-session-count\":1,\"total-failure-session-count\":0}}]}"));
}

static void it_travels_as_a_report(void **state)
{
	static const str to[] = {STR_INIT("tls@b.test"), STR_INIT("reports@c.test")};
	const struct tls_report_mail m = {.report = &report, .to = to, .to_n = 2, .from_domain = STR("a.test"),
		.submitter = STR("mail.a.test"), .message_id = STR("x@mail.a.test"), .now = 1641700000,
			.packed = STR("packed")};
	AUTO_BUF buf b = buf_new(65536), body = buf_new(1000);
	AUTO_ARENA arena a = arena_new(MIME_ARENA_MAX);
	struct mime_table t;
	const uint32_t second = 2;
	struct base64_stream s = {0};
	(void)state;
	tls_report_print(&b, &m);
	assert_ok(buf_result(&b));
	assert_ok(mime_parse(buf_str(&b), &a, &t));
	assert_true(mime_is(&t.parts[0], STR("multipart"), STR("report")));
	uint32_t at = mime_section(&t, &second, 1);
	assert_int_not_equal(at, MIME_NONE);
	assert_true(mime_is(&t.parts[at], STR("application"), STR("tlsrpt+gzip")));
	base64_feed(&s, mime_body(buf_str(&b), &t.parts[at]), &body);
	base64_finish(&s, &body);
	assert_str(buf_str(&body), STR("packed"));
	static const char *const parts[] = {"To: <tls@b.test>,\r\n <reports@c.test>\r\n", "TLS-Report-Domain: b.test\r\n",
		"TLS-Report-Submitter: mail.a.test\r\n", "TLS-Required: No\r\n", "report-type=\"tlsrpt\"",
		"filename=\"mail.a.test!b.test!1641600000!1641686399!19000.b.test.json.gz\"",
		"Subject: Report Domain: b.test\r\n Submitter: mail.a.test\r\n Report-ID: <19000.b.test>\r\n"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		assert_true(str_find(buf_str(&b), str_from(parts[i])) != STR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_is_told_in_json),
		cmocka_unit_test(it_travels_as_a_report),
	};
	return cmocka_run_group_tests_name("tls_report", tests, NULL, NULL);
}
