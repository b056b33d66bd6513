#include "grammar/mime/envelope.h"
#include "grammar/imap/imap_print.h"
#include "grammar/mime/address_list.h"

str text_cut(str s, size_t max)
{
	if (s.n <= max)
		return s;
	size_t n = max;
	while (n > 0 && max - n < 4 && (str_at(s, n) & 0xC0) == 0x80)
		n--;
	return str_sub(s, 0, (str_at(s, n) & 0xC0) == 0x80 ? max : n);
}

static void put_text(buf *out, str s)
{
	imap_put_nstring(out, text_cut(s, ENVELOPE_TEXT_MAX), false);
}

static void put_field(const struct header *h, enum header_id id, arena *mem, buf *out)
{
	str value = header_value(h, id);
	if (value.p)
		value = header_unfold(mem, str_sub(value, 0, 2 * ENVELOPE_TEXT_MAX));
	put_text(out, value);
}

static void put_address(buf *out, const struct address *a)
{
	bool group = a->kind != ADDRESS_MAILBOX;
	str none = {NULL, 0};
	buf_putc(out, '(');
	put_text(out, group ? none : a->name);
	buf_putc(out, ' ');
	put_text(out, group ? none : a->route);
	buf_putc(out, ' ');
	put_text(out, group ? a->name : a->mailbox);
	buf_putc(out, ' ');
	if (group)
		put_text(out, none);
	else
		put_text(out, a->host.p ? a->host : STR(""));
	buf_putc(out, ')');
}

/* Opens the list with the first address; returns whether it is open. */
static bool put_list(str value, arena *mem, size_t end, buf *out, bool open)
{
	struct address_walk w = address_walk_on(value, mem);
	struct address a;
	bool in_group = false;
	while (address_next(&w, &a) && (out->n < end || (in_group && a.kind == ADDRESS_GROUP_END))) {
		if (!open)
			buf_putc(out, '(');
		open = true;
		in_group = a.kind == ADDRESS_GROUP_START || (in_group && a.kind != ADDRESS_GROUP_END);
		put_address(out, &a);
	}
	if (in_group)
		put_address(out, &(struct address){.kind = ADDRESS_GROUP_END});
	return open;
}

static bool put_addresses(const struct header *h, enum header_id id, arena *mem, buf *out, size_t end)
{
	bool many = id == HEADER_TO || id == HEADER_CC || id == HEADER_BCC;
	bool open = false;
	for (const struct header_field *f = header_first(h, id); f; f = many ? header_after(h, f) : NULL)
		if (out->n < end || !open)
			open = put_list(f->value, mem, end, out, open);
	if (open)
		buf_putc(out, ')');
	return open;
}

static void put_members(const struct header *h, arena *mem, buf *out)
{
	static const enum header_id lists[] = {HEADER_FROM, HEADER_SENDER, HEADER_REPLY_TO,
	                                       HEADER_TO,   HEADER_CC,     HEADER_BCC};
	size_t end = out->n + ENVELOPE_MAX;
	put_field(h, HEADER_DATE, mem, out);
	buf_putc(out, ' ');
	put_field(h, HEADER_SUBJECT, mem, out);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		buf_putc(out, ' ');
		bool done = put_addresses(h, lists[i], mem, out, end);
		if (!done && (lists[i] == HEADER_SENDER || lists[i] == HEADER_REPLY_TO))
			done = put_addresses(h, HEADER_FROM, mem, out, end);
		if (!done)
			buf_put(out, STR("NIL"));
	}
	buf_putc(out, ' ');
	put_field(h, HEADER_IN_REPLY_TO, mem, out);
	buf_putc(out, ' ');
	put_field(h, HEADER_MESSAGE_ID, mem, out);
}

void envelope_print(const struct header *h, arena *mem, buf *out)
{
	buf_putc(out, '(');
	put_members(h, mem, out);
	buf_putc(out, ')');
	if (mem->broken && !out->broken)
		out->broken = mem->broken;
}
