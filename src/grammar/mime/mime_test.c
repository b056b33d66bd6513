#include "base/buf.h"
#include "base/test.h"
#include "grammar/mime/mime_check.h"
#include "grammar/sample_files.h"

static arena mem;

static struct mime_table parse(str text)
{
	struct mime_table t;
	assert_ok(mime_parse(text, &mem, &t));
	mime_check(text, &t);
	return t;
}

static uint32_t section(const struct mime_table *t, const char *text)
{
	uint32_t numbers[20];
	size_t n = 0;
	for (; *text; text += *text == '.')
		for (numbers[n++] = 0; ascii_digit((unsigned char)*text); text++)
			numbers[n - 1] = numbers[n - 1] * 10 + (uint32_t)(*text - '0');
	return mime_section(t, numbers, n);
}

static void assert_part(str text, const struct mime_table *t, const char *name, const char *body)
{
	uint32_t i = section(t, name);
	assert_true(i != MIME_NONE);
	assert_str(mime_body(text, &t->parts[i]), str_from(body));
}

static void mail_without_mime_is_one_text(void **state)
{
	(void)state;
	str text = STR("From x@y Mon\r\nSubject: a\r\n\r\none\r\ntwo\r\n--x\r\n");
	struct mime_table t = parse(text);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.parts[0].kind, MIME_TEXT);
	assert_int_equal(t.parts[0].lines, 3);
	assert_int_equal(t.parts[0].number, 1);
	assert_part(text, &t, "1", "one\r\ntwo\r\n--x\r\n");
	assert_int_equal(section(&t, "2"), MIME_NONE);
	assert_int_equal(section(&t, "1.1"), MIME_NONE);
	assert_int_equal(section(&t, ""), 0);
	t = parse(STR(""));
	assert_int_equal(t.n, 1);
}

/* RFC 2046 5.1.1. */
static void the_rfc_example(void **state)
{
	(void)state;
	str text = STR("MIME-Version: 1.0\r\nContent-type: multipart/mixed; boundary=\"simple boundary\"\r\n\r\n"
	               "This is the preamble.\r\n\r\n--simple boundary\r\n\r\n"
	               "This is implicitly typed.\r\nIt does NOT end with a linebreak.\r\n"
	               "--simple boundary\r\nContent-type: text/plain; charset=us-ascii\r\n\r\n"
	               "This is explicitly typed.\r\nIt DOES end with a linebreak.\r\n\r\n--simple boundary--\r\n\r\n"
	               "This is the epilogue.\r\n");
	struct mime_table t = parse(text);
	assert_int_equal(t.n, 3);
	assert_int_equal(t.parts[0].number, 0);
	assert_part(text, &t, "1", "This is implicitly typed.\r\nIt does NOT end with a linebreak.");
	assert_part(text, &t, "2", "This is explicitly typed.\r\nIt DOES end with a linebreak.\r\n");
	assert_int_equal(t.parts[2].lines, 2);
	assert_int_equal(section(&t, "0"), MIME_NONE);
	assert_int_equal(section(&t, "3"), MIME_NONE);
}

/* The shape of the example in RFC 9051 6.4.5.1. */
static void sections_of_nested_messages(void **state)
{
	(void)state;
	str text = STR("Content-Type: multipart/mixed; boundary=A\n\n--A\n\nP1\n"
	               "--A\nContent-Type: application/octet-stream\n\nP2\n"
	               "--A\nContent-Type: message/rfc822\n\nSubject: in\nContent-Type: multipart/mixed; boundary=B\n\n"
	               "--B\n\nP31\n--B\nContent-Type: image/gif\n\nP32\n--B--\n"
	               "--A\nContent-Type: multipart/mixed; boundary=C\n\n--C\nContent-Type: image/gif\n\nP41\n"
	               "--C\nContent-Type: message/rfc822\n\nSubject: deep\n\nP421\n--C--\n--A--\n");
	struct mime_table t = parse(text);
	assert_part(text, &t, "1", "P1");
	assert_part(text, &t, "3.1", "P31");
	assert_part(text, &t, "3.2", "P32");
	assert_part(text, &t, "4.1", "P41");
	assert_part(text, &t, "4.2.1", "P421");
	assert_int_equal(section(&t, "4.2.2"), MIME_NONE);
	assert_int_equal(section(&t, "4.2.1.1"), MIME_NONE);
	assert_int_equal(section(&t, "3.3"), MIME_NONE);
	uint32_t inner = mime_inner(&t, section(&t, "4.2"));
	assert_str(mime_header(text, &t.parts[inner]), STR("Subject: deep\n\n"));
	assert_str(mime_body(text, &t.parts[inner]), STR("P421"));
	assert_int_equal(mime_inner(&t, section(&t, "4")), MIME_NONE);
	assert_int_equal(mime_inner(&t, 0), MIME_NONE);
}

