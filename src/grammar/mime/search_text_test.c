#include <stdio.h>

#include "base/test.h"
#include "grammar/mime/search_text.h"
#include "grammar/sample_files.h"
#include "grammar/text/html_text.h"

static arena mem;
static struct charsets *cs;
static const str nothing; /* no message at hand */

static void assert_fold(str in, const char *want)
{
	AUTO_BUF buf b = buf_new(1 << 20);
	search_fold(in, &b);
	assert_str(buf_str(&b), str_from(want));
}

static void folding(void **state)
{
	(void)state;
	assert_fold(STR("Hello\r\nWorld\r!\n"), "HELLO\nWORLD\n!\n");
	assert_fold(STR("\xc3\xa9"), "E\xcc\x81");
	assert_fold(STR("\xd0\xb6"), "\xd0\x96");
	assert_fold(STR("\xef\xac\x81"), "FI");                     /* U+FB01 */
	assert_fold(STR("\xc7\xb3"), "DZ");                         /* U+01F3 */
	assert_fold(STR("a\xcc\x81\xcc\xa7"), "A\xcc\xa7\xcc\x81"); /* canonical order */
	assert_fold(STR("\xe4\xbd\xa0\xed\x95\x9c"), "\xe4\xbd\xa0\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab");
	assert_fold(STR("x\xffy"), "X\xef\xbf\xbdY");
	assert_fold(STR("\xf0\x90\x90\xa8"), "\xf0\x90\x90\x80"); /* beyond the BMP */
	AUTO_BUF buf in = buf_new(1 << 20), whole = buf_new(1 << 22), cut = buf_new(1 << 22);
	struct fold f = {0};
	for (int i = 0; i < 3 * FOLD_RUN_MAX; i++)
		buf_put(&in, STR("\xcc\x81"));
	buf_put(&in, STR("\xef\xb7\xba z"));
	search_fold(buf_str(&in), &whole);
	for (size_t i = 0; i < in.n; i += i < in.n - 5 ? 2 : i < in.n - 2 ? 3 : 1)
		fold_feed(&f, str_sub(buf_str(&in), i, i < in.n - 5 ? 2 : i < in.n - 2 ? 3 : 1), &cut);
	fold_finish(&f, &cut);
	assert_str(buf_str(&cut), buf_str(&whole));
}

static void assert_html(str in, const char *want)
{
	AUTO_BUF buf b = buf_new(1 << 20), one = buf_new(1 << 20);
	struct html_text h = {0}, k = {0};
	html_text_feed(&h, in, &b);
	html_text_finish(&h, &b);
	assert_str(buf_str(&b), str_from(want));
	for (size_t i = 0; i < in.n; i++)
		html_text_feed(&k, str_sub(in, i, 1), &one);
	html_text_finish(&k, &one);
	assert_str(buf_str(&one), str_from(want));
}

static void html(void **state)
{
	(void)state;
	assert_html(STR("<html><head><title>T</title><style>p > a {x:y}</style></head><body><p "
	                "class=\"a>b\">wo<b>rd</b>\r\n"
	                "  x<br/>y<script>if (a<b) \"</scrip\"</script>z"), "T\nword x\nyz");
	assert_html(STR("a &amp; "
	                "b&lt;&#228;&#xE4;&eacute;&euro;&nbsp;c&bogus;&#x110000;&"), "a & b<\xc3\xa4\xc3\xa4\xc3\xa9"
	            "\xe2\x82\xac c&bogus;\xef\xbf\xbd&");
	assert_html(STR("&alpha;&Alpha;&CounterClockwiseContourIntegral;&Afr;&nGg;&#128;&#x9f;&#129;&#0;"),
	            "\xce\xb1\xce\x91\xe2\x88\xb3\xf0\x9d\x94\x84&nGg;\xe2\x82\xac\xc5\xb8\xc2\x81\xef\xbf\xbd");
	assert_html(STR("&copy2024 &notit; &notin; &alpha &eacutex&eacute"), "\xc2\xa9"
	            "2024 \xc2\xacit; \xe2\x88\x89 &alpha \xc3\xa9x\xc3\xa9");
	assert_html(STR("&ampamountofnamesthatislongerthanany; &amp"), "&amountofnamesthatislongerthanany; &");
	assert_html(STR("&amp &amp&lt &verylongentityname; &#; &#xz; &#99999999999999999999;"),
	            "& &< &verylongentityname; &#; &#xz; \xef\xbf\xbd");
	assert_html(STR("&#000000000000000000000000000065; &#0000000000000000000000000000065;"),
	            "A &#0000000000000000000000000000065;");
	assert_html(STR("1 < 2 <!-- no -- > no --> 3 <!doctype x> <? y ?> </p>4 <"), "1 < 2 3\n4 <");
	assert_html(STR("<a title = 'x>'>in</a><verylongtagnamehere b=c>d"), "ind");
	assert_html(STR("<!-- never closed"), "");
	assert_html(STR(""), "");
}

