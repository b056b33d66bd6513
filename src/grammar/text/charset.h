/* Text in any charset to UTF-8, by ICU's tables.
 *
 * UTF-8 and windows-1252 are done here. Names are the IANA ones and their
 * aliases in ICU; a label that the web and mail use for a larger set means
 * that set: US-ASCII and ISO-8859-1 are windows-1252, GB2312 is GB18030, and so
 * on. What cannot be converted becomes U+FFFD. Where no charset is known, text is
 * taken as UTF-8 as long as it is well formed, else as windows-1252.
 *
 * `struct charsets` holds open converters and belongs to its maker; a stream
 * borrows from it, one stream at a time. charset_preload is called once before a
 * jail is entered and before the first use: behind it no file is opened, also
 * for names nobody knows. Results stop at the buf's ceiling, which its own
 * result tells. Nothing suspends. */
#ifndef GRAMMAR_CHARSET_H
#define GRAMMAR_CHARSET_H

#include "base/buf.h"

enum charset_limits {
	CHARSET_OPEN_MAX = 16, /* converters kept open; more are closed and opened again */
	CHARSET_NAME_MAX = 60,
};

struct charsets;
struct UConverter;

result charset_preload(void) NODISCARD;
struct charsets *charsets_new(void); /* NULL: no memory */
void charsets_free(struct charsets **c);

enum charset_kind { CHARSET_GUESS, CHARSET_UTF8, CHARSET_1252, CHARSET_TABLE };

struct charset_stream {
	enum charset_kind kind;
	struct UConverter *table;
	unsigned char held[4]; /* the start of a UTF-8 sequence */
	size_t held_n;
	uint16_t lead;         /* a surrogate waiting for the other half */
};

/* False when nobody knows the name: then the stream guesses. An empty name and
 * US-ASCII guess too. */
bool charset_begin(struct charset_stream *s, struct charsets *c, str name);
void charset_feed(struct charset_stream *s, str in, buf *out);
void charset_finish(struct charset_stream *s, buf *out);

bool charset_known(struct charsets *c, str name);
/* All at once. Here the guess looks at the whole text. */
void charset_text(struct charsets *c, str name, str in, buf *out);

/* Length of the well-formed UTF-8 sequence at s.p[i]; 0 when there is none,
 * SIZE_MAX when the text ends within it. */
size_t utf8_sequence(str s, size_t i);
void utf8_put(buf *out, uint32_t code_point); /* U+FFFD for surrogates and beyond U+10FFFF */

uint32_t windows_1252(unsigned char c); /* the character of a byte; its five holes are the C1 controls */

#endif
