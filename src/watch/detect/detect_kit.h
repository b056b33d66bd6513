/* Detectors in tests: events go in as a room would send them, at times that the
 * test sets, and measures are recorded instead of being carried out. Tests only. */
#ifndef WATCH_DETECT_KIT_H
#define WATCH_DETECT_KIT_H

#include "base/test.h"
#include "run/places_kit.h"
#include "watch/detect/detect_core.h"

enum { SCENE_TEXT = 400, MINUTE = 60 * 1000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

struct scene_measure {
	struct measure is;
	char network[64], detector[64], evidence[SCENE_TEXT];
};

struct scene {
	struct detect *detect;
	struct places *places;
	int64_t now; /* milliseconds since 1970 */
	struct scene_measure *taken;
	size_t n, cap;
};

void scene_open(struct scene *s);
/* NULL lines: nothing is known of places. False where the databases cannot be made. */
bool scene_open_at(struct scene *s, const char *lines);
void scene_open_with(struct scene *s, struct ledger *ledger); /* on a fiber; what is remembered comes along */
void scene_close(struct scene *s);
void scene_wait(struct scene *s, int64_t ms);

void scene_event(struct scene *s, enum log_name event, const struct log_field *fields);
#define SCENE(S, EVENT, ...) scene_event((S), (EVENT), (const struct log_field[]){__VA_ARGS__, {0}})

/* What is needed most. */
struct guess {
	const char *client, *user;
	uint64_t account;
	unsigned names; /* that this secret was tried with; 0: not known */
	bool repeat;
};
void scene_wrong(struct scene *s, const struct guess *g);
void scene_login(struct scene *s, uint64_t account, const char *client);
void scene_login_by(struct scene *s, uint64_t account, const char *client, const char *mechanism);
void scene_refused(struct scene *s, const char *client, const char *status, const char *recipient);
/* Logins on days before, so that the address is ripe. */
void scene_habit(struct scene *s, uint64_t account, const char *client);

/* Measures so far; network NULL: any. */
size_t scene_count(const struct scene *s, enum measure_kind kind, const char *network);
size_t scene_count_person(const struct scene *s, enum measure_kind kind, uint64_t account);
/* The last of that kind; the test fails without one. */
const struct scene_measure *scene_last(const struct scene *s, enum measure_kind kind);
unsigned scene_points(struct scene *s, const char *client); /* of the address */

#endif
