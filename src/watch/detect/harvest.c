/* Harvesting: recipients are tried out to learn which addresses exist.
 *
 * Every refused recipient tells something, and every accepted one more. Honest servers
 * meet unknown recipients too (people leave), but mostly the same ones, and they
 * bring mail that is wanted. So only different unknown recipients count, after a few
 * an hour, and not while the address brings at least as many messages. */
#include "watch/detect/detect_core.h"

static void see(struct detect *d, struct sighting *s)
{
	struct suspect *source = detect_source(d, s);
	if (!source || !tally_add(&source->recipients, s->mark, s->at))
		return;
	unsigned unknown = tally_count(&source->recipients, s->at);
	uint32_t useful = fading_now(&source->useful, (uint64_t)s->at, PER_HOUR) / FADING_ONE;
	if (unknown > HARVEST_FREE && unknown > useful)
		charge_network(d, s, &(struct charge){DETECT_HARVEST, HARVEST_POINTS,
			"one more recipient who is not here, last", s->name});
}

const struct detector detector_harvest = {"harvesting", SEEN_UNKNOWN, see};
