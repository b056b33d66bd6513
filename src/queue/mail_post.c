/* Mail for other servers comes in. */
#include <stdlib.h>

#include "grammar/smtp/mailbox.h"
#include "queue/contain.h"
#include "queue/fresh.h"
#include "run/clock.h"
#include "run/random.h"
#include "talk/queue_auth.h"

enum { BRIEF_OCTETS = 64 << 10 }; /* the loop may write so much by itself */

/* ---- where it goes ---- */

/* FNV-1a, so that a restart finds the same number; below 0, where no account is. */
int64_t mail_turn_of(uint64_t account, str sender)
{
	uint64_t h = 14695981039346656037ull;
	size_t at = str_rchr(sender, '@');
	if (account > 0 && account <= INT64_MAX)
		return (int64_t)account;
	for (size_t i = at == STR_NONE ? 0 : at + 1; i < sender.n; i++)
		h = (h ^ ascii_lower((unsigned char)sender.p[i])) * 1099511628211ull;
	return -(int64_t)(h >> 2) - 1;
}

static result destination_of(str address, arena *a, str *out)
{
	size_t at = str_rchr(address, '@');
	if (at == STR_NONE || at + 1 == address.n)
		return failure(FAIL_INPUT, "an address without a domain cannot be sent to another server");
	TRY(mailbox_domain(str_skip(address, at + 1), a, out));
	return out->n <= TRAFFIC_NAME ? OK : failure(FAIL_INPUT, "the domain is longer than a domain can be");
}

static result route_of(const struct posting *p, const struct edge_queue_recipient *to, uint64_t *route)
{
	struct queue_auth_route_is is = {.route = to->route};
	const struct queue_auth_route m = {.sender = p->m->sender, .recipient = to->address};
	if (!p->m->routed)
		TRY(route_ask(p->q, &m, &is));
	*route = is.route;
	return OK;
}

static int by_way(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->way.route != y->way.route)
		return x->way.route < y->way.route ? -1 : 1;
	return str_cmp(x->way.destination, y->way.destination);
}

static int64_t first_alarm(const struct posting *p)
{
	const struct outward *o = &p->q->out;
	int64_t hold = items_ms_of(p->m->hold_until), by = items_ms_of(p->m->deliver_by);
	if (hold > p->now)
		return hold;
	int64_t at = p->now + (int64_t)(o->warn_ms > 0 && o->warn_ms < o->expire_ms ? o->warn_ms : o->expire_ms);
	return by > 0 && by < at ? by : at;
}

result posting_prepare(struct posting *p, arena *a)
{
	const struct edge_queue_post *m = p->m;
	int64_t turn = mail_turn_of(m->account, m->sender);
	p->n = m->recipients.n;
	p->entries = arena_array(a, p->n, sizeof *p->entries);
	if (!p->entries)
		return arena_result(a);
	for (size_t i = 0; i < p->n; i++) {
		struct entry *e = &p->entries[i];
		e->to = &m->recipients.p[i];
		e->way.sender = turn;
		if (e->to->delivered)
			continue; /* it goes nowhere */
		TRY(destination_of(e->to->address, a, &e->way.destination));
		TRY(route_of(p, e->to, &e->way.route));
	}
	qsort(p->entries, p->n, sizeof *p->entries, by_way);
	p->now = clock_wall_ms();
	p->in_file = m->sealed.bytes.n > QUEUE_INLINE;
	p->alarm = first_alarm(p);
	return OK;
}

/* ---- into the rows ---- */

static result run_put_body(struct db *db, void *arg)
{
	struct posting *p = arg;
	(void)db;
	return engine_put_body(p->q->engine, p->m->sealed.bytes, &p->body);
}

result posting_body(struct posting *p)
{
	return p->in_file ? items_read(p->q, run_put_body, p) : OK;
}

void posting_drop_body(struct posting *p, result write)
{
	if (p->in_file)
		items_drop_body(p->q, &p->body, write);
}

static bool on_hold(const struct posting *p)
{
	return items_ms_of(p->m->hold_until) > p->now;
}

/* Nothing of it goes yet: for a time, or because its account is contained. */
static bool is_held(const struct posting *p)
{
	return p->contained || on_hold(p);
}

static result insert_message(struct db *db, struct posting *p)
{
	const struct edge_queue_post *m = p->m;
	struct db_arg file = p->in_file ? DB_BLOB(str_of((const char *)p->body.b, sizeof p->body.b)) : DB_NULL;
	TRY(db_run(db, "INSERT OR IGNORE INTO message (delivery, account, sender, turn, size, octets, arrived,"
		" received, ret,"
		" envid, flags, hold_until, deliver_by, by_return, alarm, wrapped, body)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
		DB_BLOB(str_of((const char *)m->delivery.b, sizeof m->delivery.b)), DB_INT(m->account), DB_BLOB(m->sender),
		DB_INT(mail_turn_of(m->account, m->sender)), DB_INT(m->size), DB_INT(m->sealed.bytes.n), DB_INT(p->now),
		DB_INT(m->received), DB_INT(m->ret), DB_BLOB(m->envid), DB_INT(m->flags), DB_INT(items_ms_of(m->hold_until)),
		DB_INT(items_ms_of(m->deliver_by)), DB_INT(m->by_return), DB_INT(p->alarm), DB_BLOB(m->wrapped), file));
	if (db_changed(db) == 0)
		return OK;
	p->id = (uint64_t)db_last_row(db);
	if (p->in_file)
		return OK;
	return db_run(db, "INSERT INTO sealed (message, bytes) VALUES (?1, ?2)", DB_INT(p->id), DB_BLOB(m->sealed.bytes));
}

