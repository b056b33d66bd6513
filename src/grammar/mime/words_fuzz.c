#include "grammar/mime/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct charsets *cs;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!cs) {
		must(!failed(charset_preload()));
		cs = charsets_new();
	}
	str in = str_of((const char *)data, size);
	AUTO_BUF buf out = buf_new(16 * size + 100);
	AUTO_BUF buf half = buf_new(16 * size + 100);
	words_decode(cs, STR("koi8-r"), in, &out);
	must(!failed(buf_result(&out)) && str_is_utf8(buf_str(&out)));
	buf_clear(&out);
	words_param(cs, &(struct content_param){STR("n"), in, true}, &out);
	must(!failed(buf_result(&out)) && str_is_utf8(buf_str(&out)));
	/* A stream cut anywhere gives what it gives in one piece. */
	size_t name = size < 12 ? size : 12;
	struct charset_stream s;
	for (size_t cut = 0; cut <= 1; cut++) {
		buf *b = cut ? &half : &out;
		buf_clear(b);
		charset_begin(&s, cs, str_sub(in, 0, name));
		charset_feed(&s, str_sub(in, name, cut ? size / 3 : size), b);
		charset_feed(&s, str_skip(str_skip(in, name), cut ? size / 3 : size), b);
		charset_finish(&s, b);
		must(str_is_utf8(buf_str(b)));
	}
	must(str_eq(buf_str(&out), buf_str(&half)));
	return 0;
}
