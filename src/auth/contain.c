#include "auth/contain.h"

#include "auth/directory_core.h"
#include "auth/login.h"
#include "auth/notices.h"
#include "base/mem.h"
#include "grammar/text/timestamp.h"
#include "run/clock.h"
#include "talk/auth_queue.h"

enum { ANSWER_MS = 20000, ROWS_MAX = 1 << 20 };

struct contained {
	uint64_t account;
	int64_t since;
	bool held;  /* the queue has said so */
	bool ended; /* what was logged in has been told to end, in this process's life */
};

/* ---- in memory ---- */

static struct contained *find(const struct auth *a, uint64_t account)
{
	return hash_get_u64(&a->contained, account);
}

static result remember(struct auth *a, uint64_t account, int64_t since)
{
	struct contained *c = mem_alloc(sizeof *c);
	if (!c)
		return failure(FAIL_MEMORY, "out of memory");
	*c = (struct contained){.account = account, .since = since};
	result r = hash_put_u64(&a->contained, account, c);
	if (failed(r))
		mem_free(c);
	return r;
}

int64_t contain_since(const struct auth *a, uint64_t account)
{
	const struct contained *c = find(a, account);
	return c ? c->since : 0;
}

bool contain_is_pending(const struct auth *a, uint64_t account)
{
	const struct contained *c = find(a, account);
	return c && !c->held;
}

static result run_load(struct db *db, void *arg)
{
	struct auth *a = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT account, since FROM contained"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		if (!find(a, (uint64_t)query_int(q, 0)))
			TRY(remember(a, (uint64_t)query_int(q, 0), query_int(q, 1)));
	}
}

result contain_open(struct auth *a)
{
	a->contained = hash_new(ROWS_MAX);
	gate_init(&a->containing);
	gate_init(&a->notices);
	return directory_read(a->directory, run_load, a);
}

void contain_close(struct auth *a)
{
	hash_free_values(&a->contained);
}

/* ---- letters ---- */

struct letters {
	arena *arena;
	struct notice v[CONTAIN_ADMINS + 1];
	size_t n;
};

/* What a stranger may have had a part in stands on one line. */
static str clean(arena *a, str text)
{
	char *p = arena_alloc(a, text.n + 1);
	if (!p || !str_is_utf8(text))
		return STR("");
	for (size_t i = 0; i < text.n; i++)
		p[i] = (unsigned char)text.p[i] < ' ' || text.p[i] == 127 ? ' ' : text.p[i];
	return str_of(p, text.n);
}

static str address_of(const struct auth *a, uint64_t account, arena *m)
{
	const struct book_account *who = book_account(&a->directory->book, account);
	return who ? arena_dup(m, who->entry->key) : STR("");
}

static void put_seen(buf *out, const struct suspicion *s, arena *m)
{
	str why = clean(m, s->why);
	buf_put(out, STR("What was seen, at "));
	timestamp_print(out, clock_wall_s());
	buf_printf(out, ": %.*s (%.*s)\n\n", STR_ARG(why.n > 0 ? why : STR("no reason was given")), STR_ARG(s->by));
}

static void put_contained(buf *out, const struct suspicion *s, str address, arena *m)
{
	buf_printf(out, "It looks as if somebody else uses the account %.*s.\n\n", STR_ARG(address));
	put_seen(out, s, m);
	buf_printf(out,
		"What was done: mail that the account sends to other servers is accepted and held back. Everything that\n"
		"was logged in, by any of its passwords, has been logged out. Mail goes on arriving, and its "
		"owner can log in.\n\n"
		"What to do: an administrator of this server ends it by one of these.\n\n"
		"    postern account reset %.*s\n"
		"        if it was somebody else, or you are not sure: gives a new password, ends all app passwords; mail\n"
		"        that was held stays held, so that somebody can look at it (postern queue list).\n\n"
		"    postern account release %.*s\n"
		"        if it was the owner: the mail goes out.\n", STR_ARG(address), STR_ARG(address));
}

static void put_told(buf *out, const struct suspicion *s, str address, arena *m)
{
	if (address.n > 0)
		buf_printf(out, "Something unusual happened with the account %.*s.\n\n", STR_ARG(address));
	put_seen(out, s, m);
	buf_put(out, STR("Nothing was changed. If this was you, or somebody you know of, there is nothing to do. "
			 "Otherwise\n"
			 "have an administrator of this server set a new password (postern account reset).\n"));
}

struct letter_to {
	const struct suspicion *about;
	bool contained, owner, admin;
};

static void add_letter(struct letters *l, uint64_t to, str subject, str text)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].account == to)
			return; /* an administrator's own account: one letter is enough */
	if (l->n < CONTAIN_ADMINS + 1)
		l->v[l->n++] = (struct notice){.account = to, .subject = subject, .text = text};
}

static result write_letters(const struct auth *a, const struct letter_to *to, struct letters *out)
{
	const struct suspicion *s = to->about;
	str address = address_of(a, s->account, out->arena);
	str subject = to->contained ? STR("Mail of an account is held: somebody else may be using it")
				    : STR("Something unusual was seen");
	AUTO_BUF buf text = buf_new(NOTICE_TEXT_MAX);
	(to->contained ? put_contained : put_told)(&text, s, address, out->arena);
	TRY(buf_result(&text));
	str kept = arena_dup(out->arena, buf_str(&text));
	TRY(arena_result(out->arena));
	if (to->owner && address.n > 0)
		add_letter(out, s->account, subject, kept);
	if (!to->admin)
		return OK;
	LIST_EACH(n, &a->directory->book.admin_list)
	{
		const struct book_account *admin = LIST_OWNER(n, struct book_account, admin_node);
		if (!admin->disabled)
			add_letter(out, admin->id, subject, kept);
	}
	return OK;
}

