#include "watch/bans_store.h"

static str key_of(const net_cidr *c)
{
	return str_of((const char *)c->ip, sizeof c->ip);
}

#define COLUMNS "network, bits, grade, by_hand, since, until, refused, last, why, by"

/* ---- writing ---- */

static result write_one(struct db *db, const struct ban_change *c)
{
	const struct ban_facts *f = &c->facts;
	const struct ban_row *r = &f->row;
	if (c->act == BAN_DROP)
		return db_run(db, "DELETE FROM ban WHERE network = ?1 AND bits = ?2", DB_BLOB(key_of(&r->network)),
			      DB_INT(r->network.bits));
	if (c->act == BAN_COUNT)
		return db_run(db, "UPDATE ban SET refused = ?3, last = ?4 WHERE network = ?1 AND bits = ?2",
			      DB_BLOB(key_of(&r->network)), DB_INT(r->network.bits), DB_INT(f->refused), DB_INT(f->last));
	return db_run(db, "INSERT OR REPLACE INTO ban(" COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
		DB_BLOB(key_of(&r->network)), DB_INT(r->network.bits), DB_INT(r->grade), DB_INT(f->by_hand),
		DB_INT(f->since), DB_INT(r->until), DB_INT(f->refused), DB_INT(f->last), DB_TEXT(c->why), DB_TEXT(c->by));
}

result bans_write(struct db *db, void *list)
{
	LIST_EACH(n, (struct list *)list)
		TRY(write_one(db, LIST_OWNER(n, struct ban_change, node)));
	return OK;
}

/* ---- reading ---- */

/* False: no row of ours. */
static bool facts_of(const struct query *q, struct ban_facts *out)
{
	str ip = query_bytes(q, 0);
	int64_t bits = query_int(q, 1), grade = query_int(q, 2);
	if (ip.n != sizeof out->row.network.ip || bits < 0 || bits > 128 || grade <= BAN_NONE || grade >= BAN_GRADES)
		return false;
	*out = (struct ban_facts){.row = {.network.bits = (unsigned)bits, .grade = (enum ban_grade)grade,
		.until = query_int(q, 5)}, .by_hand = query_int(q, 3) != 0, .since = query_int(q, 4),
		.refused = (uint64_t)query_int(q, 6), .last = query_int(q, 7)};
	memcpy(out->row.network.ip, ip.p, ip.n);
	return true;
}

result bans_read_all(struct db *db, void *reading)
{
	const struct bans_reading *r = reading;
	struct query AUTO_QUERY *q = NULL;
	struct ban_facts f;
	bool row;
	TRY(db_ask(db, &q, "SELECT " COLUMNS " FROM ban"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		if (facts_of(q, &f))
			r->take(r->ctx, &f);
	}
}

static result print_row(const struct bans_page *p, const struct query *q, const struct ban_facts *f)
{
	static const enum web_watch_ban_grade grades[] = {[BAN_DELAY] = WEB_WATCH_BAN_GRADE_DELAY,
		[BAN_TARPIT] = WEB_WATCH_BAN_GRADE_TARPIT, [BAN_FULL] = WEB_WATCH_BAN_GRADE_BANNED};
	AUTO_BUF buf text = buf_new(NET_TEXT_MAX + 4);
	net_put_cidr(&text, &f->row.network);
	TRY(buf_result(&text));
	p->rows[p->n] = (struct web_watch_ban_row){.network = arena_dup(p->a, buf_str(&text)),
		.grade = grades[f->row.grade], .since = f->since / 1000, .until = (f->row.until + 999) / 1000,
		.refused = f->refused, .last = f->last / 1000, .reason = arena_dup(p->a, query_bytes(q, 8)),
		.by = arena_dup(p->a, query_bytes(q, 9))};
	return arena_result(p->a);
}

static result ask_page(struct db *db, const struct bans_page *p, struct query **q)
{
	const net_cidr *from = p->only ? p->only : p->after;
	str key = from ? key_of(from) : STR("");
	int64_t bits = from ? (int64_t)from->bits : -1;
	if (p->only)
		return db_ask(db, q, "SELECT " COLUMNS " FROM ban WHERE network = ?1 AND bits = ?2", DB_BLOB(key),
			      DB_INT(bits));
	return db_ask(db, q, "SELECT " COLUMNS " FROM ban WHERE (network, bits) > (?1, ?2) AND (until = 0 OR until > ?3)"
		" ORDER BY network, bits LIMIT ?4", DB_BLOB(key), DB_INT(bits), DB_INT(p->now),
		DB_INT(WEB_WATCH_BANS_ROWS_MAX));
}

result bans_read_page(struct db *db, void *page)
{
	struct bans_page *p = page;
	struct query AUTO_QUERY *q = NULL;
	struct ban_facts f;
	bool row;
	p->n = p->before; /* the committer may run this twice */
	TRY(ask_page(db, p, &q));
	while (p->n < WEB_WATCH_BANS_ROWS_MAX) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		if (!facts_of(q, &f))
			continue;
		TRY(print_row(p, q, &f));
		p->n++;
	}
	return OK;
}
