#include "account/opening.h"

#include <sodium.h>

#include "account/account.h"
#include "account/letters.h"
#include "account/speech.h"
#include "base/mem.h"
#include "run/clock.h"
#include "talk/room.h"

enum { ID = 16, ID_NUMBER_AT = 8, MERGE_TOGETHER = 32 };

static unsigned char database_id[ID]; /* binds the pages to this account: its number, behind a word for the kind */

static void name_database(void)
{
	uint64_t number = room_number();
	memcpy(database_id, "account", ID_NUMBER_AT);
	for (size_t i = 0; i < sizeof number; i++)
		database_id[ID_NUMBER_AT + i] = (unsigned char)(number >> (8 * i));
}

/* ---- the store ---- */

static void introduce(void)
{
	account.imap.owner = account_as(ACTOR_OWNER);
	account.pop3.owner = account_as(ACTOR_OWNER);
}

static result open_store(void)
{
	unsigned char key[OWN_KEY];
	lock_database(&account.lock, key);
	const struct store_options o = {.files = account.files, .key = key, .id = database_id,
		.quota = options_number(&account.options, OPT_QUOTA), .give_up = room_give_up};
	result r = store_open(&o, &account.store);
	sodium_memzero(key, sizeof key);
	TRY(r);
	introduce();
	log_event(EV_ACCOUNT_OPENED, NULL, F_U64("account", room_number()));
	return OK;
}

/* What a shut account is told of itself. */
static void take_note(void)
{
	const struct actor a = account_as(ACTOR_ADMINISTRATOR);
	struct store_usage u;
	if (failed(store_usage_of(&a, &u)))
		return;
	account.lock.notice.quota = u.quota;
	account.lock.notice.octets = u.octets;
	account.lock.notice.messages = u.messages;
}

static result open_arrivals(void)
{
	const struct arrivals_plan plan = {account.files, account.lock.key, account.lock.notice.owner};
	account.merged = false;
	return arrivals_open(&plan, &account.arrivals);
}

result opening_start(void)
{
	name_database();
	gate_init(&account.opened);
	account.lock.files = account.files;
	account.lock.id = database_id;
	TRY(lock_find(&account.lock));
	return account.lock.locked ? open_arrivals() : open_store();
}

void opening_stop(void)
{
	while (account.changing)
		gate_hold(&account.opened);
	bool was_open = account.lock.open;
	if (account.store && account.lock.locked)
		take_note();
	store_close(&account.store);
	if (was_open) {
		result r = lock_note(&account.lock);
		(void)r; /* then it is told what it was when it was shut before */
		log_event(EV_LOCK_SHUT, NULL, F_U64("account", room_number()));
	}
	arrivals_close(&account.arrivals);
	lock_wipe(&account.lock);
	log_event(EV_ACCOUNT_SHUT, NULL, F_U64("account", room_number()));
}

/* ---- what arrived meanwhile ---- */

/* Facts of an earlier version are found anew; by inspect, like every other's. */
static result letter_again(const struct item *i, arena *m, struct letter *out)
{
	struct body message = body_of(i->message);
	result r = letter_of(i->facts, i->message, m, out);
	return r.kind == FAIL_INPUT ? account.imap.examine(&account.imap, &message, m, out) : r;
}

static void log_merged(const struct arrivals_letter *l, bool duplicate)
{
	if (!duplicate)
		log_event(EV_DELIVERED, &l->delivery, F_U64("account", room_number()), F_STR("recipient", l->item.recipient),
			F_STR("mailbox", STR("INBOX")), F_U64("size", l->item.trace.n + l->item.message.n));
}

/* Letters on their way into the INBOX: a large one, or several small ones. */
struct sheaf {
	struct arrivals_letter v[MERGE_TOGETHER];
	buf plain[MERGE_TOGETHER]; /* what they are views of */
	struct letter letters[MERGE_TOGETHER];
	struct incoming what[MERGE_TOGETHER];
	bool duplicate[MERGE_TOGETHER];
	size_t n;
};

static result merge_large(struct sheaf *s)
{
	const struct actor courier = account_as(ACTOR_COURIER);
	struct arrived done;
	TRY(message_deliver(&courier, &s->what[0], &done));
	s->duplicate[0] = done.duplicate;
	return OK;
}

static bool is_small(const struct arrivals_letter *l)
{
	return l->item.message.n <= STORE_BRIEF_MAX;
}

