/* First-time recipients.
 *
 * People write to whom they know; spam goes to strangers. auth knows to whom an
 * account has written before and says how many of a message's recipients are new.
 * As in rate.c the busiest hours are learned and each doubling beyond is charged,
 * and a new account has more room: to it everybody is new, its whole club too. */
#include "watch/detect/detect_core.h"

static uint64_t usual_firsts(const struct person *p)
{
	uint64_t usual = (uint64_t)p->conduct.usual_first * FIRST_TIMES / FADING_ONE;
	uint64_t least = p->conduct.days < RATE_NEW_DAYS ? FIRST_NEW_LEAST : FIRST_LEAST;
	return usual > least ? usual : least;
}

static void see(struct detect *d, struct sighting *s)
{
	struct person *p = persons_get(&d->persons, s->account);
	if (!p)
		return;
	uint64_t usual = usual_firsts(p);
	unsigned rises = count_rises(&p->firsts, s->n < UINT32_MAX ? (uint32_t)s->n : UINT32_MAX, s->at, usual);
	AUTO_BUF buf whom = buf_new(64);
	buf_printf(&whom, "%u, where %llu are much", p->firsts.count.n / FADING_ONE, (unsigned long long)usual);
	for (; rises > 0; rises--)
		charge_person(d, p, s, &(struct charge){DETECT_FIRST, FIRST_POINTS, "first messages to somebody in an hour:",
			buf_str(&whom)});
	if (p->firsts.level == 0)
		conduct_sends(&p->conduct, s->at, 0, p->firsts.count.n);
	person_touch(p);
}

const struct detector detector_first = {"first-recipients", SEEN_FIRST, see};
