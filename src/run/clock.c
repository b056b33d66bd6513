#include "run/clock.h"

#include <stdbool.h>
#include <time.h>

static struct {
	bool on;
	uint64_t mono_ns;
	int64_t wall_ms;
} held;

static uint64_t read_ns(clockid_t id)
{
	struct timespec t = {0};
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
	return held.on ? held.mono_ns : read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_mono_ms(void)
{
	return clock_mono_ns() / 1000000U;
}

uint64_t clock_left(uint64_t deadline)
{
	if (deadline == UINT64_MAX)
		return UINT64_MAX;
	uint64_t now = clock_mono_ms();
	return deadline > now ? deadline - now : 0;
}

int64_t clock_wall_ms(void)
{
	return held.on ? held.wall_ms : (int64_t)(read_ns(CLOCK_REALTIME) / 1000000U);
}

int64_t clock_wall_s(void)
{
	return clock_wall_ms() / 1000;
}

uint64_t clock_cpu_ns(void)
{
	return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

void clock_test_hold(int64_t wall_ms)
{
	held.mono_ns = read_ns(CLOCK_MONOTONIC);
	held.wall_ms = wall_ms;
	held.on = true;
}

void clock_test_advance(uint64_t ms)
{
	held.mono_ns += ms * 1000000U;
	held.wall_ms += (int64_t)ms;
}

void clock_test_set(int64_t wall_ms)
{
	held.wall_ms = wall_ms;
}

void clock_test_release(void)
{
	held.on = false;
}
