/* Header text to UTF-8: encoded words (RFC 2047), parameter values (RFC 2231)
 * and raw 8-bit bytes.
 *
 * Blanks between two encoded words go; bytes of neighbours in one charset are
 * joined before they are converted, so that a character cut in two is whole
 * again. Words in a charset nobody knows, and what only looks like a word, stay
 * as they are. Bytes above 127 outside of words are UTF-8 if the text between
 * two words is, else the `declared` charset (may be empty), else windows-1252.
 * Line ends go, as in unfolding. Read as meant: words inside words of text or
 * quotes, blanks and question marks inside Q. Errors stay in `out`. */
#ifndef GRAMMAR_WORDS_H
#define GRAMMAR_WORDS_H

#include "grammar/mime/content.h"
#include "grammar/text/charset.h"

enum words_limits {
	WORD_LOOK_MAX = 400, /* bytes in which a word with a stray question mark must end */
};

void words_decode(struct charsets *c, str declared, str value, buf *out);
void words_param(struct charsets *c, const struct content_param *p, buf *out);

#endif
