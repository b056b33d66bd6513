/* First-time recipients.
 *
 * People write to whom they know; spam goes to strangers. auth knows to whom an
 * account has written before and says how many of a message's recipients are new.
 * As in rate.c the busiest hours are learned and each doubling beyond is charged,
 * and a new account has more room: to it everybody is new, its whole club too. */
#include "watch/detect/detect_core.h"

static void see(struct detect *d, struct sighting *s)
{
	struct person *p = persons_get(&d->persons, s->account);
	if (!p)
		return;
	const struct sending w = {.hour = &p->firsts, .usual = p->conduct.usual_first, .times = FIRST_TIMES,
		.least = FIRST_LEAST, .new_least = FIRST_NEW_LEAST,
		.each = {.by = DETECT_FIRST, .points = FIRST_POINTS, .what = "first messages to somebody in an hour:"}};
	if (charge_sending(d, p, s, &w))
		conduct_sends(&p->conduct, s->at, 0, p->firsts.count.n);
}

const struct detector detector_first = {"first-recipients", SEEN_FIRST, see};
