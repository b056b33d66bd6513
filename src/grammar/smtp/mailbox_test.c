#include "grammar/smtp/mailbox.h"
#include "base/mem.h"
#include "base/test.h"

static const struct {
	str in;
	enum mailbox_kind kind;
	str local, domain, printed;
} good[] = {
	{STR_INIT("<user@example.com>"), MAILBOX_NAME, STR_INIT("user"), STR_INIT("example.com"),
	 STR_INIT("<user@example.com>")},
	{STR_INIT("<>"), MAILBOX_NULL, STR_INIT(""), STR_INIT(""), STR_INIT("<>")},
	{STR_INIT("<Postmaster>"), MAILBOX_BARE, STR_INIT("Postmaster"), STR_INIT(""), STR_INIT("<Postmaster>")},
	{STR_INIT("<@a.example,@[192.0.2.1]:x@y.z>"), MAILBOX_NAME, STR_INIT("x"), STR_INIT("y.z"),
	 STR_INIT("<x@y.z>")},
	{STR_INIT("<\"Joe.\\Blow\"@x.org>"), MAILBOX_NAME, STR_INIT("Joe.Blow"), STR_INIT("x.org"),
	 STR_INIT("<Joe.Blow@x.org>")},
	{STR_INIT("<\"a b\\\"\\\\c\"@x.org>"), MAILBOX_NAME, STR_INIT("a b\"\\c"), STR_INIT("x.org"),
	 STR_INIT("<\"a b\\\"\\\\c\"@x.org>")},
	{STR_INIT("<\"\"@x.org>"), MAILBOX_NAME, STR_INIT(""), STR_INIT("x.org"), STR_INIT("<\"\"@x.org>")},
	{STR_INIT("<\"a@b\"@x.org>"), MAILBOX_NAME, STR_INIT("a@b"), STR_INIT("x.org"), STR_INIT("<\"a@b\"@x.org>")},
	{STR_INIT("<.a..b.@docomo.example>"), MAILBOX_NAME, STR_INIT(".a..b."), STR_INIT("docomo.example"),
	 STR_INIT("<\".a..b.\"@docomo.example>")},
	{STR_INIT("<a@my_host.example>"), MAILBOX_NAME, STR_INIT("a"), STR_INIT("my_host.example"),
	 STR_INIT("<a@my_host.example>")},
	{STR_INIT("<a@[192.0.2.1]>"), MAILBOX_IPV4, STR_INIT("a"), STR_INIT("[192.0.2.1]"),
	 STR_INIT("<a@[192.0.2.1]>")},
	{STR_INIT("<a@[IPv6:2001:db8::1]>"), MAILBOX_IPV6, STR_INIT("a"), STR_INIT("[IPv6:2001:db8::1]"),
	 STR_INIT("<a@[IPv6:2001:db8::1]>")},
	{STR_INIT("<a@[x-tag:some!thing]>"), MAILBOX_GENERAL, STR_INIT("a"), STR_INIT("[x-tag:some!thing]"),
	 STR_INIT("<a@[x-tag:some!thing]>")},
	{STR_INIT("<!#$%&'*+-/=?^_`{|}~@x>"), MAILBOX_NAME, STR_INIT("!#$%&'*+-/=?^_`{|}~"), STR_INIT("x"),
	 STR_INIT("<!#$%&'*+-/=?^_`{|}~@x>")},
	{STR_INIT("<j\xc3\xb6rg@b\xc3\xbc"
		  "cher.example>"),
	 MAILBOX_NAME, STR_INIT("j\xc3\xb6rg"),
	 STR_INIT("b\xc3\xbc"
		  "cher.example"),
	 STR_INIT("<j\xc3\xb6rg@b\xc3\xbc"
		  "cher.example>")},
};

