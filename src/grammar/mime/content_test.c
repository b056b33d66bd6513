#include "base/buf.h"
#include "base/test.h"
#include "grammar/mime/content.h"

static arena mem;

static struct content parse(str header)
{
	struct header h;
	struct content c;
	assert_ok(header_parse(header, 1000, &mem, &h));
	assert_ok(content_parse(&h, &mem, &c));
	return c;
}

static str param(const struct content *c, const char *name)
{
	const struct content_param *p = content_param(&c->type_params, str_from(name));
	return p ? p->value : (str){NULL, 0};
}

static void types_and_encodings(void **state)
{
	(void)state;
	struct content c = parse(STR("Content-Type: Text / (a (b) \\) c) Plain (x) ; "
	                             "charset = us-ascii (Plain text)\r\n"
	                             "Content-Transfer-Encoding: (c) Quoted-Printable \r\n"
	                             "Content-ID: <a@b>\n"
	                             "Content-Description: two\n words\n"
	                             "Content-Language: de, en-GB (British)\r\n"
	                             "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\n"
	                             "Content-Location: http://x/\r\n\r\n"));
	assert_str(c.type, STR("Text"));
	assert_str(c.subtype, STR("Plain"));
	assert_str(param(&c, "CHARSET"), STR("us-ascii"));
	assert_int_equal(c.encoding, ENCODING_QUOTED_PRINTABLE);
	assert_str(c.encoding_name, STR("Quoted-Printable"));
	assert_str(c.id, STR("<a@b>"));
	assert_str(c.description, STR("two words"));
	assert_int_equal(c.languages_n, 2);
	assert_str(c.languages[1], STR("en-GB"));
	assert_str(c.md5, STR("Q2hlY2sgSW50ZWdyaXR5IQ=="));
	assert_str(c.location, STR("http://x/"));
}

static void no_type_where_there_is_no_slash(void **state)
{
	(void)state;
	static const char *const broken[] = {"text", "/plain", "text/", "", ";", "; charset=x", "text; charset=y"};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		AUTO_BUF buf b = buf_new(100);
		buf_printf(&b, "Content-Type: %s\r\n", broken[i]);
		struct content c = parse(arena_dup(&mem, buf_str(&b)));
		assert_null(c.type.p);
	}
	assert_null(parse(STR("X: y\r\n")).type.p);
	assert_int_equal(parse(STR("Content-Transfer-Encoding: x-uue\r\n")).encoding, ENCODING_OTHER);
	assert_int_equal(parse(STR("Content-Transfer-Encoding: base64;\r\n")).encoding, ENCODING_BASE64);
}

/* RFC 2231 3 and 4.1. */
static void continuations_are_joined(void **state)
{
	(void)state;
	struct content c = parse(STR("Content-Type: application/x-stuff\r\n"
	                             "    title*1*=%2A%2A%2Afun%2A%2A%2A%20\r\n"
	                             "    title*0*=us-ascii'en'This%20is%20even%20more%20\r\n"
	                             "    title*2=\"isn't it!\"; url*0=\"ftp://\";\r\n"
	                             "    url*1=\"cs.utk.edu/pub\"; lost*1=x; odd*z=1\r\n"));
	const struct content_param *p = content_param(&c.type_params, STR("title"));
	assert_true(p->extended);
	assert_str(p->value, STR("us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it!"));
	assert_str(param(&c, "url"), STR("ftp://cs.utk.edu/pub"));
	assert_null(param(&c, "lost").p);
	assert_str(param(&c, "odd*z"), STR("1"));
	assert_int_equal(c.type_params.n, 3);
	c = parse(STR("Content-Type: a/b; name=plain; name*=utf-8''%C3%A9\r\n"));
	assert_str(param(&c, "name"), STR("utf-8''%C3%A9"));
	c = parse(STR("Content-Type: a/b; n*0=\"a b\"; n*1*=%20c\r\n"));
	assert_str(param(&c, "n"), STR("''a%20b%20c"));
}

static void broken_parameters_are_read_as_meant(void **state)
{
	(void)state;
	struct content c = parse(STR("Content-Type: a/b; name=my file.doc; x=\"a\\\"b\r\n c\"; "
	                             "y=1 z=2 ;;; =5; w; u=a/b=\r\n"));
	assert_str(param(&c, "name"), STR("my file.doc"));
	assert_str(param(&c, "x"), STR("a\"b c"));
	assert_str(param(&c, "y"), STR("1"));
	assert_str(param(&c, "z"), STR("2"));
	assert_str(param(&c, "u"), STR("a/b="));
	assert_int_equal(c.type_params.n, 5);
	c = parse(STR("Content-Type: multipart/mixed; boundary=\"never closed\r\n"));
	assert_str(param(&c, "boundary"), STR("never closed"));
	c = parse(STR("Content-Type: multipart/mixed boundary=\"abc\"\r\n"));
	assert_str(param(&c, "boundary"), STR("abc"));
	c = parse(STR("Content-Type: text/plain; charset=\r\n"));
	assert_str(param(&c, "charset"), STR(""));
	c = parse(STR("Content-Disposition: attachment; filename=\"a.b\"; size=7\r\n"));
	assert_str(c.disposition, STR("attachment"));
	assert_str(content_param(&c.disposition_params, STR("size"))->value, STR("7"));
	c = parse(STR("Content-Type: a/b; name=\"C:\\TEMP\\\\a.b\"\r\n"));
	assert_str(param(&c, "name"), STR("C:\\TEMP\\a.b"));
	c = parse(STR("Content-Type: (((((((((\r\n"));
	assert_null(c.type.p);
}

static void limits_hold(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(1 << 20);
	buf_put(&b, STR("Content-Language: "));
	for (int i = 0; i < CONTENT_LANGUAGES_MAX + 5; i++)
		buf_put(&b, STR("de,"));
	buf_put(&b, STR("\r\nContent-Type: a/b"));
	for (int i = 0; i < CONTENT_PARAMS_MAX + 5; i++)
		buf_printf(&b, "; p%d=%d", i, i);
	struct content c = parse(buf_str(&b));
	assert_int_equal(c.type_params.n, CONTENT_PARAMS_MAX);
	assert_int_equal(c.languages_n, CONTENT_LANGUAGES_MAX);
	for (int form = 0; form < 3; form++) {
		static const char *const start[] = {"x=", "x=\"", "x*0*=''%41; x*1=\"\\"};
		buf_clear(&b);
		buf_printf(&b, "Content-Type: a/b; %s", start[form]);
		for (int i = 0; i < CONTENT_VALUE_MAX + 5; i++)
			buf_putc(&b, 'v');
		buf_put(&b, form ? STR("\"; y=1") : STR("; y=1"));
		c = parse(buf_str(&b));
		assert_int_equal(param(&c, "x").n, CONTENT_VALUE_MAX);
		assert_str(param(&c, "y"), STR("1"));
	}
	c = parse(STR("Content-Type: a/b; x*0=a; x*1000=b\r\n"));
	assert_str(param(&c, "x"), STR("a"));
	assert_str(param(&c, "x*1000"), STR("b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_and_encodings),
		cmocka_unit_test(no_type_where_there_is_no_slash),
		cmocka_unit_test(continuations_are_joined),
		cmocka_unit_test(broken_parameters_are_read_as_meant),
		cmocka_unit_test(limits_hold),
	};
	mem = arena_new(8 << 20);
	int r = cmocka_run_group_tests_name("content", tests, NULL, NULL);
	arena_free(&mem);
	return r;
}
