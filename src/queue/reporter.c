/* Tells senders what became of their mail: a report replaces the recipients
 * that it is about, in one transaction. */
#include "base/mem.h"
#include "queue/mail_core.h"
#include "run/clock.h"
#include "run/random.h"
#include "talk/queue_auth.h"

enum { READER_ARENA = 128 << 10, REPORT_ARENA = 1 << 20, ROWS_ARENA = 256 << 10 };

/* One recipient of the message, as the rows tell of it. */
struct told {
	uint64_t id;
	uint8_t notify;
	enum mail_tell tell;
	struct queue_relay_report_row row;
};

/* The report as one of its readers gets it. */
struct copy {
	uint64_t account; /* 0: everybody elsewhere */
	arena arena;
	struct queue_relay_reported is;
	struct keeping keeping;
	struct edge_queue_keep keep;
	struct posting posting;
	struct edge_queue_post post;
	bool in_file;
};

struct reporting {
	struct queue *q;
	struct parcel parcel; /* the message, without recipients */
	struct told told[QUEUE_TOGETHER];
	struct queue_relay_report_row rows[QUEUE_TOGETHER]; /* of those that are to be reported */
	size_t n, rows_n;
	arena arena; /* readers */
	struct queue_auth_reader_is readers;
	trace_id id;
	struct copy *copies;
	size_t copies_n;
	bool has_body;
	struct blob_key body;
	int64_t now;
};

/* ---- what is to be told ---- */

static void read_row(struct reporting *r, const struct query *q)
{
	static const enum queue_relay_action actions[] = {[TELL_FAILED] = QUEUE_RELAY_ACTION_FAILED,
		[TELL_DELAYED] = QUEUE_RELAY_ACTION_DELAYED, [TELL_DELIVERED] = QUEUE_RELAY_ACTION_DELIVERED,
		[TELL_RELAYED] = QUEUE_RELAY_ACTION_RELAYED};
	arena *a = &r->parcel.arena;
	struct told *t = &r->told[r->n++];
	int64_t tell = query_int(q, 2);
	t->id = (uint64_t)query_int(q, 0);
	t->notify = (uint8_t)query_int(q, 1);
	t->tell = tell >= TELL_FAILED && tell <= TELL_RELAYED ? (enum mail_tell)tell : TELL_FAILED;
	t->row = (struct queue_relay_report_row){.action = actions[t->tell], .address = arena_dup(a, query_bytes(q, 3)),
		.orcpt = arena_dup(a, query_bytes(q, 4)), .code = (uint16_t)query_int(q, 5),
		.status = arena_dup(a, query_bytes(q, 6)), .diagnostic = arena_dup(a, query_bytes(q, 7)),
		.host = arena_dup(a, query_bytes(q, 8)), .advice = (uint16_t)query_int(q, 9),
		.last = query_int(q, 10) / 1000};
	if (t->tell == TELL_DELAYED)
		t->row.until = (r->parcel.began + (int64_t)r->q->out.expire_ms) / 1000;
}

static result read_rows(struct db *db, struct reporting *r)
{
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	TRY(db_ask(db, &rows, "SELECT id, notify, tell, address, orcpt, code, status, text, host, advice, last"
		" FROM recipient"
		" WHERE message = ?1 AND tell <> 0 AND (state <> 1 OR tell <> 3) ORDER BY id LIMIT ?2",
		DB_INT(r->parcel.message), DB_INT(QUEUE_TOGETHER)));
	for (;;) {
		TRY(query_next(rows, &row));
		if (!row)
			return arena_result(&r->parcel.arena);
		read_row(r, rows);
	}
}

/* The first message after that one of which something is to be told. */
static result run_find(struct db *db, void *arg)
{
	struct reporting *r = arg;
	struct parcel *p = &r->parcel;
	uint64_t after = p->message;
	parcel_free(p);
	parcel_new(p);
	p->message = after;
	r->n = 0;
	int64_t next;
	result found = db_get(db, &next, "SELECT message FROM recipient WHERE tell <> 0 AND (state <> 1 OR tell <> 3)"
		" AND message > ?1"
		" ORDER BY message LIMIT 1", DB_INT(after));
	if (found.kind == FAIL_ABSENT)
		return OK;
	TRY(found);
	p->message = (uint64_t)next;
	TRY(mail_read_message(db, p));
	return read_rows(db, r);
}

static void choose(struct reporting *r)
{
	r->rows_n = 0;
	for (size_t i = 0; i < r->n; i++)
		if (mail_wants(&r->parcel, r->told[i].notify, r->told[i].tell))
			r->rows[r->rows_n++] = r->told[i].row;
}

/* ---- who reads it ---- */

