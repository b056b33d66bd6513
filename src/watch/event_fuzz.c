/* Properties: whatever a room sends as records, each makes at most one line of
 * well-formed JSON without control characters; fields keep under their ceiling;
 * an entry reads back as it was put; what a record says of a client is of one kind
 * and lies inside it. */
#include <jansson.h>

#include "watch/detect/sighting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CEILING = 300 };

static void check_json(str text)
{
	must(str_is_utf8(text));
	for (size_t i = 0; i < text.n; i++)
		must(str_at(text, i) >= 0x20 && str_at(text, i) != 0x7f);
	json_t *v = json_loadb(text.p, text.n, JSON_ALLOW_NUL, NULL);
	must(json_is_object(v));
	json_decref(v);
}

static void check_entry(const struct entry *e, const struct log_record *r)
{
	static const unsigned char secret[MARK_KEY];
	AUTO_BUF buf run = buf_new(1 << 20);
	struct entry back;
	struct marks m;
	buf_put(&run, STR("before"));
	entry_put(&run, e);
	must(entry_read(buf_str(&run), 6, &back));
	must(back.at == e->at && back.from.number == e->from.number && str_eq(back.record, e->record));
	must(!entry_read(str_sub(buf_str(&run), 0, run.n - 1), 6, &back));
	entry_marks(r, secret, &m);
	must(m.n >= 1 && m.n <= 1 + ENTRY_ADDRESSES);
}

static bool lies_in(str part, str whole)
{
	return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void check_sighting(const struct entry *e, const struct log_record *r)
{
	struct sighting s;
	if (!sighting_of(e, r, &s))
		return;
	must(s.kind != 0 && (s.kind & (s.kind - 1)) == 0 && s.at == e->at);
	must(lies_in(s.name, e->record) && lies_in(s.word, e->record) && lies_in(s.protocol, e->record));
	must(s.mark == 0 || s.name.n > 0);
}

static void check_record(str record)
{
	struct entry e = {.at = -7, .from = {STR("account"), UINT64_MAX}, .record = record};
	struct log_record r;
	AUTO_BUF buf line = buf_new(1 << 20), fields = buf_new(1 << 20);
	if (record.n > LOG_RECORD_MAX || !log_read(record, &r))
		return;
	if (!line_put(&line, &r, &e.from, "2026-11-21T19:40:01.123Z")) {
		must(line.n == 0);
		return;
	}
	must(line.p[line.n - 1] == '\n');
	check_json(str_sub(buf_str(&line), 0, line.n - 1));
	must(fields_put(&fields, r, CEILING) && fields.n <= CEILING);
	check_json(buf_str(&fields));
	check_entry(&e, &r);
	check_sighting(&e, &r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace_prefix prefix;
	str in = str_of((const char *)data, size);
	cursor c = cursor_on(in);
	if (trace_prefix_of(in, &prefix))
		must(prefix.least <= prefix.most);
	while (!cursor_done(&c) && !c.bad)
		check_record(cursor_take(&c, cursor_u16(&c)));
	check_record(in);
	return 0;
}
