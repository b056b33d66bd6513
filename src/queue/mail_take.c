/* What goes next, with its content. */
#include <unistd.h>

#include "base/mem.h"
#include "queue/fresh.h"
#include "run/clock.h"

enum { PARCEL_ARENA = 256 << 10 };

struct taking {
	struct queue *q;
	struct turn *turn;
	struct parcel *parcel;
	int64_t now, most; /* what lies further ahead than `most` was written before somebody set the clock back */
	int64_t seen_next, more; /* more: when the next row is due; -1: there is none */
	uint64_t seen_id;
};

static bool is_due(const struct taking *t, int64_t next)
{
	return next <= t->now || next > t->now + t->most;
}

/* The rows of one message, in the order in which they are due. */
static result take_rows(struct db *db, struct taking *t)
{
	struct parcel *p = t->parcel;
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	TRY(db_ask(db, &rows, "SELECT id, next, message, notify, attempts, address, orcpt FROM recipient WHERE state = 0"
		" AND route = ?1 AND destination = ?2 AND turn = ?3 AND (next, id) > (?4, ?5) ORDER BY next, id LIMIT ?6",
		DB_INT(t->turn->to->route), DB_BLOB(destination_name(t->turn->to)), DB_INT(t->turn->from->key),
		DB_INT(t->seen_next), DB_INT(t->seen_id), DB_INT(QUEUE_TOGETHER + 1)));
	for (;;) {
		TRY(query_next(rows, &row));
		if (!row)
			return OK;
		int64_t next = query_int(rows, 1);
		uint64_t message = (uint64_t)query_int(rows, 2);
		t->more = next;
		if (!is_due(t, next) || p->n == QUEUE_TOGETHER || (p->n > 0 && message != p->message))
			return OK;
		t->more = -1;
		t->seen_next = next;
		t->seen_id = (uint64_t)query_int(rows, 0);
		p->message = message;
		p->to[p->n++] = (struct addressee){.id = t->seen_id, .notify = (uint8_t)query_int(rows, 3),
			.attempts = (uint32_t)query_int(rows, 4), .address = arena_dup(&p->arena, query_bytes(rows, 5)),
			.orcpt = arena_dup(&p->arena, query_bytes(rows, 6))};
	}
}

static result wrapping(struct parcel *p, str wrapped, str body)
{
	if (wrapped.n > sizeof p->content.wrapped)
		return failure(FAIL_DAMAGE, "a queued message's key is longer than it may be");
	memcpy(p->content.wrapped, wrapped.p, wrapped.n);
	p->content.wrapped_n = wrapped.n;
	p->in_file = body.p != NULL;
	if (p->in_file && body.n != sizeof p->body.b)
		return failure(FAIL_DAMAGE, "a queued message names no file");
	if (p->in_file)
		memcpy(p->body.b, body.p, body.n);
	return OK;
}

result mail_read_message(struct db *db, struct parcel *p)
{
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	TRY(db_ask(db, &rows, "SELECT delivery, sender, envid, ret, flags, deaths, deliver_by / 1000, max(arrived,"
		" hold_until),"
		" by_return, octets, wrapped, m.body, bytes, account, arrived FROM message m LEFT JOIN sealed ON"
		" message = id WHERE id = ?1",
		DB_INT(p->message)));
	TRY(query_next(rows, &row));
	str delivery = row ? query_bytes(rows, 0) : (str){0};
	if (delivery.n != sizeof p->delivery.b)
		return failure(FAIL_DAMAGE, "a queued recipient has no message");
	memcpy(p->delivery.b, delivery.p, delivery.n);
	p->sender = arena_dup(&p->arena, query_bytes(rows, 1));
	p->envid = arena_dup(&p->arena, query_bytes(rows, 2));
	p->ret = (uint8_t)query_int(rows, 3);
	p->flags = (uint32_t)query_int(rows, 4);
	p->deaths = (uint32_t)query_int(rows, 5);
	p->deliver_by = query_int(rows, 6);
	p->began = query_int(rows, 7);
	p->by_return = query_int(rows, 8) != 0;
	p->octets = (uint64_t)query_int(rows, 9);
	p->account = (uint64_t)query_int(rows, 13);
	p->arrived = query_int(rows, 14);
	TRY(wrapping(p, query_bytes(rows, 10), query_bytes(rows, 11)));
	if (!p->in_file)
		buf_put(&p->content.bytes, query_bytes(rows, 12));
	TRY(buf_result(&p->content.bytes));
	return arena_result(&p->arena);
}

void parcel_new(struct parcel *p)
{
	*p = (struct parcel){.arena = arena_new(PARCEL_ARENA), .content = {.bytes = buf_new(QUEUE_INLINE)}};
	list_init(&p->node);
}

void parcel_free(struct parcel *p)
{
	list_remove(&p->node);
	items_content_free(&p->content);
	arena_free(&p->arena);
}

static result run_take(struct db *db, void *arg)
{
	struct taking *t = arg;
	parcel_free(t->parcel); /* a second run begins anew */
	parcel_new(t->parcel);
	t->more = -1;
	TRY(take_rows(db, t));
	return t->parcel->n > 0 ? mail_read_message(db, t->parcel) : OK;
}

static void kept_take(void *arg)
{
	struct taking *t = arg;
	t->turn->all_fresh = t->more < 0;
	if (t->parcel->n == 0)
		return;
	t->turn->seen_next = t->seen_next;
	t->turn->seen_id = t->seen_id;
}

result mail_take(struct queue *q, struct turn *turn, struct parcel *p, uint64_t *at)
{
	struct taking t = {.q = q, .turn = turn, .parcel = p, .now = clock_wall_ms(),
		.most = (int64_t)q->out.retry.most, .seen_next = turn->seen_id > 0 ? turn->seen_next : INT64_MIN,
		.seen_id = turn->seen_id};
	const struct commit_job job = {.run = run_take, .kept = kept_take, .arg = &t, .brief = true, .gathers = true};
	p->turn = turn;
	if (turn->all_fresh) {
		fresh_take(q, turn, p, at);
		p->turn = turn;
		p->content.sealed = body_of(buf_str(&p->content.bytes));
		return OK;
	}
	fresh_drop(q, turn);
	TRY(committer_do(q->store, &job));
	p->turn = turn;
	if (!p->in_file)
		p->content.sealed = body_of(buf_str(&p->content.bytes));
	*at = t.more < 0 ? DUE_NEVER : mail_when(q, t.more);
	return OK;
}

uint64_t mail_when(const struct queue *q, int64_t wall_ms)
{
	int64_t ahead = wall_ms - clock_wall_ms();
	return ahead <= 0 || ahead > (int64_t)q->out.retry.most ? clock_mono_ms() : clock_mono_ms() + (uint64_t)ahead;
}

result mail_fetch(struct queue *q, struct parcel *p)
{
	return p->in_file ? items_load_file(q, &p->body, p->octets, &p->content.sealed) : OK;
}
