#include "grammar/mime/facts.h"
#include "grammar/imap/imap_list_check.h"
#include "grammar/mime/mime_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct charsets *cs;

/* As the other room's bytes: whatever is believed fits the message. */
static void as_encoded(str in)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	AUTO_BUF buf b = buf_new(FACTS_ENCODED_MAX);
	struct facts f;
	uint64_t size = in.n > 9 ? (uint64_t)(unsigned char)in.p[1] | (uint64_t)(unsigned char)in.p[2] << 8 : 0;
	if (failed(facts_decode(in, size, &a, &f)))
		return;
	for (uint32_t i = 0; i < f.parts.n; i++) {
		const struct mime_part *p = &f.parts.parts[i];
		must(p->body_at <= size && p->body_n <= size - p->body_at && p->header_at + p->header_n == p->body_at);
		must(p->child == MIME_NONE || (p->child > i && p->child < f.parts.n));
		must(p->next == MIME_NONE || (p->next > i && p->next < f.parts.n));
	}
	facts_encode(&f, &b);
	must(b.n <= in.n && b.n > 0);
}

static void as_message(str in)
{
	AUTO_ARENA arena a = arena_new(FACTS_ARENA_MAX);
	AUTO_BUF buf b = buf_new(FACTS_ENCODED_MAX), again = buf_new(FACTS_ENCODED_MAX);
	struct facts f, g;
	must(!failed(facts_of(in, &(struct facts_wants){cs, true}, &a, &f)));
	mime_check(in, &f.parts);
	check_envelope_text(f.envelope);
	facts_encode(&f, &b);
	must(!failed(facts_decode(buf_str(&b), in.n, &a, &g)));
	facts_encode(&g, &again);
	must(str_eq(buf_str(&b), buf_str(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str in = str_of((const char *)data, size);
	if (!cs) {
		must(!failed(charset_preload()));
		cs = charsets_new();
	}
	as_encoded(in);
	as_message(in);
	return 0;
}
