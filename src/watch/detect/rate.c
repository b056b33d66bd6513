/* Sending rate against the learned profile.
 *
 * A stolen account is stolen to send. What an account's busiest hours are is learned
 * day by day (a peak is forgotten by a tenth a day); several times that is unusual,
 * and each further doubling is charged again, so that a slow growth leads to a notice
 * and a flood to containment. A new account has more room, since nothing is known of
 * it. What was unusual teaches nothing. The fixed limits of sending are auth's
 * (send-hour, send-day) and hold whatever this says. */
#include "watch/detect/detect_core.h"

static uint64_t usual_copies(const struct person *p)
{
	uint64_t usual = (uint64_t)p->conduct.usual_copies * RATE_TIMES / FADING_ONE;
	uint64_t least = p->conduct.days < RATE_NEW_DAYS ? RATE_NEW_LEAST : RATE_LEAST;
	return usual > least ? usual : least;
}

static void see(struct detect *d, struct sighting *s)
{
	struct person *p = persons_get(&d->persons, s->account);
	if (!p)
		return;
	uint64_t usual = usual_copies(p);
	unsigned rises = count_rises(&p->copies, s->n < UINT32_MAX ? (uint32_t)s->n : UINT32_MAX, s->at, usual);
	AUTO_BUF buf whom = buf_new(64);
	buf_printf(&whom, "%u, where %llu are much", p->copies.count.n / FADING_ONE, (unsigned long long)usual);
	for (; rises > 0; rises--)
		charge_person(d, p, s, &(struct charge){DETECT_RATE, RATE_POINTS, "messages to others in an hour:",
			buf_str(&whom)});
	if (p->copies.level == 0)
		conduct_sends(&p->conduct, s->at, p->copies.count.n, 0);
	person_touch(p);
}

const struct detector detector_rate = {"sending-rate", SEEN_SENT, see};
