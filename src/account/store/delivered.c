#include "account/store/delivered.h"

#include "account/store/check_parts.h"
#include "run/clock.h"

static const int64_t kept_seconds = (int64_t)DELIVERED_DAYS * 86400;

static str bytes_of(const trace_id *id)
{
	return str_of((const char *)id->b, sizeof id->b);
}

/* Milliseconds so many that their microseconds are no content number any more, as an id begins. */
#define TIME_END "080000000000"

/* Microseconds, or 0 for what is no time of ours. */
static uint64_t time_of(const trace_id *id)
{
	uint64_t ms = 0;
	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id->b[i];
	return ms < UINT64_C(1) << 43 ? ms * 1000 : 0;
}

static uint64_t time_of_bytes(str bytes)
{
	trace_id id = {{0}};
	if (bytes.n == sizeof id.b)
		memcpy(id.b, bytes.p, sizeof id.b);
	return time_of(&id);
}

unsigned delivered_tag(const trace_id *id)
{
	return ((unsigned)id->b[14] << 8 | id->b[15]) & CONTENT_TAG_MASK;
}

bool delivered_is_near(const trace_id *id, uint64_t content)
{
	uint64_t made = time_of(id), kept = content >> CONTENT_TAG_BITS;
	bool tagged = (content & CONTENT_TAG_MASK) == delivered_tag(id);
	return made && tagged && kept >= made && kept - made < DELIVERED_NEAR_US;
}

static result prune(struct db *db, unsigned most, int64_t now)
{
	return db_run(db, "DELETE FROM delivered WHERE id IN (SELECT id FROM delivered ORDER BY id LIMIT ?1) AND at < ?2",
		DB_INT(most), DB_INT(now - kept_seconds));
}

static void rise(struct delivered *d, uint64_t to)
{
	d->floor = to > d->floor ? to : d->floor;
}

/* The newest content by its row, for counts that damage set back. */
static result newest_content(struct db *db, uint64_t *out)
{
	int64_t newest;
	TRY(db_get(db, &newest, "SELECT ifnull(max(id),0) FROM content"));
	*out = newest > 0 ? (uint64_t)newest : 0;
	return OK;
}

result delivered_open(struct delivered *d, struct db *db, uint64_t last_content)
{
	struct query AUTO_QUERY *q = NULL;
	uint64_t newest;
	bool row;
	result r = prune(db, DELIVERED_PRUNE_OPENING, clock_wall_s());
	if (failed(r) && r.kind != FAIL_FULL) /* on a full disk it can wait */
		return r;
	TRY(newest_content(db, &newest));
	rise(d, (newest > last_content ? newest : last_content) >> CONTENT_TAG_BITS);
	TRY(db_ask(db, &q, "SELECT max(id) FROM delivered WHERE id < x'" TIME_END "'"));
	TRY(query_next(q, &row));
	rise(d, time_of_bytes(query_bytes(q, 0)));
	return OK;
}

/* False: for certain not. */
static bool may_be_known(struct delivered *d, const trace_id *id)
{
	if (time_of(id) <= d->floor)
		return true;
	for (size_t i = 0; i < d->recent_n; i++)
		if (memcmp(&d->recent[i], id, sizeof *id) == 0)
			return true;
	return false;
}

/* Whatever becomes of this transaction: one who asks again looks. */
static void remember(struct delivered *d, const trace_id *id)
{
	if (d->recent_n == DELIVERED_RECENT) {
		for (size_t i = 0; i < d->recent_n; i++)
			rise(d, time_of(&d->recent[i]));
		d->recent_n = 0;
	}
	d->recent[d->recent_n++] = *id;
}

static result look(struct db *db, const trace_id *id, bool *known)
{
	struct query AUTO_QUERY *q = NULL, AUTO_QUERY *c = NULL;
	uint64_t from = time_of(id) << CONTENT_TAG_BITS;
	TRY(db_ask(db, &q, "SELECT 1 FROM delivered WHERE id=?1", DB_BLOB(bytes_of(id))));
	TRY(query_next(q, known));
	if (*known || !from)
		return OK;
	TRY(db_ask(db, &c, "SELECT 1 FROM content WHERE id>=?1 AND id<?2 AND (id & ?3)=?4 AND delivery=?5", DB_INT(from),
		DB_INT(from + ((uint64_t)DELIVERED_NEAR_US << CONTENT_TAG_BITS)), DB_INT(CONTENT_TAG_MASK),
		DB_INT(delivered_tag(id)), DB_BLOB(bytes_of(id))));
	return query_next(c, known);
}

bool delivered_is_new(struct delivered *d, const trace_id *id)
{
	return !may_be_known(d, id);
}

result delivered_before(struct work *w, const trace_id *id, bool *before)
{
	struct delivered *d = &w->store->delivered;
	*before = false;
	if (may_be_known(d, id))
		return look(w->db, id, before);
	remember(d, id);
	return OK;
}

static result note(struct work *w, str id)
{
	struct delivered *d = &w->store->delivered;
	if (++d->since_prune >= DELIVERED_PRUNE_EVERY) {
		d->since_prune = 0;
		TRY(prune(w->db, DELIVERED_PRUNE_AT_ONCE, w->now));
	}
	return db_run(w->db, "INSERT OR IGNORE INTO delivered(id,at) VALUES(?1,?2)", DB_BLOB(id), DB_INT(w->now));
}

result delivered_note(struct work *w, const trace_id *id)
{
	return note(w, bytes_of(id));
}

result delivered_part(struct work *w, uint64_t content)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	if ((int64_t)((content >> CONTENT_TAG_BITS) / 1000000) < w->now - kept_seconds)
		return OK;
	TRY(db_ask(w->db, &q, "SELECT delivery FROM content WHERE id=?1 AND delivery IS NOT NULL", DB_INT(content)));
	TRY(query_next(q, &row));
	return row ? note(w, query_bytes(q, 0)) : OK;
}

/* ---- check ---- */

struct lost {
	uint64_t content;
	trace_id id;
	bool whole; /* the id has an id's length */
};

static result find_lost(struct checking *c, buf *out)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(c->w->db, &q, "SELECT id,delivery FROM content WHERE delivery IS NOT NULL"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return buf_result(out);
		struct lost one = {.content = (uint64_t)query_int(q, 0)};
		str kept = query_bytes(q, 1);
		one.whole = kept.n == sizeof one.id.b;
		if (one.whole)
			memcpy(one.id.b, kept.p, sizeof one.id.b);
		if (!delivered_is_near(&one.id, one.content))
			buf_put(out, str_of((const char *)&one, sizeof one));
	}
}

static result mend(struct checking *c, const struct lost *one)
{
	if (one->whole)
		TRY(delivered_note(c->w, &one->id));
	rise(&c->w->store->delivered, time_of(&one->id));
	return db_run(c->w->db, "UPDATE content SET delivery=NULL WHERE id=?1", DB_INT(one->content));
}

result check_delivered(struct checking *c)
{
	AUTO_BUF buf lost = buf_new(CHECK_FOUND_MAX);
	TRY(find_lost(c, &lost));
	for (size_t at = 0; at < lost.n; at += sizeof(struct lost)) {
		struct lost one;
		memcpy(&one, lost.p + at, sizeof one);
		check_say(c, c->mend, "Content %llu remembers a delivery where nobody looks for it.",
			(unsigned long long)one.content);
		if (c->mend)
			TRY(mend(c, &one));
	}
	return OK;
}
