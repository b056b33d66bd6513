/* Stuffing with known pairs.
 *
 * Lists of names and passwords that were stolen elsewhere are tried, each pair once:
 * many names, each with a password of its own, most of them unknown here. Neither the
 * account nor the password occurs twice, but the source meets many names. An office
 * behind one address meets many names as well; its people log in from there day by
 * day, so that it is a ripe address, and their own mistakes are not counted at all. */
#include "watch/detect/detect_core.h"

static void see(struct detect *d, struct sighting *s)
{
	struct suspect *source = s->repeat || detect_is_home(d, s) ? NULL : detect_source(d, s);
	if (!source || !tally_add(&source->names, s->mark, s->at))
		return;
	if (s->names < SPRAY_NAMES && tally_count(&source->names, s->at) >= STUFF_NAMES)
		charge_network(d, s, &(struct charge){DETECT_STUFFING, STUFF_POINTS,
			"one more name with a wrong password of its own, last", s->name});
}

const struct detector detector_stuffing = {"stuffing", SEEN_WRONG, see};