static result merge_sheaf(struct sheaf *s)
{
	const struct actor courier = account_as(ACTOR_COURIER);
	AUTO_ARENA arena m = arena_new(ACCOUNT_FACTS_ARENA);
	for (size_t i = 0; i < s->n; i++) {
		const struct arrivals_letter *l = &s->v[i];
		TRY(letter_again(&l->item, &m, &s->letters[i]));
		s->letters[i].trace = l->item.trace;
		s->what[i] = (struct incoming){
			.delivery = l->delivery, .received = l->item.received, .letter = &s->letters[i], .mark = &l->mark};
	}
	TRY(is_small(&s->v[0]) ? message_merge(&courier, s->what, s->n, s->duplicate) : merge_large(s));
	for (size_t i = 0; i < s->n; i++)
		log_merged(&s->v[i], s->duplicate[i]);
	return OK;
}

/* A large one is alone: where small ones were gathered before it, `next` keeps it for the next sheaf. */
static result gather(struct arrivals_reader *r, struct sheaf *s, bool *next)
{
	bool more = true;
	s->n = *next ? 1 : 0;
	*next = false;
	while (s->n < MERGE_TOGETHER && more && (s->n == 0 || is_small(&s->v[0]))) {
		r->held = s->n > 0;
		TRY(arrivals_next(r, &s->plain[s->n], &s->v[s->n], &more));
		if (more && s->n > 0 && !is_small(&s->v[s->n])) {
			*next = true;
			break;
		}
		s->n += more;
	}
	return OK;
}

/* The letter that waits becomes the first one. */
static void turn(struct sheaf *s)
{
	const buf first = s->plain[0];
	s->v[0] = s->v[s->n];
	s->plain[0] = s->plain[s->n];
	s->plain[s->n] = first;
}

/* Nothing comes between the last look and `merged`, for nothing suspends there. */
static result merge_all(struct arrivals_reader *r, struct sheaf *s)
{
	bool next = false;
	for (;;) {
		if (room_stopping())
			return failure(FAIL_CANCELLED, "the account is being closed");
		TRY(gather(r, s, &next));
		if (s->n > 0)
			TRY(merge_sheaf(s));
		else if (arrivals_adding(account.arrivals))
			TRY(gate_wait(&account.opened, FIBER_FOREVER));
		else
			break;
		if (next)
			turn(s);
	}
	account.merged = true;
	return arrivals_clear(r);
}

static struct sheaf *sheaf_new(void)
{
	struct sheaf *s = mem_alloc(sizeof *s);
	for (size_t i = 0; s && i < MERGE_TOGETHER; i++)
		s->plain[i] = buf_new(ARRIVALS_PLAIN_MAX);
	return s;
}

static void sheaf_free(struct sheaf *s)
{
	for (size_t i = 0; i < MERGE_TOGETHER; i++) {
		if (s->plain[i].p)
			sodium_memzero(s->plain[i].p, s->plain[i].cap);
		buf_free(&s->plain[i]);
	}
	mem_free(s);
}

static result merge(void)
{
	const struct actor courier = account_as(ACTOR_COURIER);
	struct arrivals_mark mark;
	TRY(message_mark(&courier, &mark));
	struct sheaf *s = sheaf_new();
	if (!s)
		return failure(FAIL_MEMORY, "out of memory");
	struct arrivals_reader r = arrivals_begin(account.arrivals, &account.lock.owner, &mark);
	result done = merge_all(&r, s);
	arrivals_end(&r);
	sheaf_free(s);
	if (r.lost)
		log_event(EV_ARRIVALS_DAMAGED, NULL, F_U64("account", room_number()), F_U64("letters", r.lost));
	if (r.torn)
		log_event(EV_ARRIVALS_TORN, NULL, F_U64("account", room_number()), F_U64("places", r.torn));
	return done;
}

/* False: the room is stopping. */
static bool pause_merging(void)
{
	uint64_t until = clock_mono_ms() + OPENING_AGAIN_MS;
	while (!room_stopping() && clock_left(until))
		if (gate_wait(&account.opened, clock_left(until)).kind == FAIL_CANCELLED)
			return false;
	return !room_stopping();
}

/* Counts as a delivery. Where it cannot be done (a full disk), the owner gets in all the same, to make room. */
static void merge_until_done(void *arg)
{
	(void)arg;
	do {
		account.deliveries++;
		result r = merge();
		account.deliveries--;
		account.tried = true;
		idle_stir();
		if (failed(r) && r.kind != FAIL_CANCELLED)
			log_event(EV_MERGE_LATER, NULL, F_U64("account", room_number()), F_STR("why", str_from(r.text)));
	} while (!account.merged && pause_merging());
}

/* ---- the owner's key ---- */

void opening_left(void)
{
	account.left = clock_mono_ms();
}

