/* Brute force on one account.
 *
 * Whoever guesses a password sends many different wrong ones. A program with an old
 * password sends the same one again and again, and a person who has forgotten theirs
 * tries a handful from where they always are. So a wrong secret counts only when it
 * was not tried before with that name (auth says so), and not at all from where the
 * account usually logs in. The points are the address's alone: however many come, the
 * account stays open to its owner. When guesses for one account come from many
 * networks that it does not know, each of these is charged more, because each of
 * them sees only a few; and its owner is told. */
#include "watch/detect/detect_core.h"

static const char what[] = "a wrong password, for";

static bool is_siege(struct person *p, const struct sighting *s)
{
	net_cidr network = suspect_network(&s->client, GRAIN_NETWORK);
	tally_add(&p->strangers, hash_bytes(str_of((const char *)network.ip, sizeof network.ip)), s->at);
	uint32_t wrong = fading_add(&p->wrong, FADING_ONE, (uint64_t)s->at, PER_HOUR);
	return wrong >= BRUTE_SIEGE_WRONG * FADING_ONE && tally_count(&p->strangers, s->at) >= BRUTE_SIEGE_NETWORKS;
}

static void see(struct detect *d, struct sighting *s)
{
	if (s->repeat || !s->account || !s->placed || detect_is_home(d, s))
		return;
	struct person *p = persons_get(&d->persons, s->account);
	bool siege = p && is_siege(p, s);
	charge_network(d, s, &(struct charge){DETECT_BRUTE, siege ? BRUTE_SIEGE_POINTS : BRUTE_POINTS, what, s->name});
	if (siege && !p->besieged)
		tell_people(d, p, s, &(struct charge){DETECT_BRUTE, 0,
			"passwords are guessed from many networks; it stays open to its owner:", s->name});
	if (p && (siege || p->wrong.n < BRUTE_SIEGE_WRONG * FADING_ONE / 2)) /* told once, until it has calmed down */
		p->besieged = siege;
}

const struct detector detector_brute = {"brute-force", SEEN_WRONG, see};
