/* From points to measures.
 *
 * Three grains share each charge. One bad address is dealt with alone; a network
 * has a step of its own only once several of its addresses are at it, so that one
 * infected machine does not cost its neighbours anything; a whole system is never
 * stopped, since the people of a country may have only two of them: while it is
 * high, charges from it count twice. What has been good to us bounds all of it: a
 * ripe address is slowed at most, and nothing is done to a network as a whole that
 * has one in it. */
#include "base/mem.h"
#include "watch/detect/detect_core.h"

enum { SENTENCE_MAX = 300, NAME_SHOWN = 120, SECOND = 1000 };

static const unsigned steps[GRAINS - 1][STEP_BAN + 1] = {
	[GRAIN_ADDRESS] = {0, ADDRESS_DELAY, ADDRESS_TARPIT, ADDRESS_BAN},
	[GRAIN_NETWORK] = {0, NETWORK_DELAY, NETWORK_TARPIT, NETWORK_BAN},
};

static const enum measure_kind measures_of[] = {
	[STEP_DELAY] = MEASURE_DELAY, [STEP_TARPIT] = MEASURE_TARPIT, [STEP_BAN] = MEASURE_BAN};

static uint64_t half_life_of(unsigned by)
{
	return by < DETECTORS_MOST ? NETWORK_HALF_LIFE : PERSON_HALF_LIFE;
}

/* ---- evidence ---- */

void put_scores(buf *out, const struct score *scores, unsigned first, int64_t now)
{
	const char *before = ": ";
	for (unsigned i = 0; i < DETECTORS_MOST; i++) {
		uint32_t n = fading_now(&scores[i].points, (uint64_t)now, half_life_of(first));
		if (n < FADING_ONE)
			continue;
		buf_printf(out, "%s%s %u", before, detectors[first + i]->name, n / FADING_ONE);
		before = ", ";
	}
}

/* "14 times: wrong password for anna@example.org; 36 points: brute-force 30, probing 6" */
static void put_evidence(buf *out, const struct score *scores, const struct charge *c, int64_t now)
{
	unsigned first = c->by < DETECTORS_MOST ? 0 : DETECTORS_MOST;
	str whom = str_clip(c->whom, NAME_SHOWN);
	if (scores[c->by - first].times > 1)
		buf_printf(out, "%u times: ", scores[c->by - first].times);
	buf_printf(out, "%s%s%.*s; ", c->what, whom.n ? " " : "", STR_ARG(whom));
	buf_printf(out, "%llu points", (unsigned long long)scores_sum(scores, now, half_life_of(c->by)));
	put_scores(out, scores, first, now);
}

/* ---- asking ---- */

static void ask(struct detect *d, const struct measure *m)
{
	static const char *const names[MEASURES] = {[MEASURE_DELAY] = "delay", [MEASURE_TARPIT] = "tarpit",
		[MEASURE_BAN] = "ban", [MEASURE_NOTICE] = "notice", [MEASURE_HOLD] = "hold"};
	AUTO_BUF buf network = buf_new(NET_TEXT_MAX + 8);
	if (m->kind < MEASURE_NOTICE)
		net_put_cidr(&network, &m->network);
	if (m->account)
		log_event(EV_SUSPECTED, NULL, F_U64("account", m->account), F_STR("detector", m->detector),
			  F_STR("measure", str_from(names[m->kind])), F_U64("points", m->score), F_STR("why", m->evidence));
	else
		log_event(EV_ATTACK, NULL, F_STR("network", buf_str(&network)), F_STR("detector", m->detector),
			  F_STR("measure", str_from(names[m->kind])), F_U64("points", m->score),
			  F_I64("until", m->until / SECOND), F_STR("why", m->evidence));
	d->measures.take(d->measures.ctx, m);
}

/* ---- networks ---- */

static int64_t ban_time(struct suspect *s, int64_t now)
{
	uint32_t bans = fading_add(&s->bans, FADING_ONE, (uint64_t)now, BAN_HALF_LIFE);
	int64_t ms = BAN_FIRST;
	for (; bans >= FADING_ONE + FADING_ONE / 2 && ms < BAN_LONGEST; bans -= FADING_ONE)
		ms *= 4;
	return ms < BAN_LONGEST ? ms : BAN_LONGEST;
}

