#include "base/mem.h"
#include "watch/audit_core.h"

enum {
	ROWS = WEB_WATCH_AUDIT_RECORDS_ROWS_MAX,
	LOOK_FILES = 16,   /* files read for one answer; the next question goes on */
	LOOK_NAMES = 4096, /* indexes asked for one answer */
	FIELDS_MAX = WEB_WATCH_AUDIT_ROW_FIELDS_MAX,
};

struct found {
	uint64_t seq;
	buf line, clear;
};

struct showing {
	struct files *files;
	struct audit_question asked;
	uint64_t *names;         /* of the files, in order */
	size_t names_n;
	bool newest_has;         /* the file at work names the account */
	uint64_t end;            /* records behind this one are not on the disk yet */
	struct found ring[ROWS]; /* the last that match, of the file that is read */
	size_t ring_n;           /* how many matched */
	struct found rows[ROWS]; /* the newest first */
	size_t n;
	uint64_t next;
	bool done;               /* older ones are not wanted */
};

/* ---- one file ---- */

static result index_has(struct showing *s, uint64_t first, bool *has)
{
	struct file AUTO_FILE *file = NULL;
	struct audit_name name = audit_name_of(AUDIT_INDEX_FILE, first);
	uint64_t size, low = 0;
	*has = true;
	if (failed(files_open(s->files, name.p, FILES_READ, &file)))
		return OK; /* the file itself will tell */
	TRY(file_size(file, &size));
	for (uint64_t high = size / 8; low < high;) {
		unsigned char b[8];
		size_t n = sizeof b;
		uint64_t mid = low + (high - low) / 2;
		TRY(file_read(file, mid * 8, b, &n));
		cursor c = cursor_on(str_of((const char *)b, n));
		uint64_t account = cursor_u64(&c);
		if (account == s->asked.account)
			return OK;
		if (account < s->asked.account)
			low = mid + 1;
		else
			high = mid;
	}
	*has = false;
	return OK;
}

static bool is_wanted(struct showing *s, const struct audit_line *l)
{
	struct audit_value v;
	if (l->seq > s->end || (s->asked.before && l->seq >= s->asked.before))
		return false;
	if (str_cmp(l->time, s->asked.since) < 0) {
		s->done = true;
		return false;
	}
	return s->asked.account == 0 || (audit_field_find(l->fields, STR("account"), &v) && v.type == 'u' &&
					  v.number == s->asked.account);
}

static result read_chain(struct showing *s, uint64_t first)
{
	struct audit_reader r;
	struct audit_line l;
	str line = {0};
	result done = audit_reader_open(&r, s->files, AUDIT_CHAIN_FILE, first);
	s->ring_n = 0;
	while (!failed(done)) {
		done = audit_reader_next(&r, &line);
		if (failed(done) || !str_ends(line, STR("\n")))
			break;
		line.n--;
		if (!audit_line_read(line, &l) || !is_wanted(s, &l))
			continue;
		struct found *f = &s->ring[s->ring_n++ % ROWS];
		f->seq = l.seq;
		buf_clear(&f->line);
		buf_put(&f->line, line);
		done = buf_result(&f->line);
	}
	audit_reader_close(&r);
	return done;
}

/* What matched becomes rows; where there are too many the next question goes on. */
static void take_rows(struct showing *s)
{
	size_t kept = s->ring_n < ROWS ? s->ring_n : ROWS;
	size_t taken = kept < ROWS - s->n ? kept : ROWS - s->n;
	for (size_t i = 0; i < taken; i++) {
		struct found *from = &s->ring[(s->ring_n - 1 - i) % ROWS], empty = s->rows[s->n];
		s->rows[s->n++] = *from;
		*from = empty;
	}
	if (taken < s->ring_n) {
		s->next = s->rows[s->n - 1].seq;
		s->done = true;
	}
}

static struct found *row_of_seq(struct showing *s, uint64_t seq)
{
	for (size_t i = s->n; i > 0; i--)
		if (s->rows[i - 1].seq == seq)
			return &s->rows[i - 1];
	return NULL;
}

static result read_clear(struct showing *s, uint64_t first)
{
	struct audit_reader r;
	struct audit_clear c;
	str line = {0};
	result done = audit_reader_open(&r, s->files, AUDIT_CLEAR_FILE, first);
	while (!failed(done)) {
		done = audit_reader_next(&r, &line);
		if (failed(done) || !str_ends(line, STR("\n")))
			break;
		line.n--;
		struct found *f = audit_clear_read(line, &c) ? row_of_seq(s, c.seq) : NULL;
		if (f)
			buf_put(&f->clear, line);
	}
	audit_reader_close(&r);
	return done.kind == FAIL_ABSENT ? OK : done;
}

static result read_file(struct showing *s, uint64_t first)
{
	TRY(read_chain(s, first));
	size_t before = s->n;
	take_rows(s);
	return s->n > before ? read_clear(s, first) : OK;
}

