/* What one detector has charged somebody with. */
#ifndef WATCH_DETECT_SCORE_H
#define WATCH_DETECT_SCORE_H

#include "base/buf.h"
#include "base/fading.h"

enum { DETECTORS_MOST = 8 }; /* against networks, and as many against accounts */

struct score {
	struct fading points;
	uint32_t times; /* how often, since it was last nothing */
};

/* One charge. `what` goes on "12 times: ..." in the evidence; `whom` behind it, empty: nobody. */
struct charge {
	unsigned by;     /* a row of detector_list.h */
	unsigned points;
	const char *what;
	str whom;
};

void score_add(struct score *s, unsigned points, int64_t now, uint64_t half_life);
/* Whole points of all together. */
uint64_t scores_sum(const struct score *scores, int64_t now, uint64_t half_life);
void scores_halve(struct score *scores);

#endif
