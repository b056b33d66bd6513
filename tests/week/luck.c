/* What goes wrong, and how it is put right; the nightly look at everything. */
#include "world.h"

#include "run/clock.h"

enum { SOON = 60, SKEW_MOST = 2 * DAY };

static struct account *anybody(void)
{
	return &week.accounts[below(ACCOUNTS)];
}

/* One trouble at a time for a disk; the next write, sync or name that is due for it. */
static void arm(struct account *a, enum sim_fault fault)
{
	if (a->full || !a->store || week.victim == a->sim)
		return;
	a->flaky |= fault == SIM_REFUSE;
	sim_fault_at(a->sim, fault, 1 + below(SOON));
}

static void kill_somebody(void)
{
	if (chance(ACCOUNTS + 1))
		sim_fault_at(week.disk, SIM_CRASH, 1 + below(SOON));
	else
		arm(anybody(), SIM_CRASH);
}

static void fail_a_disk(void)
{
	week.count.refused++;
	if (chance(ACCOUNTS + 1))
		sim_fault_at(week.disk, SIM_REFUSE, 1 + below(SOON));
	else
		arm(anybody(), SIM_REFUSE);
}

/* The machine stops when that disk has done so much more. */
static void cut_the_power(void)
{
	struct account *a = anybody();
	week.victim = chance(3) ? week.disk : a->sim;
	sim_fault_at(week.victim, SIM_CRASH, 1 + below(SOON));
}

static void has_room_again(void *arg)
{
	struct account *a = arg;
	a->full = false;
	a->troubled = week_now();
	sim_fault_at(a->sim, SIM_NONE, 0);
	say("%u: its disk has room", a->number);
}

static void fill_a_disk(void)
{
	struct account *a = anybody();
	if (a->full || !a->store || week.victim == a->sim)
		return;
	a->full = true;
	week.count.full++;
	enum sim_fault how = chance(2) ? SIM_FULL : SIM_FULL_COPYING;
	sim_fault_at(a->sim, how, 1 + below(SOON));
	say("%u: its disk is full", a->number);
	agenda_in(10 * MINUTE + below(5 * HOUR), has_room_again, a);
}

static void queue_has_room(void *arg)
{
	(void)arg;
	week.troubled = week_now();
	sim_fault_at(week.disk, SIM_NONE, 0);
	say("queue: its disk has room");
}

static void fill_the_queues_disk(void)
{
	if (week.victim == week.disk)
		return;
	sim_fault_at(week.disk, SIM_FULL, 1 + below(SOON));
	week.troubled = UINT64_MAX;
	agenda_in(10 * MINUTE + below(2 * HOUR), queue_has_room, NULL);
}

static void comes_back(void *arg)
{
	struct account *a = arg;
	if (a->away)
		account_restart(a);
}

static void send_away(void)
{
	struct account *a = anybody();
	if (a->away || week.victim == a->sim)
		return;
	say("%u: is away", a->number);
	account_leaves(a);
	agenda_in(below(6 * HOUR), comes_back, a);
}

static void restart(void)
{
	struct account *a = anybody();
	if (!a->away && week.victim != a->sim)
		account_restart(a);
}

/* Mostly as time servers do, at times as people do. */
static void set_the_clock(void)
{
	int64_t most = chance(3) ? 26 * HOUR : 30 * SECOND, step = (int64_t)below((uint64_t)(2 * most)) - most;
	if (week.skew + step > SKEW_MOST || week.skew + step < -SKEW_MOST)
		return;
	week.skew += step;
	if (week.troubled != UINT64_MAX)
		week.troubled = week_now();
	say("the clock steps by %lld ms", (long long)step);
	world_clock_steps();
	clock_test_set(clock_wall_ms() + step);
}

static void ask_quota(void *arg)
{
	struct account *a = arg;
	result r = store_quota_set(&a->administrator, a->quota_asked);
	say("%u: quota %llu: %s", a->number, (unsigned long long)a->quota_asked, fail_name(r.kind));
	if (!failed(r))
		a->quota = a->quota_asked;
	else if (r.kind == FAIL_FULL)
		a->quota_asked = a->quota;
	a->touched = true;
	a->acting = false;
}

static void change_quota(void)
{
	struct account *a = anybody();
	if (!a->store || a->ending || a->acting)
		return;
	a->acting = true;
	a->quota_asked = chance(3) ? 0 : a->octets / 2 + below(a->octets + 100000);
	task_start(ask_quota, a);
}

static void look_through(void *arg)
{
	(void)arg;
	holding_audit();
	holding_administrate(false);
}

static void administrate(void)
{
	task_start(look_through, NULL);
}

/* ---- when ---- */

static struct trouble {
	void (*comes)(void);
	uint64_t often; /* on average */
} troubles[] = {
	{kill_somebody, 5 * HOUR},
	{fail_a_disk, 9 * HOUR},
	{cut_the_power, 20 * HOUR},
	{fill_a_disk, 16 * HOUR},
	{fill_the_queues_disk, 30 * HOUR},
	{send_away, 10 * HOUR},
	{restart, 20 * HOUR},
	{set_the_clock, 8 * HOUR},
	{change_quota, 12 * HOUR},
	{administrate, 6 * HOUR},
};

static void trouble(void *arg)
{
	struct trouble *t = arg;
	t->comes();
	agenda_in(below(2 * t->often), trouble, t);
}

static result digest_file(void *ctx, str name)
{
	struct sim *s = ctx;
	char text[128] = "";
	expect(name.n < sizeof text, "a file with a long name");
	memcpy(text, name.p, name.n);
	digest_bytes(name);
	digest_bytes(sim_bytes(s, text));
	return OK;
}

static void disarm(void)
{
	week.victim = NULL;
	if (week.troubled != UINT64_MAX)
		sim_fault_at(week.disk, SIM_NONE, 0);
	for (size_t i = 0; i < ACCOUNTS; i++)
		if (!week.accounts[i].full)
			sim_fault_at(week.accounts[i].sim, SIM_NONE, 0);
}

/* Everything is as the model says, and every octet on every disk goes into the run's digest. */
static void nightly(void *arg)
{
	disarm(); /* looking is no time to fail */
	for (size_t i = 0; i < ACCOUNTS; i++) {
		struct account *a = &week.accounts[i];
		if (a->store)
			judge_whole(a, true);
		expect_ok(files_list(sim_files(a->sim), digest_file, a->sim));
	}
	expect_ok(files_list(sim_files(week.disk), digest_file, week.disk));
	judge_promises(false);
	say("the day is over: digest %016llx", (unsigned long long)week.digest);
	agenda_in(DAY, nightly, arg);
}

void luck_begin(void)
{
	for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++)
		agenda_in(below(2 * troubles[i].often), trouble, &troubles[i]);
	agenda_in(DAY - 1, nightly, NULL);
}
