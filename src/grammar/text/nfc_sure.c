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

/* The character at `at` of well-formed UTF-8. */
static uint32_t character(str s, size_t *at)
{
	unsigned char lead = str_at(s, *at);
	size_t more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
	uint32_t c = more == 0 ? lead : lead & (0x3fu >> more);
	for (size_t i = 1; i <= more; i++)
		c = c << 6 | (str_at(s, *at + i) & 0x3fu);
	*at += more + 1;
	return c;
}

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
	if (!str_is_utf8(utf8))
		return false;
	for (size_t at = 0; at < utf8.n;)
		if (!is_sure(character(utf8, &at)))
			return false;
	return true;
}
