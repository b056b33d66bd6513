#include "watch/detect/memo.h"

#include "base/cursor.h"
#include "watch/detect/limits.h"

enum step_kind { PUT_HABIT = 1, DROP_HABIT, PUT_CONDUCT, DROP_CONDUCT };
enum { IP = 16 };

static void put_u64(buf *out, uint64_t v)
{
	char le[8];
	for (size_t i = 0; i < sizeof le; i++)
		le[i] = (char)(v >> (8 * i) & 0xff);
	buf_put(out, str_of(le, sizeof le));
}

/* A step that did not fit is taken back whole. */
static void settle(struct memo *m, size_t before)
{
	if (!m->steps.broken)
		return;
	m->steps.broken = FAIL_NONE;
	m->steps.n = before;
	m->lost++;
}

static void put_habit_step(struct memo *m, enum step_kind kind, const struct memo_habit *h)
{
	size_t before = m->steps.n;
	buf_putc(&m->steps, (char)kind);
	put_u64(&m->steps, h->account);
	buf_put(&m->steps, str_of((const char *)h->address.ip, IP));
	put_u64(&m->steps, (uint64_t)h->first);
	put_u64(&m->steps, (uint64_t)h->last);
	settle(m, before);
}

void memo_put_habit(struct memo *m, const struct memo_habit *h)
{
	put_habit_step(m, PUT_HABIT, h);
}

void memo_drop_habit(struct memo *m, const struct memo_habit *h)
{
	put_habit_step(m, DROP_HABIT, h);
}

void memo_put_conduct(struct memo *m, uint64_t account, str packed)
{
	size_t before = m->steps.n;
	must(packed.n <= CONDUCT_MAX);
	buf_putc(&m->steps, (char)PUT_CONDUCT);
	put_u64(&m->steps, account);
	put_u64(&m->steps, packed.n);
	buf_put(&m->steps, packed);
	settle(m, before);
}

void memo_drop_conduct(struct memo *m, uint64_t account)
{
	size_t before = m->steps.n;
	buf_putc(&m->steps, (char)DROP_CONDUCT);
	put_u64(&m->steps, account);
	settle(m, before);
}

/* ---- reading them again ---- */

struct step {
	enum step_kind kind;
	struct memo_habit habit;
	str packed;
};

static bool next_step(cursor *c, struct step *out)
{
	if (cursor_done(c))
		return false;
	*out = (struct step){.kind = (enum step_kind)cursor_u8(c), .habit.account = cursor_u64(c)};
	if (out->kind == PUT_CONDUCT)
		out->packed = cursor_take(c, (size_t)cursor_u64(c));
	if (out->kind == PUT_HABIT || out->kind == DROP_HABIT) {
		str ip = cursor_take(c, IP);
		if (!c->bad)
			memcpy(out->habit.address.ip, ip.p, IP);
		out->habit.first = (int64_t)cursor_u64(c);
		out->habit.last = (int64_t)cursor_u64(c);
	}
	must(!c->bad); /* we wrote it */
	return true;
}

void memo_hear(const struct memo *m, const struct memo_hearer *h)
{
	cursor c = cursor_on(buf_str(&m->steps));
	for (struct step s; next_step(&c, &s);) {
		if (s.kind == PUT_HABIT)
			h->habit(h->ctx, &s.habit);
		else if (s.kind == PUT_CONDUCT)
			h->conduct(h->ctx, s.habit.account, s.packed);
	}
}

/* ---- the store thread ---- */

static result write_step(struct db *db, const struct step *s)
{
	const struct db_arg account = DB_INT(s->habit.account);
	const struct db_arg address = DB_BLOB(str_of((const char *)s->habit.address.ip, IP));
	switch (s->kind) {
	case PUT_HABIT:
		return db_run(db, "INSERT OR REPLACE INTO habit VALUES(?1, ?2, ?3, ?4)", account, address,
			      DB_INT(s->habit.first), DB_INT(s->habit.last));
	case DROP_HABIT:
		return db_run(db, "DELETE FROM habit WHERE account = ?1 AND address = ?2", account, address);
	case PUT_CONDUCT:
		return db_run(db, "INSERT OR REPLACE INTO conduct VALUES(?1, ?2)", account, DB_BLOB(s->packed));
	case DROP_CONDUCT:
		return db_run(db, "DELETE FROM conduct WHERE account = ?1", account);
	}
	return OK;
}

result memo_write(struct db *db, void *memo)
{
	const struct memo *m = memo;
	cursor c = cursor_on(buf_str(&m->steps));
	for (struct step s; next_step(&c, &s);)
		TRY(write_step(db, &s));
	return OK;
}

static result read_habits(struct db *db, struct memo *m)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT account, address, first, last FROM habit ORDER BY last"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		struct memo_habit h = {.account = (uint64_t)query_int(q, 0), .first = query_int(q, 2), .last = query_int(q, 3)};
		str ip = query_bytes(q, 1);
		if (ip.n != IP)
			return failure(FAIL_DAMAGE, "an address in the ledger has another length");
		memcpy(h.address.ip, ip.p, IP);
		memo_put_habit(m, &h);
	}
}

static result read_conduct(struct db *db, struct memo *m)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT account, packed FROM conduct"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		str packed = query_bytes(q, 1);
		if (packed.n <= CONDUCT_MAX)
			memo_put_conduct(m, (uint64_t)query_int(q, 0), packed);
	}
}

result memo_read(struct db *db, void *memo)
{
	struct memo *m = memo;
	buf_clear(&m->steps); /* the committer may run this twice */
	TRY(read_habits(db, m));
	return read_conduct(db, m);
}
