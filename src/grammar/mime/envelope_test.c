#include "base/test.h"
#include "grammar/imap/imap_list_check.h"
#include "grammar/mime/address_list.h"
#include "grammar/mime/envelope.h"

static arena mem;

static void print(str header, buf *out)
{
	struct header h;
	assert_ok(header_parse(header, HEADER_FIELDS_MAX, &mem, &h));
	envelope_print(&h, &mem, out);
	assert_ok(buf_result(out));
	check_envelope_text(buf_str(out));
	arena_clear(&mem);
}

static void assert_envelope(str header, str want)
{
	AUTO_BUF buf b = buf_new(1 << 20);
	print(header, &b);
	assert_str(buf_str(&b), want);
}

/* RFC 9051 8. */
static void the_rfc_example(void **state)
{
	(void)state;
	assert_envelope(STR("Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
	                    "From: Terry Gray <gray@cac.washington.edu>\r\n"
	                    "Subject: IMAP4rev2 WG mtg summary and minutes\r\nTo: imap@cac.washington.edu\r\n"
	                    "Cc: minutes@CNRI.Reston.VA.US,\r\n John Klensin <KLENSIN@MIT.EDU>\r\n"
	                    "Message-Id: <B27397-0100000@cac.washington.edu>\r\n\r\n"),
	                STR("(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev2 WG mtg summary and minutes\" "
	                    "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
	                    "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
	                    "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
	                    "((NIL NIL \"imap\" \"cac.washington.edu\")) "
	                    "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" "
	                    "\"MIT.EDU\")) "
	                    "NIL NIL \"<B27397-0100000@cac.washington.edu>\")"));
}

static void absent_empty_and_odd(void **state)
{
	(void)state;
	assert_envelope(STR(""), STR("(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"));
	assert_envelope(STR("Subject:\r\nFrom: \r\nTo: g:;\r\nTo: a\r\nSender: s@t\r\nReply-To: ,\r\n"),
	                STR("(NIL \"\" NIL ((NIL NIL \"s\" \"t\")) NIL ((NIL NIL \"g\" NIL)(NIL NIL NIL NIL)"
	                    "(NIL NIL \"a\" \"\")) NIL NIL NIL NIL)"));
	assert_envelope(STR("Subject: a \"b\" \\ c\r\n\t=?utf-8?q?x?=\r\nSubject: second\r\n"
	                    "In-Reply-To: <a@b>\r\n <c@d>\r\n"),
	                STR("(NIL \"a \\\"b\\\" \\\\ c\t=?utf-8?q?x?=\" NIL NIL NIL NIL NIL NIL \"<a@b> "
	                    "<c@d>\" NIL)"));
	assert_envelope(STR("Subject: J\xc3\xb6\r\nFrom: \xff <@r:a@b>\r\n"),
	                STR("(NIL {3}\r\nJ\xc3\xb6 (({1}\r\n\xff \"@r\" \"a\" \"b\")) (({1}\r\n"
	                    "\xff \"@r\" \"a\" \"b\")) "
	                    "(({1}\r\n\xff \"@r\" \"a\" \"b\")) NIL NIL NIL NIL NIL)"));
}

static void past_its_limit_it_is_still_whole(void **state)
{
	(void)state;
	static const char *const starts[] = {"From: ", "To: group: "};
	for (size_t k = 0; k < 2; k++) {
		AUTO_BUF buf in = buf_new(2 << 20), out = buf_new(8 << 20);
		buf_put(&in, STR("Subject: "));
		for (int i = 0; i < ENVELOPE_TEXT_MAX; i++)
			buf_put(&in, STR("\xc3\xa9"));
		buf_put(&in, STR("\r\n"));
		buf_put(&in, str_from(starts[k]));
		for (int i = 0; i < 20000; i++)
			buf_put(&in, STR("somebody@example.com, "));
		buf_put(&in, STR("\r\nMessage-ID: <last>\r\n"));
		print(buf_str(&in), &out);
		assert_true(out.n > ENVELOPE_MAX && out.n < ENVELOPE_MAX + 4 * ENVELOPE_TEXT_MAX);
		assert_true(str_ends(buf_str(&out), STR(" \"<last>\")")));
		assert_true(str_find(buf_str(&out), STR("{8192}")) != STR_NONE);
	}
}

static void texts_are_cut_between_characters(void **state)
{
	(void)state;
	assert_str(text_cut(STR("a\xc3\xa9"), 2), STR("a"));
	assert_str(text_cut(STR("a\xc3\xa9"), 3), STR("a\xc3\xa9"));
	assert_str(text_cut(STR("\x80\x80\x80\x80\x80\x80"), 5), STR("\x80\x80\x80\x80\x80"));
	assert_str(text_cut(STR("abc"), 0), STR(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rfc_example),
		cmocka_unit_test(absent_empty_and_odd),
		cmocka_unit_test(past_its_limit_it_is_still_whole),
		cmocka_unit_test(texts_are_cut_between_characters),
	};
	mem = arena_new(64 << 20);
	int r = cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
	arena_free(&mem);
	return r;
}