static void paths_parse_and_print(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		AUTO_ARENA arena a = arena_new(4096);
		AUTO_BUF buf b = buf_new(300);
		cursor c = cursor_on(good[i].in);
		struct mailbox m;
		assert_ok(mailbox_take_path(&c, &a, &m));
		assert_true(cursor_done(&c));
		assert_int_equal(m.kind, good[i].kind);
		assert_str(m.local, good[i].local);
		assert_str(m.domain, good[i].domain);
		assert_int_equal(m.utf8, !str_is_ascii(good[i].in));
		mailbox_print_path(&b, &m);
		assert_str(buf_str(&b), good[i].printed);
	}
}

static void malformed_paths_are_refused(void **state)
{
	(void)state;
	static const str bad[] = {
		STR_INIT(""),
		STR_INIT("<"),
		STR_INIT("user@x"),
		STR_INIT("<user>"),
		STR_INIT("<@x>"),
		STR_INIT("<a@>"),
		STR_INIT("<a@x"),
		STR_INIT("<a@b@c>"),
		STR_INIT("<a b@c>"),
		STR_INIT("<a@x..y>"),
		STR_INIT("<a@x.>"),
		STR_INIT("<a@-x>"),
		STR_INIT("<a@x->"),
		STR_INIT("<\"a@x>"),
		STR_INIT("<\"a\"b@x>"),
		STR_INIT("<\"a\\"),
		STR_INIT("<\"a\tb\"@x>"),
		STR_INIT("<a\0b@x>"),
		STR_INIT("<\"a\0b\"@x>"),
		STR_INIT("<a@[1.2.3]>"),
		STR_INIT("<a@[1.2.3.256]>"),
		STR_INIT("<a@[IPv6:1::2::3]>"),
		STR_INIT("<a@[IPv6:]>"),
		STR_INIT("<a@[1.2.3.4>"),
		STR_INIT("<a@[tag-:x]>"),
		STR_INIT("<a@[:x]>"),
		STR_INIT("<a@[t:]>"),
		STR_INIT("<@x,y:a@b>"),
		STR_INIT("<@x a@b>"),
		STR_INIT("<\xff@x>"),
		STR_INIT("<a@\xc3>"),
		STR_INIT("<\"\\\xc3\xa9\"@x>"),
		STR_INIT("<a\r\n@x>"),
		STR_INIT("<\"\r\n\"@x>"),
		STR_INIT("<a@x y>"),
		STR_INIT("<postmaster@>"),
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_ARENA arena a = arena_new(4096);
		cursor c = cursor_on(bad[i]);
		struct mailbox m;
		result r = mailbox_take_path(&c, &a, &m);
		if (r.kind != FAIL_INPUT)
			fail_msg("accepted \"%.*s\"", STR_ARG(bad[i]));
	}
}

/* Parses LOCAL times 'l' @ labels of `label` octets up to `domain` octets. */
static result sized(size_t local, size_t domain, size_t label)
{
	AUTO_ARENA arena a = arena_new(8192);
	AUTO_BUF buf b = buf_new(4096);
	struct mailbox m;
	for (size_t i = 0; i < local; i++)
		buf_putc(&b, 'l');
	buf_putc(&b, '@');
	for (size_t i = 0; i < domain; i++)
		buf_putc(&b, i % (label + 1) == label ? '.' : 'd');
	return mailbox_parse(buf_str(&b), &a, &m);
}

static void limits_are_reached(void **state)
{
	(void)state;
	assert_ok(sized(64, 20, 63));
	assert_int_equal(sized(65, 20, 63).kind, FAIL_INPUT);
	assert_ok(sized(64, 189, 60));
	assert_int_equal(sized(64, 190, 60).kind, FAIL_INPUT);
	assert_ok(sized(1, 63, 63));
	assert_int_equal(sized(1, 64, 64).kind, FAIL_INPUT);
	struct mailbox m = {0};
	char name[256];
	for (size_t i = 0; i < sizeof name; i++)
		name[i] = i % 50 == 49 ? '.' : 'd';
	cursor c = cursor_on(str_of(name, 255));
	assert_ok(mailbox_take_domain(&c, &m));
	c = cursor_on(str_of(name, 256));
	assert_int_equal(mailbox_take_domain(&c, &m).kind, FAIL_INPUT);
}

