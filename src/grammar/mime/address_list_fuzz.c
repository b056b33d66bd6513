#include "grammar/mime/address_list.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_text(buf *b, str s)
{
	buf_putc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_putc(b, '\\');
		buf_putc(b, s.p[i]);
	}
	buf_putc(b, '"');
}

static bool is_plain_host(str host)
{
	for (size_t i = 0; i < host.n; i++)
		if (!ascii_alpha(str_at(host, i)) && !ascii_digit(str_at(host, i)) && host.p[i] != '.')
			return false;
	return host.n > 0;
}

/* What was read, printed with quotes and read again, is the same. */
static void print_and_read(const struct address *a, arena *mem)
{
	AUTO_BUF buf b = buf_new(1 << 20);
	struct address again;
	if (a->host.p && !is_plain_host(a->host))
		return;
	if (a->name.p)
		put_text(&b, a->name);
	buf_put(&b, STR(" <"));
	put_text(&b, a->mailbox);
	if (a->host.p) {
		buf_putc(&b, '@');
		buf_put(&b, a->host);
	}
	buf_putc(&b, '>');
	struct address_walk w = address_walk_on(buf_str(&b), mem);
	must(address_next(&w, &again) && again.kind == ADDRESS_MAILBOX);
	must(str_chr(a->mailbox, '\r') != STR_NONE || str_chr(a->mailbox, '\n') != STR_NONE ||
	     str_eq(again.mailbox, a->mailbox));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA arena mem = arena_new(64 << 20);
	struct address_walk w = address_walk_on(str_of((const char *)data, size), &mem);
	struct address a;
	size_t n = 0, open = 0;
	while (address_next(&w, &a)) {
		must(++n <= 2 * size + 1);
		open += a.kind == ADDRESS_GROUP_START;
		must(a.kind != ADDRESS_GROUP_END || open > 0);
		open -= a.kind == ADDRESS_GROUP_END;
		if (a.kind == ADDRESS_MAILBOX)
			print_and_read(&a, &mem);
	}
	must(open == 0);
	return 0;
}
