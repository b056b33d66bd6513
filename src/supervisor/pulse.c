#include "supervisor/pulse.h"
#include "talk/supervisor_room.h"

static void ask(struct process *p)
{
	struct supervisor_room_ping m = {0};
	if (p->state != PROCESS_RUNNING)
		return;
	if (p->pings >= PULSE_MISSED) {
		house_kill(p, "it did not answer for a minute");
		return;
	}
	p->pings++;
	result r = supervisor_room_ping_offer(p->channel, NULL, &m);
	(void)r; /* who does not even read is asked in vain, and that counts */
}

void pulse_watch(void *arg)
{
	struct house *h = arg;
	while (!h->ending && !failed(fiber_sleep(PULSE_MS))) {
		void *account;
		size_t at = 0;
		str key;
		for (size_t i = 0; i < h->rooms_n; i++)
			ask(&h->rooms[i]);
		while (hash_each(&h->accounts, &at, &key, &account))
			ask(account);
	}
}