/* Items for accounts and recipients elsewhere are numbered together: what an
 * administrator names is one of them. */
static result take_numbers(struct db *db, size_t n, uint64_t *first)
{
	int64_t last;
	TRY(db_get(db, &last, "SELECT seq FROM sqlite_sequence WHERE name = 'item'"));
	*first = (uint64_t)last + 1;
	return db_run(db, "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'item'", DB_INT((uint64_t)last + n));
}

/* What stands in a new recipient's row. */
struct fate {
	enum mail_state state;
	enum mail_tell tell;
	str status, text;
};

static struct fate fate_of(const struct posting *p, const struct entry *e)
{
	if (e->suppressed)
		return (struct fate){MAIL_GONE, TELL_FAILED, STR("5.1.1"), e->why};
	enum mail_state kept = p->contained ? MAIL_STOPPED : MAIL_HELD;
	struct fate f = {is_held(p) ? kept : MAIL_WAITING, TELL_NOTHING, STR(""), STR("")};
	if (e->to->delivered)
		f = (struct fate){is_held(p) ? kept : MAIL_GONE, TELL_DELIVERED, STR("2.0.0"),
			STR("it is in the mailbox")};
	return f;
}

static result look_up_suppressed(struct db *db, struct posting *p, struct entry *e, arena *a)
{
	const struct suppress_note note = {.address = e->to->address, .now = p->now};
	if (!e->to->delivered && p->q->out.suppresses)
		TRY(suppress_find(db, &note, a, &e->why));
	e->suppressed = e->why.n > 0;
	return OK;
}

static result insert_entry(struct db *db, struct posting *p, struct entry *e, uint64_t number)
{
	AUTO_ARENA arena a = arena_new(4096);
	TRY(look_up_suppressed(db, p, e, &a));
	const struct fate f = fate_of(p, e);
	p->to_tell |= f.state == MAIL_GONE;
	result r = db_run(db, "INSERT INTO recipient (id, message, address, notify, orcpt, route, destination,"
		" turn, state, tell,"
		" next, status, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
		DB_INT(number), DB_INT(p->id), DB_BLOB(e->to->address), DB_INT(e->to->notify), DB_BLOB(e->to->orcpt),
		DB_INT(e->way.route), DB_BLOB(e->way.destination), DB_INT(e->way.sender), DB_INT(f.state),
		DB_INT(f.tell), DB_INT(p->now), DB_BLOB(f.status), DB_BLOB(f.text));
	e->why = (str){0};
	e->number = number;
	return r;
}

result posting_insert(struct db *db, struct posting *p)
{
	uint64_t number;
	p->id = 0;
	p->to_tell = false;
	TRY(insert_message(db, p));
	if (p->id == 0)
		return OK;
	TRY(contain_holds(db, p->m->account, &p->contained));
	TRY(take_numbers(db, p->n, &number));
	for (size_t i = 0; i < p->n; i++)
		TRY(insert_entry(db, p, &p->entries[i], number + i));
	return OK;
}

static bool goes(const struct entry *e)
{
	return !e->suppressed && !e->to->delivered;
}

void posting_kept(struct posting *p)
{
	struct outward *o = &p->q->out;
	if (p->id == 0)
		return;
	if (p->alarm < o->alarm_at)
		mail_alarm(p->q, p->alarm);
	if (p->to_tell) {
		o->to_tell = true;
		gate_wake_all(&o->tell);
	}
	if (is_held(p))
		return;
	/* Without memory for a turn it waits for the next start. */
	for (size_t i = 0; i < p->n; i++) {
		const struct entry *e = &p->entries[i];
		struct turn *turn;
		bool first = i == 0 || by_way(e - 1, e) != 0 || !goes(e - 1);
		if (!goes(e) || !first)
			continue;
		if (failed(traffic_arrived(&o->traffic, &e->way, clock_mono_ms(), &turn)))
			break;
		fresh_keep(p->q, p, turn);
	}
	gate_wake_all(&o->changed);
}

static result run_post(struct db *db, void *arg)
{
	return posting_insert(db, arg);
}

static void kept_post(void *arg)
{
	posting_kept(arg);
}

static void tell_posted(const struct posting *p)
{
	const struct edge_queue_post *m = p->m;
	for (size_t i = 0; i < p->n; i++) {
		const struct entry *e = &p->entries[i];
		if (e->to->delivered)
			continue;
		log_event(e->suppressed ? EV_SUPPRESSED : EV_QUEUED_OUT, &m->delivery, F_U64("message", p->id),
			  F_U64("account", m->account), F_STR("from", m->sender), F_STR("to", e->to->address),
			  F_STR("destination", e->way.destination), F_U64("route", e->way.route), F_U64("size", m->size),
			  F_I64("hold_until", m->hold_until));
	}
}

result mail_post(struct queue *q, struct edge_queue_post *m, arena *a)
{
	struct posting p = {.q = q, .m = m};
	if (m->sealed.bytes.n == 0 || m->wrapped.n == 0 || m->recipients.n == 0)
		return failure(FAIL_INPUT, "a message without content, key or recipients could never be sent");
	TRY(posting_prepare(&p, a));
	TRY(posting_body(&p));
	const struct commit_job job = {.run = run_post, .kept = kept_post, .arg = &p, .writes = true,
		.brief = m->sealed.bytes.n <= BRIEF_OCTETS, .gathers = true};
	result r = items_commit(q, &job);
	if (failed(r) || p.id == 0)
		posting_drop_body(&p, r);
	if (!failed(r) && p.id > 0)
		tell_posted(&p);
	return r;
}
