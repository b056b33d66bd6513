#include "account/store/list.h"

/* ---- chunks ---- */

static uint64_t id_of(uint64_t box, uint32_t uid)
{
	must(box > 0 && box <= STORE_BOX_ID_MAX);
	return box << 32 | uid;
}

static uint64_t box_of(uint64_t id)
{
	return id >> 32;
}

/* Whether this is the chunk with that id, before the one called `next`. */
static bool judge(str bytes, uint64_t id, uint64_t next, size_t *n)
{
	uint64_t below = box_of(next) == box_of(id) ? (uint32_t)next : UINT64_MAX;
	return box_of(id) > 0 && id <= INT64_MAX && list_judge(bytes, (uint32_t)id, below, n);
}

static result damaged(void)
{
	return failure(FAIL_DAMAGE, "a mailbox's list of messages is damaged; run account check");
}

static void forget(struct lists *l)
{
	for (size_t i = 0; i < LIST_OPEN; i++) {
		l->open[i].id = 0;
		l->open[i].changed = false;
	}
}

result lists_begin(struct lists *l, struct db *db)
{
	uint64_t stamp = db_stamp(db);
	bool here = l->stamp == stamp;
	for (size_t i = 0; i < LIST_OPEN; i++)
		here = here && !l->open[i].changed;
	if (!here)
		forget(l);
	l->stamp = stamp;
	return unlisted_begin(l, db);
}

void lists_keep(struct lists *l, const struct db *db)
{
	l->stamp = db_stamp(db);
	unlisted_keep(&l->unlisted, db);
}

static result settle(struct chunk *c, struct db *db)
{
	if (!c->changed)
		return OK;
	c->changed = false;
	TRY(db_run(db, "UPDATE list SET records=?2 WHERE id=?1", DB_INT(c->id),
		DB_BLOB(str_of((const char *)c->v, LIST_CHUNK))));
	return db_changed(db) == 1 ? OK : damaged();
}

result lists_settle(struct lists *l, struct db *db)
{
	for (size_t i = 0; i < LIST_OPEN; i++)
		TRY(settle(&l->open[i], db));
	return OK;
}

#define CHUNK "SELECT id,records,ifnull((SELECT min(id) FROM list b WHERE b.id>a.id),9223372036854775807) FROM list a"

static struct chunk *use(struct lists *l, struct chunk *c)
{
	l->last = (unsigned)(c - l->open);
	return c;
}

static struct chunk *open_with(struct lists *l, uint64_t id)
{
	for (size_t i = 0; i < LIST_OPEN; i++)
		if (l->open[i].id == id)
			return use(l, &l->open[i]);
	return NULL;
}

/* The first row of the statement, if there is one: as it is in memory, else in place of the chunk not used last. */
static result load(const struct place *p, const char *sql, uint64_t from, struct chunk **out)
{
	struct lists *l = p->lists;
	struct chunk *c = &l->open[(l->last + 1) % LIST_OPEN];
	struct query AUTO_QUERY *q = NULL;
	bool row;
	*out = NULL;
	TRY(settle(c, p->db));
	c->id = 0;
	TRY(db_ask(p->db, &q, sql, DB_INT(from)));
	TRY(query_next(q, &row));
	uint64_t id = row ? (uint64_t)query_int(q, 0) : 0, next = row ? (uint64_t)query_int(q, 2) : 0;
	if (!row || box_of(id) != p->box)
		return OK;
	*out = open_with(l, id);
	if (*out)
		return OK;
	str bytes = query_bytes(q, 1);
	if (!judge(bytes, id, next, &c->n))
		return damaged();
	memcpy(c->v, bytes.p, LIST_CHUNK);
	c->id = id;
	c->next = next;
	*out = use(l, c);
	return OK;
}

static struct chunk *opened(const struct place *p, uint64_t id)
{
	struct lists *l = p->lists;
	for (size_t i = 0; i < LIST_OPEN; i++) {
		struct chunk *c = &l->open[i];
		if (c->id && c->id <= id && id < c->next && box_of(c->id) == p->box)
			return use(l, c);
	}
	return NULL;
}

/* The chunk in which this uid may lie; NULL: none. */
static result chunk_for(const struct place *p, uint32_t uid, struct chunk **out)
{
	uint64_t id = id_of(p->box, uid);
	*out = opened(p, id);
	return *out ? OK : load(p, CHUNK " WHERE id<=?1 ORDER BY id DESC LIMIT 1", id, out);
}

static result find(const struct place *p, uint32_t uid, struct chunk **out, size_t *at)
{
	struct chunk *c;
	TRY(chunk_for(p, uid, &c));
	*at = c ? list_index(c->v, c->n, uid) : 0;
	if (!c || *at == c->n || list_uid(c->v, *at) != uid)
		return failure(FAIL_ABSENT, "the message is not there any more");
	*out = c;
	return OK;
}

