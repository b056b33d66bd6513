/* Properties: decode(encode(x)) = x in both modes; an encoded line has at most
 * 76 characters of ASCII and no blank at its end; chunking changes nothing;
 * decoding never lengthens. */
#include "grammar/mime/qp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool decode(buf *out, str in, size_t step)
{
	struct qp_decoder d = {0};
	for (size_t i = 0; i < in.n; i += step)
		qp_decode(&d, str_sub(in, i, step), out);
	qp_decode_finish(&d, out);
	return d.damaged;
}

static void check_lines(str text)
{
	while (text.n > 0) {
		size_t end = str_find(text, STR("\r\n"));
		str line = str_sub(text, 0, end);
		must(line.n <= QP_LINE_MAX && !str_ends(line, STR(" ")) && !str_ends(line, STR("\t")));
		for (size_t i = 0; i < line.n; i++)
			must((str_at(line, i) >= 32 && str_at(line, i) <= 126) || line.p[i] == '\t');
		text = end == STR_NONE ? STR("") : str_skip(text, end + 2);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	str in = str_of((const char *)data + 1, size - 1);
	size_t step = data[0] % 15 + 1;
	AUTO_BUF buf a = buf_new(1 << 22), b = buf_new(1 << 22);

	bool damaged = decode(&a, in, step);
	must(decode(&b, in, in.n + 1) == damaged && str_eq(buf_str(&a), buf_str(&b)) && a.n <= in.n);

	for (int binary = 0; binary < 2; binary++) {
		struct qp_encoder e = {.binary = binary};
		buf_clear(&a);
		buf_clear(&b);
		for (size_t i = 0; i < in.n; i += step)
			qp_encode(&e, str_sub(in, i, step), &a);
		qp_encode_finish(&e, &a);
		check_lines(buf_str(&a));
		must(!decode(&b, buf_str(&a), step) && str_eq(buf_str(&b), in));
	}
	return 0;
}
