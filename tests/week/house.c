/* The machine: its processes start, end, and are started again. */
#include "house.h"

#include <stdio.h>

#include "run/clock.h"

enum { QUIET = 16, PATIENCE = 200000, EARLY = 60 };

/* The store's word that its process has to end; it names no account. */
#define GIVE_UP(N)                             \
	static void give_up_##N(result why)        \
	{                                          \
		say("%u: gives up: %s", N, why.text);  \
		account_ends(&week.accounts[N]);       \
	}
GIVE_UP(0)
GIVE_UP(1)
GIVE_UP(2)
GIVE_UP(3)
GIVE_UP(4)
static void (*const give_ups[ACCOUNTS])(result why) = {give_up_0, give_up_1, give_up_2, give_up_3, give_up_4};

bool house_is_dark(void)
{
	return week.victim && sim_dead(week.victim);
}

/* ---- an account's process ---- */

void account_ends(struct account *a)
{
	a->ending = true;
	a->touched = true;
}

static result open_store(struct account *a)
{
	static const unsigned char key[32] = "an account's key";
	unsigned char id[16] = "an account";
	id[15] = (unsigned char)a->number;
	struct store_options options = {sim_files(a->sim), key, id, a->quota, give_ups[a->number]};
	result r = store_open(&options, &a->store);
	a->owner = (struct actor){a->store, ACTOR_OWNER};
	a->courier = (struct actor){a->store, ACTOR_COURIER};
	a->administrator = (struct actor){a->store, ACTOR_ADMINISTRATOR};
	return r;
}

static void close_store(struct account *a)
{
	for (size_t i = 0; i < PROGRAMS; i++)
		program_leave(&a->programs[i]);
	holding_cut(a);
	expect(!a->busy && !a->acting, "account %u is at work and nothing moves", a->number);
	store_close(&a->store);
}

static void disk_again(struct account *a)
{
	sim_restart(a->sim);
	if (a->full)
		sim_fault_at(a->sim, SIM_FULL, 1);
}

/* Starting is work too, in the middle of which it may end. */
static void start_store(struct account *a)
{
	for (bool once = !week.calm && !a->full && chance(5);; once = false) {
		if (once)
			sim_fault_at(a->sim, SIM_CRASH, 1 + below(EARLY));
		result r = open_store(a);
		if (!failed(r) && !sim_dead(a->sim))
			break;
		say("%u: ends while it starts: %s", a->number, r.text);
		expect(sim_dead(a->sim), "account %u does not open: %s", a->number, r.text);
		store_close(&a->store);
		disk_again(a);
	}
	if (!a->full)
		sim_fault_at(a->sim, SIM_NONE, 0);
	a->away = a->flaky = false;
	a->troubled = week_now();
	say("%u: starts", a->number);
	a->ending = true; /* nobody reaches it while it is looked at */
	judge_opened(a);
	a->ending = false;
}

void account_leaves(struct account *a)
{
	close_store(a);
	disk_again(a);
	a->away = true;
	a->ending = false;
}

void account_restart(struct account *a)
{
	close_store(a);
	disk_again(a);
	start_store(a);
}

/* ---- the queue's ---- */

static void restart_queue(void)
{
	holding_close();
	sim_restart(week.disk);
	holding_open(week.disk);
	week.troubled = week_now();
	say("queue: starts");
}

/* ---- the machine ---- */

static void stop_disk(struct sim *s)
{
	if (!sim_dead(s))
		sim_fault_at(s, SIM_CRASH, 1);
}

static void power_cut(void)
{
	say("the power goes");
	stop_disk(week.disk);
	for (size_t i = 0; i < ACCOUNTS; i++)
		stop_disk(week.accounts[i].sim);
	holding_close();
	for (size_t i = 0; i < ACCOUNTS; i++) {
		close_store(&week.accounts[i]);
		sim_crash(week.accounts[i].sim);
	}
	sim_crash(week.disk);
	week.victim = NULL;
	week.troubled = week_now();
	week.count.crashes++;
	holding_open(week.disk);
	for (size_t i = 0; i < ACCOUNTS; i++) {
		struct account *a = &week.accounts[i];
		if (a->full)
			sim_fault_at(a->sim, SIM_FULL, 1);
		if (!a->away)
			start_store(a);
	}
}

static uint64_t sign_of_life(void)
{
	uint64_t sign = holding_moves() + sim_steps(week.disk);
	for (size_t i = 0; i < ACCOUNTS; i++)
		sign = sign * 31 + sim_steps(week.accounts[i].sim);
	return sign;
}

static void wait_until_quiet(void)
{
	uint64_t last = 0;
	size_t turns = 0;
	for (int same = 0; same < QUIET; turns++) {
		fiber_yield();
		uint64_t now = sign_of_life();
		same = now == last && !week.tasks ? same + 1 : 0;
		last = now;
		expect(turns < PATIENCE, "somebody waits for an answer that does not come");
	}
}

/* What has to be started again; false when all are up. */
static bool raise_the_dead(void)
{
	bool any = false;
	if (house_is_dark()) {
		power_cut();
		return true;
	}
	for (size_t i = 0; i < ACCOUNTS; i++) {
		struct account *a = &week.accounts[i];
		if (a->away || (!a->ending && !sim_dead(a->sim)))
			continue;
		week.count.kills += sim_dead(a->sim);
		account_restart(a);
		any = true;
	}
	if (holding_ending() || sim_dead(week.disk)) {
		restart_queue();
		any = true;
	}
	return any;
}

/* Who looks has what is kept put in, which writes: it may be the last that the process does. */
static bool somebody_falls(void)
{
	for (size_t i = 0; i < ACCOUNTS; i++) {
		struct account *a = &week.accounts[i];
		struct mailbox_status s;
		if (!a->touched || !a->store)
			continue;
		result r = mailbox_status_of(&a->owner, STR("INBOX"), &s);
		expect(!failed(r) || a->ending || sim_dead(a->sim), "account %zu can't be looked at: %s", i, r.text);
		if (a->ending || sim_dead(a->sim))
			return true;
	}
	return false;
}

void house_settle(void)
{
	for (size_t i = 0; i < ACCOUNTS; i++)
		week.accounts[i].touched |= week.accounts[i].mailed && chance(2);
	do {
		wait_until_quiet();
	} while (raise_the_dead() || somebody_falls());
	for (size_t i = 0; i < ACCOUNTS; i++)
		if (week.accounts[i].touched && week.accounts[i].store)
			judge_turn(&week.accounts[i]);
	arena_clear(&week.turn);
}

void house_open(void)
{
	static const uint64_t quotas[ACCOUNTS] = {0, 0, 0, 3000000, 400000};
	week.disk = sim_new(week.seed);
	holding_open(week.disk);
	for (unsigned i = 0; i < ACCOUNTS; i++) {
		struct account *a = &week.accounts[i];
		a->number = i;
		a->quota = a->quota_asked = quotas[i];
		a->sim = sim_new(week.seed + 1 + i);
		for (size_t k = 0; k < PROGRAMS; k++)
			a->programs[k].account = a;
		expect_ok(open_store(a));
		model_begin(a);
	}
}

void house_close(void)
{
	holding_close();
	sim_free(&week.disk);
	for (unsigned i = 0; i < ACCOUNTS; i++) {
		struct account *a = &week.accounts[i];
		close_store(a);
		sim_free(&a->sim);
		model_free(a);
	}
}