static result ask_readers(struct reporting *r)
{
	struct channel *auth;
	const struct asking how = {.trace = &r->parcel.delivery, .arena = &r->arena, .timeout_ms = QUEUE_ASK_MS};
	const struct queue_auth_reader m = {.address = r->parcel.sender};
	TRY(r->q->world->auth(&auth));
	return queue_auth_reader_call_within(auth, &how, &m, &r->readers);
}

/* Where auth does not say it, the account that sent it, or the address itself. */
static result find_readers(struct reporting *r)
{
	result a = ask_readers(r);
	if (a.kind != FAIL_ABSENT && a.kind != FAIL_DENIED)
		return a;
	uint64_t *account = arena_alloc(&r->arena, sizeof *account);
	str *outside = arena_alloc(&r->arena, sizeof *outside);
	if (!account || !outside)
		return arena_result(&r->arena);
	*account = r->parcel.account;
	*outside = r->parcel.sender;
	r->readers = (struct queue_auth_reader_is){0};
	r->readers.accounts.p = account;
	r->readers.accounts.n = *account > 0;
	r->readers.outside.p = outside;
	r->readers.outside.n = *account == 0;
	return OK;
}

/* ---- the copies ---- */

static result write_copy(struct reporting *r, struct copy *c)
{
	struct parcel *p = &r->parcel;
	struct channel *relay;
	const struct asking how = {.trace = &p->delivery, .arena = &c->arena, .timeout_ms = QUEUE_REPORT_MS};
	struct queue_relay_report m = {.delivery = p->delivery, .report = r->id, .sender = p->sender,
		.holder = c->account > 0 ? QUEUE_RELAY_HOLDER_ACCOUNT : QUEUE_RELAY_HOLDER_RELAY, .account = c->account,
		.envid = p->envid, .ret = p->ret, .flags = p->flags, .arrived = p->arrived / 1000,
		.rows = {.p = r->rows, .n = r->rows_n}, .wrapped = str_of(p->content.wrapped, p->content.wrapped_n),
		.sealed = body_view(&p->content.sealed)};
	TRY(r->q->world->relay(&relay));
	return queue_relay_report_call_within(relay, &how, &m, &c->is);
}

static result prepare_keep(struct reporting *r, struct copy *c)
{
	c->keep = (struct edge_queue_keep){.delivery = r->id, .account = c->account, .recipient = r->parcel.sender,
		.size = c->is.size, .notify = NOTIFY_NEVER, .wrapped = c->is.wrapped, .sealed = body_view(&c->is.sealed)};
	c->keeping = (struct keeping){.q = r->q, .m = &c->keep};
	TRY(keeping_prepare(&c->keeping));
	c->keeping.next = c->keeping.now; /* its account has refused nothing */
	c->in_file = c->keeping.in_file;
	return OK;
}

static result prepare_post(struct reporting *r, struct copy *c)
{
	size_t n = r->readers.outside.n;
	struct edge_queue_recipient *to = arena_array(&c->arena, n, sizeof *to);
	if (!to)
		return arena_result(&c->arena);
	for (size_t i = 0; i < n; i++)
		to[i] = (struct edge_queue_recipient){.address = r->readers.outside.p[i], .notify = NOTIFY_NEVER};
	c->post = (struct edge_queue_post){.delivery = r->id, .recipients = {.p = to, .n = n}, .size = c->is.size,
		.received = r->now / 1000, .flags = c->is.flags | MAIL_REPORT, .wrapped = c->is.wrapped,
		.sealed = body_view(&c->is.sealed)};
	c->posting = (struct posting){.q = r->q, .m = &c->post};
	TRY(posting_prepare(&c->posting, &c->arena));
	TRY(posting_body(&c->posting));
	c->in_file = c->posting.in_file;
	return OK;
}

static result make_copies(struct reporting *r)
{
	size_t accounts = r->readers.accounts.n;
	size_t n = accounts + (r->readers.outside.n > 0);
	if (n == 0)
		return OK;
	r->copies = arena_array(&r->arena, n, sizeof *r->copies);
	if (!r->copies)
		return arena_result(&r->arena);
	for (r->copies_n = 0; r->copies_n < n;) {
		struct copy *c = &r->copies[r->copies_n++];
		c->account = r->copies_n <= accounts ? r->readers.accounts.p[r->copies_n - 1] : 0;
		c->arena = arena_new(REPORT_ARENA);
		TRY(write_copy(r, c));
		TRY(c->account > 0 ? prepare_keep(r, c) : prepare_post(r, c));
	}
	return OK;
}

static void free_copies(struct reporting *r, result told)
{
	for (size_t i = 0; i < r->copies_n; i++) {
		struct copy *c = &r->copies[i];
		if (c->in_file && (failed(told) || (c->account > 0 ? c->keeping.id : c->posting.id) == 0))
			items_drop_body(r->q, c->account > 0 ? &c->keeping.body : &c->posting.body, told);
		queue_relay_reported_release(&c->is);
		arena_free(&c->arena);
	}
	r->copies_n = 0;
	arena_clear(&r->arena);
}

