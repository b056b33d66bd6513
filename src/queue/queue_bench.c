/* What a long queue costs: build/src/queue/queue_bench FOLDER [MESSAGES [DESTINATIONS]]
 *
 * Fills a queue in FOLDER (empty, on the disk to be measured) with messages of
 * 4 KiB that were tried once, opens it again, and has all of them tried once
 * more by a relay in this process that answers "later". */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "queue/queue_kit.h"
#include "run/loop.h"
#include "run/random.h"

enum { FILLERS = 64, OCTETS = 4096, DAY_MS = 86400000 };

static struct {
	unsigned messages, destinations, posted, fillers;
	struct gate done;
	double cpu, wall;
} b;

static double seconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void begin(void)
{
	b.cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	b.wall = seconds(CLOCK_MONOTONIC);
}

static void tell(const char *what)
{
	double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - b.cpu, wall = seconds(CLOCK_MONOTONIC) - b.wall;
	printf("%-28s %8.3f s, %8.3f s CPU, %6.1f us CPU each\n", what, wall, cpu, cpu * 1e6 / b.messages);
}

static long resident_kib(void)
{
	long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (f && fscanf(f, "%ld %ld", &size, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void fill(void *arg)
{
	(void)arg;
	while (b.posted < b.messages) {
		unsigned n = b.posted++;
		char to[64];
		snprintf(to, sizeof to, "user%u@destination-%u.example.test", n, n % b.destinations);
		post_as(1 + n % 100, n, "sender@example.org", to);
	}
	b.fillers--;
	gate_wake_all(&b.done);
}

static void fill_all(void)
{
	begin();
	for (b.fillers = 0; b.fillers < FILLERS; b.fillers++)
		assert_ok(fiber_start(fill, NULL, "fill", NULL));
	while (b.fillers > 0)
		assert_ok(gate_wait(&b.done, FIBER_FOREVER));
	tell("kept");
}

static void pass_once(const char *what)
{
	int before = world.sends;
	begin();
	while (world.sends - before < (int)b.messages)
		assert_ok(fiber_sleep(5));
	tell(what);
}

static void measure(void *arg)
{
	(void)arg;
	open_queue();
	world.relay_absent = true;
	fill_all();
	world.relay_absent = false;
	world.manner = LATER;
	pass_once("first attempt");
	close_queue();
	long before = resident_kib();
	begin();
	open_queue();
	tell("opened");
	printf("%-28s %8ld KiB more than before, %ld in all\n", "memory", resident_kib() - before, resident_kib());
	pass_once("retried");
	printf("%-28s %8ld KiB\n", "memory", resident_kib());
	close_queue();
	loop_end();
}

int main(int argc, char **argv)
{
	if (argc < 2 || chdir(argv[1]) < 0)
		return 2;
	b.messages = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 100000;
	b.destinations = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1000;
	gate_init(&b.done);
	kit_on_disk(OCTETS);
	assert_ok(loop_open());
	assert_ok(fiber_start(measure, NULL, "measure", NULL));
	loop_run();
	loop_close();
	return 0;
}
