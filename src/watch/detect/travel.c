/* Impossible travel.
 *
 * Two good logins too far apart for the time between them are two people. Where the
 * database knows positions it is a matter of speed; where it knows countries alone,
 * another country within the hour. Both err with VPNs and roaming telephones, which
 * is why the points alone lead to a notice, never to containment, and why nothing is
 * charged between places that the account is used to. */
#include <math.h>

#include "watch/detect/detect_core.h"

static double radians(double degrees)
{
	return degrees * 3.14159265358979323846 / 180;
}

/* The haversine formula, on a sphere. */
static double kilometres(const struct place *a, const struct place *b)
{
	double north = sin(radians(b->latitude - a->latitude) / 2), east = sin(radians(b->longitude - a->longitude) / 2);
	double h = north * north + cos(radians(a->latitude)) * cos(radians(b->latitude)) * east * east;
	return 2 * 6371 * asin(sqrt(h < 1 ? h : 1));
}

static bool is_impossible(const struct place *there, const struct place *here, double hours)
{
	if (there->located && here->located) {
		double km = kilometres(there, here);
		return km > TRAVEL_KM && km > hours * TRAVEL_KMH;
	}
	return there->country[0] && here->country[0] && hours < TRAVEL_BLIND_HOURS &&
	       memcmp(there->country, here->country, PLACES_COUNTRY) != 0;
}

static void see(struct detect *d, struct sighting *s)
{
	struct person *p = persons_get(&d->persons, s->account);
	if (!p || !s->placed || p->placed == 0 || detect_is_home(d, s))
		return;
	const struct place *there = &p->conduct.place, *here = sighting_place(s, *d->places);
	int64_t passed = s->at - p->placed;
	AUTO_BUF buf whom = buf_new(64);
	if (!is_impossible(there, here, (double)passed / DETECT_HOUR))
		return;
	buf_printf(&whom, "%s to %s in %lld minutes", there->country[0] ? there->country : "one place",
		   here->country[0] ? here->country : "another", (long long)(passed / DETECT_MINUTE));
	charge_person(d, p, s, &(struct charge){DETECT_TRAVEL, TRAVEL_POINTS, "a journey that nobody can make, from",
		buf_str(&whom)});
}

const struct detector detector_travel = {"impossible-travel", SEEN_LOGIN, see};
