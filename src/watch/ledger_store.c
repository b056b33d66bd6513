#include "watch/ledger_store.h"

#include <stdlib.h>

#include "engine/pack.h"

static const char *const steps[] = {
	"CREATE TABLE epoch(id INTEGER PRIMARY KEY, started INTEGER NOT NULL, marks INTEGER NOT NULL,"
	" first_row INTEGER NOT NULL);"
	"CREATE TABLE entries(id INTEGER PRIMARY KEY, packed BLOB NOT NULL);"
	"CREATE TABLE mark(lane INTEGER NOT NULL, key INTEGER NOT NULL, row INTEGER NOT NULL, at INTEGER NOT NULL,"
	" PRIMARY KEY(lane, key, row, at)) WITHOUT ROWID;",
	/* detect/habits.h, detect/persons.h. An address is 16 octets, of IPv6 the first 8 and then zeros. */
	"CREATE TABLE habit(account INTEGER NOT NULL, address BLOB NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
	" PRIMARY KEY(account, address)) WITHOUT ROWID;"
	"CREATE TABLE conduct(account INTEGER PRIMARY KEY, packed BLOB NOT NULL);",
	/* bans.h. A network is 16 octets (IPv4 as ::ffff:a.b.c.d) and how many bits of them count. */
	"CREATE TABLE ban(network BLOB NOT NULL, bits INTEGER NOT NULL, grade INTEGER NOT NULL, by_hand INTEGER NOT NULL,"
	" since INTEGER NOT NULL, until INTEGER NOT NULL, refused INTEGER NOT NULL, last INTEGER NOT NULL,"
	" why TEXT NOT NULL, by TEXT NOT NULL, PRIMARY KEY(network, bits)) WITHOUT ROWID;",
};
const struct db_schema ledger_schema = {steps, sizeof steps / sizeof steps[0]};

/* An epoch is no longer than this part of the time that the ledger keeps. */
enum { EPOCH_PART = 16, PAGE = 4096 };

struct epoch {
	int64_t id, started, marks;
};

/* Lanes of an epoch in the table: forgetting it is one range. */
static int64_t lane_of(int64_t epoch, enum lane lane)
{
	return epoch * LANES + (int64_t)lane;
}

/* ---- writing ---- */

static result newest_epoch(struct db *db, struct epoch *out)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT id, started, marks FROM epoch ORDER BY id DESC LIMIT 1"));
	TRY(query_next(q, &row));
	*out = (struct epoch){0};
	if (row)
		*out = (struct epoch){query_int(q, 0), query_int(q, 1), query_int(q, 2)};
	return OK;
}

static result epoch_for(struct db *db, const struct ledger_writing *w, struct epoch *e)
{
	int64_t rows;
	TRY(newest_epoch(db, e));
	bool old = w->now - e->started > w->keep_ms / EPOCH_PART || w->now < e->started;
	if (e->id > 0 && e->marks < LEDGER_EPOCH_MARKS && !old)
		return OK;
	TRY(db_get(db, &rows, "SELECT ifnull(max(id), 0) FROM entries"));
	TRY(db_run(db, "INSERT INTO epoch(id, started, marks, first_row) VALUES(?1, ?2, 0, ?3)", DB_INT(e->id + 1),
		   DB_INT(w->now), DB_INT(rows + 1)));
	*e = (struct epoch){.id = e->id + 1, .started = w->now};
	return OK;
}

static result write_rows(struct db *db, const struct ledger_batch *b, int64_t *first)
{
	struct packer packer = {0};
	AUTO_BUF buf packed = buf_new(PACK_MAX);
	result r = OK;
	for (size_t i = 0; i < b->rows && !failed(r); i++) {
		size_t end = i + 1 < b->rows ? b->cuts[i + 1] : b->entries.n;
		buf_clear(&packed);
		r = pack(&packer, str_sub(buf_str(&b->entries), b->cuts[i], end - b->cuts[i]), &packed);
		if (!failed(r))
			r = db_run(db, "INSERT INTO entries(packed) VALUES(?1)", DB_BLOB(buf_str(&packed)));
		if (!failed(r) && i == 0)
			*first = db_last_row(db);
	}
	packer_trim(&packer);
	return r;
}

static int in_table_order(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;
	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

static result write_marks(struct db *db, struct ledger_batch *b, const struct epoch *e, int64_t first)
{
	if (b->n > 0)
		qsort(b->marks, b->n, sizeof *b->marks, in_table_order);
	for (size_t i = 0; i < b->n; i++) {
		const struct mark *m = &b->marks[i];
		TRY(db_run(db, "INSERT OR IGNORE INTO mark VALUES(?1, ?2, ?3, ?4)", DB_INT(lane_of(e->id, m->lane)),
			   DB_INT(m->key), DB_INT(first + m->row), DB_INT(m->at)));
	}
	return db_run(db, "UPDATE epoch SET marks = marks + ?2 WHERE id = ?1", DB_INT(e->id), DB_INT(b->n));
}

static result octets_used(struct db *db, uint64_t *out)
{
	int64_t pages, free_pages;
	TRY(db_get(db, &pages, "PRAGMA page_count"));
	TRY(db_get(db, &free_pages, "PRAGMA freelist_count"));
	*out = (uint64_t)(pages - free_pages) * PAGE;
	return OK;
}

/* The oldest epoch and where the one after it begins; ABSENT when there is only one. */
static result oldest_epoch(struct db *db, struct epoch *out, int64_t *next_started, int64_t *next_row)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT id, started, first_row FROM epoch ORDER BY id LIMIT 2"));
	TRY(query_next(q, &row));
	if (row)
		out->id = query_int(q, 0);
	if (row)
		TRY(query_next(q, &row));
	if (!row)
		return failure(FAIL_ABSENT, "there is no epoch to forget");
	*next_started = query_int(q, 1);
	*next_row = query_int(q, 2);
	return OK;
}

