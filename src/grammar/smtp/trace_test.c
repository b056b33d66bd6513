#include "grammar/smtp/trace.h"
#include "base/test.h"

static struct mailbox mailbox_of(str s, arena *a)
{
	struct mailbox m = {0};
	cursor c = cursor_on(s);
	assert_ok(mailbox_take_path(&c, a, &m));
	return m;
}

static void received(const struct trace_received *t, str want)
{
	AUTO_BUF buf b = buf_new(4096);
	trace_print_received(&b, t);
	assert_str(buf_str(&b), want);
}

static void received_with_everything(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(1024);
	struct mailbox m = mailbox_of(STR("<user+x@example.org>"), &a);
	struct trace_received t = {
		.helo = STR("foo.example"),
		.rdns = STR("bar.example"),
		.by = STR("mx.example.org"),
		.with = TRACE_EXTENDED | TRACE_TLS | TRACE_AUTH,
		.tls = STR("TLS_AES_256_GCM_SHA384"),
		.id = STR("0123abcd"),
		.recipient = &m,
		.when = {880127706, -360, false},
	};
	assert_true(ip_parse(STR("192.0.2.1"), &t.ip));
	received(&t, STR("Received: from foo.example (bar.example [192.0.2.1])\r\n"
			 "\tby mx.example.org with ESMTPSA id 0123abcd\r\n"
			 "\tfor <user+x@example.org>\r\n"
			 "\ttls TLS_AES_256_GCM_SHA384;\r\n"
			 "\tFri, 21 Nov 1997 09:55:06 -0600\r\n"));
	assert_true(ip_parse(STR("2001:db8::1"), &t.ip));
	t.rdns = STR("");
	t.recipient = NULL;
	t.tls = STR("");
	t.with = 0;
	received(&t, STR("Received: from foo.example ([IPv6:2001:db8::1])\r\n"
			 "\tby mx.example.org with SMTP id 0123abcd;\r\n"
			 "\tFri, 21 Nov 1997 09:55:06 -0600\r\n"));
}

static void what_clients_say_is_made_safe(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(1024);
	struct mailbox m = mailbox_of(STR("<\xc3\xa9@example.org>"), &a);
	struct trace_received t = {
		.helo = STR("x) (evil\r\nSubject: y\0;<\xc3\xa9>"),
		.by = STR("mx"),
		.recipient = &m,
		.with = TRACE_EXTENDED,
	};
	received(&t, STR("Received: from x???evil??Subject:?y??????\r\n\tby mx with ESMTP;\r\n"
			 "\tThu, 1 Jan 1970 00:00:00 +0000\r\n"));
	t.helo = STR("");
	t.with |= TRACE_UTF8;
	received(&t, STR("Received: from unknown\r\n\tby mx with UTF8SMTP\r\n\tfor <\xc3\xa9@example.org>;\r\n"
			 "\tThu, 1 Jan 1970 00:00:00 +0000\r\n"));
}

static void values_are_cut(void **state)
{
	(void)state;
	static char long_name[5000];
	AUTO_BUF buf b = buf_new(8192);
	memset(long_name, 'x', sizeof long_name);
	str s = str_of(long_name, sizeof long_name);
	struct trace_received t = {.helo = s, .rdns = s, .by = s, .id = s, .tls = s, .with = TRACE_EXTENDED};
	assert_true(ip_parse(STR("192.0.2.1"), &t.ip));
	trace_print_received(&b, &t);
	for (str rest = buf_str(&b); rest.n > 0;) {
		size_t end = str_find(rest, STR("\r\n"));
		assert_true(end <= 998);
		rest = str_skip(rest, end + 2);
	}
	assert_true(b.n > 5 * TRACE_VALUE_MAX && b.n < 6 * TRACE_VALUE_MAX);
}

static void protocol_names(void **state)
{
	(void)state;
	static const struct {
		unsigned with;
		str name;
	} rows[] = {
		{0, STR_INIT("SMTP")},
		{TRACE_TLS | TRACE_AUTH | TRACE_UTF8, STR_INIT("SMTP")},
		{TRACE_EXTENDED, STR_INIT("ESMTP")},
		{TRACE_EXTENDED | TRACE_TLS, STR_INIT("ESMTPS")},
		{TRACE_EXTENDED | TRACE_AUTH, STR_INIT("ESMTPA")},
		{TRACE_EXTENDED | TRACE_UTF8 | TRACE_TLS | TRACE_AUTH, STR_INIT("UTF8SMTPSA")},
		{TRACE_LMTP, STR_INIT("LMTP")},
		{TRACE_LMTP | TRACE_EXTENDED | TRACE_TLS, STR_INIT("LMTPS")},
		{TRACE_LMTP | TRACE_UTF8 | TRACE_AUTH, STR_INIT("UTF8LMTPA")},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF buf b = buf_new(4096), want = buf_new(100);
		struct trace_received t = {.by = STR("mx"), .with = rows[i].with};
		trace_print_received(&b, &t);
		buf_put(&want, STR(" with "));
		buf_put(&want, rows[i].name);
		buf_putc(&want, ';');
		assert_true(str_find(buf_str(&b), buf_str(&want)) != STR_NONE);
	}
}

static void return_paths(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(1024);
	AUTO_BUF buf b = buf_new(200);
	struct mailbox m = mailbox_of(STR("<>"), &a);
	trace_print_return_path(&b, &m);
	m = mailbox_of(STR("<@r:\"a b\"@c>"), &a);
	trace_print_return_path(&b, &m);
	assert_str(buf_str(&b), STR("Return-Path: <>\r\nReturn-Path: <\"a b\"@c>\r\n"));
}

static void hosts_that_received_are_counted(void **state)
{
	static const struct {
		str head;
		size_t count;
	} rows[] = {
		{STR_INIT(""), 0},
		{STR_INIT("Received: from a by mx.test; date\r\n"), 1},
		{STR_INIT("Received: from a\r\n\tBY MX.Test\r\n\twith ESMTP\r\nReceived: by mx.test\r\n"), 2},
		{STR_INIT("Received: from a (by mx.test) by other.test\r\n"), 0},
		{STR_INIT("Received: from a (x (by y) z) by mx.test(comment)\r\n"), 1},
		{STR_INIT("Received: from a by mx.test.other\r\n"), 0},
		{STR_INIT("Received: from a; by mx.test\r\n"), 0},
		{STR_INIT("X-Received: by mx.test\r\n\r\nReceived: by mx.test\r\n"), 0},
		{STR_INIT("Received: from (((((by mx.test\r\n"), 0},
		{STR_INIT("Received: by\r\n"), 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(trace_count_by(rows[i].head, STR("mx.test")), rows[i].count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(received_with_everything),
		cmocka_unit_test(what_clients_say_is_made_safe),
		cmocka_unit_test(values_are_cut),
		cmocka_unit_test(protocol_names),
		cmocka_unit_test(return_paths),
		cmocka_unit_test(hosts_that_received_are_counted),
	};
	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
