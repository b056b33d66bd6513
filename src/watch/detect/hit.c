/* A stolen pair that fits.
 *
 * The worst of stuffing, spraying and guessing is the one try that succeeds. A right
 * password from a source that just tried other names, or many wrong ones, and from
 * where the account has never logged in, is not its owner's with any likelihood. After
 * stuffing and spraying the account is contained at once; after guesses at this one
 * account, which may be its owner in a hotel, its owner is told. */
#include "watch/detect/detect_core.h"

static unsigned points_of(const struct suspect *s, enum detector_id by, int64_t now)
{
	return fading_now(&s->scores[by].points, (uint64_t)now, NETWORK_HALF_LIFE) / FADING_ONE;
}

static void see(struct detect *d, struct sighting *s)
{
	const struct suspect *source = detect_is_home(d, s) ? NULL : detect_source(d, s);
	if (!source)
		return;
	unsigned others = points_of(source, DETECT_STUFFING, s->at) + points_of(source, DETECT_SPRAYING, s->at);
	if (others >= HIT_OTHERS)
		charge_person(d, persons_get(&d->persons, s->account), s, &(struct charge){DETECT_HIT, HIT_POINTS,
			"a right password from an address that tried other people's, as", s->name});
	else if (points_of(source, DETECT_BRUTE, s->at) >= HIT_GUESSES)
		charge_person(d, persons_get(&d->persons, s->account), s, &(struct charge){DETECT_HIT, PERSON_NOTICE,
			"a right password after many wrong ones, from where it never logged in, as", s->name});
}

const struct detector detector_hit = {"stolen-pair", SEEN_LOGIN, see};