/* At most one epoch each time, so that no commit takes long. */
static result forget_one(struct db *db, const struct ledger_writing *w)
{
	struct epoch e;
	int64_t next_started, next_row;
	uint64_t used;
	result r = oldest_epoch(db, &e, &next_started, &next_row);
	if (r.kind == FAIL_ABSENT)
		return OK;
	TRY(r);
	TRY(octets_used(db, &used));
	if (w->now - next_started <= w->keep_ms && used <= w->octets_max)
		return OK;
	TRY(db_run(db, "DELETE FROM mark WHERE lane >= ?1 AND lane < ?2", DB_INT(lane_of(e.id, 0)),
		   DB_INT(lane_of(e.id + 1, 0))));
	TRY(db_run(db, "DELETE FROM entries WHERE id < ?1", DB_INT(next_row)));
	return db_run(db, "DELETE FROM epoch WHERE id = ?1", DB_INT(e.id));
}

result ledger_write(struct db *db, void *writing)
{
	const struct ledger_writing *w = writing;
	struct epoch e;
	int64_t first = 0;
	TRY(epoch_for(db, w, &e));
	TRY(write_rows(db, w->batch, &first));
	TRY(write_marks(db, w->batch, &e, first));
	return forget_one(db, w);
}

/* ---- searching ---- */

/* The row that was unpacked last: marks of one letter are mostly neighbours. */
struct shelf {
	int64_t row;
	buf plain;
	struct packer packer;
};

static result take_row(struct db *db, struct shelf *s, int64_t id)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	if (s->row == id)
		return OK;
	s->row = 0;
	buf_clear(&s->plain);
	TRY(db_ask(db, &q, "SELECT packed FROM entries WHERE id = ?1", DB_INT(id)));
	TRY(query_next(q, &row));
	if (!row)
		return failure(FAIL_ABSENT, "the entry is gone");
	TRY(unpack(&s->packer, query_bytes(q, 0), &s->plain));
	s->row = id;
	return OK;
}

static bool is_wanted(const struct ledger_search *s, const struct entry *e)
{
	struct log_record r;
	if (s->address.n > 0)
		return entry_names(e->record, s->address);
	return log_read(e->record, &r) && trace_has_prefix(&r.trace, &s->trace);
}

static result look_at(struct db *db, struct ledger_search *s, struct shelf *shelf, const struct query *q)
{
	struct entry e;
	if (s->n >= LEDGER_FOUND_MAX) {
		s->more++; /* by its mark alone: a hash may have met another */
		return OK;
	}
	TRY(take_row(db, shelf, query_int(q, 0)));
	int64_t at = query_int(q, 1);
	if (at < 0 || !entry_read(buf_str(&shelf->plain), (size_t)at, &e))
		return failure(FAIL_DAMAGE, "an entry of the ledger cannot be read");
	if (!is_wanted(s, &e))
		return OK;
	s->offsets[s->n++] = s->found.n;
	entry_put(&s->found, &e);
	return buf_result(&s->found);
}

static result search_epoch(struct db *db, struct ledger_search *s, struct shelf *shelf, int64_t epoch)
{
	struct query AUTO_QUERY *q = NULL;
	bool row = true;
	bool by_address = s->address.n > 0;
	int64_t least = by_address ? address_key(s->address, s->secret) : s->trace.least;
	int64_t most = by_address ? least : s->trace.most;
	TRY(db_ask(db, &q, "SELECT row, at FROM mark WHERE lane = ?1 AND key BETWEEN ?2 AND ?3 ORDER BY row DESC, at DESC",
		   DB_INT(lane_of(epoch, by_address ? LANE_ADDRESS : LANE_TRACE)), DB_INT(least), DB_INT(most)));
	while (s->more < LEDGER_MORE_MAX) {
		TRY(query_next(q, &row));
		if (!row)
			break;
		TRY(look_at(db, s, shelf, q));
	}
	return OK;
}

result ledger_search(struct db *db, void *search)
{
	struct ledger_search *s = search;
	struct shelf shelf = {.plain = buf_new(PACK_MAX)};
	struct query AUTO_QUERY *q = NULL;
	bool row;
	buf_clear(&s->found); /* the committer may run this twice */
	s->n = 0;
	s->more = 0;
	result r = db_ask(db, &q, "SELECT id FROM epoch ORDER BY id DESC");
	while (!failed(r) && s->more < LEDGER_MORE_MAX) {
		r = query_next(q, &row);
		if (failed(r) || !row)
			break;
		r = search_epoch(db, s, &shelf, query_int(q, 0));
	}
	buf_free(&shelf.plain);
	packer_trim(&shelf.packer);
	return r;
}
