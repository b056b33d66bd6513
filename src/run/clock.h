/* Time: the wall clock for people and dates, the monotonic one for waiting.
 *
 * Both pass through here so that a test can hold time still and move it by
 * hand. Nothing suspends or fails. Fibers' timeouts follow clock_mono_ms. */
#ifndef RUN_CLOCK_H
#define RUN_CLOCK_H

#include <stdint.h>

uint64_t clock_mono_ms(void);
uint64_t clock_mono_ns(void);
/* Milliseconds until a time of clock_mono_ms: 0 when it has passed, UINT64_MAX (for ever) for UINT64_MAX. */
uint64_t clock_left(uint64_t deadline);
int64_t clock_wall_ms(void); /* since 1970-01-01 00:00 UTC */
int64_t clock_wall_s(void);
uint64_t clock_cpu_ns(void); /* processor time that the calling thread has had; a system call; no test holds it */

/* Tests: from now on time stands still and only clock_test_advance moves it
 * (both clocks); waits that became due end before the loop polls again. */
void clock_test_hold(int64_t wall_ms);
void clock_test_advance(uint64_t ms);
void clock_test_set(int64_t wall_ms); /* somebody sets the wall clock; the other one goes on as it was */
void clock_test_release(void);

#endif
