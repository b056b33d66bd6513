/* A new device or country.
 *
 * An account that has always logged in from one country and now does from another is
 * either on a journey or stolen; its owner knows which, so the owner is told. A new
 * device shows in how it logs in (protocol, mechanism, which app password): a thief
 * with the person's password comes by it where programs used app passwords. That and
 * a network it never came from are ordinary by themselves and weigh little; they add
 * up with the rest. The first login of all teaches and charges nothing. */
#include "watch/detect/detect_core.h"

static uint64_t device_of(const struct sighting *s)
{
	AUTO_BUF buf text = buf_new(512);
	buf_put(&text, s->protocol);
	buf_putc(&text, ' ');
	buf_put(&text, s->word);
	uint64_t mark = 0xcbf29ce484222325; /* FNV-1a: it outlives the process, whose hash_bytes is seeded anew */
	for (size_t i = 0; i < text.n; i++)
		mark = (mark ^ (unsigned char)text.p[i]) * 0x100000001b3;
	return mark | 1;
}

static void see(struct detect *d, struct sighting *s)
{
	struct person *p = persons_get(&d->persons, s->account);
	if (!p || !s->placed)
		return;
	bool first = p->conduct.login == 0 && !habits_has_any(&d->habits, s->account);
	const struct place *here = sighting_place(s, *d->places);
	bool country = here->country[0] && conduct_meets_country(&p->conduct, here->country);
	bool device = conduct_meets_device(&p->conduct, device_of(s));
	bool knew_countries = p->conduct.countries[1][0] || !country;
	if (country || device)
		p->state = CHANGED;
	if (first)
		return;
	if (country && knew_countries)
		charge_person(d, p, s, &(struct charge){DETECT_NEWCOMER, COUNTRY_POINTS, "a login from a new country,",
			str_from(here->country)});
	if (device)
		charge_person(d, p, s, &(struct charge){DETECT_NEWCOMER, DEVICE_POINTS, "a login by new means,", s->word});
	if (!detect_is_home(d, s))
		charge_person(d, p, s, &(struct charge){DETECT_NEWCOMER, NETWORK_POINTS, "a login from a new network",
			STR("")});
}

const struct detector detector_newcomer = {"newcomer", SEEN_LOGIN, see};