static const struct entry *unlisted_entry(const struct place *p, uint32_t uid)
{
	const struct unlisted *u = &p->lists->unlisted;
	for (size_t i = u->n; i-- > 0;)
		if (u->v[i].entry.row.uid == uid && u->v[i].box == p->box)
			return &u->v[i].entry;
	return NULL;
}

result list_get(const struct place *p, uint32_t uid, struct entry *out)
{
	const struct entry *new = unlisted_entry(p, uid);
	struct chunk *c;
	size_t at;
	if (new) {
		*out = *new;
		return OK;
	}
	TRY(find(p, uid, &c, &at));
	list_entry(c->v, at, out);
	return OK;
}

result list_put(const struct place *p, const struct entry *e)
{
	struct chunk *c;
	size_t at;
	TRY(find(p, e->row.uid, &c, &at));
	list_write(c->v, at, e);
	c->changed = true;
	return OK;
}

result list_drop(const struct place *p, uint32_t uid)
{
	struct chunk *c;
	size_t at;
	TRY(find(p, uid, &c, &at));
	unsigned char *v = c->v + at * LIST_RECORD;
	memmove(v, v + LIST_RECORD, (c->n - at - 1) * LIST_RECORD);
	memset(c->v + --c->n * LIST_RECORD, 0, LIST_RECORD);
	c->changed = true;
	return OK;
}

/* ---- chunks come and go ---- */

/* What is in memory says which chunk comes next. */
static result settle_and_forget(const struct place *p)
{
	TRY(lists_settle(p->lists, p->db));
	forget(p->lists);
	return OK;
}

/* Those that are made together lie together in the file. */
static result make_chunks(const struct place *p, uint32_t uid)
{
	int64_t messages;
	TRY(settle_and_forget(p));
	TRY(db_get(p->db, &messages, "SELECT ifnull((SELECT messages FROM counts WHERE id=?1),0)", DB_INT(p->box)));
	int64_t n = 1 + messages / LIST_RECORDS / LIST_AHEAD;
	n = n < LIST_AHEAD_MAX ? n : LIST_AHEAD_MAX;
	for (int64_t i = 0; i < n; i++) {
		uint64_t first = (uint64_t)uid + (uint64_t)i * LIST_RECORDS;
		if (first <= UINT32_MAX)
			TRY(db_run(p->db, "INSERT OR IGNORE INTO list(id,records) VALUES(?1,zeroblob(?2))",
				DB_INT(id_of(p->box, (uint32_t)first)), DB_INT(LIST_CHUNK)));
	}
	return OK;
}

result list_add(const struct place *p, const struct entry *e)
{
	struct chunk *c;
	TRY(chunk_for(p, e->row.uid, &c));
	if (!c || c->n == LIST_RECORDS) {
		TRY(make_chunks(p, e->row.uid));
		TRY(chunk_for(p, e->row.uid, &c));
	}
	if (!c || c->n == LIST_RECORDS || (c->n && list_uid(c->v, c->n - 1) >= e->row.uid))
		return damaged();
	list_write(c->v, c->n++, e);
	c->changed = true;
	return OK;
}

/* The chunk behind this one, or NULL; both are in memory then. */
static result next_chunk(const struct place *p, struct chunk *c, struct chunk **out)
{
	*out = NULL;
	(void)use(p->lists, c);
	return box_of(c->next) == p->box ? chunk_for(p, (uint32_t)c->next, out) : OK;
}

static bool fit_together(const struct chunk *a, const struct chunk *b)
{
	if (!a->n || !b->n)
		return true;
	return a->n + b->n <= LIST_JOINED && (a->n < LIST_FEW || b->n < LIST_FEW);
}

/* What the second has goes behind the first's. */
static result join(const struct place *p, struct chunk **a, struct chunk *b)
{
	uint32_t uid = (uint32_t)(*a)->id;
	uint64_t gone = b->id;
	memcpy((*a)->v + (*a)->n * LIST_RECORD, b->v, b->n * LIST_RECORD);
	(*a)->n += b->n;
	(*a)->changed = true;
	b->changed = false;
	TRY(settle_and_forget(p));
	TRY(db_run(p->db, "DELETE FROM list WHERE id=?1", DB_INT(gone)));
	return chunk_for(p, uid, a);
}

/* The chunk before that one, else that one. */
static result step_back(const struct place *p, struct chunk **c)
{
	struct chunk *before = NULL;
	if ((uint32_t)(*c)->id > 0)
		TRY(chunk_for(p, (uint32_t)(*c)->id - 1, &before));
	*c = before ? before : *c;
	return OK;
}

