/* Sending rate against the learned profile.
 *
 * A stolen account is stolen to send. What an account's busiest hours are is learned
 * day by day (a peak is forgotten by a tenth a day); several times that is unusual,
 * and each further doubling is charged again, so that a slow growth leads to a notice
 * and a flood to containment. A new account has more room, since nothing is known of
 * it. What was unusual teaches nothing. The fixed limits of sending are auth's
 * (send-hour, send-day) and hold whatever this says. */
#include "watch/detect/detect_core.h"

static void see(struct detect *d, struct sighting *s)
{
	struct person *p = persons_get(&d->persons, s->account);
	if (!p)
		return;
	const struct sending w = {.hour = &p->copies, .usual = p->conduct.usual_copies, .times = RATE_TIMES,
		.least = RATE_LEAST, .new_least = RATE_NEW_LEAST,
		.each = {.by = DETECT_RATE, .points = RATE_POINTS, .what = "messages to others in an hour:"}};
	if (charge_sending(d, p, s, &w))
		conduct_sends(&p->conduct, s->at, p->copies.count.n, 0);
}

const struct detector detector_rate = {"sending-rate", SEEN_SENT, see};
