/* Letters from outside: who writes when, what an edge does with them, and who sends one twice. */
#include "house.h"

#include "base/mem.h"
#include "run/clock.h"

enum { TRIES = 6, HEAVY = 40, RESENT_WITHIN = 3 * DAY };

/* A message of one client; it ends when each recipient's copy is kept, or is sent anew later. */
struct sending {
	struct list place;
	unsigned recipients, waiting, tries;
	bool refused;
	struct copy {
		struct sending *of;
		uint32_t letter;
	} copies[ACCOUNTS];
};

static struct list under_way = {&under_way, &under_way};

static struct sending *new_sending(void)
{
	struct sending *s = mem_alloc(sizeof *s);
	must(s);
	list_init(&s->place);
	list_insert(&under_way, &s->place);
	return s;
}

static void forget(struct sending *s)
{
	list_remove(&s->place);
	mem_free(s);
}

void mail_end(void)
{
	while (!list_empty(&under_way))
		forget(LIST_OWNER(under_way.next, struct sending, place));
}

/* As an edge makes it: the time, and what nobody else has. */
static trace_id new_id(uint32_t letter)
{
	trace_id t = {{0}};
	uint64_t ms = (uint64_t)clock_wall_ms();
	for (unsigned i = 0; i < 6; i++)
		t.b[i] = (unsigned char)(ms >> (40 - 8 * i));
	for (unsigned i = 0; i < 4; i++)
		t.b[12 + i] = (unsigned char)(letter >> (24 - 8 * i));
	return t;
}

/* ---- one copy ---- */

static result kept(struct account *a, uint32_t letter, bool duplicate)
{
	struct letter_row *l = &week.letters[letter];
	if (duplicate) {
		l->claimed = true;
		return OK;
	}
	expect(!l->arrived, "account %u keeps letter %u a second time", a->number, letter);
	l->owed = true;
	week.count.kept++;
	model_apply(a, &(struct effect){.deed = ARRIVE, .letter = letter});
	return OK;
}

result account_take(struct account *a, uint32_t letter)
{
	struct letter_row *l = &week.letters[letter];
	if (!a->store || a->ending || a->away)
		return failure(FAIL_BUSY, "the account does not start");
	AUTO_ARENA arena m = arena_new(4 << 20);
	struct letter content = letter_make(letter, &m);
	struct incoming what = {.delivery = l->id, .received = 1700000000, .letter = &content};
	struct arrived done;
	if (l->heavy && !chance(8) && !sim_dead(a->sim) && !week.victim)
		sim_fault_at(a->sim, SIM_CRASH, 1 + below(3));
	a->busy++;
	a->mailed = true;
	result r = message_deliver(&a->courier, &what, &done);
	a->busy--;
	say("%u: letter %u: %s%s", a->number, letter, fail_name(r.kind), !failed(r) && done.duplicate ? ", duplicate" : "");
	if (!failed(r))
		return kept(a, letter, done.duplicate);
	if (r.kind == FAIL_FULL) {
		expect(a->full, "account %u has room, and says: %s", a->number, r.text);
		return r;
	}
	if (a->flaky && !a->ending && !sim_dead(a->sim))
		return r; /* its body file was not written; the database knows nothing of it */
	expect(a->ending || sim_dead(a->sim), "account %u takes no letter: %s", a->number, r.text);
	model_doubt(a, &(struct effect){.deed = ARRIVE, .letter = letter});
	account_ends(a);
	return failure(FAIL_CLOSED, "the account's process has ended");
}

static void ended(struct sending *s);

static void bring(void *arg)
{
	struct copy *c = arg;
	struct letter_row *l = &week.letters[c->letter];
	result r = account_take(&week.accounts[l->account], c->letter);
	if (failed(r))
		r = holding_keep(c->letter, r.kind == FAIL_CLOSED);
	if (failed(r))
		c->of->refused = true;
	if (--c->of->waiting == 0)
		ended(c->of);
}

/* ---- a message ---- */

/* They may be kept on a full disk, and count then. */
static uint64_t doubted_octets(const struct account *a)
{
	uint64_t octets = 0;
	for (size_t i = 0; i < a->doubts_n; i++)
		octets += a->doubts[i].deed == ARRIVE ? letter_octets(a->doubts[i].letter) : 0;
	return octets;
}

