/* The profiles' tables in directory.db. */
#include "auth/profile_core.h"

#include <sodium.h>

#include "auth/directory_core.h"
#include "base/mem.h"
#include "run/clock.h"
#include "run/random.h"

/* ---- the key ---- */

struct key_job {
	unsigned char key[PROFILE_KEY];
};

static result run_key(struct db *db, void *arg)
{
	struct key_job *j = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT key FROM mark_key"));
	TRY(query_next(q, &row));
	if (!row)
		return db_run(db, "INSERT INTO mark_key (key) VALUES (?1)",
			      DB_BLOB(str_of((const char *)j->key, sizeof j->key)));
	str key = query_bytes(q, 0);
	if (key.n != sizeof j->key)
		return failure(FAIL_DAMAGE, "the key of correspondents' marks has another length");
	memcpy(j->key, key.p, key.n);
	return OK;
}

result profiles_open(struct profiles *p, struct directory *d, const struct options *o)
{
	struct key_job j;
	*p = (struct profiles){.options = o, .accounts = hash_new(BOOK_ADDRESSES)};
	list_init(&p->oldest);
	random_fill(j.key, sizeof j.key);
	TRY(edit_commit(d, run_key, NULL, &j));
	memcpy(p->key, j.key, sizeof p->key);
	p->directory = d;
	return OK;
}

/* ---- reading one ---- */

struct load_job {
	struct profile *f;
	int64_t from; /* slot */
};

static result load_buckets(struct db *db, const struct load_job *j)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT slot, sent, first FROM sent WHERE account = ?1 AND slot > ?2",
		   DB_INT(j->f->account), DB_INT(j->from)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		int64_t slot = query_int(q, 0);
		if (slot >= 0)
			j->f->day[slot % PROFILE_DAY] = (struct profile_bucket){.slot = slot,
				.sent = (uint32_t)query_int(q, 1), .first = (uint32_t)query_int(q, 2)};
	}
}

static result load_marks(struct db *db, const struct load_job *j)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT mark FROM correspondent WHERE account = ?1 ORDER BY id", DB_INT(j->f->account)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		profile_learn(j->f, (uint64_t)query_int(q, 0), false);
	}
}

static result run_load(struct db *db, void *arg)
{
	TRY(load_buckets(db, arg));
	return load_marks(db, arg);
}

result profile_load(struct profiles *p, struct profile *f)
{
	struct load_job j = {f, clock_wall_s() / PROFILE_BUCKET_S - PROFILE_DAY};
	return p->directory ? directory_read(p->directory, run_load, &j) : failure(FAIL_CLOSED, "the room is ending");
}

/* ---- writing down ---- */

struct bucket_row {
	uint64_t account;
	int64_t slot;
	uint32_t sent, first;
};

struct mark_row {
	uint64_t account, mark;
};

/* What has changed, copied, so that the loop may go on counting. */
struct flush_job {
	struct bucket_row *buckets;
	struct mark_row *marks;
	size_t buckets_n, buckets_cap, marks_n, marks_cap;
	int64_t before; /* slots up to here are of no use any more */
};

static result copy_profile(struct flush_job *j, const struct profile *f)
{
	for (size_t i = 0; i < PROFILE_DAY; i++) {
		const struct profile_bucket *b = &f->day[i];
		if (!b->changed)
			continue;
		if (!mem_room(&j->buckets, &j->buckets_cap, j->buckets_n, sizeof *j->buckets))
			return failure(FAIL_MEMORY, "out of memory");
		j->buckets[j->buckets_n++] = (struct bucket_row){f->account, b->slot, b->sent, b->first};
	}
	for (size_t i = f->ring_n - f->fresh; i < f->ring_n; i++) {
		if (!mem_room(&j->marks, &j->marks_cap, j->marks_n, sizeof *j->marks))
			return failure(FAIL_MEMORY, "out of memory");
		j->marks[j->marks_n++] = (struct mark_row){f->account, f->ring[(f->ring_at + i) % f->ring_cap]};
	}
	return OK;
}

