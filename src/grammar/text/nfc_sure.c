#include "grammar/text/nfc.h"

/* No character in these is changed, moved or joined by NFC. Between them lie all
 * combining marks and what only looks like another character. */
static const struct {
	uint32_t first, last;
} sure[] = {
	{0x0000, 0x02ff},   /* Latin */
	{0x0388, 0x0482},   /* Greek, Cyrillic */
	{0x0488, 0x0590},   /* Cyrillic, Armenian */
	{0x1e00, 0x1f70},   /* more Latin and Greek */
	{0x2010, 0x20cf},   /* dashes, quotes, currencies */
	{0x3000, 0x3029},   /* ideographic punctuation */
	{0x3041, 0x3098},   /* Hiragana */
	{0x309b, 0xa66e},   /* Katakana, Bopomofo, ideographs */
	{0xac00, 0xd7a3},   /* Hangul syllables */
	{0x1f000, 0x1faff}, /* pictures */
	{0x20000, 0x2f7ff}, /* more ideographs */
};

static bool is_sure(uint32_t c)
{
	for (size_t i = 0; i < sizeof sure / sizeof *sure; i++)
		if (c <= sure[i].last)
			return c >= sure[i].first;
	return false;
}

bool nfc_sure(str utf8)
{
	if (str_is_ascii(utf8))
		return true;
	for (size_t i = 0; i < utf8.n;) {
		uint32_t c;
		size_t n = str_utf8_at(utf8, i, &c);
		if (n == 0 || !is_sure(c))
			return false;
		i += n;
	}
	return true;
}
