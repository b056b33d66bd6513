/* Bounce rate.
 *
 * Bought and guessed lists are full of addresses that do not exist. People's own
 * mail bounces now and then. Counted is what other servers said in a day: enough
 * failures, and a quarter of all or more. */
#include "watch/detect/detect_core.h"

static void see(struct detect *d, struct sighting *s)
{
	struct person *p = persons_get(&d->persons, s->account);
	if (!p)
		return;
	uint32_t all = fading_add(&p->done, FADING_ONE, (uint64_t)s->at, PER_DAY) / FADING_ONE;
	uint32_t least = all / BOUNCE_PART > BOUNCE_LEAST ? all / BOUNCE_PART : BOUNCE_LEAST;
	unsigned rises = s->kind == SEEN_BOUNCED ? count_rises(&p->bounced, 1, s->at, least - 1) : 0;
	AUTO_BUF buf whom = buf_new(64);
	buf_printf(&whom, "%u of %u", p->bounced.count.n / FADING_ONE, all);
	for (; rises > 0; rises--)
		charge_person(d, p, s, &(struct charge){DETECT_BOUNCE, BOUNCE_POINTS, "recipients in a day that do not exist:",
			buf_str(&whom)});
}

const struct detector detector_bounce = {"bounce-rate", SEEN_ARRIVED | SEEN_BOUNCED, see};