static bool has_room(struct account *a, uint32_t letter)
{
	uint64_t headroom, size = letter_octets(letter);
	if (!a->store || a->ending)
		return true; /* an edge does not wait for who is away */
	result r = store_may_take(&a->courier, size, &headroom);
	if (a->busy || a->acting || failed(r))
		return !failed(r);
	uint64_t left = a->quota > a->octets ? a->quota - a->octets : 0;
	uint64_t said = a->quota ? headroom : left, least = left - (left < doubted_octets(a) ? left : doubted_octets(a));
	expect(a->quota || headroom == UINT64_MAX, "account %u has no quota, and says it has", a->number);
	expect(said <= left && said >= least, "account %u has %llu octets left, and says %llu", a->number,
		(unsigned long long)left, (unsigned long long)headroom);
	expect(!a->quota || size <= left, "account %u has %llu octets left, and takes %zu", a->number,
		(unsigned long long)left, (size_t)size);
	return true;
}

static void send(void *arg)
{
	struct sending *s = arg;
	unsigned chosen = 0, first = (unsigned)below(ACCOUNTS);
	s->refused = false;
	s->tries++;
	trace_id id = {{0}};
	for (unsigned i = 0; i < s->recipients; i++) {
		struct account *a = &week.accounts[(first + i) % ACCOUNTS];
		uint32_t letter = letter_new(a->number);
		if (i == 0)
			id = new_id(letter);
		week.letters[letter].id = id;
		week.letters[letter].heavy = !week.calm && chance(HEAVY);
		if (has_room(a, letter))
			s->copies[chosen++] = (struct copy){s, letter};
		else
			s->refused = true;
	}
	s->waiting = chosen;
	for (unsigned i = 0; i < chosen; i++)
		task_start(bring, &s->copies[i]);
	if (chosen == 0)
		ended(s);
}

/* What was refused for one recipient is sent to all again, under an id of its own: so do clients. */
static void ended(struct sending *s)
{
	if ((s->refused || house_is_dark()) && s->tries < TRIES && !week.calm)
		agenda_in(10 * MINUTE * s->tries + below(10 * MINUTE), send, s);
	else
		forget(s);
}

/* An edge that did not hear the answer, or a client that comes back to it. */
static void resend(void *arg)
{
	(void)arg;
	struct sending *s = new_sending();
	s->tries = TRIES;
	for (unsigned i = 0; i < 3; i++) {
		uint32_t letter = (uint32_t)below(week.letters_n);
		const struct letter_row *l = &week.letters[letter];
		if (!l->drafted && !l->report && !l->dropped && week_now() - l->at < RESENT_WITHIN)
			s->copies[s->waiting++] = (struct copy){s, letter};
	}
	week.count.resent += s->waiting;
	unsigned n = s->waiting;
	for (unsigned i = 0; i < n; i++)
		task_start(bring, &s->copies[i]);
	if (n == 0)
		forget(s);
}

/* ---- when ---- */

/* By night and on Sundays few write; of a thousand, by the hour. */
static uint64_t liveliness(uint64_t now)
{
	static const unsigned hours[24] = {60, 30, 20, 20, 30, 60, 150, 400, 900, 1000, 950, 900, 700, 850, 1000, 950,
		850, 650, 450, 350, 300, 250, 180, 100};
	uint64_t day = now / DAY % 7; /* the week begins on a Monday */
	return hours[now / HOUR % 24] / (day < 5 ? 1 : 3);
}

static void arrivals(void *arg)
{
	(void)arg;
	if (below(1000) < liveliness(week_now())) {
		struct sending *s = new_sending();
		s->recipients = chance(4) ? 1 + (unsigned)below(ACCOUNTS) : 1;
		send(s);
		for (uint64_t more = chance(6) ? below(5) : 0; more; more--) { /* they come in flocks */
			s = new_sending();
			s->recipients = 1;
			send(s);
		}
	}
	agenda_in(below(16 * MINUTE / week.pace), arrivals, NULL);
}

static void resends(void *arg)
{
	if (week.letters_n)
		resend(NULL);
	agenda_in(below(6 * HOUR / week.pace), resends, arg);
}

void mail_begin(void)
{
	agenda_in(0, arrivals, NULL);
	agenda_in(2 * HOUR, resends, NULL);
}
