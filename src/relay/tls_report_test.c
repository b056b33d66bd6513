#include "relay/relay_kit.h"

#include <zlib.h>

#include "grammar/text/base64.h"
#include "talk/item.h"
#include "talk/mail_flags.h"

static const unsigned char item_key[ITEM_KEY] = "an item's key";
static const trace_id id = {"tls report"};
static const struct queue_relay_tls_count rows[] = {
	{{.policy_type = STR_INIT("sts"), .policy_domain = STR_INIT("example.test"), .host = STR_INIT("mx.example.test")},
		5},
	{{.policy_type = STR_INIT("sts"), .policy_domain = STR_INIT("example.test"), .host = STR_INIT("mx.example.test"),
		.result = STR_INIT("certificate-expired")}, 2},
};

static void wants(const char *record)
{
	static char rdata[256];
	size_t n = strlen(record);
	rdata[0] = (char)n;
	memcpy(rdata + 1, record, n);
	kit_record((struct kit_record){"_smtp._tls.example.test", 16, ASKER_RESOLVE_FINDING_FOUND, false,
		str_of(rdata, n + 1)});
}

static result ask(struct channel *queue, arena *a, struct queue_relay_tls_reported *out)
{
	struct queue_relay_tls_report m = {.report = id, .day = 20000, .domain = STR("example.test")};
	const struct asking how = {.arena = a, .timeout_ms = 20000};
	m.rows.p = rows;
	m.rows.n = 2;
	return queue_relay_tls_report_call_within(queue, &how, &m, out);
}

static void unpack(str packed, buf *out)
{
	z_stream z = {.next_in = (unsigned char *)(uintptr_t)packed.p, .avail_in = (unsigned)packed.n};
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_true(buf_reserve(out, 65536));
	z.next_out = (unsigned char *)out->p;
	z.avail_out = 65536;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	out->n = 65536 - z.avail_out;
	inflateEnd(&z);
}

static void by_mail(struct channel *queue)
{
	AUTO_ARENA arena a = arena_new(4 << 20);
	AUTO_BUF buf plain = buf_new(1 << 20), packed = buf_new(65536), json = buf_new(1 << 20);
	struct queue_relay_tls_reported r;
	struct base64_stream s = {0};
	struct item i;
	assert_ok(ask(queue, &a, &r));
	assert_true(r.wanted && !r.told);
	assert_int_equal(r.mail.n, 1);
	assert_str(r.mail.p[0], STR("tls@example.test"));
	assert_int_equal(r.flags, MAIL_REPORT | MAIL_TLS_OPTIONAL);
	assert_ok(item_open(r.sealed.bytes, &id, item_key, &plain, &i));
	assert_int_equal(r.size, i.trace.n + i.message.n);
	assert_true(str_starts(i.trace, STR("DKIM-Signature: b=")));
	size_t at = str_find(i.message, STR(".json.gz\"\r\n\r\n"));
	assert_true(at != STR_NONE);
	str body = str_skip(i.message, at + 13);
	base64_feed(&s, str_sub(body, 0, str_find(body, STR("--="))), &packed);
	base64_finish(&s, &packed);
	unpack(buf_str(&packed), &json);
	assert_true(str_find(buf_str(&json), STR("\"total-successful-session-count\":5,"
		"\"total-failure-session-count\":2}")) != STR_NONE);
	assert_true(str_find(buf_str(&json), STR("\"report-id\":\"20000.example.test\"")) != STR_NONE);
	queue_relay_tls_reported_release(&r);
}

static void a_domain_that_asks_for_mail_gets_mail(void **state)
{
	(void)state;
	wants("v=TLSRPTv1; rua=mailto:tls@example.test");
	kit_ask(by_mail);
}

static void by_https(struct channel *queue)
{
	AUTO_ARENA arena a = arena_new(4 << 20);
	AUTO_BUF buf json = buf_new(1 << 20);
	struct queue_relay_tls_reported r;
	assert_ok(ask(queue, &a, &r));
	assert_true(r.wanted && r.told);
	assert_int_equal(r.mail.n, 0);
	unpack(buf_str(&kit.posted), &json);
	assert_true(str_starts(buf_str(&json), STR("{\"organization-name\":\"home.test\"")));
	queue_relay_tls_reported_release(&r);
}

static void a_domain_that_asks_by_https_gets_it_there(void **state)
{
	(void)state;
	wants("v=TLSRPTv1; rua=https://reports.example.test/v1");
	kit_ask(by_https);
}

static void refused_by_https(struct channel *queue)
{
	AUTO_ARENA arena a = arena_new(4 << 20);
	struct queue_relay_tls_reported r;
	kit.post_refused = true;
	assert_ok(ask(queue, &a, &r));
	assert_true(r.wanted && !r.told && r.mail.n == 0);
	queue_relay_tls_reported_release(&r);
}

static void a_place_that_takes_none_is_not_told(void **state)
{
	(void)state;
	wants("v=TLSRPTv1; rua=https://reports.example.test/v1");
	kit_ask(refused_by_https);
}

static void unwanted(struct channel *queue)
{
	AUTO_ARENA arena a = arena_new(4 << 20);
	struct queue_relay_tls_reported r;
	assert_ok(ask(queue, &a, &r));
	assert_false(r.wanted);
	queue_relay_tls_reported_release(&r);
}

static void a_domain_that_asks_for_nothing_gets_nothing(void **state)
{
	(void)state;
	kit_ask(unwanted);
}

static void a_domain_with_a_broken_record_gets_nothing(void **state)
{
	(void)state;
	wants("v=TLSRPTv1; rua=ftp://example.test/");
	kit_ask(unwanted);
}

static void unknown(struct channel *queue)
{
	AUTO_ARENA arena a = arena_new(4 << 20);
	struct queue_relay_tls_reported r;
	assert_int_equal(ask(queue, &a, &r).kind, FAIL_BUSY);
}

static void where_dns_is_silent_it_is_asked_later(void **state)
{
	(void)state;
	kit_record((struct kit_record){"_smtp._tls.example.test", 16, ASKER_RESOLVE_FINDING_FAILED, false, {NULL, 0}});
	kit_ask(unknown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_RELAY(a_domain_that_asks_for_mail_gets_mail),
		IN_RELAY(a_domain_that_asks_by_https_gets_it_there),
		IN_RELAY(a_place_that_takes_none_is_not_told),
		IN_RELAY(a_domain_that_asks_for_nothing_gets_nothing),
		IN_RELAY(a_domain_with_a_broken_record_gets_nothing),
		IN_RELAY(where_dns_is_silent_it_is_asked_later),
	};
	return cmocka_run_group_tests_name("relay-tls-report", tests, kit_group_open, kit_group_close);
}