/* However many letters come: without a session the key does not stay. */
static void mind_the_key(void *arg)
{
	uint64_t grace = options_number(&account.options, OPT_LOCK_GRACE);
	(void)arg;
	while (account.lock.open && !room_stopping()) {
		uint64_t left = account.sessions ? grace : clock_left(account.left + grace);
		if (!left) {
			room_idle();
			left = grace;
		}
		if (failed(fiber_sleep(left)))
			return;
	}
}

static result set_quota_of_notice(void)
{
	const struct actor a = account_as(ACTOR_ADMINISTRATOR);
	struct store_usage u;
	TRY(store_usage_of(&a, &u));
	return u.quota == account.lock.notice.quota ? OK : store_quota_set(&a, account.lock.notice.quota);
}

static result unlock(const struct owner_key *owner)
{
	TRY(lock_open(&account.lock, owner));
	account.left = clock_mono_ms();
	TRY(open_store());
	result r = set_quota_of_notice(); /* on a full disk it is as it was */
	if (r.kind != FAIL_FULL)
		TRY(r);
	log_event(EV_LOCK_OPENED, NULL, F_U64("account", room_number()),
		F_U64("waiting", arrivals_count(account.arrivals)));
	TRY(fiber_start(mind_the_key, NULL, "grace", NULL));
	return fiber_start(merge_until_done, NULL, "merge", NULL);
}

result opening_by(const struct owner_key *owner)
{
	while (account.changing)
		TRY(gate_wait(&account.opened, FIBER_FOREVER));
	if (room_stopping())
		return failure(FAIL_CLOSED, "the account is being closed");
	if (account.store || !account.lock.locked)
		return OK;
	account.changing = true;
	result r = unlock(owner);
	account.changing = false;
	gate_wake_all(&account.opened);
	if (failed(r) && r.kind != FAIL_DENIED) /* what is open by half must not stay so */
		room_give_up(r);
	return r;
}

static result still_open(void)
{
	return account.store && !room_stopping() ? OK : failure(FAIL_CLOSED, "the account is being closed");
}

static bool is_merging(void)
{
	return account.arrivals && !account.merged && !account.tried && !room_stopping();
}

result opening_await(uint64_t ms)
{
	uint64_t until = ms == FIBER_FOREVER ? ms : clock_mono_ms() + ms;
	while (is_merging() && clock_left(until)) {
		result r = gate_wait(&account.opened, clock_left(until));
		if (r.kind == FAIL_CANCELLED)
			return r;
	}
	return still_open();
}

result opening_await_change(void)
{
	while (account.changing && !room_stopping())
		TRY(gate_wait(&account.opened, FIBER_FOREVER));
	return account.store || account.arrivals ? OK : failure(FAIL_CLOSED, "the account is being closed");
}

/* ---- another policy ---- */

static result wait_until_alone(void)
{
	speech_revoke(&account.imap.sessions, 0, true);
	speech_revoke(&account.pop3.sessions, 0, true);
	while (account.sessions > 0 || account.deliveries > 0)
		TRY(gate_wait(&account.opened, FIBER_FOREVER));
	return still_open();
}

static result change(const struct owner_key *owner)
{
	TRY(wait_until_alone());
	if (account.lock.locked && !account.merged)
		return failure(FAIL_BUSY, "what arrived while the owner was away is not merged yet; try again");
	account.deliveries++; /* so that the process stays */
	take_note();
	store_close(&account.store);
	result r = lock_change(&account.lock, owner);
	arrivals_close(&account.arrivals);
	if (account.lock.locked && !failed(r))
		r = open_arrivals();
	account.merged = account.lock.locked; /* whatever it is now, it is open */
	account.left = clock_mono_ms();
	result opened = open_store();
	account.deliveries--;
	return failed(r) ? r : opened;
}

result opening_change(const struct owner_key *owner)
{
	if (account.changing)
		return failure(FAIL_BUSY, "the account is being opened or sealed anew already; try again in a moment");
	account.changing = true;
	result r = change(owner);
	account.changing = false;
	gate_wake_all(&account.opened);
	if (failed(r) && !account.store)
		room_give_up(r);
	TRY(r);
	log_event(EV_LOCK_CHANGED, NULL, F_U64("account", room_number()), F_STR("policy",
		owner ? STR("locked") : STR("server")));
	return owner ? fiber_start(mind_the_key, NULL, "grace", NULL) : OK;
}

/* ---- of a shut account ---- */

void opening_noted(uint64_t *octets, uint64_t *quota)
{
	*octets = account.lock.notice.octets + arrivals_octets(account.arrivals);
	*quota = account.lock.notice.quota;
}

result opening_quota(uint64_t octets)
{
	account.lock.notice.quota = octets;
	return lock_note(&account.lock);
}
