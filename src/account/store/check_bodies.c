/* Body files: each that is named is read, those nobody names are swept. A job
 * for each file, so that letters and sessions go on in between. */
#include "account/store/check_parts.h"

enum { BODIES_MAX = 256 << 20 };

struct body {
	int64_t content;
	uint64_t size;
	struct blob_key key;
	bool short_key;
};

struct reading {
	struct checking *c;
	struct store *s;
	buf bodies;        /* of struct body */
	struct body now;   /* the one looked at */
	result found;      /* OK, ABSENT or DAMAGE */
	uint64_t box;      /* of a message that has it */
	uint32_t uid;      /* 0: its row has gone meanwhile */
	uint64_t unnamed;
};

static result list_bodies(struct db *db, void *arg)
{
	struct reading *r = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT id,rest_size,blob FROM content WHERE blob IS NOT NULL"));
	for (;;) {
		struct body b = {0};
		TRY(query_next(q, &row));
		if (!row)
			return buf_result(&r->bodies);
		b.content = query_int(q, 0);
		b.size = (uint64_t)query_int(q, 1);
		b.short_key = query_bytes(q, 2).n != sizeof b.key;
		if (!b.short_key)
			memcpy(&b.key, query_bytes(q, 2).p, sizeof b.key);
		buf_put(&r->bodies, str_of((const char *)&b, sizeof b));
	}
}

static result read_whole(struct reading *r)
{
	struct blob AUTO_BLOB *blob = NULL;
	AUTO_BUF buf bytes = buf_new(BLOB_PIECE + 1);
	if (r->now.short_key)
		return failure(FAIL_DAMAGE, "its key has the wrong length");
	TRY(engine_open_body(r->s->engine, &r->now.key, &blob));
	if (blob_size(blob) != r->now.size)
		return failure(FAIL_DAMAGE, "it has not the size it had");
	for (uint64_t at = 0; at < r->now.size; at += BLOB_PIECE) {
		buf_clear(&bytes);
		TRY(blob_read(blob, at, BLOB_PIECE, &bytes));
	}
	return OK;
}

static result find_message(void *ctx, uint64_t box, const struct entry *e)
{
	struct reading *r = ctx;
	if (!r->uid && e->row.content == (uint64_t)r->now.content) {
		r->box = box;
		r->uid = e->row.uid;
	}
	return OK;
}

static result pass_over(void *ctx, uint64_t box, uint32_t uid)
{
	(void)ctx;
	(void)box;
	(void)uid;
	return OK; /* was told before */
}

static result look_at_one(struct db *db, void *arg)
{
	struct reading *r = arg;
	r->uid = 0;
	r->found = read_whole(r);
	if (r->found.kind != FAIL_ABSENT && r->found.kind != FAIL_DAMAGE)
		return r->found;
	TRY(lists_begin(&r->s->lists, db));
	return list_read_all(&r->s->lists, db, &(struct list_reader){find_message, pass_over, r});
}

static result look_at_all(struct reading *r)
{
	for (size_t at = 0; at < r->bodies.n; at += sizeof(struct body)) {
		memcpy(&r->now, r->bodies.p + at, sizeof r->now);
		TRY(store_read(r->s, look_at_one, NULL, r));
		if (failed(r->found) && r->uid)
			check_say(r->c, false, "The body file of the message UID %u in mailbox number %llu cannot be read: %s.",
				r->uid, (unsigned long long)r->box, r->found.text);
	}
	return OK;
}

static result sweep(struct db *db, void *arg)
{
	struct reading *r = arg;
	return store_sweep(r->s, db, r->c->mend, &r->unnamed);
}

/* While a letter is between its body file and its row nobody can tell. A sweep that
 * is due comes first: what it takes is no finding, what it fails to take is one. */
static result look_for_unnamed(struct reading *r)
{
	if (r->s->preparing || r->s->uncertain)
		return OK;
	result swept = store_sweep_if_due(r->s);
	(void)swept.kind;
	TRY(store_read(r->s, sweep, NULL, r));
	if (r->unnamed > 0)
		check_say(r->c, r->c->mend, "%llu body files belong to no message.", (unsigned long long)r->unnamed);
	return OK;
}

result check_bodies(struct checking *c, struct store *s)
{
	struct reading r = {.c = c, .s = s, .bodies = buf_new(BODIES_MAX)};
	result done = store_read(s, list_bodies, NULL, &r);
	if (!failed(done))
		done = look_at_all(&r);
	if (r.bodies.p)
		explicit_bzero(r.bodies.p, r.bodies.cap);
	buf_free(&r.bodies);
	explicit_bzero(&r.now, sizeof r.now);
	return failed(done) ? done : look_for_unnamed(&r);
}