/* ---- together ---- */

static result run_replace(struct db *db, void *arg)
{
	struct reporting *r = arg;
	for (size_t i = 0; i < r->copies_n; i++) {
		struct copy *c = &r->copies[i];
		TRY(c->account > 0 ? keeping_insert(db, &c->keeping) : posting_insert(db, &c->posting));
	}
	for (size_t i = 0; i < r->n; i++) {
		const struct told *t = &r->told[i];
		if (t->tell == TELL_DELAYED)
			TRY(db_run(db, "UPDATE recipient SET tell = 0 WHERE id = ?1 AND tell = 2", DB_INT(t->id)));
		else
			TRY(db_run(db, "DELETE FROM recipient WHERE id = ?1 AND state = 3", DB_INT(t->id)));
	}
	return mail_close(db, r->parcel.message, &r->body, &r->has_body);
}

static void kept_replace(void *arg)
{
	struct reporting *r = arg;
	for (size_t i = 0; i < r->copies_n; i++) {
		struct copy *c = &r->copies[i];
		if (c->account > 0)
			keeping_kept(&c->keeping);
		else
			posting_kept(&c->posting);
	}
}

static void log_rows(const struct reporting *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct told *t = &r->told[i];
		bool wanted = mail_wants(&r->parcel, t->notify, t->tell) && r->copies_n > 0;
		log_event(wanted ? EV_REPORTED : EV_UNREPORTED, &r->parcel.delivery, F_U64("item", t->id),
			  F_STR("from", r->parcel.sender), F_STR("to", t->row.address),
			  F_STR("action", str_from(queue_relay_action_names[t->row.action])), F_STR("status", t->row.status),
			  F_U64("code", t->row.code), F_STR("text", t->row.diagnostic));
	}
}

/* ---- one message after the other ---- */

/* What is damaged or gone cannot come along; its sender is told all the same. */
static result fetch_original(struct reporting *r)
{
	result f = mail_fetch(r->q, &r->parcel);
	return f.kind == FAIL_DAMAGE || f.kind == FAIL_ABSENT ? OK : f;
}

static result tell(struct reporting *r)
{
	r->now = clock_wall_ms();
	r->id = trace_new();
	r->readers = (struct queue_auth_reader_is){0};
	r->copies = NULL;
	if (r->rows_n > 0) {
		TRY(fetch_original(r));
		TRY(find_readers(r));
		TRY(make_copies(r));
	}
	TRY(items_write(r->q, run_replace, kept_replace, r));
	if (r->has_body)
		items_delete_body(r->q, &r->body);
	log_rows(r);
	return OK;
}

/* Its sentence may lie in a copy's arena. */
static void log_later(const struct reporting *r, result why)
{
	log_event(EV_REPORT_LATER, &r->parcel.delivery, F_U64("message", r->parcel.message),
		F_STR("why", str_from(why.text)));
}

/* *again: something could not be told now. A message whose rows are damaged keeps none of the others waiting. */
static result pass(struct reporting *r, bool *again)
{
	*again = false;
	r->parcel.message = 0;
	for (;;) {
		uint64_t after = r->parcel.message;
		result f = items_read(r->q, run_find, r);
		if (f.kind == FAIL_DAMAGE && r->parcel.message != after) {
			log_later(r, f);
			*again = true;
			continue;
		}
		TRY(f);
		if (r->n == 0)
			return OK;
		if (!r->parcel.in_file)
			r->parcel.content.sealed = body_of(buf_str(&r->parcel.content.bytes));
		choose(r);
		result t = tell(r);
		if (failed(t) && t.kind != FAIL_CANCELLED)
			log_later(r, t);
		free_copies(r, t);
		if (t.kind == FAIL_CANCELLED)
			return failure(FAIL_CANCELLED, "the room is stopping");
		if (!failed(t) && r->n == QUEUE_TOGETHER)
			r->parcel.message--; /* there may be more of it */
		*again |= failed(t);
	}
}

void queue_run_reports(struct queue *q)
{
	struct outward *o = &q->out;
	struct reporting *r = mem_alloc(sizeof *r);
	must(r != NULL);
	*r = (struct reporting){.q = q, .arena = arena_new(READER_ARENA)};
	parcel_new(&r->parcel);
	for (;;) {
		bool again = false;
		result p = OK;
		uint64_t wait = FIBER_FOREVER;
		if (o->to_tell) {
			o->to_tell = false;
			p = pass(r, &again);
			o->to_tell |= again || failed(p);
			wait = again || failed(p) ? QUEUE_REPORT_WAIT_MS : 0;
		}
		if (p.kind != FAIL_CANCELLED && wait > 0)
			p = gate_wait(&o->tell, wait);
		if (p.kind == FAIL_CANCELLED)
			break;
	}
	parcel_free(&r->parcel);
	arena_free(&r->arena);
	mem_free(r);
}
