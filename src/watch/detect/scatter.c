/* Sending from many networks.
 *
 * A person sends from home, from work and from a telephone that wanders: three
 * networks an hour, four on a train. A stolen account is sold to many, and sends from
 * all of them at once. */
#include "watch/detect/detect_core.h"

static void see(struct detect *d, struct sighting *s)
{
	struct person *p = s->placed ? persons_get(&d->persons, s->account) : NULL;
	if (!p)
		return;
	net_cidr network = suspect_network(&s->client, GRAIN_NETWORK);
	tally_add(&p->senders, hash_bytes(str_of((const char *)network.ip, sizeof network.ip)), s->at);
	unsigned n = tally_count(&p->senders, s->at);
	AUTO_BUF buf whom = buf_new(16);
	buf_printf(&whom, "%u", n);
	if (n >= PLACES_LEAST && !p->scattered)
		charge_person(d, p, s, &(struct charge){DETECT_SCATTER, PLACES_POINTS, "networks it sends from in an hour:",
			buf_str(&whom)});
	p->scattered = n >= PLACES_LEAST;
}

const struct detector detector_scatter = {"scattered-sending", SEEN_SENT, see};
