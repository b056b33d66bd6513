#include "account/store/bytes.h"
#include "grammar/mime/search_text.h"
#include "run/effort.h"

struct reading {
	struct store *store;
	struct db *db;
	uint64_t box;
	const struct uids *which;
	unsigned want;
	arena *m;
	struct fetch_row *rows;
	size_t n;
	size_t bytes;
	char sql[400];
};

enum { FIXED_COLUMNS = 1 }; /* those before what was asked for */

static const struct {
	unsigned want;
	const char *columns;
} wanted[] = {
	{FETCH_TRACE, ",c.trace"},
	{FETCH_ENVELOPE, ",c.envelope"},
	{FETCH_STRUCTURE, ",c.structure"},
	{FETCH_BASIC, ",c.basic"},
	{FETCH_PARTS, ",c.parts"},
	{FETCH_HEADER, ",c.trace,c.head,c.head_size"},
	{FETCH_SEARCH, ",c.search"},
	{FETCH_SEARCHED_BODY, ",c.blob,c.head,c.rest"},
	{FETCH_LETTER, ",c.blob,c.trace,c.head,c.rest,c.head_size+c.rest_size"},
};

/* Only the columns asked for: the others may lie on pages of their own. */
static result make_sql(struct reading *r)
{
	AUTO_BUF buf b = buf_new(sizeof r->sql - 1);
	buf_put(&b, STR("SELECT length(c.trace)+c.header_size"));
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		if (r->want & wanted[i].want)
			buf_put(&b, str_from(wanted[i].columns));
	buf_put(&b, STR(" FROM content c WHERE c.id=?1"));
	TRY(buf_result(&b));
	memcpy(r->sql, b.p, b.n);
	r->sql[b.n] = 0;
	return OK;
}

static str keep(struct reading *r, str s)
{
	r->bytes += s.n;
	return arena_dup(r->m, s);
}

/* What was packed in one or two pieces, behind what was not. */
static result keep_unpacked(struct reading *r, str first, const str packed[2], str *out)
{
	struct store *s = r->store;
	buf_clear(&s->scratch);
	buf_put(&s->scratch, first);
	for (size_t i = 0; i < 2 && packed[i].n; i++)
		TRY(unpack(engine_packer(s->engine), packed[i], &s->scratch));
	*out = keep(r, buf_str(&s->scratch));
	return OK;
}

static result keep_letter(struct reading *r, const struct query *q, int at, struct fetch_row *row)
{
	const str pieces[2] = {query_bytes(q, at + 2), query_bytes(q, at + 3)};
	str trace = query_bytes(q, at + 1);
	if (!query_is_null(q, at))
		return OK;
	TRY(keep_unpacked(r, trace, pieces, &row->letter));
	return row->letter.n == trace.n + (uint64_t)query_int(q, at + 4)
		       ? OK
		       : failure(FAIL_DAMAGE, "a stored message has not the size it had");
}

static result read_columns(struct reading *r, const struct query *q, struct fetch_row *row)
{
	int at = FIXED_COLUMNS;
	str *const plain[] = {&row->trace, &row->envelope, &row->structure, &row->basic, &row->parts};
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (r->want & wanted[i].want)
			*plain[i] = keep(r, query_bytes(q, at++));
	if (r->want & FETCH_HEADER) {
		str trace = query_bytes(q, at);
		if (trace.n + (uint64_t)query_int(q, at + 2) == row->header_size)
			TRY(keep_unpacked(r, trace, (str[2]){query_bytes(q, at + 1)}, &row->header));
		at += 3;
	}
	if (r->want & FETCH_SEARCH)
		TRY(keep_unpacked(r, STR(""), (str[2]){query_bytes(q, at++)}, &row->search));
	if (r->want & FETCH_SEARCHED_BODY) {
		const str pieces[2] = {query_bytes(q, at + 1), query_bytes(q, at + 2)};
		if (query_is_null(q, at) && search_text_copies(row->search))
			TRY(keep_unpacked(r, STR(""), pieces, &row->body));
		at += 3;
	}
	if (r->want & FETCH_LETTER)
		TRY(keep_letter(r, q, at, row));
	return arena_result(r->m);
}

static result read_content(struct reading *r, struct fetch_row *row)
{
	struct query AUTO_QUERY *q = NULL;
	TRY(db_ask(r->db, &q, r->sql, DB_INT(row->content)));
	TRY(query_next(q, &row->present));
	if (!row->present)
		return OK;
	row->header_size = (uint64_t)query_int(q, 0);
	return read_columns(r, q, row);
}

static result read_row(struct reading *r, uint32_t uid, struct fetch_row *out)
{
	struct entry e;
	const struct place p = {&r->store->lists, r->db, r->box};
	struct fetch_row row = {.uid = uid};
	TRY(effort_check());
	result got = list_get(&p, uid, &e);
	if (!failed(got)) {
		row.date = e.dates.date;
		row.minutes = e.dates.minutes;
		row.saved = e.dates.saved;
		row.size = e.row.size;
		row.content = e.row.content;
		got = read_content(r, &row);
	}
	if (failed(got) && got.kind != FAIL_ABSENT)
		return got;
	*out = row.present ? row : (struct fetch_row){.uid = uid};
	return OK;
}

/* Ends early once enough is read, also where the arena has no more room. */
static result rows_run(struct db *db, void *arg)
{
	struct reading *r = arg;
	r->db = db;
	TRY(lists_begin(&r->store->lists, db));
	size_t n = r->which->n < FETCH_ROWS_MAX ? r->which->n : FETCH_ROWS_MAX;
	for (r->n = 0; r->n < n && r->bytes < FETCH_BYTES_MAX; r->n++) {
		result got = read_row(r, r->which->v[r->n], &r->rows[r->n]);
		if (got.kind == FAIL_LIMIT && r->n > 0)
			break;
		TRY(got);
	}
	return OK;
}

result fetch_rows(struct view *v, const struct uids *which, unsigned want, arena *m, struct fetched *out)
{
	TRY(view_may(v, OP_READ, false));
	struct reading r = {.store = v->actor.store, .box = v->box->row.id, .which = which, .want = want, .m = m};
	size_t n = which->n < FETCH_ROWS_MAX ? which->n : FETCH_ROWS_MAX;
	r.rows = arena_array(m, n ? n : 1, sizeof *r.rows);
	if (!r.rows)
		return arena_result(m);
	TRY(make_sql(&r));
	TRY(store_read(r.store, rows_run, NULL, &r));
	*out = (struct fetched){r.rows, r.n};
	return OK;
}

void fetch_email_id(uint64_t content, char out[EMAIL_ID_SIZE])
{
	store_object_id('M', content, out);
}