static void one_name_has_one_normal_form(void **state)
{
	(void)state;
	static const str same[][2] = {
		{STR_INIT("B\xc3\xbc"
			  "cher.Example"),
		 STR_INIT("xn--bcher-kva.example")},
		{STR_INIT("XN--BCHER-KVA.example"), STR_INIT("xn--bcher-kva.example")},
		{STR_INIT("bu\xcc\x88"
			  "cher.example"),
		 STR_INIT("xn--bcher-kva.example")}, /* not composed */
		{STR_INIT("stra\xc3\x9f"
			  "e.example"),
		 STR_INIT("xn--strae-oqa.example")},
		{STR_INIT("\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88"),
		 STR_INIT("xn--r8jz45g.xn--zckzah")},
		{STR_INIT("Example.COM"), STR_INIT("example.com")},
		{STR_INIT("my_Host.example"), STR_INIT("my_host.example")},
		{STR_INIT("[192.0.2.1]"), STR_INIT("[192.0.2.1]")},
		{STR_INIT("[IPv6:2001:DB8:0:0::1]"), STR_INIT("[ipv6:2001:db8::1]")},
	};
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		AUTO_ARENA arena a = arena_new(8192);
		str out = {NULL, 0}, shown = {NULL, 0}, again = {NULL, 0};
		assert_ok(mailbox_domain(same[i][0], &a, &out));
		assert_str(out, same[i][1]);
		assert_ok(mailbox_domain_unicode(out, &a, &shown));
		assert_ok(mailbox_domain(shown, &a, &again));
		assert_str(again, out);
	}
}

static void normal_form_cannot_smuggle(void **state)
{
	(void)state;
	/* Full-width @ and solidus, a soft hyphen alone, an ideographic full stop in front. */
	static const str bad[] = {STR_INIT("a\xef\xbc\xa0"
					   "b.example"),
				  STR_INIT("a\xef\xbc\x8f"
					   "b"),
				  STR_INIT("\xc2\xad"),
				  STR_INIT("\xe3\x80\x82x"),
				  STR_INIT("a b"),
				  STR_INIT(""),
				  STR_INIT("a\0b")};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_ARENA arena a = arena_new(8192);
		str out;
		assert_int_equal(mailbox_domain(bad[i], &a, &out).kind, FAIL_INPUT);
	}
}

static void shown_as_unicode(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(8192);
	str out = {NULL, 0};
	assert_ok(mailbox_domain_unicode(STR("xn--bcher-kva.example"), &a, &out));
	assert_str(out, STR("b\xc3\xbc"
			    "cher.example"));
	assert_ok(mailbox_domain_unicode(STR("xn--a.example"), &a, &out));
	assert_str(out, STR("xn--a.example"));
}

static void refused_memory_is_told(void **state)
{
	(void)state;
	struct mailbox m;
	str out;
	for (uint64_t n = 1; n <= 2; n++) {
		AUTO_ARENA arena a = arena_new(8192);
		mem_fail_at(1);
		result r =
			n == 1 ? mailbox_parse(STR("\"a b\"@x"), &a, &m) : mailbox_domain(STR("b\xc3\xbc.x"), &a, &out);
		mem_fail_at(0);
		assert_int_equal(r.kind, FAIL_MEMORY);
	}
	AUTO_ARENA arena small = arena_new(16);
	assert_int_equal(mailbox_domain(STR("a-name-longer-than-the-arena.example"), &small, &out).kind, FAIL_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_parse_and_print),      cmocka_unit_test(malformed_paths_are_refused),
		cmocka_unit_test(limits_are_reached),	      cmocka_unit_test(one_name_has_one_normal_form),
		cmocka_unit_test(normal_form_cannot_smuggle), cmocka_unit_test(shown_as_unicode),
		cmocka_unit_test(refused_memory_is_told),
	};
	return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
