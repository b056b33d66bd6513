/* Input: lines; the first is the head of an APPEND (with the octets of a name
 * literal, as a reader would add them), each later one stands behind a message.
 * Properties: a message's literal is the end of its line; a failure leaves the
 * state and names a place; whatever is no APPEND is left alone. */
#include "grammar/imap/imap_append.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(const struct imap_append *m, str line)
{
	struct imap_literal l;
	must(imap_literal_at_end(line, &l) == IMAP_LINE_LITERAL);
	must(l.size == m->literal.size && l.sync == m->literal.sync && l.binary == m->literal.binary);
	must(!m->utf8 || l.binary);
	must(l.size <= IMAP_NUMBER64_MAX && l.head < line.n);
	must(line.p[line.n - l.head - 1] == (m->utf8 ? '(' : ' '));
	must(!(m->flags.system & IMAP_RECENT));
}

static void more(struct imap_append *m, arena *a, str rest)
{
	while (rest.n > 0) {
		size_t end = str_chr(rest, '\n');
		str line = str_sub(rest, 0, end);
		rest = str_skip(rest, end == STR_NONE ? rest.n : end + 1);
		enum imap_append_step step = IMAP_APPEND_NOT;
		struct imap_append before = *m;
		result r = imap_append_more(line, a, m, &step);
		if (failed(r)) {
			must(m->error_at <= line.n && r.text && m->literal.size == before.literal.size);
			return;
		}
		must(step == IMAP_APPEND_MESSAGE || step == IMAP_APPEND_END);
		if (step == IMAP_APPEND_END)
			return;
		check_message(m, line);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	str all = str_of((const char *)data, size);
	size_t end = str_find(all, STR("\n\n"));
	str head = str_sub(all, 0, end);
	struct imap_append m = {0};
	enum imap_append_step step;
	result r = imap_append_head(head, &a, &m, &step);
	if (failed(r)) {
		must(m.tag.n > 0 && m.error_at <= head.n && r.text);
		return 0;
	}
	if (step != IMAP_APPEND_MESSAGE)
		return 0;
	check_message(&m, head);
	if (end != STR_NONE)
		more(&m, &a, str_skip(all, end + 2));
	return 0;
}
