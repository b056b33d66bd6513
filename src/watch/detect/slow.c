/* Slow clients.
 *
 * To keep a connection open and say next to nothing costs an attacker nothing and the
 * server a place. A phone that loses its network leaves such a connection as well, a
 * few times an hour at most. What counts is a connection that ended because its time
 * was over, with fewer octets than a login has. */
#include "watch/detect/detect_core.h"

static void see(struct detect *d, struct sighting *s)
{
	struct suspect *source = s->stalled && s->n < SLOW_OCTETS ? detect_source(d, s) : NULL;
	if (source && fading_add(&source->stalls, FADING_ONE, (uint64_t)s->at, PER_HOUR) > SLOW_FREE * FADING_ONE)
		charge_network(d, s, &(struct charge){DETECT_SLOW, SLOW_POINTS,
			"a connection that said next to nothing until its time was over", STR("")});
}

const struct detector detector_slow = {"slow-client", SEEN_END, see};
