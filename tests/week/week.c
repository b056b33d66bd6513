/* `week SEED [PACE]` tells a week. Without a seed all of seeds.h are tried, the first twice, and with POSTERN_SOAK many
 * more at a quicker pace. */
#include "world.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sanitized.h"
#include "base/test.h"
#include "engine/seal.h"
#include "run/clock.h"
#include "run/loop.h"
#include "run/random.h"
#include "run/worker.h"

enum { DAYS = 7, REST = 5 * DAY, LAST_LINES = 60, LINE = 240, TURN_ARENA = 64 << 20 };

/* 2026-01-05, a Monday, 00:00 UTC. */
static const int64_t monday = 1767571200000;

struct week week;

/* ---- chance, time and the story ---- */

uint64_t below(uint64_t n)
{
	return n ? sim_random(&week.random) % n : 0;
}

bool chance(uint64_t one_in)
{
	return below(one_in) == 0;
}

uint64_t week_now(void)
{
	return clock_mono_ms() - week.started;
}

static struct {
	char line[LAST_LINES][LINE];
	size_t n;
} story;

/* FNV-1a, eight octets at a time. */
void digest_bytes(str bytes)
{
	uint64_t d = week.digest;
	size_t i = 0;
	for (; i + 8 <= bytes.n; i += 8) {
		uint64_t word;
		memcpy(&word, bytes.p + i, 8);
		d = (d ^ word) * 0x100000001b3;
		d ^= d >> 29;
	}
	for (; i < bytes.n; i++)
		d = (d ^ (unsigned char)bytes.p[i]) * 0x100000001b3;
	week.digest = d;
}

void say(const char *format, ...)
{
	char *line = story.line[story.n++ % LAST_LINES];
	uint64_t now = week_now();
	int n = snprintf(line, LINE, "day %u %02u:%02u:%02u.%03u  ", (unsigned)(now / DAY + 1), (unsigned)(now / HOUR % 24),
		(unsigned)(now / MINUTE % 60), (unsigned)(now / SECOND % 60), (unsigned)(now % SECOND));
	va_list args;
	va_start(args, format);
	vsnprintf(line + n, LINE - (size_t)n, format, args);
	va_end(args);
	digest_bytes(str_from(line));
	if (week.tells)
		puts(line);
}

void wrong(const char *format, ...)
{
	va_list args;
	size_t from = story.n > LAST_LINES ? story.n - LAST_LINES : 0;
	say("and then:");
	for (size_t i = from; i < story.n && !week.tells; i++)
		puts(story.line[i % LAST_LINES]);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\nWrong. To repeat it: build/tests/week/week %llu %u\nMended, it stays a test by the row SEED(%llu, %u) "
		"of tests/week/seeds.h.\n", (unsigned long long)week.seed, week.pace, (unsigned long long)week.seed, week.pace);
	fflush(stdout);
	_exit(1);
}

void *array_more(void *array, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return array;
	*cap = *cap ? 2 * *cap : 16;
	array = mem_grow(array, *cap * size);
	must(array);
	return array;
}

struct task {
	void (*fn)(void *arg);
	void *arg;
};

static void task_run(void *arg)
{
	struct task t = *(struct task *)arg;
	mem_free(arg);
	t.fn(t.arg);
	week.tasks--;
}

void task_start(void (*fn)(void *arg), void *arg)
{
	struct task *t = mem_alloc(sizeof *t);
	must(t);
	*t = (struct task){fn, arg};
	week.tasks++;
	expect_ok(fiber_start(task_run, t, "task", NULL));
}

/* ---- a week ---- */

/* Nobody's time is jumped over. */
static void pass_until(uint64_t at)
{
	while (week_now() < at) {
		uint64_t due = fiber_test_due(), now = clock_mono_ms(), step = at - week_now();
		if (due != FIBER_FOREVER && due > now && due - now < step)
			step = due - now;
		clock_test_advance(step);
		house_settle();
	}
}

static void live(uint64_t until)
{
	for (uint64_t at; agenda_next(&at) && at <= until;) {
		pass_until(at);
		agenda_do();
		house_settle();
	}
	pass_until(until);
}

/* All is put right, and whatever waits has time to arrive. */
static void end_well(void)
{
	week.calm = true;
	week.victim = NULL;
	world_calm();
	agenda_clear(); /* nobody tries again */
	sim_fault_at(week.disk, SIM_NONE, 0);
	for (size_t i = 0; i < ACCOUNTS; i++) {
		struct account *a = &week.accounts[i];
		a->full = false;
		sim_fault_at(a->sim, SIM_NONE, 0);
		if (a->away)
			account_restart(a);
	}
	for (uint32_t i = 0; i < week.letters_n; i++)
		week.letters[i].heavy = false;
	house_settle();
	/* Longest waits what is held until a time, when the clock was set back. */
	for (uint64_t end = week_now() + REST; week_now() < end && holding_audit() > 0;) {
		holding_administrate(true);
		house_settle(); /* what that moved, before an hour passes */
		pass_until(week_now() + HOUR);
	}
	for (size_t i = 0; i < ACCOUNTS; i++)
		judge_whole(&week.accounts[i], true);
	judge_promises(true);
}

