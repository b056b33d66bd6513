#include "base/test.h"
#include "grammar/imap/imap_list_check.h"
#include "grammar/mime/bodystructure.h"
#include "grammar/mime/envelope.h"
#include "grammar/sample_files.h"

static arena mem;

static void print(str text, bool extended, buf *out)
{
	struct mime_table t;
	assert_ok(mime_parse(text, &mem, &t));
	bodystructure_print(&t, extended, &mem, out);
	assert_ok(buf_result(out));
	check_body_text(buf_str(out), extended, &t);
	arena_clear(&mem);
}

static void assert_body(str text, bool extended, const char *want)
{
	AUTO_BUF buf b = buf_new(1 << 20);
	print(text, extended, &b);
	assert_str(buf_str(&b), str_from(want));
}

static void single_parts(void **state)
{
	(void)state;
	assert_body(STR("Subject: x\r\n\r\na\r\nb\r\n"), false,
	            "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 2)");
	assert_body(STR("Content-Type: TEXT/HTML; charset=utf-8; format=flowed\nContent-ID: <i>\n"
	                "Content-Description: d\n"
	                "Content-Transfer-Encoding: QUOTED-PRINTABLE\n\na"), true,
	            "(\"TEXT\" \"HTML\" (\"charset\" \"utf-8\" \"format\" \"flowed\") \"<i>\" \"d\" "
	            "\"QUOTED-PRINTABLE\" "
	            "1 0 NIL NIL NIL NIL)");
	assert_body(STR("Content-Type: image/png\nContent-MD5: m==\nContent-Language: de\nContent-Location: l\n"
	                "Content-Disposition: attachment; filename*0=\"a b\"; filename*1=\".png\"; "
	                "x*=utf-8''%20\nContent-Transfer-Encoding: base64\n\nYQ==\n"), true,
	            "(\"image\" \"png\" NIL NIL NIL \"base64\" 5 \"m==\" (\"attachment\" (\"filename\" \"a b.png\" "
	            "\"x*\" \"utf-8''%20\")) \"de\" \"l\")");
	assert_body(STR("Content-Type: text/plain\nContent-Language: de, en\nContent-Disposition: inline\n\n"), true,
	            "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0 NIL (\"inline\" NIL) (\"de\" \"en\") NIL)");
	assert_body(STR("Content-Type: multipart/mixed; boundary=x\n\nno part\n"), true,
	            "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 8 1 NIL NIL NIL NIL)");
}

static void nested_parts(void **state)
{
	(void)state;
	str text = STR("Content-Type: multipart/mixed; boundary=A\n\n--A\n\nP1\n--A\n"
	               "Content-Type: message/rfc822\n\nSubject: in\n"
	               "Content-Type: multipart/alternative; boundary=B\n\n"
	               "--B\n\nP21\n--B\nContent-Type: text/html; charset=x\n\nP22\n--B--\n--A--\n");
	assert_body(text, false,
	            "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 2 0)"
	            "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 119 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) "
	            "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 0)"
	            "(\"text\" \"html\" (\"charset\" \"x\") NIL NIL \"7bit\" 3 0) \"alternative\") 10) \"mixed\")");
	assert_body(STR("Content-Type: multipart/mixed; boundary=A\n\n--A\nContent-Type: a/b\n\n--A--"), true,
	            "((\"a\" \"b\" NIL NIL NIL \"7bit\" 0 NIL NIL NIL NIL) \"mixed\" (\"boundary\" \"A\") "
	            "NIL NIL NIL)");
}

static void past_its_limit_every_part_is_there(void **state)
{
	(void)state;
	AUTO_BUF buf in = buf_new(16 << 20), out = buf_new(16 << 20);
	buf_put(&in, STR("Content-Type: multipart/mixed; boundary=x\n\n"));
	for (int i = 0; i < MIME_PARTS_MAX; i++) {
		buf_put(&in, STR("--x\nContent-Type: message/rfc822; name=\""));
		for (int k = 0; k < 2000; k++)
			buf_putc(&in, 'n');
		buf_put(&in, STR("\"\nContent-Disposition: inline; a=b\n\nSubject: s\nFrom: f\n\nx\n"));
	}
	for (int extended = 0; extended < 2; extended++) {
		buf_clear(&out);
		print(buf_str(&in), extended, &out);
		assert_true(out.n > STRUCTURE_MAX && out.n < 2 * STRUCTURE_MAX);
	}
}

static void one_sample(str path, str text, void *ctx)
{
	(void)path;
	(void)ctx;
	AUTO_BUF buf b = buf_new(4 << 20);
	struct mime_table t;
	assert_ok(mime_parse(text, &mem, &t));
	for (int extended = 0; extended < 2; extended++) {
		buf_clear(&b);
		bodystructure_print(&t, extended, &mem, &b);
		assert_ok(buf_result(&b));
		check_body_text(buf_str(&b), extended, &t);
	}
	buf_clear(&b);
	envelope_print(t.parts[0].header, &mem, &b);
	check_envelope_text(buf_str(&b));
	arena_clear(&mem);
}

static void all_sample_mails(void **state)
{
	(void)state;
	if (sample_mails(one_sample, NULL) == 0)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_parts),
		cmocka_unit_test(nested_parts),
		cmocka_unit_test(past_its_limit_every_part_is_there),
		cmocka_unit_test(all_sample_mails),
	};
	mem = arena_new(MIME_ARENA_MAX);
	int r = cmocka_run_group_tests_name("bodystructure", tests, NULL, NULL);
	arena_free(&mem);
	return r;
}
