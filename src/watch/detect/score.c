#include "watch/detect/score.h"

void score_add(struct score *s, unsigned points, int64_t now, uint64_t half_life)
{
	if (fading_now(&s->points, (uint64_t)now, half_life) < FADING_ONE)
		s->times = 0;
	s->times += s->times < UINT32_MAX;
	fading_add(&s->points, points * FADING_ONE, (uint64_t)now, half_life);
}

uint64_t scores_sum(const struct score *scores, int64_t now, uint64_t half_life)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < DETECTORS_MOST; i++)
		sum += fading_now(&scores[i].points, (uint64_t)now, half_life);
	return sum / FADING_ONE;
}

void scores_halve(struct score *scores)
{
	for (unsigned i = 0; i < DETECTORS_MOST; i++)
		scores[i].points.n /= 2;
}