static enum step step_of(const struct suspect *s, uint64_t sum, int64_t now)
{
	enum step step = STEP_NONE;
	if (s->grain == GRAIN_NETWORK && tally_count(&s->parts, now) < NETWORK_ADDRESSES)
		return STEP_NONE;
	while (step < STEP_BAN && sum >= steps[s->grain][step + 1])
		step++;
	return step;
}

static enum step bounded(const struct detect *d, const struct suspect *s, const struct sighting *w, enum step step)
{
	int64_t now = w->at / SECOND;
	if (s->grain == GRAIN_NETWORK)
		return habits_has_ripe(&d->habits, &w->client, now) ? STEP_NONE : step;
	return step > STEP_DELAY && habits_is_ripe(&d->habits, &w->client, now) ? STEP_DELAY : step;
}

static void climb(struct detect *d, struct suspect *s, const struct sighting *w, const struct charge *c)
{
	uint64_t sum = scores_sum(s->scores, w->at, NETWORK_HALF_LIFE);
	enum step step = bounded(d, s, w, step_of(s, sum, w->at));
	enum step had = w->at < s->step_until ? s->step : STEP_NONE;
	if (step <= had)
		return;
	AUTO_BUF buf why = buf_new(SENTENCE_MAX);
	put_evidence(&why, s->scores, c, w->at);
	int64_t until = w->at + (step == STEP_BAN ? ban_time(s, w->at) : STEP_LASTS);
	suspects_set_step(&d->suspects, s, step, until);
	const struct measure m = {.kind = measures_of[step], .network = s->network, .until = until, .score = sum,
				  .detector = str_from(detectors[c->by]->name), .evidence = buf_str(&why)};
	if (step == STEP_BAN) /* after it somebody has to do something again */
		scores_halve(s->scores);
	ask(d, &m);
}

static uint64_t mark_of(const net_cidr *c)
{
	return hash_bytes(str_of((const char *)c->ip, sizeof c->ip));
}

static void charge_one(struct suspect *s, const struct charge *c, unsigned points, int64_t now)
{
	score_add(&s->scores[c->by], points, now, NETWORK_HALF_LIFE);
}

static void sound_alarm(struct detect *d, const struct suspect *system, struct sighting *s, const struct charge *c)
{
	AUTO_BUF buf what = buf_new(SENTENCE_MAX);
	buf_printf(&what, "many networks of AS%u attack; the last:", (unsigned)s->place.asn);
	buf_putc(&what, '\0');
	const struct charge told = {.by = c->by, .what = what.broken ? "many networks attack" : what.p, .whom = s->name};
	AUTO_BUF buf why = buf_new(SENTENCE_MAX);
	put_evidence(&why, system->scores, &told, s->at);
	const struct measure m = {.kind = MEASURE_NOTICE, .readers = NOTICE_ADMIN, .evidence = buf_str(&why),
				  .score = scores_sum(system->scores, s->at, NETWORK_HALF_LIFE),
				  .detector = str_from(detectors[c->by]->name)};
	ask(d, &m);
}

/* Charges from a system that is high count twice. */
static unsigned charge_system(struct detect *d, struct sighting *s, const struct charge *c)
{
	uint32_t asn = sighting_place(s, *d->places)->asn;
	net_cidr id = suspect_system(asn), network = suspect_network(&s->client, GRAIN_NETWORK);
	struct suspect *system = asn ? suspects_get(&d->suspects, GRAIN_ASN, &id) : NULL;
	if (!system)
		return 1;
	tally_add(&system->parts, mark_of(&network), s->at);
	charge_one(system, c, c->points, s->at);
	if (tally_count(&system->parts, s->at) < ASN_NETWORKS ||
	    scores_sum(system->scores, s->at, NETWORK_HALF_LIFE) < ASN_ALARM)
		return 1;
	if (system->step == STEP_NONE || s->at >= system->step_until)
		sound_alarm(d, system, s, c);
	suspects_set_step(&d->suspects, system, STEP_DELAY, s->at + STEP_LASTS);
	return 2;
}

static void charge_grain(struct detect *d, enum grain grain, struct sighting *s, const struct charge *c)
{
	net_cidr id = suspect_network(&s->client, grain), address = suspect_network(&s->client, GRAIN_ADDRESS);
	struct suspect *suspect = suspects_get(&d->suspects, grain, &id);
	if (!suspect)
		return;
	if (grain == GRAIN_NETWORK)
		tally_add(&suspect->parts, mark_of(&address), s->at);
	charge_one(suspect, c, c->points, s->at);
	climb(d, suspect, s, c);
}

