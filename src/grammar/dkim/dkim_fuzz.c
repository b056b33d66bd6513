/* One message and one tag list in the data, cut at the first NUL. Properties:
 * the body's canonical form does not depend on how it was cut, is its own
 * canonical form, and a limit cuts it; a field's relaxed form is its own; what
 * is read of a signature is read again from what is printed of it; each field is covered at
 * most once by a signature. */
#include <stdint.h>

#include "grammar/dkim/dkim_header.h"
#include "grammar/dkim/dkim_key.h"
#include "grammar/mime/header.h"

enum { MEMORY = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void collect(void *ctx, str octets)
{
	buf_put(ctx, octets);
}

static void canon(struct dkim_body b, str in, size_t cut, buf *out)
{
	b.to = (struct dkim_sink){collect, out};
	dkim_body_feed(&b, str_sub(in, 0, cut));
	dkim_body_feed(&b, str_skip(in, cut));
	dkim_body_finish(&b);
	must(b.limit != DKIM_WHOLE || b.length == out->n);
	must(out->n <= b.limit && !failed(buf_result(out)));
}

static void body(str in)
{
	for (int c = DKIM_SIMPLE; c <= DKIM_RELAXED; c++) {
		AUTO_BUF buf one = buf_new(MEMORY), two = buf_new(MEMORY), again = buf_new(MEMORY), part = buf_new(MEMORY);
		struct dkim_body fresh = {.canon = (enum dkim_canon)c, .limit = DKIM_WHOLE};
		canon(fresh, in, in.n, &one);
		canon(fresh, in, in.n / 2, &two);
		must(str_eq(buf_str(&one), buf_str(&two)));
		canon(fresh, buf_str(&one), one.n / 3, &again);
		must(str_eq(buf_str(&one), buf_str(&again)));
		must(one.n == 0 || str_ends(buf_str(&one), STR("\r\n")));
		fresh.limit = one.n / 2;
		canon(fresh, in, 1, &part);
		must(str_eq(buf_str(&part), str_sub(buf_str(&one), 0, one.n / 2)));
	}
}

static void header(str text)
{
	AUTO_ARENA arena a = arena_new(MEMORY);
	AUTO_BUF buf names = buf_new(MEMORY), out = buf_new(MEMORY), field = buf_new(MEMORY), again = buf_new(MEMORY);
	struct dkim_header h;
	must(!failed(dkim_header_open(text, &a, &h)));
	dkim_header_names(&h, &names);
	must(names.n > 0 && names.n < DKIM_FIELD_MAX);
	const struct dkim_covered c = {buf_str(&names), STR("D: b="), DKIM_SIMPLE};
	dkim_header_hash(&h, &c, (struct dkim_sink){collect, &out});
	must(out.n <= text.n + 2 + sizeof "D: b=");
	dkim_header_close(&h);
	dkim_field(DKIM_RELAXED, text, (struct dkim_sink){collect, &field});
	dkim_field(DKIM_RELAXED, buf_str(&field), (struct dkim_sink){collect, &again});
	must(str_eq(buf_str(&field), buf_str(&again)));
}

static void signature(str value)
{
	AUTO_ARENA arena a = arena_new(MEMORY);
	AUTO_BUF buf empty = buf_new(MEMORY), full = buf_new(MEMORY);
	struct dkim_signature s, again;
	struct dkim_key k;
	size_t at;
	if (!failed(dkim_key_parse(value, &a, &k)))
		must(k.algorithm <= DKIM_ED25519_SHA256);
	if (failed(dkim_signature_parse(value, &a, &s)))
		return;
	must(!failed(dkim_signature_print(&s, &empty, &at)));
	dkim_signature_fill(&full, buf_str(&empty), at, s.signature);
	must(!failed(dkim_signature_parse(str_skip(buf_str(&full), sizeof DKIM_FIELD_NAME), &a, &again)));
	must(str_eq(s.domain, again.domain) && str_eq(s.selector, again.selector));
	must(str_eq(s.signature, again.signature) && str_eq(s.body_hash, again.body_hash));
	must(s.algorithm == again.algorithm && s.header == again.header && s.body == again.body);
	str got;
	must(!failed(dkim_signature_emptied(buf_str(&full), &a, &got)));
	must(got.n + 2 == empty.n); /* without the line end */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str in = str_of((const char *)data, size);
	size_t cut = str_chr(in, '\0');
	str message = cut == STR_NONE ? in : str_skip(in, cut + 1);
	hash_seed((const unsigned char *)"0123456789abcdef");
	signature(str_sub(in, 0, cut));
	body(str_skip(message, header_length(message)));
	body(message);
	header(message);
	return 0;
}
