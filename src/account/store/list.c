#include "account/store/list.h"
#include "base/mem.h"

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
static bool unpack(str bytes, uint64_t id, uint64_t next, struct entry *v, size_t *n)
{
	uint64_t below = box_of(next) == box_of(id) ? (uint32_t)next : UINT64_MAX;
	return box_of(id) > 0 && id <= INT64_MAX && list_unpack(bytes, (uint32_t)id, below, v, n);
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

static result put_chunk(struct db *db, uint64_t id, const unsigned char *packed)
{
	TRY(db_run(db, "UPDATE list SET records=?2 WHERE id=?1", DB_INT(id),
		DB_BLOB(str_of((const char *)packed, LIST_CHUNK))));
	return db_changed(db) == 1 ? OK : damaged();
}

static result add_chunk(struct db *db, uint64_t id)
{
	return db_run(db, "INSERT OR IGNORE INTO list(id,records) VALUES(?1,zeroblob(?2))", DB_INT(id),
		DB_INT(LIST_CHUNK));
}

/* More than go into one chunk: the first half stays in it. */
static result put_halves(struct db *db, uint64_t id, const struct entry *v, size_t n)
{
	unsigned char packed[LIST_CHUNK];
	size_t half = n / 2;
	const struct part {
		uint64_t id;
		const struct entry *v;
		size_t n;
	} parts[] = {{id, v, half}, {id_of(box_of(id), v[half].row.uid), v + half, n - half}};
	TRY(add_chunk(db, parts[1].id));
	for (const struct part *p = parts; p < parts + 2; p++)
		TRY(list_pack(p->v, p->n, packed) ? put_chunk(db, p->id, packed) : put_halves(db, p->id, p->v, p->n));
	return OK;
}

static result settle(struct chunk *c, struct db *db)
{
	unsigned char packed[LIST_CHUNK];
	if (!c->changed)
		return OK;
	c->changed = false;
	if (list_pack(c->v, c->n, packed))
		return put_chunk(db, c->id, packed);
	uint64_t id = c->id;
	c->id = 0; /* what is in memory is one chunk no longer */
	return put_halves(db, id, c->v, c->n);
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
	if (!unpack(query_bytes(q, 1), id, next, c->v, &c->n))
		return damaged();
	c->id = id;
	c->next = next;
	c->octets = 0;
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

/* Where it is, or would be, among the records. */
static size_t index_of(const struct chunk *c, uint32_t uid)
{
	size_t low = 0, high = c->n;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (c->v[mid].row.uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static result find(const struct place *p, uint32_t uid, struct chunk **out, size_t *at)
{
	struct chunk *c;
	TRY(chunk_for(p, uid, &c));
	*at = c ? index_of(c, uid) : 0;
	if (!c || *at == c->n || c->v[*at].row.uid != uid)
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
	*out = c->v[at];
	return OK;
}

static void changed(struct chunk *c)
{
	c->changed = true;
	c->octets = 0;
}

result list_put(const struct place *p, const struct entry *e)
{
	struct chunk *c;
	size_t at;
	TRY(find(p, e->row.uid, &c, &at));
	c->v[at] = *e;
	changed(c);
	return OK;
}

result list_drop(const struct place *p, uint32_t uid)
{
	struct chunk *c;
	size_t at;
	TRY(find(p, uid, &c, &at));
	memmove(c->v + at, c->v + at + 1, (--c->n - at) * sizeof *c->v);
	changed(c);
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

/* For this uid, behind the chunk that is full (NULL: there was none). Those that are made together lie together in the
 * file; each gets room for somewhat fewer than the full one has. */
static result make_chunks(const struct place *p, uint32_t uid, const struct chunk *full)
{
	bool last = !full || box_of(full->next) != p->box;
	uint32_t each = (uint32_t)(full ? full->n - full->n / 8 : LIST_RECORDS);
	int64_t messages;
	TRY(settle_and_forget(p));
	TRY(db_get(p->db, &messages, "SELECT ifnull((SELECT messages FROM counts WHERE id=?1),0)", DB_INT(p->box)));
	int64_t n = last ? 1 + messages / each / LIST_AHEAD : 1;
	n = n < LIST_AHEAD_MAX ? n : LIST_AHEAD_MAX;
	for (int64_t i = 0; i < n; i++) {
		uint64_t first = (uint64_t)uid + (uint64_t)i * each;
		if (first <= UINT32_MAX)
			TRY(add_chunk(p->db, id_of(p->box, (uint32_t)first)));
	}
	return OK;
}

static size_t octets_of(struct chunk *c)
{
	bool known = c->octets > 0;
	for (size_t i = 0; i < c->n && !known; i++)
		c->octets += list_packed(i ? &c->v[i - 1] : NULL, &c->v[i]);
	return c->octets;
}

static bool has_room(struct chunk *c, const struct entry *e)
{
	return c->n == 0 || (c->n < LIST_RECORDS && octets_of(c) + list_packed(&c->v[c->n - 1], e) <= LIST_FULL);
}

result list_add(const struct place *p, const struct entry *e)
{
	struct chunk *c;
	TRY(chunk_for(p, e->row.uid, &c));
	if (!c || !has_room(c, e)) {
		TRY(make_chunks(p, e->row.uid, c));
		TRY(chunk_for(p, e->row.uid, &c));
	}
	const struct entry *before = c && c->n ? &c->v[c->n - 1] : NULL;
	if (!c || !has_room(c, e) || (before && before->row.uid >= e->row.uid))
		return damaged();
	c->octets = octets_of(c) + list_packed(before, e);
	c->v[c->n++] = *e;
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

static bool fit_together(struct chunk *a, struct chunk *b)
{
	if (!a->n || !b->n)
		return true;
	return a->n + b->n <= LIST_JOINED && (a->n < LIST_FEW || b->n < LIST_FEW)
		&& octets_of(a) + octets_of(b) <= LIST_FULL;
}

/* What the second has goes behind the first's. */
static result join(const struct place *p, struct chunk **a, struct chunk *b)
{
	uint32_t uid = (uint32_t)(*a)->id;
	uint64_t gone = b->id;
	memcpy((*a)->v + (*a)->n, b->v, b->n * sizeof *b->v);
	(*a)->n += b->n;
	changed(*a);
	b->changed = false;
	TRY(db_run(p->db, "DELETE FROM list WHERE id=?1", DB_INT(gone)));
	TRY(settle_and_forget(p));
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
	*uid = c && c->n ? c->v[c->n - 1].row.uid : 0;
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
	for (size_t i = index_of(c, run->first); i < c->n && c->v[i].row.uid <= run->last; i++) {
		bool touched = false;
		struct entry e = c->v[i];
		TRY(how->look(how->ctx, &e, &touched));
		if (!touched)
			continue;
		c->v[i] = e;
		changed(c);
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

struct reading {
	const struct list_reader *reader;
	uint64_t end; /* behind the last message */
	struct entry v[LIST_RECORDS];
};

/* A chunk in order behind what was read; `end` is behind its last message then. */
static result read_chunk(str bytes, uint64_t id, struct reading *r)
{
	size_t n;
	if (id < r->end || !unpack(bytes, id, INT64_MAX, r->v, &n))
		return r->reader->bad ? r->reader->bad(r->reader->ctx, box_of(id), (uint32_t)id) : damaged();
	for (size_t i = 0; i < n; i++)
		TRY(r->reader->take(r->reader->ctx, box_of(id), &r->v[i]));
	r->end = n ? (id >> 32 << 32) + r->v[n - 1].row.uid + 1 : r->end;
	return OK;
}

/* The ids from `from` to `to`. */
static result read_chunks(struct db *db, int64_t from, int64_t to, struct reading *r)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT id,records FROM list WHERE id BETWEEN ?1 AND ?2 ORDER BY id", DB_INT(from),
		DB_INT(to)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		TRY(read_chunk(query_bytes(q, 1), (uint64_t)query_int(q, 0), r));
	}
}

static result read_range(struct db *db, int64_t from, int64_t to, const struct list_reader *reader)
{
	struct reading AUTO_MEM *r = mem_alloc(sizeof *r);
	if (!r)
		return failure(FAIL_MEMORY, "out of memory");
	r->reader = reader;
	r->end = 0;
	return read_chunks(db, from, to, r);
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