void charge_network(struct detect *d, struct sighting *s, const struct charge *c)
{
	if (!s->placed)
		return;
	struct charge counted = *c;
	counted.points *= charge_system(d, s, c);
	charge_grain(d, GRAIN_ADDRESS, s, &counted);
	charge_grain(d, GRAIN_NETWORK, s, &counted);
}

/* ---- accounts ---- */

void tell_people(struct detect *d, const struct person *p, struct sighting *s, const struct charge *c)
{
	AUTO_BUF buf why = buf_new(SENTENCE_MAX);
	str whom = str_clip(c->whom, NAME_SHOWN);
	buf_printf(&why, "%s%s%.*s", c->what, whom.n ? " " : "", STR_ARG(whom));
	const struct measure m = {.kind = MEASURE_NOTICE, .account = p->account, .readers = NOTICE_OWNER | NOTICE_ADMIN,
				  .score = scores_sum(p->scores, s->at, PERSON_HALF_LIFE),
				  .detector = str_from(detectors[c->by]->name), .evidence = buf_str(&why)};
	ask(d, &m);
}

static void forget_steps(struct person *p, uint64_t sum)
{
	if (sum < PERSON_NOTICE / 2)
		p->noticed = p->held = false;
}

void charge_person(struct detect *d, struct person *p, struct sighting *s, const struct charge *c)
{
	if (!p)
		return;
	forget_steps(p, scores_sum(p->scores, s->at, PERSON_HALF_LIFE));
	score_add(&p->scores[c->by - DETECTORS_MOST], c->points, s->at, PERSON_HALF_LIFE);
	uint64_t sum = scores_sum(p->scores, s->at, PERSON_HALF_LIFE);
	bool hold = sum >= PERSON_HOLD && !p->held, notice = sum >= PERSON_NOTICE && !p->noticed && !p->held;
	if (!hold && !notice)
		return;
	AUTO_BUF buf why = buf_new(SENTENCE_MAX);
	put_evidence(&why, p->scores, c, s->at);
	p->noticed = true;
	p->held |= hold;
	const struct measure m = {.kind = hold ? MEASURE_HOLD : MEASURE_NOTICE, .account = p->account,
				  .readers = NOTICE_OWNER | NOTICE_ADMIN, .score = sum,
				  .detector = str_from(detectors[c->by]->name), .evidence = buf_str(&why)};
	ask(d, &m);
}

static unsigned doublings(uint64_t n, uint64_t allowed)
{
	unsigned times = 0;
	for (uint64_t bound = allowed; bound > 0 && n > bound && times < 16; bound *= 2)
		times++;
	return times;
}

/* A count that fell a little below a bound and comes back has not doubled again. */
unsigned count_rises(struct rising *r, uint32_t n, int64_t now, uint64_t allowed)
{
	unsigned still = doublings(2ULL * (fading_now(&r->count, (uint64_t)now, r->half_life) / FADING_ONE), allowed);
	uint32_t counted = n < UINT32_MAX / FADING_ONE ? n * FADING_ONE : UINT32_MAX;
	unsigned level = doublings(fading_add(&r->count, counted, (uint64_t)now, r->half_life) / FADING_ONE, allowed);
	unsigned had = r->level < still ? r->level : still;
	r->level = (unsigned char)(level > had ? level : had);
	return level > had ? level - had : 0;
}

static uint64_t usual_of(const struct person *p, const struct sending *w)
{
	uint64_t usual = (uint64_t)w->usual * w->times / FADING_ONE;
	uint64_t least = p->conduct.days < RATE_NEW_DAYS ? w->new_least : w->least;
	return usual > least ? usual : least;
}

bool charge_sending(struct detect *d, struct person *p, struct sighting *s, const struct sending *w)
{
	uint64_t usual = usual_of(p, w);
	unsigned rises = count_rises(w->hour, s->n < UINT32_MAX ? (uint32_t)s->n : UINT32_MAX, s->at, usual);
	AUTO_BUF buf whom = buf_new(64);
	buf_printf(&whom, "%u, where %llu are much", w->hour->count.n / FADING_ONE, (unsigned long long)usual);
	struct charge each = w->each;
	each.whom = buf_str(&whom);
	for (; rises > 0; rises--)
		charge_person(d, p, s, &each);
	person_touch(p);
	return w->hour->level == 0;
}
