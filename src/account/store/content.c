#include "account/store/content.h"
#include "run/clock.h"

enum {
	REST_PACKED_MAX = STORE_ROW_PLAIN_MAX + PACK_HEAD,
	SCRATCH_KEPT = 64 * 1024, /* a larger work buffer is given back at once */
};

static size_t head_size(const struct letter *l)
{
	return l->header_size <= STORE_HEAD_MAX ? (size_t)l->header_size : 0;
}

bool content_is_large(const struct letter *l)
{
	return l->body.n - head_size(l) > STORE_ROW_STORED_MAX;
}

result content_prepare(struct store *s, const struct letter *l, struct prepared *p)
{
	str rest = str_skip(l->body, head_size(l));
	if (rest.n <= STORE_ROW_PLAIN_MAX) {
		p->rest = buf_new(REST_PACKED_MAX);
		TRY(pack(engine_packer(s->engine), rest, &p->rest));
		if (p->rest.n <= STORE_ROW_STORED_MAX)
			return OK;
		buf_free(&p->rest);
	}
	TRY(engine_put_body(s->engine, rest, &p->key));
	p->has_file = true;
	return OK;
}

result content_forget(struct store *s, struct prepared *p)
{
	if (!p->has_file)
		return OK;
	p->has_file = false;
	return engine_delete_body(s->engine, &p->key);
}

void prepared_free(struct prepared *p)
{
	buf_free(&p->rest);
	explicit_bzero(&p->key, sizeof p->key);
}

/* Microseconds since 1970, or one more than the last's, and the tag of the
 * delivery: the number is unique in the account for good, and names the message
 * to clients (EMAILID). */
uint64_t content_number(struct work *w, const trace_id *delivery)
{
	int64_t now = clock_wall_ms() * 1000;
	uint64_t next = (w->account.content >> CONTENT_TAG_BITS) + 1;
	if (now > 0 && (uint64_t)now > next)
		next = (uint64_t)now;
	w->account.content = next << CONTENT_TAG_BITS | (delivery ? delivered_tag(delivery) : 0);
	return w->account.content;
}

struct packed {
	size_t head, search, rest; /* where each ends in the scratch buffer */
};

static result pack_columns(struct store *s, const struct letter *l, const struct prepared *p, struct packed *out)
{
	buf *b = &s->scratch;
	size_t head = head_size(l);
	buf_clear(b);
	TRY(pack(engine_packer(s->engine), str_sub(l->body, 0, head), b));
	out->head = b->n;
	TRY(pack(engine_packer(s->engine), l->search, b));
	out->search = b->n;
	if (!p->has_file && !p->rest.n)
		TRY(pack(engine_packer(s->engine), str_skip(l->body, head), b));
	out->rest = b->n;
	return OK;
}

/* What goes with it into one statement. */
struct shape {
	const struct prepared *prepared;
	const struct packed *at;
	const struct unlisted_one *where; /* or NULL */
};

static result insert(struct work *w, const struct append_item *item, const struct shape *s)
{
	const struct prepared *p = s->prepared;
	const struct packed *at = s->at;
	unsigned char record[LIST_RECORD];
	const struct letter *l = item->letter;
	bool near = item->delivery && delivered_is_near(item->delivery, w->account.content);
	str all = buf_str(&w->store->scratch);
	size_t head = head_size(l);
	str key = str_of((const char *)p->key.b, sizeof p->key.b);
	str rest = p->rest.n ? buf_str(&p->rest) : str_sub(all, at->search, at->rest - at->search);
	if (s->where)
		record_put(record, &s->where->entry);
	TRY(db_run(w->db,
		"INSERT INTO content(id,header_size,head_size,rest_size,blob,trace,envelope,basic,structure,parts,head,"
		"search,rest,delivery,box,record) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)",
		DB_INT(w->account.content), DB_INT(l->header_size), DB_INT(head), DB_INT(l->body.n - head),
		p->has_file ? DB_BLOB(key) : DB_NULL, DB_BLOB(l->trace), DB_BLOB(l->envelope), DB_BLOB(l->basic),
		DB_BLOB(l->structure), DB_BLOB(l->parts), DB_BLOB(str_sub(all, 0, at->head)),
		DB_BLOB(str_sub(all, at->head, at->search - at->head)), DB_BLOB(rest),
		near ? DB_BLOB(str_of((const char *)item->delivery->b, sizeof item->delivery->b)) : DB_NULL,
		s->where ? DB_INT(s->where->box) : DB_NULL,
		s->where ? DB_BLOB(str_of((const char *)record, sizeof record)) : DB_NULL));
	return item->delivery && !near ? delivered_note(w, item->delivery) : OK;
}

result content_put(struct work *w, const struct append_item *item, const struct prepared *p,
	const struct unlisted_one *where)
{
	struct packed at;
	TRY(pack_columns(w->store, item->letter, p, &at));
	result r = insert(w, item, &(struct shape){p, &at, where});
	if (w->store->scratch.cap > SCRATCH_KEPT)
		buf_free(&w->store->scratch);
	return r;
}

/* ---- references ---- */

static result drop_content(struct work *w, uint64_t content)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(w->db, &q, "SELECT blob FROM content WHERE id=?1", DB_INT(content)));
	TRY(query_next(q, &row));
	if (row && !query_is_null(q, 0))
		buf_put(&w->files_gone, query_bytes(q, 0));
	query_end(&q);
	TRY(delivered_part(w, content));
	return db_run(w->db, "DELETE FROM content WHERE id=?1", DB_INT(content));
}

result work_release(struct work *w, uint64_t content)
{
	int64_t messages;
	result r = db_get(w->db, &messages, "SELECT messages FROM shared WHERE content=?1", DB_INT(content));
	if (r.kind == FAIL_ABSENT)
		return drop_content(w, content);
	TRY(r);
	if (messages > 2)
		return db_run(w->db, "UPDATE shared SET messages=messages-1 WHERE content=?1", DB_INT(content));
	return db_run(w->db, "DELETE FROM shared WHERE content=?1", DB_INT(content));
}

result work_share(struct work *w, uint64_t content)
{
	return db_run(w->db,
		"INSERT INTO shared(content,messages) VALUES(?1,2)"
		" ON CONFLICT(content) DO UPDATE SET messages=messages+1",
		DB_INT(content));
}
