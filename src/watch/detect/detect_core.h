/* What the detectors share: detect.c holds it, climb.c charges and asks for
 * measures, and each detector is one function over sightings. */
#ifndef WATCH_DETECT_CORE_H
#define WATCH_DETECT_CORE_H

#include "watch/detect/detect.h"
#include "watch/detect/habits.h"
#include "watch/detect/limits.h"
#include "watch/detect/persons.h"
#include "watch/detect/sighting.h"
#include "watch/detect/suspects.h"
#include "watch/keeper.h"

enum detector_id {
#define DETECTOR(ID, ...) ID,
#include "watch/detect/detector_list.h"
#undef DETECTOR
	DETECTORS
};
_Static_assert((int)DETECTORS == 2 * (int)DETECTORS_MOST && (int)DETECT_TRAVEL == (int)DETECTORS_MOST,
	       "those against networks come first, as many as those against accounts");

struct detect {
	struct measures measures;
	struct ledger *ledger;
	struct networks never;
	struct places *const *places;
	struct suspects suspects;
	struct persons persons;
	struct habits habits;
	struct memo memo, leaving; /* leaving: the store thread's while it is written */
	bool seen;                 /* something, that is to be written down */
	struct keeper keeper;
};

struct detector {
	const char *name;
	unsigned kinds; /* of sightings, bits */
	void (*see)(struct detect *d, struct sighting *s);
};
#define DETECTOR(ID, NAME, FILE, ...) extern const struct detector detector_##FILE;
#include "watch/detect/detector_list.h"
#undef DETECTOR
extern const struct detector *const detectors[DETECTORS];

/* The client's address; NULL: not known, or no memory. */
struct suspect *detect_source(struct detect *d, const struct sighting *s);
/* Is it the account's owner, by where it comes from? */
bool detect_is_home(const struct detect *d, const struct sighting *s);

/* climb.c. Charges the client's address, network and system, and asks for what is due. */
void charge_network(struct detect *d, struct sighting *s, const struct charge *c);
/* The account; `p` may be NULL. */
void charge_person(struct detect *d, struct person *p, struct sighting *s, const struct charge *c);
/* Tells people without a score. */
void tell_people(struct detect *d, const struct person *p, struct sighting *s, const struct charge *c);
/* ": brute-force 30, probing 6"; `first` of the detectors that may be among them. */
void put_scores(buf *out, const struct score *scores, unsigned first, int64_t now);

/* Counts `n` more and says how often that has taken the count beyond `allowed`, twice that, four times that ...;
 * each counts once until it has fallen to half of it. */
unsigned count_rises(struct rising *r, uint32_t n, int64_t now, uint64_t allowed);

/* What an account sends (rate.c, first.c), against the busiest hours that it has had. */
struct sending {
	struct rising *hour;
	uint32_t usual;     /* of those hours, 256ths: */
	unsigned times;     /* so often that is unusual, */
	unsigned least;     /* so many never are, */
	unsigned new_least; /* nor so many while less than RATE_NEW_DAYS are known */
	struct charge each; /* for each doubling; `whom` is filled in */
};
/* Counts the sighting's `n` and charges the account. True where it was usual, which is to be learned. */
bool charge_sending(struct detect *d, struct person *p, struct sighting *s, const struct sending *w);

#endif