static bool has(str text, enum search_scope scope, const char *name, const char *needle)
{
	AUTO_BUF buf b = buf_new(SEARCH_TEXT_MAX), folded = buf_new(1000);
	struct mime_table t;
	assert_ok(mime_parse(text, &mem, &t));
	struct search_source from = {text, &t, cs};
	assert_ok(search_text_make(&from, &b));
	search_fold(str_from(needle), &folded);
	struct search_key key = {scope, str_from(name), buf_str(&folded)};
	bool exact = false;
	assert_ok(search_message_has(&from, &key, &exact));
	enum search_answer a = search_text_has(buf_str(&b), text, &key);
	assert_int_equal(a, exact ? SEARCH_YES : SEARCH_NO);
	a = search_text_has(buf_str(&b), nothing, &key);
	assert_true(a == SEARCH_UNSURE || a == (exact ? SEARCH_YES : SEARCH_NO));
	return exact;
}

static const char mail[] =
	"Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= from\r\n\t the hill\r\nFrom: \"Jo\" <jo@example.com>\r\nX-Empty:\r\n"
	"Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n"
	"Content-Type: text/plain; charset=koi8-r\r\n"
	"Content-Transfer-Encoding: quoted-printable\r\n\r\n=F0=D2=C9 one t=\r\nwo\r\n"
	"--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	"PHA+dGhyPGI+ZWU8L2I+ICZmcmFjMTI7PC9wPg==\r\n"
	"--b\r\nContent-Type: application/pdf; name*=utf-8''caf%C3%A9.pdf\r\n\r\nsecret\r\n"
	"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nTo: deep@example.org\r\n\r\n"
	"deep text\r\n--b--\r\n";

static void scopes(void **state)
{
	(void)state;
	str m = STR(mail);
	assert_true(has(m, SEARCH_IN_FIELD, "subject", "gr\xc3\xbc\xc3\x9f" "e FROM the hill"));
	assert_false(has(m, SEARCH_IN_FIELD, "subject", "inner"));
	assert_true(has(m, SEARCH_IN_FIELD, "From", "JO@EXAMPLE"));
	assert_true(has(m, SEARCH_IN_FIELD, "x-empty", ""));
	assert_false(has(m, SEARCH_IN_FIELD, "x-absent", ""));
	assert_false(has(m, SEARCH_IN_FIELD, "to", "deep"));
	assert_true(has(m, SEARCH_IN_BODY, "", "\xd0\xbf\xd1\x80\xd0\xb8 one two"));
	assert_true(has(m, SEARCH_IN_BODY, "", "three \xc2\xbd"));
	assert_true(has(m, SEARCH_IN_BODY, "", "inner"));
	assert_true(has(m, SEARCH_IN_BODY, "", "deep text"));
	assert_true(has(m, SEARCH_IN_BODY, "", "caf\xc3\xa9.pdf"));
	assert_false(has(m, SEARCH_IN_BODY, "", "jo@example"));
	assert_false(has(m, SEARCH_IN_BODY, "", "secret"));
	assert_false(has(m, SEARCH_IN_BODY, "", "preamble"));
	assert_true(has(m, SEARCH_IN_ALL, "", "jo@example"));
	assert_true(has(m, SEARCH_IN_ALL, "", "deep text"));
	assert_true(has(m, SEARCH_IN_BODY, "", ""));
	assert_false(has(m, SEARCH_IN_ALL, "", "twodeep"));
}

