#include "grammar/mime/words.h"
#include "grammar/text/base64.h"

struct word {
	str charset;
	str text;
	bool base64;
	size_t length; /* of the whole, from "=?" to "?=" */
};

struct decoder {
	struct charsets *charsets;
	str declared;
	buf *out;
	buf bytes;   /* decoded words not yet converted */
	str charset; /* of `bytes`; p is NULL when there are none */
};

/* Where "?=" closes the encoded text, STR_NONE when nowhere. */
static size_t text_end(str s)
{
	for (size_t i = 0; i + 1 < s.n; i++) {
		if (s.p[i] == '?' && s.p[i + 1] == '=')
			return i;
		if (s.p[i] == '?' && i > WORD_LOOK_MAX)
			return STR_NONE;
		if (s.p[i] == '?')
			s.n = s.n < WORD_LOOK_MAX ? s.n : WORD_LOOK_MAX;
	}
	return STR_NONE;
}

static bool read_word(str s, struct word *out)
{
	if (!str_starts(s, STR("=?")))
		return false;
	str rest = str_skip(s, 2);
	size_t charset = str_chr(str_sub(rest, 0, CHARSET_NAME_MAX + 20), '?');
	if (charset == STR_NONE || charset == 0 || rest.n < charset + 4 || rest.p[charset + 2] != '?')
		return false;
	unsigned char kind = ascii_lower(str_at(rest, charset + 1));
	str text = str_skip(rest, charset + 3);
	size_t end = text_end(text);
	if (end == STR_NONE || (kind != 'b' && kind != 'q'))
		return false;
	*out = (struct word){str_sub(rest, 0, charset), str_sub(text, 0, end), kind == 'b', 2 + charset + 3 + end + 2};
	return true;
}

/* Q of RFC 2047 4.2, and %XX of RFC 2231: `mark` and two digits are a byte. A
 * word that was folded has line ends inside, which go. */
static void put_escaped(str text, char mark, buf *out)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		int high = i + 2 < text.n ? ascii_hex(str_at(text, i + 1)) : -1;
		int low = high >= 0 ? ascii_hex(str_at(text, i + 2)) : -1;
		if (c == mark && low >= 0) {
			buf_putc(out, (char)(high << 4 | low));
			i += 2;
		} else if (c != '\r' && c != '\n') {
			buf_putc(out, c == '_' && mark == '=' ? ' ' : c);
		}
	}
}

static void flush_words(struct decoder *d)
{
	if (!d->charset.p)
		return;
	charset_text(d->charsets, d->charset, buf_str(&d->bytes), d->out);
	buf_clear(&d->bytes);
	d->charset = (str){NULL, 0};
}

static void put_piece(struct decoder *d, str piece)
{
	bool declared = !str_is_utf8(piece) && charset_known(d->charsets, d->declared);
	charset_text(d->charsets, declared ? d->declared : (str){NULL, 0}, piece, d->out);
}

/* Text between words, without its line ends. */
static void put_plain(struct decoder *d, str text)
{
	flush_words(d);
	while (text.n > 0) {
		size_t n = 0;
		while (n < text.n && text.p[n] != '\r' && text.p[n] != '\n')
			n++;
		put_piece(d, str_sub(text, 0, n));
		while (n < text.n && (text.p[n] == '\r' || text.p[n] == '\n'))
			n++;
		text = str_skip(text, n);
	}
}

static void put_word(struct decoder *d, const struct word *w)
{
	if (d->charset.p && !str_ieq(d->charset, w->charset))
		flush_words(d);
	d->charset = w->charset;
	if (!w->base64) {
		put_escaped(w->text, '=', &d->bytes);
		return;
	}
	struct base64_stream s = {0};
	base64_feed(&s, w->text, &d->bytes);
	base64_finish(&s, &d->bytes);
}

static bool all_blank(str s)
{
	return str_trim(s).n == 0;
}

void words_decode(struct charsets *c, str declared, str value, buf *out)
{
	struct decoder d = {.charsets = c, .declared = declared, .out = out, .bytes = buf_new(value.n + 4)};
	size_t plain = 0; /* where the text not yet given out starts */
	for (size_t at = 0;;) {
		struct word w;
		size_t next = str_find(str_skip(value, at), STR("=?"));
		if (next == STR_NONE)
			break;
		at += next;
		if (!read_word(str_skip(value, at), &w) || !charset_known(c, w.charset)) {
			at += 2;
			continue;
		}
		str between = str_sub(value, plain, at - plain);
		if (!d.charset.p || !all_blank(between))
			put_plain(&d, between);
		put_word(&d, &w);
		at += w.length;
		plain = at;
	}
	put_plain(&d, str_skip(value, plain));
	if (d.bytes.broken == FAIL_MEMORY)
		out->broken = FAIL_MEMORY;
	buf_free(&d.bytes);
}

/* charset'language'text, or what came without the quotes. */
static void put_extended(struct charsets *c, str value, buf *out)
{
	size_t first = str_chr(value, '\'');
	size_t second = first == STR_NONE ? STR_NONE : str_chr(str_skip(value, first + 1), '\'');
	str charset = {0};
	if (second != STR_NONE) {
		charset = str_sub(value, 0, first);
		value = str_skip(value, first + second + 2);
	}
	AUTO_BUF buf bytes = buf_new(value.n + 1);
	put_escaped(value, '%', &bytes);
	if (bytes.broken)
		out->broken = bytes.broken;
	charset_text(c, charset, buf_str(&bytes), out);
}

void words_param(struct charsets *c, const struct content_param *p, buf *out)
{
	if (p->extended)
		put_extended(c, p->value, out);
	else
		words_decode(c, (str){NULL, 0}, p->value, out);
}
