/* Chance, time and the story of a simulated week.
 *
 * All chance comes from one seed, all time from the held clock, nothing runs on
 * another thread: the same seed gives the same run, which the digest of all
 * that is said, logged and on the disks proves. What is wrong ends the process
 * with the last lines of the story and the command that repeats it. */
#ifndef WEEK_WEEK_H
#define WEEK_WEEK_H

#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"
#include "base/str.h"

enum {
	SECOND = 1000,
	MINUTE = 60 * SECOND,
	HOUR = 60 * MINUTE,
	DAY = 24 * HOUR,
};

uint64_t below(uint64_t n);
bool chance(uint64_t one_in);
uint64_t week_now(void); /* house time: milliseconds since the week began */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void digest_bytes(str bytes);
_Noreturn void wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define expect(COND, ...)        \
	do {                         \
		if (!(COND))             \
			wrong(__VA_ARGS__);  \
	} while (0)
#define expect_ok(EXPR)                                                     \
	do {                                                                    \
		result ok_ = (EXPR);                                                \
		if (failed(ok_))                                                    \
			wrong("%s: %s: %s", #EXPR, fail_name(ok_.kind), ok_.text);      \
	} while (0)

/* A fiber that the driver waits for before anything is compared. */
void task_start(void (*fn)(void *arg), void *arg);
/* Room for one more behind n entries, in memory of base/mem.h. */
void *array_more(void *array, size_t n, size_t *cap, size_t size);

/* agenda.c: what is going to happen */
void agenda_in(uint64_t ms, void (*happen)(void *arg), void *arg);
bool agenda_next(uint64_t *at); /* when the first is due */
void agenda_do(void);           /* takes it off and lets it happen */
void agenda_clear(void);

#endif
