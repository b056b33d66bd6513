#include "base/mem.h"
#include "run/clock.h"
#include "watch/detect/detect_core.h"

enum { SECOND = 1000 };

const struct detector *const detectors[DETECTORS] = {
#define DETECTOR(ID, NAME, FILE, ...) [ID] = &detector_##FILE,
#include "watch/detect/detector_list.h"
#undef DETECTOR
};

/* ---- sightings ---- */

struct suspect *detect_source(struct detect *d, const struct sighting *s)
{
	net_cidr id = suspect_network(&s->client, GRAIN_ADDRESS);
	return s->placed ? suspects_get(&d->suspects, GRAIN_ADDRESS, &id) : NULL;
}

bool detect_is_home(const struct detect *d, const struct sighting *s)
{
	return s->placed && s->account && habits_comes_from(&d->habits, s->account, &s->client, s->at / SECOND);
}

/* What a login teaches is learned after the detectors have looked at it as something new, and not from where
 * attacks come. */
static void learn(struct detect *d, struct sighting *s)
{
	struct person *p = persons_get(&d->persons, s->account);
	if (!p)
		return;
	p->conduct.login = s->at;
	person_touch(p);
	if (!s->placed)
		return;
	p->conduct.place = *sighting_place(s, *d->places);
	p->placed = s->at;
	const struct suspect *source = detect_source(d, s);
	bool doubtful = source && scores_sum(source->scores, s->at, NETWORK_HALF_LIFE) >= ADDRESS_TARPIT;
	if (!doubtful)
		habits_learn(&d->habits, s->account, &s->client, s->at / SECOND);
}

static void forget(struct detect *d, uint64_t account)
{
	habits_forget(&d->habits, account);
	persons_forget(&d->persons, account);
}

/* Who released it has looked: what was held against it is settled, and the next time it is held again. */
static void begin_anew(struct detect *d, uint64_t account)
{
	struct person *p = persons_get(&d->persons, account);
	if (!p)
		return;
	memset(p->scores, 0, sizeof p->scores);
	p->noticed = p->held = false;
}

void detect_take(struct detect *d, const struct entry *e, const struct log_record *r)
{
	struct sighting s;
	if (!sighting_of(e, r, &s))
		return;
	if (!d->seen)
		gate_wake_all(&d->keeper.changed);
	d->seen = true;
	s.placed = s.placed && !net_in_any(&s.client, d->never.p, d->never.n);
	for (unsigned i = 0; i < DETECTORS; i++)
		if (detectors[i]->kinds & s.kind)
			detectors[i]->see(d, &s);
	if (s.kind == SEEN_LOGIN)
		learn(d, &s);
	else if (s.kind == SEEN_ERASED)
		forget(d, s.account);
	else if (s.kind == SEEN_FREED)
		begin_anew(d, s.account);
}

/* ---- questions ---- */

bool detect_is_familiar(const struct detect *d, uint64_t account, str client)
{
	net_addr a;
	return !failed(net_parse_ip(client, &a)) && habits_comes_from(&d->habits, account, &a, clock_wall_s());
}

void detect_tell(struct detect *d, const net_addr *a, buf *out)
{
	static const char *const names[GRAIN_ASN] = {[GRAIN_ADDRESS] = "address", [GRAIN_NETWORK] = "network"};
	int64_t now = clock_wall_ms();
	for (enum grain g = GRAIN_ADDRESS; g < GRAIN_ASN; g++) {
		net_cidr id = suspect_network(a, g);
		const struct suspect *s = suspects_find(&d->suspects, g, &id);
		if (!s || scores_sum(s->scores, now, NETWORK_HALF_LIFE) == 0)
			continue;
		buf_printf(out, "%s%s", out->n ? "; " : "", names[g]);
		put_scores(out, s->scores, 0, now);
	}
}

/* ---- what is remembered ---- */

static result carry(struct detect *d, struct memo *m, result (*run)(struct db *db, void *arg), bool writes)
{
	struct commit_job job = {.run = run, .arg = m, .writes = writes};
	return ledger_do(d->ledger, &job);
}

static void write_memo(struct detect *d)
{
	persons_write(&d->persons, clock_wall_ms(), d->keeper.closing);
	if (d->memo.steps.n == 0)
		return;
	struct memo full = d->memo;
	d->memo = d->leaving;
	d->leaving = full;
	result r = carry(d, &d->leaving, memo_write, true);
	if (failed(r) || d->leaving.lost)
		log_event(EV_ROOM_DROPPED, NULL, F_STR("what", STR("habits")), F_U64("events", d->leaving.lost + failed(r)),
			  F_STR("why", str_from(failed(r) ? r.text : "too many at once")));
	buf_free(&d->leaving.steps); /* mostly small, sometimes large */
	d->leaving = (struct memo){.steps = buf_new(MEMO_MAX)};
}

/* Nothing wakes a process to which nothing happens, but for what was only touched. */
static result wait_for_sightings(struct detect *d)
{
	result r = d->seen ? OK : gate_wait(&d->keeper.changed, DETECT_HOUR);
	if (d->seen && !d->keeper.closing)
		r = gate_wait(&d->keeper.changed, FLUSH_MS);
	d->seen = false;
	return r;
}

static void keep_memo(void *arg)
{
	struct detect *d = arg;
	while (!d->keeper.closing) {
		if (wait_for_sightings(d).kind == FAIL_CANCELLED)
			break;
		write_memo(d);
	}
	write_memo(d);
	keeper_ends(&d->keeper);
}

static void hear_habit(void *ctx, const struct memo_habit *h)
{
	struct detect *d = ctx;
	habits_restore(&d->habits, h);
}

static void hear_conduct(void *ctx, uint64_t account, str packed)
{
	struct detect *d = ctx;
	persons_restore(&d->persons, account, packed);
}

static result remember(struct detect *d)
{
	const struct memo_hearer hearer = {.habit = hear_habit, .conduct = hear_conduct, .ctx = d};
	struct memo all = {.steps = buf_new(SIZE_MAX)};
	result r = carry(d, &all, memo_read, false);
	if (!failed(r))
		memo_hear(&all, &hearer);
	buf_free(&all.steps);
	return failed(r) ? r : fiber_start(keep_memo, d, "habits", NULL);
}

/* ---- life ---- */

static void release(struct detect *d)
{
	suspects_free(&d->suspects);
	habits_free(&d->habits);
	persons_free(&d->persons);
	buf_free(&d->memo.steps);
	buf_free(&d->leaving.steps);
	mem_free(d);
}

result detect_open(const struct detect_options *o, struct detect **out)
{
	struct detect *d = mem_alloc(sizeof *d);
	if (!d)
		return failure(FAIL_MEMORY, "out of memory");
	d->measures = o->measures;
	d->ledger = o->ledger;
	d->never = o->never;
	d->places = o->places;
	d->memo = (struct memo){.steps = buf_new(MEMO_MAX)};
	d->leaving = d->memo;
	suspects_init(&d->suspects);
	persons_init(&d->persons, &d->memo);
	habits_init(&d->habits, &d->memo);
	keeper_init(&d->keeper);
	result r = d->ledger ? remember(d) : OK;
	if (failed(r))
		release(d);
	else
		*out = d;
	return r;
}

void detect_close(struct detect **at)
{
	struct detect *d = *at;
	*at = NULL;
	if (!d)
		return;
	if (d->ledger)
		keeper_close(&d->keeper);
	release(d);
}