static void what_is_cut_is_unsure_and_found_in_the_message(void **state)
{
	(void)state;
	AUTO_BUF buf in = buf_new(4 << 20), b = buf_new(SEARCH_TEXT_MAX), folded = buf_new(1 << 20);
	struct mime_table t;
	buf_put(&in, STR("Subject: early\r\nX-Long: "));
	for (int i = 0; i < SEARCH_FIELDS_MAX / 4; i++)
		buf_put(&in, STR("long "));
	buf_put(&in, STR("\r\nX-Late: late\r\n\r\n\xc3\xa9 "));
	for (int i = 0; i < SEARCH_TEXT_MAX / 4; i++)
		buf_put(&in, STR("fill "));
	buf_put(&in, STR("needle fill"));
	assert_ok(mime_parse(buf_str(&in), &mem, &t));
	struct search_source from = {buf_str(&in), &t, cs};
	assert_ok(search_text_make(&from, &b));
	assert_int_equal(b.n, SEARCH_TEXT_MAX);
	struct search_key keys[] = {
		{SEARCH_IN_FIELD, STR("x-late"), STR("LATE")}, {SEARCH_IN_BODY, STR(""), STR("FILL NEEDLE")},
		{SEARCH_IN_ALL, STR(""), STR("NEEDLE FILL")},  {SEARCH_IN_BODY, STR(""), STR("NOWHERE")}};
	for (size_t i = 0; i < 4; i++) {
		bool exact;
		assert_int_equal(search_text_has(buf_str(&b), nothing, &keys[i]), SEARCH_UNSURE);
		assert_ok(search_message_has(&from, &keys[i], &exact));
		assert_int_equal(exact, i < 3);
	}
	struct search_key early = {SEARCH_IN_FIELD, STR("Subject"), STR("EARLY")};
	assert_int_equal(search_text_has(buf_str(&b), nothing, &early), SEARCH_YES);
	/* A needle longer than many chunks, at the very end. */
	search_fold(str_skip(buf_str(&in), in.n - 100000), &folded);
	struct search_key big = {SEARCH_IN_BODY, STR(""), buf_str(&folded)};
	bool exact;
	assert_ok(search_message_has(&from, &big, &exact));
	assert_true(exact);
	arena_clear(&mem);
}

/* A text that is most of the message is looked for in the message, as exactly
 * as where it is repeated: around the places where it is folded in pieces too. */
static void what_is_most_of_the_message_is_not_repeated(void **state)
{
	(void)state;
	AUTO_BUF buf in = buf_new(1 << 20), b = buf_new(SEARCH_TEXT_MAX);
	struct mime_table t;
	buf_put(&in, STR("Subject: early\r\n\r\n"));
	for (int i = 0; i < 6000; i++)
		buf_printf(&in, "line %d\r\n%s", i, i % 7 ? "" : "\r");
	assert_ok(mime_parse(buf_str(&in), &mem, &t));
	struct search_source from = {buf_str(&in), &t, cs};
	assert_ok(search_text_make(&from, &b));
	assert_true(search_text_copies(buf_str(&b)));
	assert_true(b.n < 100);
	for (int i = 0; i < 5999; i += 3) {
		char needle[64];
		int n = snprintf(needle, sizeof needle, "LINE %d\n%sLINE %d\n", i, i % 7 ? "" : "\n", i + 1);
		struct search_key key = {SEARCH_IN_BODY, nothing, str_of(needle, (size_t)n)};
		assert_int_equal(search_text_has(buf_str(&b), buf_str(&in), &key), SEARCH_YES);
		assert_int_equal(search_text_has(buf_str(&b), nothing, &key), SEARCH_UNSURE);
		needle[n - 1] = '\r';
		assert_int_equal(search_text_has(buf_str(&b), buf_str(&in), &key), SEARCH_NO);
	}
	struct search_key subject = {SEARCH_IN_FIELD, STR("Subject"), STR("EARLY")};
	assert_int_equal(search_text_has(buf_str(&b), nothing, &subject), SEARCH_YES);
	struct search_key any = {SEARCH_IN_ALL, nothing, STR("NOWHERE")};
	assert_int_equal(search_text_has(buf_str(&b), str_sub(buf_str(&in), 0, in.n - 1), &any), SEARCH_UNSURE);
	arena_clear(&mem);
}