static result prune(struct db *db, uint64_t account)
{
	return db_run(db, "DELETE FROM correspondent WHERE account = ?1 AND id <= coalesce((SELECT id FROM correspondent"
		      " WHERE account = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2), -1)", DB_INT(account), DB_INT(PROFILE_KNOWN));
}

/* An account that was erased meanwhile takes its rows along. */
static result run_flush(struct db *db, void *arg)
{
	const struct flush_job *j = arg;
	for (size_t i = 0; i < j->buckets_n; i++) {
		const struct bucket_row *b = &j->buckets[i];
		TRY(db_run(db, "INSERT OR REPLACE INTO sent (account, slot, sent, first)"
			   " SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM account WHERE id = ?1)",
			   DB_INT(b->account), DB_INT(b->slot), DB_INT(b->sent), DB_INT(b->first)));
		TRY(db_run(db, "DELETE FROM sent WHERE account = ?1 AND slot <= ?2", DB_INT(b->account), DB_INT(j->before)));
	}
	for (size_t i = 0; i < j->marks_n; i++) {
		const struct mark_row *m = &j->marks[i];
		TRY(db_run(db, "INSERT INTO correspondent (account, mark)"
			   " SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM account WHERE id = ?1)",
			   DB_INT(m->account), DB_INT(m->mark)));
		if (i + 1 == j->marks_n || j->marks[i + 1].account != m->account)
			TRY(prune(db, m->account));
	}
	return OK;
}

/* What has not changed again since it was copied is clean. */
static void settle(struct profiles *p, const struct flush_job *j)
{
	for (size_t i = 0; i < j->buckets_n; i++) {
		const struct bucket_row *row = &j->buckets[i];
		struct profile *f = hash_get_u64(&p->accounts, row->account);
		struct profile_bucket *b = f ? &f->day[row->slot % PROFILE_DAY] : NULL;
		if (b && b->slot == row->slot && b->sent == row->sent)
			b->changed = false;
	}
	for (size_t i = 0; i < j->marks_n; i++) {
		struct profile *f = hash_get_u64(&p->accounts, j->marks[i].account);
		if (f && f->fresh)
			f->fresh--;
	}
}

static bool is_changed(const struct profile *f)
{
	for (size_t i = 0; i < PROFILE_DAY; i++)
		if (f->day[i].changed)
			return true;
	return f->fresh > 0;
}

static result copy_changed(struct profiles *p, struct flush_job *j)
{
	LIST_EACH(n, &p->oldest) {
		struct profile *f = LIST_OWNER(n, struct profile, node);
		if (f->changed)
			TRY(copy_profile(j, f));
	}
	return OK;
}

static void mark_clean(struct profiles *p)
{
	LIST_EACH(n, &p->oldest) {
		struct profile *f = LIST_OWNER(n, struct profile, node);
		f->changed = f->changed && is_changed(f);
	}
}

result profiles_flush(struct profiles *p)
{
	struct flush_job j = {.before = clock_wall_s() / PROFILE_BUCKET_S - PROFILE_DAY};
	if (!p->directory)
		return OK;
	result r = copy_changed(p, &j);
	if (!failed(r) && j.buckets_n + j.marks_n > 0)
		r = edit_commit(p->directory, run_flush, NULL, &j);
	if (!failed(r) && p->directory) {
		settle(p, &j);
		mark_clean(p);
	}
	mem_free(j.buckets);
	mem_free(j.marks);
	return r;
}

static bool any_changed(const struct profiles *p)
{
	LIST_EACH(n, &p->oldest)
		if (LIST_OWNER(n, struct profile, node)->changed)
			return true;
	return false;
}

/* A full disk is tried again: counting goes on in memory. */
static void flush_fiber(void *arg)
{
	struct profiles *p = arg;
	while (!failed(fiber_sleep(PROFILE_FLUSH_MS)) && !p->closed && any_changed(p)) {
		result r = profiles_flush(p);
		(void)r; /* the disk's failure was told by whoever met it first */
	}
	p->flushing = false;
}

void profile_flush_later(struct profiles *p)
{
	if (!p->flushing)
		p->flushing = !failed(fiber_start(flush_fiber, p, "profiles", NULL));
}
