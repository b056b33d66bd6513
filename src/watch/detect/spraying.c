/* Spraying: one password, many accounts.
 *
 * Locks that count wrong passwords by account never see it, since each account is
 * tried once. What gives it away is the password: auth remembers keyed digests of
 * wrong ones and says with how many names the same one was tried lately, from
 * wherever. That also sees a botnet that uses each address once. Two people who
 * mistype alike are common, three within an hour are not. Accounts that usually log
 * in from there are left out, as in brute.c. */
#include "watch/detect/detect_core.h"

static void see(struct detect *d, struct sighting *s)
{
	if (s->repeat || s->names < SPRAY_NAMES || detect_is_home(d, s))
		return;
	unsigned points = s->names >= SPRAY_MANY ? SPRAY_MANY_POINTS : SPRAY_POINTS;
	charge_network(d, s, &(struct charge){DETECT_SPRAYING, points,
		"a wrong password that was tried with other names too, for", s->name});
}

const struct detector detector_spraying = {"spraying", SEEN_WRONG, see};