static result insert_letters(struct db *db, const struct letters *l)
{
	for (size_t i = 0; i < l->n; i++) {
		result r = notice_insert(db, &l->v[i]);
		if (failed(r) && r.kind != FAIL_LIMIT) /* a full box must not keep an account from being contained */
			return r;
	}
	return OK;
}

/* ---- beginning ---- */

static void end_sessions(struct auth *a, uint64_t account)
{
	struct contained *c = find(a, account);
	if (!c || c->ended)
		return;
	c->ended = true;
	login_end_sessions(a, account, 0, true);
}

struct begin_job {
	uint64_t account;
	int64_t now;
	bool was;
	struct letters letters;
};

static result run_begin(struct db *db, void *arg)
{
	struct begin_job *j = arg;
	TRY(db_run(db, "INSERT OR IGNORE INTO contained (account, since) SELECT id, ?2 FROM account"
		" WHERE id = ?1 AND state = 1", DB_INT(j->account), DB_INT(j->now)));
	j->was = db_changed(db) == 0;
	return j->was ? OK : insert_letters(db, &j->letters);
}

static result keep_begin(struct auth *a, const struct suspicion *s, bool *was)
{
	AUTO_ARENA arena m = arena_new(64 << 10);
	struct begin_job j = {.account = s->account, .now = clock_wall_s(), .letters = {.arena = &m}};
	const struct letter_to to = {.about = s, .contained = true, .owner = true, .admin = true};
	TRY(write_letters(a, &to, &j.letters));
	TRY(edit_commit(a->directory, run_begin, NULL, &j));
	*was = j.was;
	return j.was || find(a, s->account) ? OK : remember(a, s->account, j.now);
}

result contain_begin(struct auth *a, const struct suspicion *s)
{
	bool was = true;
	if (!book_account(&a->directory->book, s->account))
		return failure(FAIL_ABSENT, "there is no such account");
	TRY(keep_begin(a, s, &was));
	if (was)
		return OK;
	log_event(EV_CONTAINED, NULL, F_U64("account", s->account), F_STR("by", s->by), F_STR("why", s->why));
	login_forget(a, s->account);
	gate_wake_all(&a->containing);
	notices_wake(a);
	end_sessions(a, s->account);
	return OK;
}

/* ---- ending ---- */

static result run_end(struct db *db, void *arg)
{
	return db_run(db, "DELETE FROM contained WHERE account = ?1", DB_INT(*(const uint64_t *)arg));
}

static result free_in_queue(struct auth *a, const struct auth_queue_free *q, uint64_t *recipients)
{
	AUTO_ARENA arena m = arena_new(4096);
	struct channel *queue;
	struct auth_queue_contained is;
	const struct asking how = {.arena = &m, .timeout_ms = ANSWER_MS};
	TRY(a->world->queue(&queue));
	result r = auth_queue_free_call_within(queue, &how, q, &is);
	if (failed(r)) /* the refusal's sentence ends with the arena */
		return failure(FAIL_BUSY, "the queue does not answer, so nothing was changed; try again");
	*recipients = is.recipients;
	return OK;
}

/* The queue first: what is not held any more is at worst held anew when this ends in the middle. */
result contain_end(struct auth *a, uint64_t account, bool release, uint64_t *recipients)
{
	const struct auth_queue_free q = {.account = account, .release = release};
	if (!find(a, account))
		return failure(FAIL_ABSENT, "mail of this account is not held");
	TRY(free_in_queue(a, &q, recipients));
	TRY(edit_commit(a->directory, run_end, NULL, &account));
	mem_free(hash_remove_u64(&a->contained, account));
	log_event(EV_FREED, NULL, F_U64("account", account), F_STR("act", release ? STR("released") : STR("reset")),
		  F_U64("recipients", *recipients));
	return OK;
}

/* ---- telling ---- */

static result run_tell(struct db *db, void *arg)
{
	return insert_letters(db, arg);
}

result contain_tell(struct auth *a, const struct word *w)
{
	AUTO_ARENA arena m = arena_new(64 << 10);
	struct letters l = {.arena = &m};
	const struct letter_to to = {.about = &w->about, .owner = w->owner, .admin = w->admin};
	TRY(write_letters(a, &to, &l));
	TRY(edit_commit(a->directory, run_tell, NULL, &l));
	notices_wake(a);
	return OK;
}

/* ---- the queue ---- */

static result hold_in_queue(struct auth *a, uint64_t account)
{
	AUTO_ARENA arena m = arena_new(4096);
	struct channel *queue;
	struct auth_queue_contained is;
	const struct auth_queue_contain q = {.account = account};
	const struct asking how = {.arena = &m, .timeout_ms = ANSWER_MS};
	TRY(a->world->queue(&queue));
	return auth_queue_contain_call_within(queue, &how, &q, &is);
}

static uint64_t next_pending(const struct auth *a)
{
	size_t at = 0;
	str key;
	void *value;
	while (hash_each(&a->contained, &at, &key, &value))
		if (!((const struct contained *)value)->held)
			return ((const struct contained *)value)->account;
	return 0;
}

void contain_run(struct auth *a)
{
	result r = OK;
	while (r.kind != FAIL_CANCELLED) {
		uint64_t account = next_pending(a);
		if (account == 0) {
			r = gate_wait(&a->containing, FIBER_FOREVER);
			continue;
		}
		end_sessions(a, account); /* the process before this one may have ended in between */
		r = hold_in_queue(a, account);
		struct contained *c = find(a, account); /* it may be free again */
		if (!failed(r) && c)
			c->held = true;
		else if (failed(r) && r.kind != FAIL_CANCELLED)
			r = fiber_sleep(CONTAIN_RETRY_MS);
	}
}
