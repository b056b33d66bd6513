/* Properties: decode(encode(x)) = x in both forms and any line length; what
 * the strict form takes, it takes in one spelling and the lenient form agrees;
 * chunking does not change the lenient result. */
#include "grammar/text/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void lenient(buf *out, str in, size_t step)
{
	struct base64_stream s = {0};
	for (size_t i = 0; i < in.n; i += step)
		base64_feed(&s, str_sub(in, i, step), out);
	base64_finish(&s, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	str in = str_of((const char *)data + 2, size - 2);
	size_t step = data[0] % 17 + 1, line = (size_t)data[1] % 20 * 4;
	AUTO_BUF buf a = buf_new(1 << 22), b = buf_new(1 << 22), c = buf_new(1 << 22);

	base64_encode(&a, in, line);
	lenient(&b, buf_str(&a), step);
	must(str_eq(buf_str(&b), in));

	buf_clear(&a);
	buf_clear(&b);
	lenient(&a, in, step);
	lenient(&b, in, in.n + 1);
	must(str_eq(buf_str(&a), buf_str(&b)) && a.n <= in.n / 4 * 3 + 3);

	if (!failed(base64_decode(&c, in))) {
		must(str_eq(buf_str(&c), buf_str(&a)));
		buf_clear(&a);
		base64_encode(&a, buf_str(&c), 0);
		must(str_eq(buf_str(&a), in));
	}
	return 0;
}
