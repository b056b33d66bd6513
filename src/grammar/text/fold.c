#include "grammar/text/fold.h"
#include "grammar/text/charset.h"
#include "grammar/text/fold_ascii.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

static const UNormalizer2 *nfkd(void)
{
	UErrorCode e = U_ZERO_ERROR;
	const UNormalizer2 *n = unorm2_getNFKDInstance(&e);
	must(U_SUCCESS(e));
	return n;
}

/* No character of Unicode decomposes into more than 18 units. */
static void flush(struct fold *f, buf *out)
{
	UChar units[FOLD_RUN_MAX * 18];
	UErrorCode e = U_ZERO_ERROR;
	if (f->n == 0)
		return;
	int32_t n = unorm2_normalize(nfkd(), f->run, (int32_t)f->n, units, FOLD_RUN_MAX * 18, &e);
	must(U_SUCCESS(e));
	f->n = 0;
	for (int32_t i = 0; i < n; i++) {
		UChar32 c = units[i];
		if (U16_IS_LEAD(units[i]) && i + 1 < n) {
			c = U16_GET_SUPPLEMENTARY(units[i], units[i + 1]);
			i++;
		}
		utf8_put(out, (uint32_t)u_totitle(c));
	}
}

static void put_wide(struct fold *f, UChar32 c, buf *out)
{
	c = u_totitle(c);
	if (f->n > 0 && unorm2_hasBoundaryBefore(nfkd(), c))
		flush(f, out);
	if (f->n == 0 && unorm2_isInert(nfkd(), c)) {
		utf8_put(out, (uint32_t)c);
		return;
	}
	if (f->n + 2 > FOLD_RUN_MAX)
		flush(f, out);
	if (c > 0xFFFF)
		f->run[f->n++] = U16_LEAD(c);
	f->run[f->n++] = c > 0xFFFF ? U16_TRAIL(c) : (UChar)c;
}

/* A run of ASCII; returns how far it went. */
static size_t put_ascii(struct fold *f, str s, buf *out)
{
	char piece[256];
	size_t n = 0;
	while (n < s.n && n < sizeof piece && str_at(s, n) < 0x80)
		n++;
	buf_put(out, str_of(piece, fold_ascii(str_sub(s, 0, n), &f->cr, piece)));
	return n;
}

void fold_feed(struct fold *f, str s, buf *out)
{
	for (size_t i = 0; i < s.n && !out->broken;) {
		if (str_at(s, i) < 0x80) {
			flush(f, out);
			i += put_ascii(f, str_skip(s, i), out);
			continue;
		}
		UChar32 c = 0xFFFD;
		size_t n = utf8_sequence(s, i);
		if (n > 0 && n != SIZE_MAX)
			U8_GET_UNSAFE((const uint8_t *)s.p, i, c);
		else
			n = 1;
		f->cr = false;
		put_wide(f, c, out);
		i += n;
	}
}

void fold_finish(struct fold *f, buf *out)
{
	flush(f, out);
	f->cr = false;
}

void search_fold(str utf8, buf *out)
{
	struct fold f = {0};
	fold_feed(&f, utf8, out);
	fold_finish(&f, out);
}