static void a_small_text_in_a_large_message_is_repeated(void **state)
{
	(void)state;
	AUTO_BUF buf in = buf_new(1 << 20), b = buf_new(SEARCH_TEXT_MAX);
	struct mime_table t;
	buf_put(&in, STR("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nneedle\r\n"
	                 "--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"));
	for (int i = 0; i < 100; i++)
		buf_put(&in, STR("QUJDREVGR0hJSktMTU5PUA\r\n"));
	buf_put(&in, STR("--b--\r\n"));
	assert_ok(mime_parse(buf_str(&in), &mem, &t));
	assert_ok(search_text_make(&(struct search_source){buf_str(&in), &t, cs}, &b));
	struct search_key key = {SEARCH_IN_BODY, nothing, STR("NEEDLE")};
	assert_false(search_text_copies(buf_str(&b)));
	assert_int_equal(search_text_has(buf_str(&b), nothing, &key), SEARCH_YES);
	arena_clear(&mem);
}

static void damaged_texts_are_unsure(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(SEARCH_TEXT_MAX);
	struct mime_table t;
	struct search_key key = {SEARCH_IN_ALL, STR(""), STR("NOWHERE")};
	assert_ok(mime_parse(STR(mail), &mem, &t));
	assert_ok(search_text_make(&(struct search_source){STR(mail), &t, cs}, &b));
	assert_int_equal(search_text_has(buf_str(&b), nothing, &key), SEARCH_NO);
	size_t whole = 0;
	for (size_t n = 0; n < b.n; n++)
		whole += search_text_has(str_sub(buf_str(&b), 0, n), nothing, &key) == SEARCH_NO;
	assert_true(whole < 40);
	b.p[0] = 99;
	assert_int_equal(search_text_has(buf_str(&b), nothing, &key), SEARCH_UNSURE);
}

static void one_sample(str path, str text, void *ctx)
{
	(void)path;
	AUTO_BUF buf b = buf_new(SEARCH_TEXT_MAX);
	struct mime_table t;
	struct search_text s;
	struct search_piece p;
	assert_ok(mime_parse(text, &mem, &t));
	struct search_source from = {text, &t, cs};
	assert_ok(search_text_make(&from, &b));
	assert_true(search_text_open(buf_str(&b), &s));
	while (search_text_next(&s, &p)) {
		AUTO_BUF buf copied = buf_new(64 << 20);
		if (p.copied) {
			search_fold(str_sub(text, p.at, p.n), &copied);
			p.text = buf_str(&copied);
		}
		/* What is kept is found in the message too. */
		struct search_key key = {SEARCH_IN_BODY, STR(""), str_skip(p.text, p.text.n - p.text.n / 3)};
		bool exact;
		assert_true(s.cut || str_is_utf8(p.text));
		assert_ok(search_message_has(&from, &key, &exact));
		assert_true(exact || p.kind == SEARCH_FIELD);
		(*(size_t *)ctx)++;
	}
	assert_false(s.in.bad);
	arena_clear(&mem);
}

static void all_sample_mails(void **state)
{
	(void)state;
	size_t pieces = 0;
	if (sample_mails(one_sample, &pieces) == 0)
		skip();
	print_message("%zu pieces\n", pieces);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folding),
		cmocka_unit_test(html),
		cmocka_unit_test(scopes),
		cmocka_unit_test(what_is_cut_is_unsure_and_found_in_the_message),
		cmocka_unit_test(what_is_most_of_the_message_is_not_repeated),
		cmocka_unit_test(a_small_text_in_a_large_message_is_repeated),
		cmocka_unit_test(damaged_texts_are_unsure),
		cmocka_unit_test(all_sample_mails),
	};
	if (failed(charset_preload()) || !(cs = charsets_new()))
		return 1;
	mem = arena_new(MIME_ARENA_MAX);
	int r = cmocka_run_group_tests_name("search_text", tests, NULL, NULL);
	arena_free(&mem);
	charsets_free(&cs);
	return r;
}
