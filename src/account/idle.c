#include <malloc.h>

#include "account/account.h"
#include "run/clock.h"
#include "talk/room.h"

/* After ACCOUNT_TRIM_MS without work memory is given back; after the option
 * account-idle without sessions the supervisor may stop this process. */
static struct {
	struct gate changed;
	bool ready;
	bool stirred;
} idle;

static void open_gate(void)
{
	if (!idle.ready)
		gate_init(&idle.changed);
	idle.ready = true;
}

void idle_stir(void)
{
	idle.stirred = true;
	open_gate();
	gate_wake_all(&idle.changed);
	gate_wake_all(&account.opened);
}

void idle_wait_for_deliveries(void)
{
	open_gate();
	while (account.deliveries > 0)
		if (failed(gate_wait(&idle.changed, FIBER_FOREVER)))
			return;
}

static void trim(void)
{
	const struct actor a = account_as(ACTOR_ADMINISTRATOR);
	account.deliveries++;
	result r = store_trim(&a);
	(void)r; /* the next lull tries again */
	account.deliveries--;
	gate_wake_all(&idle.changed);
	gate_wake_all(&account.opened);
}

void idle_give_back(void)
{
	if (account.store)
		trim();
	channel_trim();
	malloc_trim(0);
}

/* CANCELLED ends it. */
static result one_lull(void)
{
	while (!idle.stirred)
		TRY(gate_wait(&idle.changed, FIBER_FOREVER));
	while (idle.stirred || account.deliveries > 0) {
		idle.stirred = false;
		TRY(fiber_sleep(ACCOUNT_TRIM_MS));
	}
	idle_give_back();
	uint64_t limit = options_number(&account.options, OPT_ACCOUNT_IDLE);
	uint64_t left = limit > ACCOUNT_TRIM_MS ? limit - ACCOUNT_TRIM_MS : 0;
	result r = account.sessions ? OK : gate_wait(&idle.changed, left);
	if (r.kind == FAIL_TIMEOUT && !idle.stirred)
		room_idle();
	return r.kind == FAIL_CANCELLED ? r : OK;
}

static void watch(void *arg)
{
	(void)arg;
	while (!failed(one_lull()))
		;
}

result idle_watch_start(void)
{
	open_gate();
	idle.stirred = true;
	return fiber_start(watch, NULL, "idle", NULL);
}
