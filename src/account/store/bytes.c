#include "account/store/bytes.h"
#include "base/mem.h"

enum { NEAR_MAX = 2 * STORE_HEAD_MAX + STORE_ROW_PLAIN_MAX + 1 };

static result fill(struct store *s, const struct query *q, struct letter_part *p)
{
	str trace = query_bytes(q, 0), key = query_bytes(q, 4);
	p->header_size = trace.n + (uint64_t)query_int(q, 1);
	p->size = trace.n + (uint64_t)query_int(q, 2) + (uint64_t)query_int(q, 3);
	buf_put(&p->own, trace);
	TRY(unpack(engine_packer(s->engine), query_bytes(q, 5), &p->own));
	if (key.n == 0)
		return unpack(engine_packer(s->engine), query_bytes(q, 6), &p->own);
	struct blob_key k;
	if (key.n != sizeof k)
		return failure(FAIL_DAMAGE, "the key of a body file has the wrong length");
	memcpy(&k, key.p, sizeof k);
	return engine_open_body(s->engine, &k, &p->rest);
}

result letter_part_read(struct store *s, struct db *db, uint64_t box, uint32_t uid, struct letter_part *out)
{
	struct query AUTO_QUERY *q = NULL;
	struct entry e;
	bool row;
	const struct place place = {&s->lists, db, box};
	TRY(lists_begin(&s->lists, db));
	TRY(list_get(&place, uid, &e));
	TRY(db_ask(db, &q, "SELECT trace,header_size,head_size,rest_size,blob,head,rest FROM content WHERE id=?1",
		DB_INT(e.row.content)));
	TRY(query_next(q, &row));
	if (!row)
		return failure(FAIL_ABSENT, "the message was removed meanwhile");
	struct letter_part p = {.own = buf_new(NEAR_MAX)};
	result r = fill(s, q, &p);
	p.near = buf_str(&p.own);
	if (!failed(r) && p.near.n + (p.rest ? blob_size(p.rest) : 0) != p.size)
		r = failure(FAIL_DAMAGE, "a stored message has not the size it had");
	if (failed(r))
		letter_part_free(&p);
	else
		*out = p;
	return r;
}

result letter_part_bytes(struct letter_part *p, uint64_t from, uint64_t n, buf *out)
{
	if (from > p->size)
		from = p->size;
	if (n > p->size - from)
		n = p->size - from;
	uint64_t near = from < p->near.n ? p->near.n - from : 0;
	if (near > n)
		near = n;
	if (near)
		buf_put(out, str_sub(p->near, (size_t)from, (size_t)near));
	if (n > near)
		TRY(blob_read(p->rest, from + near - p->near.n, n - near, out));
	return buf_result(out);
}

void letter_part_free(struct letter_part *p)
{
	blob_close(&p->rest);
	buf_free(&p->own);
}

/* ---- for sessions ---- */

struct letter_bytes {
	struct actor actor;
	struct letter_part part;
	uint64_t box;
	uint32_t uid;
	uint64_t from, n; /* of the reading under way */
	buf *out;
};

static result open_run(struct db *db, void *arg)
{
	struct letter_bytes *b = arg;
	return letter_part_read(b->actor.store, db, b->box, b->uid, &b->part);
}

static result bytes_run(struct db *db, void *arg)
{
	struct letter_bytes *b = arg;
	(void)db;
	return letter_part_bytes(&b->part, b->from, b->n, b->out);
}

static result hold(struct view *v, uint32_t uid, struct letter_bytes **out)
{
	TRY(view_may(v, OP_READ, false));
	struct letter_bytes *b = mem_alloc(sizeof *b);
	if (!b)
		return failure(FAIL_MEMORY, "out of memory");
	b->actor = v->actor;
	b->box = v->box->row.id;
	b->uid = uid;
	*out = b;
	return OK;
}

result fetch_open(struct view *v, uint32_t uid, struct letter_bytes **out)
{
	struct letter_bytes *b;
	TRY(hold(v, uid, &b));
	result r = store_read(b->actor.store, open_run, NULL, b);
	if (failed(r))
		mem_free(b);
	else
		*out = b;
	return r;
}

result fetch_open_row(struct view *v, const struct fetch_row *row, struct letter_bytes **out)
{
	if (!row->letter.p)
		return fetch_open(v, row->uid, out);
	TRY(hold(v, row->uid, out));
	(*out)->part = (struct letter_part){.near = row->letter, .header_size = row->header_size, .size = row->letter.n};
	return OK;
}

void fetch_close(struct letter_bytes **at)
{
	struct letter_bytes *b = *at;
	*at = NULL;
	if (!b)
		return;
	letter_part_free(&b->part);
	mem_free(b);
}

uint64_t fetch_size(const struct letter_bytes *b)
{
	return b->part.size;
}

uint64_t fetch_header_size(const struct letter_bytes *b)
{
	return b->part.header_size;
}

bool fetch_near(const struct letter_bytes *b, uint64_t from, uint64_t n, str *out)
{
	if (from > b->part.near.n || n > b->part.near.n - from)
		return false;
	*out = str_sub(b->part.near, (size_t)from, (size_t)n);
	return true;
}

/* What lies in memory needs no turn of the store thread. */
result fetch_bytes(struct letter_bytes *b, uint64_t from, uint64_t n, buf *out)
{
	TRY(store_may(&b->actor, OP_READ));
	if (!b->part.rest || (from <= b->part.near.n && n <= b->part.near.n - from))
		return letter_part_bytes(&b->part, from, n, out);
	b->from = from;
	b->n = n;
	b->out = out;
	return store_read(b->actor.store, bytes_run, NULL, b);
}
