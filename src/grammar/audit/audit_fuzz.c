/* Properties: whatever a room sends as a record, what is printed of it reads back,
 * its hash and its seals fit; a line that is read is read whole or not at all, and
 * its views lie inside it; a chain of any lines takes each record once. */
#include "grammar/audit/audit_chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(str whole, str part)
{
	return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void check_clear(str line, str fields)
{
	struct audit_clear c;
	struct audit_clear_value k;
	struct audit_value v;
	must(audit_clear_read(str_sub(line, 0, line.n - 1), &c) && c.seq == 7);
	while (audit_clear_next(&c.fields, &k)) {
		bool fits = false;
		for (str rest = fields; audit_field_next(&rest, &v);) /* a name may stand twice */
			fits = fits || (str_eq(v.name, k.name) && v.type == 'x' && audit_clear_fits(&k, &v.sealed));
		must(fits);
	}
}

static void check_printing(str record)
{
	struct log_record r;
	struct audit_hash hash;
	struct audit_line l;
	AUTO_BUF buf chain = buf_new(1 << 20), clear = buf_new(1 << 20);
	struct audit_draft d = {.seq = 7, .time = STR("2026-11-22T05:00:00.123Z"), .event = STR("login.accepted"),
				.room = STR("auth"), .number = 1};
	if (record.n > LOG_RECORD_MAX || !log_read(record, &r))
		return;
	d.trace = &r.trace;
	if (!audit_line_put(&d, r, &chain, &clear, &hash)) {
		must(chain.n == 0 && clear.n == 0);
		return;
	}
	must(chain.n <= AUDIT_LINE_MAX && clear.n <= AUDIT_LINE_MAX && chain.p[chain.n - 1] == '\n');
	must(audit_line_read(str_sub(buf_str(&chain), 0, chain.n - 1), &l) && l.seq == 7);
	struct audit_hash again = audit_hash_of(l.record);
	must(memcmp(again.b, hash.b, sizeof hash) == 0 && memcmp(l.hash.b, hash.b, sizeof hash) == 0);
	if (clear.n > 0)
		check_clear(buf_str(&clear), l.fields);
}

static void check_reading(str line)
{
	struct audit_line l;
	struct audit_value v;
	struct audit_clear c;
	struct audit_clear_value k;
	if (audit_line_read(line, &l)) {
		must(inside(line, l.record) && inside(l.record, l.fields) && inside(l.record, l.time));
		must(!audit_line_read(str_sub(line, 0, line.n - 1), &l));
		while (audit_field_next(&l.fields, &v))
			must(inside(line, v.name) && inside(line, v.text));
		must(l.fields.n == 0);
	}
	if (audit_clear_read(line, &c)) {
		while (audit_clear_next(&c.fields, &k))
			must(inside(line, k.name) && inside(line, k.text));
		must(c.fields.n == 0);
	}
}

static void check_chain(str lines)
{
	static const unsigned char key[AUDIT_KEY];
	struct audit_chain c;
	uint64_t taken = 0;
	bool fits = true;
	audit_chain_begin(&c, key);
	audit_chain_file(&c, 1);
	while (lines.n > 0) {
		size_t lf = str_chr(lines, '\n');
		str line = str_sub(lines, 0, lf == STR_NONE ? lines.n : lf + 1);
		bool took = audit_chain_line(&c, line);
		fits = fits && took;
		taken += took;
		must(c.last == taken);
		lines = str_skip(lines, line.n);
	}
	must(audit_chain_end(&c) == fits && (c.fault == AUDIT_WHOLE) == fits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str in = str_of((const char *)data, size);
	check_printing(in);
	check_reading(in);
	check_chain(in);
	return 0;
}
