#include "watch/ledger.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/mem.h"
#include "run/clock.h"
#include "watch/keeper.h"
#include "watch/ledger_store.h"

static const char path[] = "ledger.db";
static const unsigned char id[BOX_ID] = "postern-ledger";

struct ledger {
	struct ledger_options options;
	unsigned char secret[MARK_KEY];
	struct committer *committer;
	struct ledger_batch gathering; /* the loop's */
	struct ledger_batch leaving;   /* the store thread's while a commit runs */
	uint64_t kept, dropped, told;
	struct keeper keeper;
};

/* ---- batches ---- */

static void batch_init(struct ledger_batch *b)
{
	*b = (struct ledger_batch){.entries = buf_new(LEDGER_PENDING_MAX)};
}

static void batch_clear(struct ledger_batch *b)
{
	buf_clear(&b->entries);
	b->rows = b->n = 0;
	b->count = 0;
}

static void batch_free(struct ledger_batch *b)
{
	buf_free(&b->entries);
	mem_free(b->cuts);
	mem_free(b->marks);
	batch_init(b);
}

static bool has_room(void **p, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return true;
	size_t more = need * 2;
	void *grown = mem_grow(*p, more * size);
	if (!grown)
		return false;
	*p = grown;
	*cap = more;
	return true;
}

static bool begin_row(struct ledger_batch *b)
{
	if (b->rows > 0 && b->entries.n - b->cuts[b->rows - 1] < LEDGER_ROW_MAX)
		return true;
	if (!has_room((void **)&b->cuts, &b->rows_cap, b->rows + 1, sizeof *b->cuts))
		return false;
	b->cuts[b->rows++] = b->entries.n;
	return true;
}

static bool batch_add(struct ledger_batch *b, const struct entry *e, const struct marks *m)
{
	size_t before = b->entries.n;
	if (!begin_row(b) || !has_room((void **)&b->marks, &b->cap, b->n + m->n, sizeof *b->marks))
		return false;
	entry_put(&b->entries, e);
	if (b->entries.broken) {
		b->entries.broken = FAIL_NONE;
		b->entries.n = before;
		return false;
	}
	for (size_t i = 0; i < m->n; i++)
		b->marks[b->n++] = (struct mark){.key = m->keys[i], .lane = i == 0 ? LANE_TRACE : LANE_ADDRESS,
						 .row = (uint32_t)(b->rows - 1),
						 .at = (uint32_t)(before - b->cuts[b->rows - 1])};
	b->count++;
	return true;
}

void ledger_add(struct ledger *l, const struct entry *e, const struct log_record *r)
{
	struct marks m;
	entry_marks(r, l->secret, &m);
	bool first = l->gathering.count == 0;
	if (!batch_add(&l->gathering, e, &m))
		l->dropped++;
	else if (first)
		gate_wake_all(&l->keeper.changed);
}

/* ---- committing ---- */

static void tell_losses(struct ledger *l, result r)
{
	if (l->dropped == l->told)
		return;
	log_event(EV_ROOM_DROPPED, NULL, F_STR("what", STR("ledger entries")), F_U64("events", l->dropped - l->told),
		  F_STR("why", failed(r) ? str_from(r.text) : STR("the ledger did not keep up")));
	l->told = l->dropped;
}

static void commit_gathered(struct ledger *l)
{
	struct ledger_batch full = l->gathering;
	l->gathering = l->leaving;
	l->leaving = full;
	struct ledger_writing w = {.batch = &l->leaving, .now = clock_wall_ms(), .keep_ms = l->options.keep_ms,
				   .octets_max = l->options.octets_max};
	struct commit_job job = {.run = ledger_write, .arg = &w, .writes = true};
	result r = committer_do(l->committer, &job);
	if (failed(r))
		l->dropped += l->leaving.count;
	else
		l->kept += l->leaving.count;
	bool large = l->leaving.entries.cap > LEDGER_ROW_MAX;
	batch_clear(&l->leaving);
	if (large && l->gathering.entries.n < LEDGER_ROW_MAX)
		batch_free(&l->leaving);
	tell_losses(l, r);
}

static result wait_for_entries(struct ledger *l)
{
	result r = keeper_wait(&l->keeper, l->gathering.entries.cap + l->leaving.entries.cap > 0);
	if (r.kind != FAIL_TIMEOUT)
		return r;
	batch_free(&l->leaving);
	if (l->gathering.count == 0)
		batch_free(&l->gathering);
	return OK;
}

static void keep_ledger(void *arg)
{
	struct ledger *l = arg;
	while (l->gathering.count > 0 || !l->keeper.closing) {
		result r = l->gathering.count > 0 || l->keeper.closing ? OK : wait_for_entries(l);
		if (!failed(r) && !l->keeper.closing)
			r = gate_wait(&l->keeper.changed, LEDGER_EVERY_MS);
		if (r.kind == FAIL_CANCELLED)
			break;
		if (l->gathering.count > 0)
			commit_gathered(l);
	}
	keeper_ends(&l->keeper);
}

/* ---- opening and closing ---- */

