/* Properties: decode(encode(x)) = x in both encodings; what decodes is never
 * longer than its code, and for utf-8-addr is valid UTF-8. */
#include "grammar/smtp/xtext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str in = str_of((const char *)data, size), out;
	AUTO_ARENA arena a = arena_new(1 << 22);
	AUTO_BUF buf b = buf_new(1 << 22);

	xtext_encode(&b, in);
	must(!failed(xtext_decode(buf_str(&b), &a, &out)) && str_eq(out, in));
	if (!failed(xtext_decode(in, &a, &out)))
		must(out.n <= in.n);
	if (!failed(utf8_addr_decode(in, &a, &out)))
		must(out.n <= in.n && str_is_utf8(out));
	if (!str_is_utf8(in) || str_chr(in, '\0') != STR_NONE)
		return 0;
	for (int utf8 = 0; utf8 < 2; utf8++) {
		buf_clear(&b);
		utf8_addr_encode(&b, in, utf8);
		must(utf8 || str_is_ascii(buf_str(&b)));
		must(!failed(utf8_addr_decode(buf_str(&b), &a, &out)) && str_eq(out, in));
	}
	return 0;
}
