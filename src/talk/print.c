#include "talk/codec.h"

enum { SHOWN_OCTETS = 120, SHOWN_ELEMENTS = 16 };

static void print_text(buf *out, str s)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < s.n && i < SHOWN_OCTETS; i++) {
		unsigned char c = str_at(s, i);
		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c < 32 || c > 126)
			buf_printf(out, "\\x%02x", c);
		else
			buf_putc(out, (char)c);
	}
	buf_putc(out, '"');
	if (s.n > SHOWN_OCTETS)
		buf_printf(out, "... (%zu octets)", s.n);
}

static void print_hex(buf *out, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%02x", p[i]);
}

static void print_value(const struct talk_field *f, const void *p, buf *out);

static void print_fields(const struct talk_shape *s, const void *m, buf *out)
{
	for (size_t i = 0; i < s->n; i++) {
		buf_printf(out, "%s%s=", i ? " " : "", s->fields[i].name);
		print_value(&s->fields[i], (const char *)m + s->fields[i].offset, out);
	}
}

static void print_list(const struct talk_field *f, const void *p, buf *out)
{
	struct talk_list l;
	memcpy(&l, p, sizeof l);
	buf_putc(out, '[');
	for (size_t i = 0; i < l.n && i < SHOWN_ELEMENTS; i++) {
		if (i > 0)
			buf_putc(out, ' ');
		print_value(f->element, (const char *)l.p + i * f->element->size, out);
	}
	if (l.n > SHOWN_ELEMENTS)
		buf_printf(out, " ... (%zu elements)", l.n);
	buf_putc(out, ']');
}

static uint64_t number_at(const struct talk_field *f, const void *p)
{
	uint64_t v = 0;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	memcpy((char *)&v + sizeof v - f->size, p, f->size);
#else
	memcpy(&v, p, f->size);
#endif
	return v;
}

static void print_enum(const struct talk_field *f, const void *p, buf *out)
{
	uint64_t v = number_at(f, p);
	if (v < f->max)
		buf_printf(out, "%s", f->names[v]);
	else
		buf_put_u64(out, v);
}

static void print_value(const struct talk_field *f, const void *p, buf *out)
{
	str s;
	int fd;
	struct body b;
	if (f->secret) {
		buf_put(out, STR("***"));
		return;
	}
	switch (f->type) {
	case TALK_U8:
	case TALK_U16:
	case TALK_U32:
	case TALK_U64: buf_put_u64(out, number_at(f, p)); return;
	case TALK_I64: buf_printf(out, "%lld", (long long)(int64_t)number_at(f, p)); return;
	case TALK_BOOL: buf_put(out, number_at(f, p) ? STR("true") : STR("false")); return;
	case TALK_ID:
	case TALK_BYTES: print_hex(out, p, f->size); return;
	case TALK_STR: memcpy(&s, p, sizeof s); print_text(out, s); return;
	case TALK_ENUM: print_enum(f, p, out); return;
	case TALK_BODY: memcpy(&b, p, sizeof b); buf_printf(out, "(%zu octets)", b.bytes.n); return;
	case TALK_FD: memcpy(&fd, p, sizeof fd); buf_put(out, fd > 0 ? STR("(descriptor)") : STR("(none)")); return;
	case TALK_RECORD: buf_putc(out, '{'); print_fields(f->record, p, out); buf_putc(out, '}'); return;
	case TALK_LIST: print_list(f, p, out); return;
	}
}

void talk_print(const struct talk_shape *s, const void *m, buf *out)
{
	buf_printf(out, "%s%s", s->name, s->n ? " " : "");
	print_fields(s, m, out);
}
