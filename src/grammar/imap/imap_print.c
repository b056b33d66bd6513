#include "grammar/imap/imap_print.h"
#include "grammar/imap/imap_lex.h"

static bool quotable(str s, bool utf8)
{
	if (s.n > IMAP_QUOTED_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\0')
			return false;
	return str_is_ascii(s) || (utf8 && str_is_utf8(s));
}

static void put_quoted(buf *out, str s)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_putc(out, '\\');
		buf_putc(out, s.p[i]);
	}
	buf_putc(out, '"');
}

void imap_put_literal_head(buf *out, uint64_t n, bool binary)
{
	buf_put(out, binary ? STR("~{") : STR("{"));
	buf_put_u64(out, n);
	buf_put(out, STR("}\r\n"));
}

static void put_literal(buf *out, str s)
{
	imap_put_literal_head(out, s.n, false);
	for (size_t i = 0; i < s.n; i++)
		buf_putc(out, s.p[i] ? s.p[i] : '?');
}

void imap_put_string(buf *out, str s, bool utf8)
{
	if (quotable(s, utf8))
		put_quoted(out, s);
	else
		put_literal(out, s);
}

void imap_put_nstring(buf *out, str s, bool utf8)
{
	if (s.p)
		imap_put_string(out, s, utf8);
	else
		buf_put(out, STR("NIL"));
}

void imap_put_astring(buf *out, str s, bool utf8)
{
	bool atom = s.n > 0 && s.n <= IMAP_QUOTED_MAX && !str_ieq(s, STR("NIL"));
	for (size_t i = 0; atom && i < s.n; i++)
		atom = imap_astring_char(str_at(s, i));
	if (atom)
		buf_put(out, s);
	else
		imap_put_string(out, s, utf8);
}

void imap_put_text(buf *out, str s, bool utf8)
{
	bool high = utf8 && str_is_utf8(s);
	if (s.n == 0)
		buf_putc(out, '-');
	if (s.n > 0 && s.p[0] == '[')
		buf_putc(out, ' ');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = str_at(s, i);
		bool visible = (c >= ' ' && c < 0x7f) || (c > 0x7f && high);
		buf_putc(out, visible ? (char)c : '?');
	}
}
