#include "inspect/watchdog.h"
#include "base/fail.h"
#include "run/fiber.h"

#include <sys/time.h>

static void wind(long seconds)
{
	const struct itimerval t = {.it_value.tv_sec = seconds};
	must(setitimer(ITIMER_PROF, &t, NULL) == 0);
}

void watchdog_run(void (*fn)(void *arg), void *arg)
{
	wind(WATCHDOG_CPU_S);
	fiber_on_loop_stack(fn, arg);
	wind(0);
}