/* What is damaged is kept for whoever wants to look at it. */
static result set_aside(struct files *f)
{
	log_event(EV_STORE_DAMAGE, NULL, F_STR("file", str_from(path)), F_STR("now", STR("ledger.db.damaged")));
	TRY(files_rename(f, path, "ledger.db.damaged"));
	result r = files_rename(f, "ledger.db-wal", "ledger.db-wal.damaged");
	return r.kind == FAIL_ABSENT ? OK : r;
}

static result open_database(struct ledger *l)
{
	struct db *db = NULL;
	struct db_options o = {.files = l->options.files, .path = path, .key = l->options.key, .id = id,
			       .schema = &ledger_schema};
	result r = db_open(&o, &db);
	if (r.kind == FAIL_DAMAGE) {
		TRY(set_aside(l->options.files));
		r = db_open(&o, &db);
	}
	TRY(r);
	return committer_open(&db, &committer_lull, &l->committer);
}

static void derive_secret(struct ledger *l)
{
	static const unsigned char what[] = "ledger marks";
	crypto_generichash(l->secret, sizeof l->secret, what, sizeof what - 1, l->options.key, LEDGER_KEY);
}

result ledger_open(const struct ledger_options *o, struct ledger **out)
{
	struct ledger *l = mem_alloc(sizeof *l);
	if (!l)
		return failure(FAIL_MEMORY, "out of memory");
	l->options = *o;
	derive_secret(l);
	batch_init(&l->gathering);
	batch_init(&l->leaving);
	keeper_init(&l->keeper);
	result r = open_database(l);
	l->options.key = NULL;
	if (!failed(r)) {
		r = fiber_start(keep_ledger, l, "ledger", NULL);
		if (failed(r))
			committer_close(&l->committer);
	}
	if (failed(r))
		mem_free(l);
	else
		*out = l;
	return r;
}

result ledger_do(struct ledger *l, const struct commit_job *job)
{
	return committer_do(l->committer, job);
}

void ledger_close(struct ledger **at)
{
	struct ledger *l = *at;
	*at = NULL;
	if (!l)
		return;
	keeper_close(&l->keeper);
	committer_close(&l->committer);
	batch_free(&l->gathering);
	batch_free(&l->leaving);
	sodium_memzero(l->secret, sizeof l->secret);
	mem_free(l);
}

uint64_t ledger_kept(const struct ledger *l)
{
	return l->kept;
}

uint64_t ledger_dropped(const struct ledger *l)
{
	return l->dropped;
}

/* ---- searching ---- */

static result room_name(arena *a, const struct origin *o, str *out)
{
	AUTO_BUF buf text = buf_new(WEB_WATCH_TRACE_ROW_ROOM_MAX);
	buf_put(&text, str_sub(o->role, 0, 16));
	buf_putc(&text, ' ');
	buf_put_u64(&text, o->number);
	*out = arena_dup(a, buf_str(&text));
	return out->p ? buf_result(&text) : arena_result(a);
}

static result row_of(arena *a, const struct entry *e, struct web_watch_trace_row *out)
{
	struct log_record r;
	AUTO_BUF buf fields = buf_new(LOG_RECORD_MAX * 6 + 16);
	if (!log_read(e->record, &r))
		return failure(FAIL_DAMAGE, "an entry of the ledger cannot be read");
	out->at = e->at;
	out->trace = r.trace;
	out->event = str_from(log_meaning_of(r.event)->name);
	TRY(room_name(a, &e->from, &out->room));
	if (!fields_put(&fields, r, WEB_WATCH_TRACE_ROW_FIELDS_MAX))
		return failure(FAIL_DAMAGE, "an entry of the ledger cannot be read");
	TRY(buf_result(&fields));
	out->fields = arena_dup(a, buf_str(&fields));
	return out->fields.p ? OK : arena_result(a);
}

static result answer_of(const struct ledger_search *s, arena *a, struct web_watch_traces *out)
{
	struct web_watch_trace_row *rows = arena_array(a, s->n + 1, sizeof *rows);
	if (!rows)
		return arena_result(a);
	for (size_t i = 0; i < s->n; i++) {
		struct entry e;
		if (!entry_read(buf_str(&s->found), s->offsets[s->n - 1 - i], &e))
			return failure(FAIL_DAMAGE, "an entry of the ledger cannot be read");
		TRY(row_of(a, &e, &rows[i]));
	}
	out->rows.p = rows;
	out->rows.n = s->n;
	out->more = s->more;
	return OK;
}

result ledger_find(struct ledger *l, str query, arena *a, struct web_watch_traces *out)
{
	struct ledger_search s = {.secret = l->secret, .found = buf_new(LEDGER_FOUND_MAX * (LOG_RECORD_MAX + 512))};
	if (str_chr(query, '@') != STR_NONE)
		s.address = query;
	else if (!trace_prefix_of(query, &s.trace))
		return failure(FAIL_INPUT, "give an address, or a trace id or at least its first 8 hexadecimal digits");
	struct commit_job job = {.run = ledger_search, .arg = &s, .writes = false};
	result r = committer_do(l->committer, &job);
	if (!failed(r))
		r = answer_of(&s, a, out);
	buf_free(&s.found);
	return r;
}
