/* Protocol abuse.
 *
 * Some things no honest program does: to talk before the greeting, to put commands
 * behind STARTTLS, to speak HTTP to a mail server, to end lines so that two servers
 * read two different letters out of them. Each weighs much. Others happen to honest
 * programs now and then, old ones above all (a refused command, a handshake that
 * fails): they weigh little, and only when an hour has seen many of them. */
#include "watch/detect/detect_core.h"

static bool is_many(struct fading *f, const struct sighting *s, unsigned allowed)
{
	return fading_add(f, FADING_ONE, (uint64_t)s->at, PER_HOUR) > allowed * FADING_ONE;
}

static void see(struct detect *d, struct sighting *s)
{
	struct suspect *source = detect_source(d, s);
	if (!source)
		return;
	if (s->kind == SEEN_ABUSE)
		charge_network(d, s, &(struct charge){DETECT_ABUSE, ABUSE_POINTS, "what no honest program does, last:",
			s->word});
	else if (s->kind == SEEN_GARBAGE && is_many(&source->garbage, s, GARBAGE_FREE))
		charge_network(d, s, &(struct charge){DETECT_ABUSE, GARBAGE_POINTS, "a command that makes no sense", STR("")});
	else if (s->kind == SEEN_TLS_FAILED && is_many(&source->handshakes, s, TLS_FREE))
		charge_network(d, s, &(struct charge){DETECT_ABUSE, TLS_POINTS, "a TLS handshake that failed", STR("")});
}

const struct detector detector_abuse = {"protocol-abuse", SEEN_ABUSE | SEEN_GARBAGE | SEEN_TLS_FAILED, see};
