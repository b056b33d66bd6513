/* The queue, to look at. */
#include "base/mem.h"
#include "grammar/smtp/advice.h"
#include "queue/admin_core.h"

enum { PAGE = 50 };

result chosen_of(const struct choice *c, struct chosen *out)
{
	*out = (struct chosen){.item = c->item < INT64_MAX ? c->item : INT64_MAX, .sender = c->sender,
		.destination = c->destination};
	if (c->message.n >= sizeof out->message || c->destination.n + 1 > sizeof out->at)
		return failure(FAIL_INPUT, "a message's id has at most 32 digits");
	for (size_t i = 0; i < c->message.n; i++)
		out->message[i] = (char)ascii_lower(str_at(c->message, i));
	out->message_n = c->message.n;
	if (c->destination.n > 0) {
		out->at[0] = '@';
		memcpy(out->at + 1, c->destination.p, c->destination.n);
		out->at_n = c->destination.n + 1;
	}
	return OK;
}

#define ITEM_COLUMNS "SELECT i.id, i.delivery, i.account, i.sender, i.recipient, x'', 0, i.size, i.state," \
	" i.attempts, i.kept, i.next, 0, x'', x'', i.why, 0 FROM item i WHERE i.id > ?6 AND"
#define MAIL_COLUMNS "SELECT r.id, m.delivery, 0, m.sender, r.address, r.destination, r.route, m.size," \
	" r.state + 10, r.attempts, m.arrived, r.next, r.code, r.status, r.host, r.text, r.advice FROM recipient r" \
	" JOIN message m ON m.id = r.message WHERE r.id > ?6 AND"

struct listing {
	struct queue *q;
	struct chosen chosen;
	uint64_t after;
	arena *arena;
	struct web_queue_item_row *rows;
	size_t n;
	int64_t total;
};

static enum web_queue_item_state state_of(int64_t kept)
{
	static const enum web_queue_item_state items[] = {WEB_QUEUE_ITEM_STATE_WAITING, WEB_QUEUE_ITEM_STATE_DELIVERING,
		WEB_QUEUE_ITEM_STATE_QUARANTINE, WEB_QUEUE_ITEM_STATE_HELD, WEB_QUEUE_ITEM_STATE_HELD};
	static const enum web_queue_item_state mails[] = {WEB_QUEUE_ITEM_STATE_WAITING, WEB_QUEUE_ITEM_STATE_HELD,
		WEB_QUEUE_ITEM_STATE_QUARANTINE, WEB_QUEUE_ITEM_STATE_REPORTING, WEB_QUEUE_ITEM_STATE_HELD};
	if (kept >= 10)
		return mails[kept - 10 < 5 ? kept - 10 : 0];
	return items[kept >= 0 && kept < 5 ? kept : 0];
}

static str advice_of(const struct query *q, arena *a)
{
	AUTO_BUF buf b = buf_new(WEB_QUEUE_ITEM_ROW_ADVICE_MAX);
	int64_t number = query_int(q, 16);
	const struct advice *is = number > 0 && number < ADVICE_MAX ? advice_at((uint16_t)number) : NULL;
	if (is)
		buf_printf(&b, "%s %s", is->meaning, is->remedy);
	return arena_dup(a, buf_str(&b));
}

static void list_row(struct listing *l, const struct query *q)
{
	struct web_queue_item_row row = {.item = (uint64_t)query_int(q, 0), .account = (uint64_t)query_int(q, 2),
		.sender = arena_dup(l->arena, query_bytes(q, 3)), .recipient = arena_dup(l->arena, query_bytes(q, 4)),
		.destination = arena_dup(l->arena, query_bytes(q, 5)), .route = (uint64_t)query_int(q, 6),
		.size = (uint64_t)query_int(q, 7), .state = state_of(query_int(q, 8)),
		.attempts = (uint32_t)query_int(q, 9), .kept = query_int(q, 10) / 1000, .next = query_int(q, 11) / 1000,
		.code = (uint16_t)query_int(q, 12), .status = arena_dup(l->arena, query_bytes(q, 13)),
		.host = arena_dup(l->arena, query_bytes(q, 14)), .why = arena_dup(l->arena, query_bytes(q, 15)),
		.advice = advice_of(q, l->arena)};
	str delivery = query_bytes(q, 1);
	if (delivery.n == sizeof row.delivery.b)
		memcpy(row.delivery.b, delivery.p, delivery.n);
	if (row.state != WEB_QUEUE_ITEM_STATE_WAITING && row.state != WEB_QUEUE_ITEM_STATE_DELIVERING)
		row.next = 0;
	l->rows[l->n++] = row;
}

static result run_list(struct db *db, void *arg)
{
	struct listing *l = arg;
	const struct chosen *c = &l->chosen;
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	l->n = 0;
	TRY(db_get(db, &l->total, "SELECT (SELECT count(*) FROM item i WHERE" CHOSEN_ITEM ") + (SELECT count(*) FROM"
		" recipient r JOIN message m ON m.id = r.message WHERE" CHOSEN_MAIL ")", CHOSEN_ARGS(c)));
	TRY(db_ask(db, &rows, ITEM_COLUMNS CHOSEN_ITEM "UNION ALL " MAIL_COLUMNS CHOSEN_MAIL "ORDER BY 1 LIMIT ?7",
		CHOSEN_ARGS(c), DB_INT(l->after), DB_INT(PAGE)));
	for (;;) {
		TRY(query_next(rows, &row));
		if (!row)
			return arena_result(l->arena);
		list_row(l, rows);
	}
}