static void a_message_alone(void **state)
{
	(void)state;
	str text = STR("Content-Type: message/rfc822\r\n\r\nFrom mbox line\r\nSubject: x\r\n\r\nhello\r\n");
	struct mime_table t = parse(text);
	assert_int_equal(t.n, 2);
	assert_part(text, &t, "1.1", "hello\r\n");
	assert_int_equal(mime_inner(&t, section(&t, "1")), 1);
	assert_str(header_value(t.parts[1].header, HEADER_SUBJECT), STR("x"));
	t = parse(STR("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3Vi\r\n"));
	assert_int_equal(t.n, 1);
	assert_true(t.parts[0].opaque);
	assert_true(mime_is(&t.parts[0], STR("application"), STR("octet-stream")));
}

static void a_digest_holds_messages(void **state)
{
	(void)state;
	str text = STR("Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: a\n\nA\n"
	               "--d\nContent-Type: text/plain\n\nB\n--d--");
	struct mime_table t = parse(text);
	assert_part(text, &t, "1.1", "A");
	assert_int_equal(t.parts[section(&t, "1")].kind, MIME_MESSAGE);
	assert_int_equal(t.parts[section(&t, "2")].kind, MIME_TEXT);
}

static void delimiters_in_odd_places(void **state)
{
	(void)state;
	/* No empty line, nothing between delimiters, an outer one ending an inner part, no close delimiter. */
	str text = STR("Content-Type: multipart/mixed; boundary=\"o \"\r\n\r\n"
	               "--o\r\nContent-Type: text/html\r\n--o \t\r\n"
	               "--o\r\n\r\n--o\r\nContent-Type: multipart/x; boundary=oo\r\n\r\n--oo\r\n\r\n--ooo\r\n-- o\r\n"
	               "--oo\r\nX: y\r\n\r\n--o\r\n\r\nend");
	struct mime_table t = parse(text);
	assert_part(text, &t, "1", "");
	assert_true(mime_is(&t.parts[1], STR("text"), STR("html")));
	assert_part(text, &t, "2", "");
	assert_part(text, &t, "3", "");
	assert_part(text, &t, "4.1", "--ooo\r\n-- o");
	assert_part(text, &t, "4.2", "");
	assert_part(text, &t, "5", "end");
	/* A boundary that ends in "--", and one seen again behind its close delimiter. */
	text = STR("Content-Type: multipart/mixed; boundary=b--\n\n--b--\n\n1\n--b----\n--b--\n\nno part\n");
	t = parse(text);
	assert_int_equal(t.n, 2);
	assert_part(text, &t, "1", "1");
}

static void what_cannot_be_a_multipart_is_text(void **state)
{
	(void)state;
	static const char *const heads[] = {"multipart/mixed", "multipart/mixed; boundary=\"\"",
	                                    "multipart/x; boundary=none"};
	for (size_t i = 0; i < 3; i++) {
		AUTO_BUF buf b = buf_new(1000);
		buf_printf(&b, "Content-Type: %s\n\n--\n--x\nbody\n", heads[i]);
		struct mime_table t = parse(buf_str(&b));
		assert_int_equal(t.n, 1);
		assert_true(t.parts[0].opaque && mime_is(&t.parts[0], STR("text"), STR("plain")));
		assert_part(buf_str(&b), &t, "1", "--\n--x\nbody\n");
	}
	struct mime_table t = parse(STR("Content-Type: message/rfc822\r\n"));
	assert_true(t.parts[0].opaque && t.parts[0].kind == MIME_TEXT);
	t = parse(STR("Content-Type: message/rfc822\r\n\r\n"));
	assert_int_equal(t.n, 2);
}

static void a_thousand_deep(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(1 << 20);
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "Content-Type: multipart/mixed; boundary=x%d\r\n\r\n--x%d\r\n", i, i);
	struct mime_table t = parse(buf_str(&b));
	assert_int_equal(t.n, MIME_DEPTH_MAX + 1);
	assert_true(t.parts[MIME_DEPTH_MAX].opaque);
	buf_clear(&b);
	for (int i = 0; i < 1000; i++)
		buf_put(&b, STR("Content-Type: message/rfc822\n\n"));
	t = parse(buf_str(&b));
	assert_int_equal(t.n, MIME_DEPTH_MAX + 1);
	buf_clear(&b);
	for (int i = 0; i < 1000; i++)
		buf_put(&b, STR("Content-Type: multipart/mixed; boundary=same\n\n--same\n"));
	t = parse(buf_str(&b));
	assert_true(t.n <= MIME_PARTS_MAX);
}

