#include "account/store/list.h"

/* Whether the row may be one: content number, mailbox, record, the uids that the mailbox has settled. A record that is
 * none leaves its content to a check. */
static bool take(const struct query *q, struct unlisted_one *out)
{
	str record = query_bytes(q, 2);
	if (record.n != LIST_RECORD)
		return false;
	record_get((const unsigned char *)record.p, &out->entry);
	out->box = (uint64_t)query_int(q, 1);
	const struct row *row = &out->entry.row;
	return row->content == (uint64_t)query_int(q, 0) && row->uid > 0 && row->uid < UINT32_MAX &&
		row->uid >= query_int(q, 3) && out->box > 0 && out->box <= STORE_BOX_ID_MAX;
}

struct listed {
	uint64_t box;
	uint32_t last; /* the highest uid in its list */
};

/* Counts that damage set back make nothing new of what a list has. A damaged list is told by who settles. */
static result is_above(const struct place *p, uint32_t uid, struct listed *listed, bool *out)
{
	if (listed->box != p->box) {
		*listed = (struct listed){.box = p->box};
		result r = list_last(p, &listed->last);
		if (failed(r) && r.kind != FAIL_DAMAGE)
			return r;
	}
	*out = uid > listed->last;
	return OK;
}

static result ask(struct lists *l, struct db *db)
{
	struct unlisted *u = &l->unlisted;
	struct query AUTO_QUERY *q = NULL;
	struct listed listed = {0};
	bool row, new;
	u->n = 0;
	TRY(db_ask(db, &q,
		"SELECT c.id,c.box,c.record,ifnull(b.next,0) FROM content c LEFT JOIN counts b ON b.id=c.box"
		" WHERE c.id>(SELECT next FROM counts WHERE id=0) AND c.box IS NOT NULL ORDER BY c.id"));
	while (u->n < UNLISTED_MAX) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		struct unlisted_one *one = &u->v[u->n];
		if (!take(q, one))
			continue;
		TRY(is_above(&(struct place){l, db, one->box}, one->entry.row.uid, &listed, &new));
		u->n += new;
	}
	return OK;
}

result unlisted_begin(struct lists *l, struct db *db)
{
	struct unlisted *u = &l->unlisted;
	if (u->known && u->stamp == db_stamp(db))
		return OK;
	u->known = false;
	TRY(ask(l, db));
	unlisted_keep(u, db);
	return OK;
}

void unlisted_keep(struct unlisted *u, const struct db *db)
{
	u->known = true;
	u->stamp = db_stamp(db);
}

void unlisted_count_in_box(const struct unlisted *u, struct box_row *b)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->v[i].box == b->id)
			count_in_box(b, &u->v[i].entry.row);
}

void unlisted_count_in_account(const struct unlisted *u, struct account_row *a)
{
	for (size_t i = 0; i < u->n; i++)
		count_in_account(a, &u->v[i].entry.row);
}

void unlisted_add(struct unlisted *u, uint64_t box, const struct entry *e)
{
	must(u->n < UNLISTED_MAX);
	u->v[u->n++] = (struct unlisted_one){box, *e};
}

/* ---- into the lists ---- */

struct settling {
	struct lists *lists;
	struct db *db;
	struct account_row account;
	struct box_row box; /* id 0: none, or one that is not there */
	uint64_t id;        /* of the mailbox that `box` was asked for */
};

static result put_box(struct settling *s)
{
	return s->box.id ? box_put(s->db, &s->box) : OK;
}

static result change_box(struct settling *s, uint64_t id)
{
	if (s->id == id)
		return OK;
	TRY(put_box(s));
	s->id = id;
	s->box.id = 0;
	result r = box_get(s->db, id, &s->box);
	return r.kind == FAIL_ABSENT ? OK : r; /* a check gives its messages a new one, and counts them */
}

static result settle_one(struct settling *s, const struct unlisted_one *one)
{
	const struct place p = {s->lists, s->db, one->box};
	TRY(change_box(s, one->box));
	count_in_account(&s->account, &one->entry.row);
	count_in_box(&s->box, &one->entry.row);
	return list_add(&p, &one->entry);
}

/* They are in order, so a mailbox's row is asked for once in a run of its own. */
static result settle_these(struct lists *l, struct db *db)
{
	struct settling s = {.lists = l, .db = db};
	size_t n = l->unlisted.n;
	l->unlisted.n = 0; /* from here on they are looked for in the lists */
	TRY(account_get(db, &s.account));
	for (size_t i = 0; i < n; i++)
		TRY(settle_one(&s, &l->unlisted.v[i]));
	TRY(put_box(&s));
	TRY(account_put(db, &s.account));
	return lists_settle(l, db);
}

/* More than fit into memory there are only after damage. */
result unlisted_settle(struct lists *l, struct db *db)
{
	TRY(unlisted_begin(l, db));
	while (l->unlisted.n) {
		TRY(settle_these(l, db));
		TRY(unlisted_begin(l, db));
	}
	return OK;
}
