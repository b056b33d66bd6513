#include "auth/notices.h"

#include "auth/directory_core.h"
#include "grammar/mime/date.h"
#include "grammar/text/json_text.h"
#include "run/clock.h"
#include "run/random.h"
#include "talk/auth_account.h"

enum { ARENA = 64 << 10, ANSWER_MS = 60000 };

/* ---- rows ---- */

result notice_insert(struct db *db, const struct notice *n)
{
	const trace_id delivery = trace_new();
	int64_t waiting;
	TRY(db_get(db, &waiting, "SELECT count(*) FROM notice WHERE account = ?1", DB_INT(n->account)));
	if (waiting >= NOTICES_EACH)
		return failure(FAIL_LIMIT, "that account has letters of the server waiting that it could not be brought");
	return db_run(db, "INSERT INTO notice (account, delivery, made, subject, text) VALUES (?1, ?2, ?3, ?4, ?5)",
		      DB_INT(n->account), DB_BLOB(str_of((const char *)delivery.b, sizeof delivery.b)),
		      DB_INT(clock_wall_s()), DB_TEXT(n->subject), DB_TEXT(n->text));
}

struct waiting {
	int64_t id, made;
	trace_id delivery;
	struct notice n;
};

struct reading {
	arena *arena;
	struct waiting *v;
	size_t n;
	int64_t after;
};

static result run_read(struct db *db, void *arg)
{
	struct reading *r = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	r->n = 0;
	TRY(db_ask(db, &q, "SELECT id, account, delivery, made, subject, text FROM notice WHERE id > ?1 ORDER BY id"
		" LIMIT ?2", DB_INT(r->after), DB_INT(NOTICES_TOGETHER)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return arena_result(r->arena);
		struct waiting *w = &r->v[r->n++];
		*w = (struct waiting){.id = query_int(q, 0), .made = query_int(q, 3),
			.n = {.account = (uint64_t)query_int(q, 1), .subject = arena_dup(r->arena, query_bytes(q, 4)),
			      .text = arena_dup(r->arena, query_bytes(q, 5))}};
		str delivery = query_bytes(q, 2);
		if (delivery.n == sizeof w->delivery.b)
			memcpy(w->delivery.b, delivery.p, delivery.n);
	}
}

static result run_forget(struct db *db, void *arg)
{
	return db_run(db, "DELETE FROM notice WHERE id = ?1", DB_INT(*(const int64_t *)arg));
}

/* ---- the letter ---- */

static void put_lines(buf *out, str text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n')
			buf_putc(out, '\r');
		buf_putc(out, text.p[i]);
	}
}

static result write_letter(const struct auth *a, const struct waiting *w, str address, buf *out)
{
	str domain = book_domain_of(address), host = options_text(&a->options, OPT_HOSTNAME);
	buf_printf(out, "From: Postern <postmaster@%.*s>\r\nTo: <%.*s>\r\nSubject: %.*s\r\nDate: ", STR_ARG(domain),
		   STR_ARG(address), STR_ARG(w->n.subject));
	date_print(out, (struct date_time){.seconds = w->made});
	buf_put(out, STR("\r\nMessage-ID: <"));
	hex_put(out, w->delivery.b, sizeof w->delivery.b);
	buf_printf(out, "@%.*s>\r\n", STR_ARG(host.n > 0 ? host : domain));
	buf_put(out, STR("Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
			 "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"));
	put_lines(out, w->n.text);
	return buf_result(out);
}

static result bring(struct auth *a, const struct waiting *w)
{
	AUTO_ARENA arena m = arena_new(ARENA);
	AUTO_BUF buf letter = buf_new(AUTH_ACCOUNT_LETTER_MESSAGE_MAX);
	struct channel *account;
	struct auth_account_letter_kept is;
	const struct asking how = {.trace = &w->delivery, .arena = &m, .timeout_ms = ANSWER_MS};
	const struct book_account *who = book_account(&a->directory->book, w->n.account);
	if (!who)
		return OK; /* its row goes with the account's */
	str address = arena_dup(&m, who->entry->key);
	TRY(arena_result(&m));
	TRY(write_letter(a, w, address, &letter));
	const struct auth_account_letter q = {.delivery = w->delivery, .received = clock_wall_s(), .recipient = address,
		.message = buf_str(&letter)};
	TRY(a->world->account(w->n.account, &account));
	result r = auth_account_letter_call_within(account, &how, &q, &is);
	return failed(r) ? failure(r.kind, "the account cannot keep it now") : OK; /* the sentence ends with the arena */
}

static result settle(struct auth *a, const struct waiting *w)
{
	int64_t id = w->id;
	result r = bring(a, w);
	if (!failed(r))
		r = edit_commit(a->directory, run_forget, NULL, &id);
	if (failed(r) && r.kind != FAIL_CANCELLED)
		log_event(EV_NOTICE_LATER, &w->delivery, F_U64("account", w->n.account), F_STR("why", str_from(r.text)));
	else if (!failed(r))
		log_event(EV_NOTICE, &w->delivery, F_U64("account", w->n.account), F_STR("what", w->n.subject));
	return r;
}

/* ---- one after the other ---- */

/* *again: something could not be brought now. */
static result pass(struct auth *a, bool *again)
{
	AUTO_ARENA arena m = arena_new(NOTICES_TOGETHER * (NOTICE_TEXT_MAX + 1024));
	struct reading r = {.arena = &m};
	*again = false;
	do {
		arena_clear(&m);
		r.v = arena_array(&m, NOTICES_TOGETHER, sizeof *r.v);
		if (!r.v)
			return arena_result(&m);
		TRY(directory_read(a->directory, run_read, &r));
		for (size_t i = 0; i < r.n; i++) {
			result done = settle(a, &r.v[i]);
			if (done.kind == FAIL_CANCELLED)
				return failure(FAIL_CANCELLED, "the room is stopping");
			*again |= failed(done);
			r.after = r.v[i].id;
		}
	} while (r.n == NOTICES_TOGETHER);
	return OK;
}

void notices_wake(struct auth *a)
{
	a->notices_due = true;
	gate_wake_all(&a->notices);
}

void notices_run(struct auth *a)
{
	result r = OK;
	a->notices_due = true; /* what was on its way when the last process ended */
	while (r.kind != FAIL_CANCELLED) {
		bool again = false;
		if (a->notices_due) {
			a->notices_due = false;
			r = pass(a, &again);
			again |= failed(r);
			a->notices_due |= again;
		}
		if (r.kind == FAIL_CANCELLED)
			return;
		if (again || !a->notices_due)
			r = gate_wait(&a->notices, again ? NOTICES_RETRY_MS : FIBER_FOREVER);
	}
}