/* Who is with the relay just now, memory alone knows. */
static void mark_under_way(struct listing *l)
{
	LIST_EACH(node, &l->q->out.parcels) {
		const struct parcel *p = LIST_OWNER(node, struct parcel, node);
		for (size_t i = 0; i < p->n; i++)
			for (size_t k = 0; k < l->n; k++)
				if (l->rows[k].item == p->to[i].id && l->rows[k].state == WEB_QUEUE_ITEM_STATE_WAITING)
					l->rows[k].state = WEB_QUEUE_ITEM_STATE_DELIVERING;
	}
}

static result list(struct queue *q, struct listing *l, const struct choice *c)
{
	l->q = q;
	l->after = l->after < INT64_MAX ? l->after : INT64_MAX;
	l->rows = arena_array(l->arena, PAGE, sizeof *l->rows);
	if (!l->rows)
		return arena_result(l->arena);
	TRY(chosen_of(c, &l->chosen));
	TRY(items_read(q, run_list, l));
	mark_under_way(l);
	return arena_result(l->arena);
}

result admin_list(struct queue *q, const struct web_queue_list *m, arena *a, struct web_queue_items *out)
{
	struct listing l = {.after = m->after, .arena = a};
	const struct choice c = {.message = m->message, .sender = m->sender, .destination = m->destination};
	TRY(list(q, &l, &c));
	out->rows.p = l.rows;
	out->rows.n = l.n;
	out->total = (uint64_t)l.total;
	return OK;
}

/* ---- one message ---- */

struct showing {
	struct queue *q;
	trace_id delivery;
	arena *arena;
	struct web_queue_message_is *out;
};

static result run_show(struct db *db, void *arg)
{
	struct showing *s = arg;
	struct web_queue_message_is *o = s->out;
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	TRY(db_ask(db, &rows, "SELECT account, hold_until, deliver_by, max(arrived, hold_until), envid, flags FROM message"
		" WHERE delivery = ?1", DB_BLOB(str_of((const char *)s->delivery.b, sizeof s->delivery.b))));
	TRY(query_next(rows, &row));
	if (!row)
		return OK; /* it is for accounts here */
	o->account = (uint64_t)query_int(rows, 0);
	o->hold_until = query_int(rows, 1) / 1000;
	o->deliver_by = query_int(rows, 2) / 1000;
	o->expires = (query_int(rows, 3) + (int64_t)s->q->out.expire_ms) / 1000;
	o->envid = arena_dup(s->arena, query_bytes(rows, 4));
	o->flags = (uint32_t)query_int(rows, 5);
	return arena_result(s->arena);
}

static str digits(const trace_id *id, arena *a)
{
	static const char hex[] = "0123456789abcdef";
	char out[2 * sizeof id->b];
	for (size_t i = 0; i < sizeof id->b; i++) {
		out[2 * i] = hex[id->b[i] >> 4];
		out[2 * i + 1] = hex[id->b[i] & 15];
	}
	return arena_dup(a, str_of(out, sizeof out));
}

result admin_show(struct queue *q, const struct web_queue_show *m, arena *a, struct web_queue_message_is *out)
{
	struct listing l = {.arena = a};
	const struct choice first = {.item = m->item, .message = m->message};
	if (m->item == 0 && m->message.n == 0)
		return failure(FAIL_INPUT, "say which: the number of an item, or a message's id");
	TRY(list(q, &l, &first));
	if (l.n == 0)
		return failure(FAIL_ABSENT, "there is no such message; postern queue list shows those there are");
	struct showing s = {q, l.rows[0].delivery, a, out};
	const struct choice all = {.message = digits(&s.delivery, a)};
	l = (struct listing){.arena = a};
	TRY(list(q, &l, &all));
	if (l.n == 0)
		return failure(FAIL_ABSENT, "the message has just gone");
	*out = (struct web_queue_message_is){.delivery = s.delivery, .account = l.rows[0].account,
		.sender = l.rows[0].sender,
		.size = l.rows[0].size, .kept = l.rows[0].kept, .total = (uint64_t)l.total};
	out->rows.p = l.rows;
	out->rows.n = l.n;
	return items_read(q, run_show, &s);
}

/* ---- suppressed addresses ---- */

struct suppressed {
	str after;
	arena *arena;
	struct web_queue_suppressed_row *rows;
	size_t n;
};

static result run_suppressed(struct db *db, void *arg)
{
	struct suppressed *s = arg;
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	s->n = 0;
	TRY(db_ask(db, &rows, "SELECT address, hits, until, status, text FROM suppressed WHERE address > ?1 ORDER"
		" BY address"
		" LIMIT ?2", DB_BLOB(s->after), DB_INT(PAGE)));
	for (;;) {
		TRY(query_next(rows, &row));
		if (!row)
			return arena_result(s->arena);
		s->rows[s->n++] = (struct web_queue_suppressed_row){.address = arena_dup(s->arena, query_bytes(rows, 0)),
			.hits = (uint64_t)query_int(rows, 1), .until = query_int(rows, 2) / 1000,
			.status = arena_dup(s->arena, query_bytes(rows, 3)), .text = arena_dup(s->arena, query_bytes(rows, 4))};
	}
}

result admin_suppressed(struct queue *q, str after, arena *a, struct web_queue_suppressed_are *out)
{
	struct suppressed s = {.after = after, .arena = a, .rows = arena_array(a, PAGE, sizeof *s.rows)};
	if (!s.rows)
		return arena_result(a);
	TRY(items_read(q, run_suppressed, &s));
	out->rows.p = s.rows;
	out->rows.n = s.n;
	return OK;
}