static void a_million_wide(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(64 << 20);
	buf_put(&b, STR("Content-Type: multipart/mixed; boundary=x\n\n"));
	for (int i = 0; i < 1000000; i++)
		buf_put(&b, STR("--x\n\n\n"));
	buf_put(&b, STR("--x--\n"));
	struct mime_table t = parse(buf_str(&b));
	assert_int_equal(t.n, MIME_PARTS_MAX);
	assert_int_equal(t.parts[0].body_n, b.n - t.parts[0].body_at);
}

static void headers_are_looked_at_up_to_a_limit(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(64 << 20);
	buf_put(&b, STR("Content-Type: multipart/mixed; boundary=x\n"));
	while (b.n < 50 << 20)
		buf_put(&b, STR("X-Long: field field field field field field\n"));
	buf_put(&b, STR("\n--x\n\none\n--x--\n"));
	struct mime_table t = parse(buf_str(&b));
	assert_int_equal(t.parts[0].header->n, HEADER_FIELDS_MAX);
	assert_part(buf_str(&b), &t, "1", "one");
	buf_clear(&b);
	buf_put(&b, STR("Content-Type: multipart/mixed; boundary=x\n\n"));
	for (int i = 0; i < 6; i++) {
		buf_put(&b, STR("--x\nContent-Type: text/html\n"));
		for (int k = 0; k < 4500; k++)
			buf_put(&b, STR("a:b\n"));
		buf_put(&b, STR("\n"));
	}
	t = parse(buf_str(&b));
	assert_int_equal(t.parts[6].header->n, 0);
	assert_true(mime_is(&t.parts[1], STR("text"), STR("html")));
	buf_clear(&b);
	buf_put(&b, STR("Content-Type: multipart/mixed; boundary=x\n\n"));
	for (int i = 0; i < 6; i++) {
		buf_put(&b, STR("--x\nContent-Type: text/html\nX: "));
		for (int k = 0; k < 1 << 17; k++)
			buf_put(&b, STR("12345678"));
		buf_put(&b, STR("\n\n"));
	}
	t = parse(buf_str(&b));
	assert_true(mime_is(&t.parts[1], STR("text"), STR("html")));
	assert_true(mime_is(&t.parts[6], STR("text"), STR("plain")));
}

static void a_long_boundary_is_none(void **state)
{
	(void)state;
	for (int n = MIME_BOUNDARY_MAX; n <= MIME_BOUNDARY_MAX + 1; n++) {
		AUTO_BUF buf b = buf_new(10000), name = buf_new(1000);
		for (int i = 0; i < n; i++)
			buf_putc(&name, 'b');
		buf_printf(&b, "Content-Type: multipart/mixed; boundary=%.*s\n\n--%.*s\n\nx\n--%.*s--\n",
		           STR_ARG(buf_str(&name)), STR_ARG(buf_str(&name)), STR_ARG(buf_str(&name)));
		struct mime_table t = parse(buf_str(&b));
		assert_int_equal(t.n, n > MIME_BOUNDARY_MAX ? 1 : 2);
	}
}

static void one_sample(str path, str text, void *ctx)
{
	(void)path;
	struct mime_table t = parse(text);
	*(size_t *)ctx += t.n;
	/* Cut anywhere, the invariants hold. */
	size_t step = text.n / 37 + 1;
	for (size_t cut = 0; text.n < 100000 && cut < text.n; cut += step)
		parse(str_sub(text, 0, cut));
	arena_clear(&mem);
}

static void all_sample_mails(void **state)
{
	(void)state;
	size_t parts = 0;
	size_t files = sample_mails(one_sample, &parts);
	if (files == 0)
		skip();
	print_message("%zu sample mails, %zu parts\n", files, parts);
	assert_true(parts > files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_without_mime_is_one_text),
		cmocka_unit_test(the_rfc_example),
		cmocka_unit_test(sections_of_nested_messages),
		cmocka_unit_test(a_message_alone),
		cmocka_unit_test(a_digest_holds_messages),
		cmocka_unit_test(delimiters_in_odd_places),
		cmocka_unit_test(what_cannot_be_a_multipart_is_text),
		cmocka_unit_test(a_thousand_deep),
		cmocka_unit_test(a_million_wide),
		cmocka_unit_test(headers_are_looked_at_up_to_a_limit),
		cmocka_unit_test(a_long_boundary_is_none),
		cmocka_unit_test(all_sample_mails),
	};
	mem = arena_new(MIME_ARENA_MAX);
	int r = cmocka_run_group_tests_name("mime", tests, NULL, NULL);
	arena_free(&mem);
	return r;
}
