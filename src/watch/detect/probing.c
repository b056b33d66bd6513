/* Probing: do these names exist, and will this server relay?
 *
 * A login under a name that nobody has costs a person who mistyped it once or twice;
 * a list of likely names (admin, info, test) costs one each. Mail for elsewhere
 * without a login is refused to everybody, and no honest server asks for it again
 * and again: a misconfigured one asks for the same few recipients, which is why the
 * points are fewer than a ban's and fade. */
#include "watch/detect/detect_core.h"

static void see(struct detect *d, struct sighting *s)
{
	if (s->kind == SEEN_RELAY)
		charge_network(d, s, &(struct charge){DETECT_PROBING, PROBE_RELAY_POINTS,
			"mail to be relayed without a login, for", s->name});
	else if (!s->account && !s->repeat)
		charge_network(d, s, &(struct charge){DETECT_PROBING, PROBE_NAME_POINTS,
			"a login under a name that nobody has,", s->name});
}

const struct detector detector_probing = {"probing", SEEN_WRONG | SEEN_RELAY, see};
