/* The accounts of which something was seen: what they usually do, and what they
 * are suspected of now.
 *
 * The first part, the conduct, outlives a restart (memo.h); the rest begins at
 * nothing. Bounded (PERSONS): the longest unused is forgotten, with what was
 * written down. Owns its memory; without memory nothing is remembered. Nothing
 * suspends. Times are milliseconds since 1970 unless they say otherwise. */
#ifndef WATCH_DETECT_PERSONS_H
#define WATCH_DETECT_PERSONS_H

#include "base/hash.h"
#include "base/list.h"
#include "run/places.h"
#include "watch/detect/limits.h"
#include "watch/detect/memo.h"
#include "watch/detect/score.h"
#include "watch/detect/tally.h"

struct conduct {
	int64_t login;                       /* the last good one; 0: none is known */
	struct place place;                  /* of it: country and position */
	char countries[COUNTRIES_EACH][PLACES_COUNTRY]; /* it has logged in from; the newest first */
	uint64_t devices[DEVICES_EACH];      /* marks of how it logs in; the newest first */
	int64_t day;                         /* since 1970: the day that `today` counts */
	uint32_t usual_copies, usual_first;  /* of its busiest hours, 256ths */
	uint32_t today_copies, today_first;  /* the busiest hour so far, 256ths */
	uint32_t days;                       /* learned so far */
};

/* Counters whose half-life makes a steady flow read as so many an hour, or a day. */
enum { PER_HOUR = 42 * DETECT_MINUTE, PER_DAY = 24 * PER_HOUR };

/* A count and how often it has doubled beyond what is usual. */
struct rising {
	struct fading count;
	uint64_t half_life;
	unsigned char level;
};

struct person {
	struct list node;
	uint64_t account;
	struct conduct conduct;
	int64_t placed;                     /* when it was at conduct.place; 0: never */
	enum { SAME, TOUCHED, CHANGED } state; /* since it was written down; the merely touched wait for an hour or two */
	int64_t written;
	struct score scores[DETECTORS_MOST];
	struct fading wrong;                /* secrets from strangers, an hour */
	struct rising copies, firsts;       /* an hour */
	struct rising bounced;              /* a day; of so many, for which something was heard: */
	struct fading done;
	struct tally strangers;             /* networks of wrong secrets */
	struct tally senders;               /* networks that it sends from */
	bool besieged, scattered;
	bool noticed, held;                 /* and how far its score has led */
};

struct persons {
	hash table;
	struct list oldest; /* the longest unused first */
	struct memo *memo;  /* outlives it */
};

void persons_init(struct persons *t, struct memo *memo);
void persons_free(struct persons *t);
struct person *persons_get(struct persons *t, uint64_t account); /* makes it; NULL: no memory */
void persons_restore(struct persons *t, uint64_t account, str packed); /* what the memo says; damage is skipped */
void persons_forget(struct persons *t, uint64_t account);
/* What changed goes into the memo; `all`: also what was only touched a moment ago. */
void persons_write(struct persons *t, int64_t now, bool all);
void person_touch(struct person *p);

/* True when it was not there; then it is first, and what was last has gone. */
bool conduct_meets_country(struct conduct *c, const char country[PLACES_COUNTRY]);
bool conduct_meets_device(struct conduct *c, uint64_t mark);
/* Counts for today's busiest hour; a new day makes the last one part of what is usual. */
void conduct_sends(struct conduct *c, int64_t now, uint32_t copies, uint32_t first);

#endif