/* On the thread: the newest file first. */
static result run_show(void *arg)
{
	struct showing *s = arg;
	size_t looked = 0, asked = 0;
	for (size_t i = s->names_n; i > 0 && !s->done; i--) {
		uint64_t first = s->names[i - 1];
		bool has = s->asked.account == 0 || (i == s->names_n && s->newest_has);
		if (s->asked.before && first >= s->asked.before)
			continue;
		if (looked == LOOK_FILES || asked++ == LOOK_NAMES) {
			s->next = first + 1; /* this file's first record is its own, of no account */
			break;
		}
		if (s->asked.account && i < s->names_n)
			TRY(index_has(s, first, &has));
		looked += has;
		if (has)
			TRY(read_file(s, first));
		if (s->n == ROWS && !s->done && i > 1) {
			s->next = s->rows[s->n - 1].seq;
			s->done = true;
		}
	}
	return OK;
}

/* ---- rows ---- */

/* The value in clear, or null when it was forgotten or does not fit its seal. */
static void put_sealed(buf *out, const struct audit_value *v, str clear)
{
	struct audit_clear c = {0};
	struct audit_clear_value k;
	bool known = clear.n > 0 && audit_clear_read(clear, &c);
	while (known && audit_clear_next(&c.fields, &k)) {
		if (!str_eq(k.name, v->name) || !audit_clear_fits(&k, &v->sealed))
			continue;
		buf_putc(out, '"');
		buf_put(out, k.text);
		buf_putc(out, '"');
		return;
	}
	buf_put(out, STR("null"));
}

static void put_value(buf *out, const struct audit_value *v, str clear)
{
	buf_printf(out, "\"%.*s\":", STR_ARG(v->name));
	if (v->type == 'x')
		put_sealed(out, v, clear);
	else if (v->type == 's')
		buf_printf(out, "\"%.*s\"", STR_ARG(v->text));
	else if (v->type == 'i')
		buf_printf(out, "%lld", (long long)v->number);
	else
		buf_put_u64(out, v->number);
}

static void put_fields(buf *out, str fields, str clear)
{
	struct audit_value v;
	buf_putc(out, '{');
	while (audit_field_next(&fields, &v)) {
		if (out->n > 1)
			buf_putc(out, ',');
		put_value(out, &v, clear);
	}
	buf_putc(out, '}');
}

static str room_text(arena *m, const struct audit_line *l)
{
	AUTO_BUF buf b = buf_new(WEB_WATCH_AUDIT_ROW_ROOM_MAX);
	buf_printf(&b, "%.*s %llu", (int)(l->room.n < 16 ? l->room.n : 16), l->room.p, (unsigned long long)l->number);
	return arena_dup(m, buf_str(&b));
}

static result row_of(arena *m, const struct found *f, struct web_watch_audit_row *out)
{
	struct audit_line l;
	AUTO_BUF buf fields = buf_new(FIELDS_MAX);
	must(audit_line_read(buf_str(&f->line), &l));
	put_fields(&fields, l.fields, buf_str(&f->clear));
	if (fields.broken) {
		buf_clear(&fields);
		buf_put(&fields, STR("{\"cut\":1}"));
	}
	*out = (struct web_watch_audit_row){.seq = l.seq, .time = arena_dup(m, l.time), .room = room_text(m, &l)};
	out->event = arena_dup(m, str_sub(l.event, 0, WEB_WATCH_AUDIT_ROW_EVENT_MAX));
	out->trace = arena_dup(m, l.trace);
	out->fields = arena_dup(m, buf_str(&fields));
	return arena_result(m);
}

static result answer_of(const struct showing *s, arena *m, struct web_watch_audit_records *out)
{
	struct web_watch_audit_row *rows = arena_array(m, s->n + 1, sizeof *rows);
	if (!rows)
		return arena_result(m);
	for (size_t i = 0; i < s->n; i++)
		TRY(row_of(m, &s->rows[i], &rows[i]));
	out->rows.p = rows;
	out->rows.n = s->n;
	out->next = s->next;
	return OK;
}

/* ---- the call ---- */

static void showing_free(struct showing **at)
{
	struct showing *s = *at;
	if (!s)
		return;
	for (size_t i = 0; i < ROWS; i++) {
		buf_free(&s->ring[i].line);
		buf_free(&s->ring[i].clear);
		buf_free(&s->rows[i].line);
		buf_free(&s->rows[i].clear);
	}
	mem_free(s->names);
	mem_free(s);
}

/* The thread gets what it may look at as a copy: the keeper goes on meanwhile. */
static result prepare(struct audit *a, struct showing *s)
{
	for (size_t i = 0; i < ROWS; i++) {
		s->ring[i] = (struct found){.line = buf_new(AUDIT_LINE_MAX), .clear = buf_new(AUDIT_LINE_MAX)};
		s->rows[i] = s->ring[i];
	}
	s->files = a->options.files;
	s->end = a->seq;
	s->newest_has = s->asked.account == 0 || audit_set_has(&a->files.accounts, s->asked.account);
	s->names = mem_array(a->files.names_n + 1, sizeof *s->names);
	if (!s->names)
		return failure(FAIL_MEMORY, "out of memory");
	if (a->files.names_n > 0)
		memcpy(s->names, a->files.names, a->files.names_n * sizeof *s->names);
	s->names_n = a->files.names_n;
	return OK;
}

result audit_show(struct audit *a, const struct audit_question *q, arena *m, struct web_watch_audit_records *out)
{
	struct showing __attribute__((cleanup(showing_free))) *s = mem_alloc(sizeof *s);
	if (!s)
		return failure(FAIL_MEMORY, "out of memory");
	s->asked = *q;
	TRY(prepare(a, s));
	TRY(audit_work(a, run_show, s));
	return answer_of(s, m, out);
}