/* From the chunk before the first uid's to the one behind the last one's. */
result list_tidy(const struct place *p, uint32_t first, uint32_t last)
{
	struct chunk *c, *next;
	TRY(chunk_for(p, first, &c));
	if (!c || (c->n >= LIST_FEW && id_of(p->box, last) < c->next))
		return OK;
	TRY(step_back(p, &c));
	while (c && c->id <= id_of(p->box, last)) {
		TRY(next_chunk(p, c, &next));
		if (next && fit_together(c, next))
			TRY(join(p, &c, next));
		else
			c = next;
	}
	return OK;
}

/* Chunks with nothing in them may lie behind the last message. */
result list_last(const struct place *p, uint32_t *uid)
{
	struct chunk *c;
	TRY(chunk_for(p, UINT32_MAX, &c));
	while (c && c->n == 0) {
		uint64_t id = c->id;
		TRY(step_back(p, &c));
		if (c->id == id)
			break;
	}
	*uid = c && c->n ? list_uid(c->v, c->n - 1) : 0;
	return OK;
}

/* ---- many ---- */

static result chunk_from(const struct place *p, uint32_t uid, struct chunk **out)
{
	TRY(chunk_for(p, uid, out));
	return *out ? OK : load(p, CHUNK " WHERE id>?1 ORDER BY id LIMIT 1", id_of(p->box, uid), out);
}

static result change_chunk(struct chunk *c, const struct uid_run *run, const struct list_change *how)
{
	struct entry e;
	for (size_t i = list_index(c->v, c->n, run->first); i < c->n && list_uid(c->v, i) <= run->last; i++) {
		bool changed = false;
		list_entry(c->v, i, &e);
		TRY(how->look(how->ctx, &e, &changed));
		if (changed)
			list_write(c->v, i, &e);
		c->changed = c->changed || changed;
	}
	return OK;
}

result list_change(const struct place *p, const struct uid_run *run, const struct list_change *how)
{
	struct chunk *c;
	TRY(chunk_from(p, run->first, &c));
	while (c && c->id <= id_of(p->box, run->last)) {
		TRY(change_chunk(c, run, how));
		TRY(next_chunk(p, c, &c));
	}
	return OK;
}

static result read_chunk(str bytes, uint64_t id, size_t n, const struct list_reader *reader)
{
	struct entry e;
	for (size_t i = 0; i < n; i++) {
		list_entry((const unsigned char *)bytes.p, i, &e);
		TRY(reader->take(reader->ctx, box_of(id), &e));
	}
	return OK;
}

/* The ids from `from` to `to`. */
static result read_range(struct db *db, int64_t from, int64_t to, const struct list_reader *reader)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	uint64_t end = 0; /* behind the last message */
	TRY(db_ask(db, &q, "SELECT id,records FROM list WHERE id BETWEEN ?1 AND ?2 ORDER BY id", DB_INT(from),
		DB_INT(to)));
	for (;;) {
		size_t n;
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		uint64_t id = (uint64_t)query_int(q, 0);
		str bytes = query_bytes(q, 1);
		if (id >= end && judge(bytes, id, INT64_MAX, &n)) {
			TRY(read_chunk(bytes, id, n, reader));
			end = n ? (id >> 32 << 32) + list_uid((const unsigned char *)bytes.p, n - 1) + 1 : end;
		} else {
			TRY(reader->bad ? reader->bad(reader->ctx, box_of(id), (uint32_t)id) : damaged());
		}
	}
}

/* box: 0 for all of them. */
static result read_unlisted(const struct unlisted *u, uint64_t box, const struct list_reader *reader)
{
	for (size_t i = 0; i < u->n; i++)
		if (!box || u->v[i].box == box)
			TRY(reader->take(reader->ctx, u->v[i].box, &u->v[i].entry));
	return OK;
}

result list_read(const struct place *p, const struct list_reader *reader)
{
	TRY(read_range(p->db, (int64_t)id_of(p->box, 0), (int64_t)id_of(p->box, UINT32_MAX), reader));
	return read_unlisted(&p->lists->unlisted, p->box, reader);
}

result list_read_all(struct lists *l, struct db *db, const struct list_reader *reader)
{
	TRY(read_range(db, INT64_MIN, INT64_MAX, reader));
	return read_unlisted(&l->unlisted, 0, reader);
}

result list_drop_box(const struct place *p)
{
	forget(p->lists);
	return db_run(p->db, "DELETE FROM list WHERE id BETWEEN ?1 AND ?2", DB_INT(id_of(p->box, 0)),
		DB_INT(id_of(p->box, UINT32_MAX)));
}

result list_give_box(const struct place *p, uint64_t to)
{
	TRY(settle_and_forget(p));
	return db_run(p->db, "UPDATE list SET id=id+?3 WHERE id BETWEEN ?1 AND ?2", DB_INT(id_of(p->box, 0)),
		DB_INT(id_of(p->box, UINT32_MAX)), DB_INT((to - p->box) << 32));
}
