#include "relay/errand.h"

/* One pass from LF to LF; a CR is looked for in between only. */
static bool has_bare(str s)
{
	while (s.n > 0) {
		size_t lf = str_chr(s, '\n');
		str line = str_sub(s, 0, lf);
		size_t cr = str_chr(line, '\r');
		bool ended = lf != STR_NONE;
		if (ended ? cr == STR_NONE || cr + 1 != line.n : cr != STR_NONE)
			return true;
		s = str_skip(s, ended ? lf + 1 : s.n);
	}
	return false;
}

void letter_look(struct letter *l)
{
	l->bare = has_bare(l->head) || has_bare(l->body);
}

void errand_settle(struct errand *e, size_t i, const struct queue_relay_outcome *o)
{
	must(!e->settled[i]);
	e->outcomes[i] = *o;
	e->settled[i] = true;
	e->left--;
}

void errand_settle_rest(struct errand *e, const struct trouble *t)
{
	struct queue_relay_outcome o = outcome_of_trouble(t);
	for (size_t i = 0; i < e->n; i++)
		if (!e->settled[i])
			errand_settle(e, i, &o);
	e->slow_down = e->slow_down || t->slow_down;
}