static void see_event(void *ctx, str record)
{
	(void)ctx;
	digest_bytes(record);
}

static void run_week(void *arg)
{
	(void)arg;
	house_open();
	mail_begin();
	owners_begin();
	world_begin();
	luck_begin();
	live((uint64_t)week.days * DAY);
	end_well();
	mail_end();
	world_end();
	house_close();
}

static void tell_counts(void)
{
	printf("seed %llu pace %u: %zu letters, %zu kept, %zu through the queue, %zu sent twice; "
		"%zu acts, %zu views compared; ",
		(unsigned long long)week.seed, week.pace, week.letters_n, week.count.kept, week.count.held, week.count.resent,
		week.count.acts, week.count.checked);
	printf("%zu power cuts, %zu kills, %zu disk errors, %zu full disks, %zu died of a letter, %zu doubts; ",
		week.count.crashes, week.count.kills, week.count.refused, week.count.full, week.count.deaths,
		week.count.doubts);
	printf("%zu whole looks; digest %016llx\n", week.count.audits, (unsigned long long)week.digest);
	fflush(stdout);
}

static uint64_t tell_week(uint64_t seed, unsigned pace, bool tells)
{
	week = (struct week){.seed = seed, .random = seed, .pace = pace, .days = DAYS, .tells = tells,
		.digest = 0xcbf29ce484222325, .turn = arena_new(TURN_ARENA)};
	expect_ok(random_open());
	expect_ok(seal_start());
	random_test_seed(seed);
	sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, (int)(seed % INT32_MAX) + 1, NULL); /* salts of its log */
	worker_test_alone(true);
	clock_test_hold(monday);
	week.started = clock_mono_ms();
	log_set_sink(see_event, NULL);
	expect_ok(loop_open());
	expect_ok(fiber_start(run_week, NULL, "week", NULL));
	loop_run();
	loop_close();
	agenda_clear();
	arena_free(&week.turn);
	mem_free(week.letters);
	tell_counts();
	return week.digest;
}

/* ---- tests ---- */

struct run {
	uint64_t seed;
	unsigned pace;
};

/* In a process of its own: what is wrong ends it, and no week sees what another left. */
static uint64_t digest_of(const struct run *r)
{
	int ends[2], status;
	uint64_t digest = 0;
	fflush(stdout);
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		digest = tell_week(r->seed, r->pace, false);
		exit(write(ends[1], &digest, sizeof digest) != sizeof digest);
	}
	close(ends[1]);
	ssize_t n = read(ends[0], &digest, sizeof digest);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(n, sizeof digest);
	return digest;
}

static void a_week_goes_well(void **state)
{
	(void)digest_of(*state);
}

static void the_same_seed_gives_the_same_week(void **state)
{
	assert_true(digest_of(*state) == digest_of(*state));
}

/* Those that once failed, and a few that are always tried. */
static struct run recorded[] = {
#define SEED(N, PACE) {N, PACE},
#include "seeds.h"
#undef SEED
};

enum { RECORDED = sizeof recorded / sizeof *recorded, LONG = SANITIZED ? 40 : 120, LONG_PACE = 3, NAME = 40 };

/* Each day others, so that in time all are tried; POSTERN_SEED has some again. */
static uint64_t first_of_many(void)
{
	const char *given = getenv("POSTERN_SEED");
	uint64_t seed = (uint64_t)clock_wall_s() / (DAY / SECOND) * 1000;
	if (given)
		(void)str_to_u64(str_from(given), &seed);
	return seed;
}

static struct CMUnitTest test_of(struct run *r, char name[NAME])
{
	snprintf(name, NAME, "week_%llu_%u", (unsigned long long)r->seed, r->pace);
	return (struct CMUnitTest){name, a_week_goes_well, NULL, NULL, r};
}

static int all(void)
{
	static struct run more[LONG];
	static char names[RECORDED + LONG][NAME];
	struct CMUnitTest tests[RECORDED + LONG];
	size_t n = 0;
	for (; n < RECORDED; n++)
		tests[n] = test_of(&recorded[n], names[n]);
	tests[0].name = "the_same_seed_gives_the_same_week";
	tests[0].test_func = the_same_seed_gives_the_same_week;
	uint64_t first = first_of_many();
	for (size_t i = 0; i < test_often(0, LONG); i++, n++) {
		more[i] = (struct run){first + i, LONG_PACE};
		tests[n] = test_of(&more[i], names[n]);
	}
	return _cmocka_run_group_tests("week", tests, n, NULL, NULL);
}

int main(int argc, char **argv)
{
	uint64_t seed, pace = 1;
	if (argc == 1)
		return all();
	if (!str_to_u64(str_from(argv[1]), &seed) || (argc > 2 && !str_to_u64(str_from(argv[2]), &pace)) || pace == 0)
		return 2;
	tell_week(seed, (unsigned)pace, true);
	return 0;
}
