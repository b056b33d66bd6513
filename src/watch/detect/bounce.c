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
	uint32_t all = fading_add(&p->done, FADING_ONE, (uint64_t)s->at, PER_DAY);
	uint32_t failed = s->kind == SEEN_BOUNCED ? fading_add(&p->bounced, FADING_ONE, (uint64_t)s->at, PER_DAY)
						  : fading_now(&p->bounced, (uint64_t)s->at, PER_DAY);
	bool much = failed / FADING_ONE >= BOUNCE_LEAST && failed >= all / BOUNCE_PART;
	unsigned level = much ? doublings(failed / FADING_ONE, BOUNCE_LEAST - 1) : 0;
	AUTO_BUF buf whom = buf_new(64);
	buf_printf(&whom, "%u of %u", failed / FADING_ONE, all / FADING_ONE);
	for (unsigned i = p->bounce_level; i < level; i++)
		charge_person(d, p, s, &(struct charge){DETECT_BOUNCE, BOUNCE_POINTS, "recipients in a day that do not exist:",
			buf_str(&whom)});
	p->bounce_level = (unsigned char)level;
}

const struct detector detector_bounce = {"bounce-rate", SEEN_ARRIVED | SEEN_BOUNCED, see};
