/* Properties: what is printed reads back as the same octets (NUL apart); a
 * text stays one line; a moment that was read prints to the same moment. */
#include "grammar/imap/imap_print.h"
#include "grammar/imap/imap_time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(str got, str want)
{
	if (got.n != want.n)
		return false;
	for (size_t i = 0; i < got.n; i++)
		if (got.p[i] != want.p[i] && !(want.p[i] == 0 && got.p[i] == '?'))
			return false;
	return true;
}

static void check_string(str s, bool utf8)
{
	AUTO_ARENA arena a = arena_new(1 << 22);
	AUTO_BUF buf b = buf_new(1 << 22);
	imap_put_nstring(&b, s, utf8);
	imap_put_astring(&b, s, utf8);
	struct imap_lex x = imap_lex_on(buf_str(&b), &a);
	must(same(imap_nstring(&x), s) && !x.in.bad);
	must(same(imap_astring(&x, "a string"), s) && !x.in.bad);
	must(imap_ends(&x) && (utf8 || !x.utf8));
}

static void check_text(str s, bool utf8)
{
	AUTO_BUF buf b = buf_new(1 << 22);
	imap_put_text(&b, s, utf8);
	must(b.n > 0 && b.p[0] != '[');
	for (size_t i = 0; i < b.n; i++)
		must((unsigned char)b.p[i] >= ' ' && b.p[i] != 0x7f);
	must(utf8 ? str_is_utf8(buf_str(&b)) : str_is_ascii(buf_str(&b)));
}

static void check_time(str s)
{
	AUTO_BUF buf b = buf_new(100);
	struct imap_lex x = imap_lex_on(s, NULL);
	struct imap_time t = imap_date_time(&x);
	if (x.in.bad)
		return;
	imap_put_time(&b, t);
	x = imap_lex_on(buf_str(&b), NULL);
	struct imap_time again = imap_date_time(&x);
	must(!x.in.bad && imap_ends(&x));
	/* The leap second behind the last one of the year 9999 cannot be printed. */
	must(again.minutes == t.minutes && (again.seconds == t.seconds || again.seconds + 1 == t.seconds));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	str s = str_of((const char *)data + 1, size - 1);
	check_string(s, data[0] & 1);
	check_text(s, data[0] & 1);
	check_time(s);
	return 0;
}
