#include "base/test.h"
#include "grammar/text/charset.h"
#include "grammar/text/nfc.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>

static void assert_form(str in, str want)
{
	AUTO_BUF buf out = buf_new(100000);
	nfc_put(in, &out);
	assert_str(buf_str(&out), want);
}

static void joins_what_belongs_together(void **state)
{
	(void)state;
	assert_form(STR("plain"), STR("plain"));
	assert_form(STR(""), STR(""));
	assert_form(STR("Gru\xcc\x88sse"), STR("Gr\xc3\xbcsse"));
	assert_form(STR("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"), STR("\xed\x95\x9c")); /* Hangul */
	assert_form(STR("\xe2\x84\xab"), STR("\xc3\x85"));                                 /* the angstrom sign */
	assert_form(STR("\xff bad"), STR("\xff bad"));
	AUTO_BUF buf longest = buf_new(2 * NFC_MAX), out = buf_new(6 * NFC_MAX);
	while (longest.n < NFC_MAX) /* three characters of each, the most there is */
		buf_put(&longest, STR("\xef\xac\xac\xef\xac\xac\xef\xac\xac\xef\xac\xac"
				      "\xef\xac\xac\xef\xac\xac.."));
	nfc_put(buf_str(&longest), &out);
	assert_ok(buf_result(&out));
	assert_true(out.n > longest.n);
}

/* What the short table is sure of, ICU must be sure of, for each character there is. */
static void is_sure_only_of_what_is_so(void **state)
{
	uint32_t sure = 0;
	(void)state;
	for (uint32_t c = 0x80; c <= 0x10ffff; c++) {
		AUTO_BUF buf one = buf_new(8);
		if (c >= 0xd800 && c < 0xe000)
			continue;
		utf8_put(&one, c);
		if (!nfc_sure(buf_str(&one)))
			continue;
		assert_int_equal(u_getIntPropertyValue((UChar32)c, UCHAR_NFC_QUICK_CHECK), UNORM_YES);
		assert_int_equal(u_getCombiningClass((UChar32)c), 0);
		sure++;
	}
	assert_true(sure > 100000);
	assert_true(nfc_sure(STR("Entw\xc3\xbcrfe/\xd0\x92\xd1\x85\xd0\xbe\xd0\xb4\xd1\x8f\xd1\x89\xd0\xb8\xd0\xb5")));
	assert_false(nfc_sure(STR("Gru\xcc\x88sse")) || nfc_sure(STR("\xff")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_what_belongs_together),
		cmocka_unit_test(is_sure_only_of_what_is_so),
	};
	return failed(charset_preload()) ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
