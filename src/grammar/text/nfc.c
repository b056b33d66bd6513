#include "grammar/text/nfc.h"

#include <unicode/unorm2.h>
#include <unicode/ustring.h>

/* No character of Unicode becomes more than three units in NFC (Unicode 15.0, UAX 15 section 9). */
enum { GROWS = 3 };

void nfc_put(str utf8, buf *out)
{
	UChar units[NFC_MAX], form[NFC_MAX * GROWS];
	char back[NFC_MAX * GROWS * 3];
	UErrorCode e = U_ZERO_ERROR;
	int32_t n = 0;
	const UNormalizer2 *nfc = unorm2_getNFCInstance(&e);
	must(U_SUCCESS(e));
	if (utf8.n > NFC_MAX || !str_is_utf8(utf8)) {
		buf_put(out, utf8);
		return;
	}
	u_strFromUTF8(units, NFC_MAX, &n, utf8.p, (int32_t)utf8.n, &e);
	n = unorm2_normalize(nfc, units, n, form, NFC_MAX * GROWS, &e);
	u_strToUTF8(back, sizeof back, &n, form, n, &e);
	must(U_SUCCESS(e) || e == U_STRING_NOT_TERMINATED_WARNING);
	buf_put(out, str_of(back, (size_t)n));
}
