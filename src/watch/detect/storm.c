/* Connection storms.
 *
 * A large sender opens many connections and uses them; an attacker opens them. So
 * connections are counted by the minute and what they were good for (mail taken,
 * logins) is taken off, each for several connections, because mail programs open
 * more than one. */
#include "watch/detect/detect_core.h"

enum { PER_MINUTE = 42 * 1000 };

static void see(struct detect *d, struct sighting *s)
{
	struct suspect *source = detect_source(d, s);
	if (!source)
		return;
	if (s->kind != SEEN_CONNECT) {
		fading_add(&source->useful, FADING_ONE, (uint64_t)s->at, PER_HOUR);
		return;
	}
	uint32_t came = fading_add(&source->connects, FADING_ONE, (uint64_t)s->at, PER_MINUTE);
	uint64_t used = (uint64_t)fading_now(&source->useful, (uint64_t)s->at, PER_HOUR) * STORM_WORTH;
	if (came > STORM_FREE * FADING_ONE + used)
		charge_network(d, s, &(struct charge){DETECT_STORM, STORM_POINTS, "a connection beyond all use", STR("")});
}

const struct detector detector_storm = {"connection-storm", SEEN_CONNECT | SEEN_MAIL | SEEN_LOGIN | SEEN_SENT, see};
