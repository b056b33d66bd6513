#include "account/store/core.h"
#include "base/mem.h"

size_t loaded_from(const struct loaded *l, uint32_t uid)
{
	size_t low = 0, high = l->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (l->v[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct row *loaded_row(const struct loaded *l, uint32_t uid, size_t hint)
{
	if (hint < l->n && l->v[hint].uid == uid)
		return &l->v[hint];
	size_t at = loaded_from(l, uid);
	return at < l->n && l->v[at].uid == uid ? &l->v[at] : NULL;
}

static bool reserve(struct loaded *l, size_t n)
{
	if (n <= l->cap)
		return true;
	size_t want = l->cap ? l->cap + l->cap / 2 : 64;
	if (want < n)
		want = n;
	struct row *v = mem_grow(l->v, want * sizeof *v);
	if (!v) {
		l->broken = true;
		return false;
	}
	l->v = v;
	l->cap = want;
	return true;
}

void loaded_arrive(struct loaded *l, const struct row *row)
{
	must(l->n == 0 || l->v[l->n - 1].uid < row->uid);
	if (reserve(l, l->n + 1))
		l->v[l->n++] = *row;
}

/* The slowest view decides what is kept; past the limit the older half goes,
 * and views that had not read it compare whole. */
void loaded_forget_notes(struct loaded *l)
{
	uint64_t slowest = l->notes_first + l->notes_n;
	LIST_EACH(node, &l->views) {
		const struct view *v = LIST_OWNER(node, struct view, place);
		if (v->read < slowest)
			slowest = v->read;
	}
	size_t drop = slowest > l->notes_first ? (size_t)(slowest - l->notes_first) : 0;
	if (l->notes_n - drop >= STORE_JOURNAL_MAX)
		drop = l->notes_n - STORE_JOURNAL_MAX / 2;
	l->notes_n -= drop;
	l->notes_first += drop;
	if (l->notes_n == 0) {
		mem_free(l->notes);
		l->notes = NULL;
		l->notes_cap = 0;
	} else if (drop) {
		memmove(l->notes, l->notes + drop, l->notes_n * sizeof *l->notes);
	}
}

/* A note that finds no memory is not lost: its position counts, so every view
 * that has not read it is behind the notes and compares whole. */
static void note(struct loaded *l, enum note_kind kind, uint32_t uid, uint32_t origin)
{
	if (list_empty(&l->views))
		return;
	if (l->notes_n >= STORE_JOURNAL_MAX)
		loaded_forget_notes(l);
	if (l->notes_n == l->notes_cap) {
		size_t want = l->notes_cap ? l->notes_cap * 2 : 32;
		struct note *v = mem_grow(l->notes, want * sizeof *v);
		if (!v) {
			l->notes_first += l->notes_n + 1;
			l->notes_n = 0;
			return;
		}
		l->notes = v;
		l->notes_cap = want;
	}
	l->notes[l->notes_n++] = (struct note){uid, origin & INT32_MAX, kind & 1};
}

void loaded_flag(struct loaded *l, const struct row *row, uint32_t origin)
{
	size_t at = l->next < l->n && l->v[l->next].uid == row->uid ? l->next : loaded_from(l, row->uid);
	if (at == l->n || l->v[at].uid != row->uid)
		return;
	l->next = at + 1;
	l->v[at].flags = row->flags;
	l->v[at].modseq = row->modseq;
	l->v[at].size = row->size; /* which only a check mends */
	note(l, NOTE_FLAGS, row->uid, origin);
}

void loaded_remove(struct loaded *l, const struct gone *e, size_t n, uint32_t origin)
{
	size_t from = loaded_from(l, e[0].uid), to = from, k = 0;
	for (; from < l->n; from++) {
		while (k < n && e[k].uid < l->v[from].uid)
			k++;
		if (k < n && e[k].uid == l->v[from].uid)
			continue;
		if (k == n) {
			memmove(l->v + to, l->v + from, (l->n - from) * sizeof *l->v);
			to += l->n - from;
			break;
		}
		l->v[to++] = l->v[from];
	}
	l->n = to;
	for (size_t i = 0; i < n; i++)
		note(l, NOTE_GONE, e[i].uid, origin);
}

void loaded_keyword(struct loaded *l, unsigned bit, str name)
{
	char *p = mem_alloc(name.n ? name.n : 1);
	if (!p) {
		l->broken = true;
		return;
	}
	if (name.n)
		memcpy(p, name.p, name.n);
	mem_free((void *)(uintptr_t)l->keywords[bit].p);
	l->keywords[bit] = str_of(p, name.n);
	l->keywords_n++;
}

struct loading {
	struct lists *lists;
	struct mbox *box;
	uint64_t id;
	size_t expected; /* rows */
	struct loaded *fresh;
};

static result take_row(void *ctx, uint64_t box, const struct entry *e)
{
	struct loaded *l = ctx;
	(void)box;
	if (!reserve(l, l->n + 1))
		return failure(FAIL_MEMORY, "out of memory");
	l->v[l->n++] = e->row;
	return OK;
}

static result read_rows(struct db *db, struct loading *job)
{
	if (!reserve(job->fresh, job->expected))
		return failure(FAIL_MEMORY, "out of memory");
	job->fresh->n = 0;
	const struct place p = {job->lists, db, job->id};
	TRY(lists_begin(job->lists, db));
	return list_read(&p, &(struct list_reader){.take = take_row, .ctx = job->fresh});
}

static result read_keywords(struct db *db, struct loading *job)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT bit,name FROM keyword WHERE mailbox=?1", DB_INT(job->id)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		loaded_keyword(job->fresh, (unsigned)query_int(q, 0) & 63, query_bytes(q, 1));
		if (job->fresh->broken)
			return failure(FAIL_MEMORY, "out of memory");
	}
}

static result load_run(struct db *db, void *arg)
{
	TRY(read_rows(db, arg));
	return read_keywords(db, arg);
}

/* In the order of the commits: what was committed before is in the rows, what
 * comes after is applied to them. Of two that load at once the first counts. */
static void load_kept(void *arg)
{
	struct loading *job = arg;
	if (job->box->loaded || job->box->gone)
		return;
	job->box->loaded = job->fresh;
	job->fresh = NULL;
}

static struct loaded *loaded_new(void)
{
	struct loaded *l = mem_alloc(sizeof *l);
	if (l) {
		list_init(&l->views);
		gate_init(&l->changed);
	}
	return l;
}

static void free_loaded(struct loaded *l)
{
	if (!l)
		return;
	for (unsigned i = 0; i < 64; i++)
		mem_free((void *)(uintptr_t)l->keywords[i].p);
	mem_free(l->v);
	mem_free(l->notes);
	mem_free(l);
}

void loaded_free(struct mbox *b)
{
	if (!b->loaded)
		return;
	must(list_empty(&b->loaded->views));
	free_loaded(b->loaded);
	b->loaded = NULL;
}

result loaded_get(struct store *s, struct mbox *b)
{
	if (b->loaded && b->loaded->broken && list_empty(&b->loaded->views))
		loaded_free(b);
	if (b->loaded && b->loaded->broken)
		return failure(FAIL_MEMORY, "the mailbox did not fit into memory; close and open it again");
	if (b->loaded)
		return OK;
	struct loading job = {.lists = &s->lists, .box = b, .id = b->row.id, .expected = b->row.messages,
		.fresh = loaded_new()};
	if (!job.fresh)
		return failure(FAIL_MEMORY, "out of memory");
	const struct commit_job load = {load_run, load_kept, &job, false, job.expected <= STORE_BRIEF_ROWS};
	result r = committer_do(s->committer, &load);
	free_loaded(job.fresh);
	if (!failed(r) && b->gone)
		return failure(FAIL_ABSENT, "the mailbox was deleted meanwhile");
	return r;
}

void box_hold(struct store *s, struct mbox *b)
{
	if (b->holds++ == 0 && b->loaded)
		s->kept_rows -= b->loaded->kept;
}

void box_let_go(struct store *s, struct mbox *b)
{
	if (--b->holds > 0)
		return;
	struct loaded *l = b->loaded;
	if (b->gone) {
		box_free(b);
	} else if (l && (l->broken || s->kept_rows + l->n > STORE_ROWS_KEPT)) {
		loaded_free(b);
	} else if (l) {
		l->kept = l->n;
		s->kept_rows += l->kept;
	}
}
