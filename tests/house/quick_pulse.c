/* Asks the rooms fifty times as often whether they are alive (supervisor/pulse.h). */
#include "supervisor/pulse.h"

result __real_fiber_sleep(uint64_t ms);
result __wrap_fiber_sleep(uint64_t ms);

result __wrap_fiber_sleep(uint64_t ms)
{
	return __real_fiber_sleep(ms == PULSE_MS ? PULSE_MS / 50 : ms);
}
