/* Properties: what decodes encodes to the same octets; every UTF-8 text goes
 * there and back; names from the wire go to the wire and back. */
#include "base/arena.h"
#include "grammar/imap/imap_lex.h"
#include "grammar/imap/imap_name.h"
#include "grammar/imap/utf7.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 22 };

static void check_decoding(str in)
{
	AUTO_BUF buf a = buf_new(MOST), b = buf_new(MOST);
	if (failed(utf7_decode(in, &a)))
		return;
	must(str_is_utf8(buf_str(&a)));
	must(!failed(utf7_encode(buf_str(&a), &b)));
	must(str_eq(buf_str(&b), in));
}

static void check_encoding(str in)
{
	AUTO_BUF buf a = buf_new(MOST), b = buf_new(MOST);
	if (failed(utf7_encode(in, &a))) {
		must(!str_is_utf8(in));
		return;
	}
	must(str_is_ascii(buf_str(&a)));
	must(!failed(utf7_decode(buf_str(&a), &b)));
	must(str_eq(buf_str(&b), in));
}

static void check_name(str in, bool utf8)
{
	AUTO_ARENA arena a = arena_new(MOST);
	AUTO_BUF buf name = buf_new(MOST), wire = buf_new(MOST), again = buf_new(MOST);
	if (failed(imap_name_read(in, utf8, &name)) || failed(imap_name_check(buf_str(&name))))
		return;
	must(name.n > 0 && name.n <= IMAP_NAME_MAX);
	imap_put_name(&wire, buf_str(&name), utf8);
	struct imap_lex x = imap_lex_on(buf_str(&wire), &a);
	str back = imap_astring(&x, "a name");
	must(!x.in.bad && imap_ends(&x));
	must(!failed(imap_name_read(back, utf8, &again)));
	must(str_eq(buf_str(&name), buf_str(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str in = str_of((const char *)data, size);
	check_decoding(in);
	check_encoding(in);
	check_name(in, false);
	check_name(in, true);
	return 0;
}
