/* A dormant account awakes.
 *
 * Accounts of those who left are what thieves like best: nobody notices. One that has
 * not logged in for months and then does from where it never came is told of. From
 * a familiar network it is a long holiday. */
#include "watch/detect/detect_core.h"

static void see(struct detect *d, struct sighting *s)
{
	struct person *p = persons_get(&d->persons, s->account);
	if (!p || !s->placed || p->conduct.login == 0 || detect_is_home(d, s))
		return;
	int64_t days = (s->at - p->conduct.login) / (24 * (int64_t)DETECT_HOUR);
	AUTO_BUF buf whom = buf_new(32);
	buf_printf(&whom, "%lld days", (long long)days);
	if (days >= DORMANT_DAYS)
		charge_person(d, p, s, &(struct charge){DETECT_DORMANT, DORMANT_POINTS,
			"a login from elsewhere after a silence of", buf_str(&whom)});
}

const struct detector detector_dormant = {"dormant-account", SEEN_LOGIN, see};
