/* What the store costs, printed; a bound that only a mistake would break is
 * asserted. On a real disk, in a temporary folder. */
#include "account/store/kit.h"
#include "account/store/core.h"
#include "run/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { FIBERS_LARGEST = 50, SOME = 1000, TIMES = 40 };

struct courier {
	struct kit *kit;
	struct letter *letter;
	unsigned count;
	unsigned *running;
	struct gate *done;
};

static void deliver_many(void *arg)
{
	struct courier *c = arg;
	for (unsigned i = 0; i < c->count; i++) {
		struct incoming a = {kit_delivery(c->kit), 1700000000, STR(""), {0}, c->letter};
		struct arrived done;
		assert_ok(message_deliver(&c->kit->courier, &a, &done));
	}
	if (--*c->running == 0)
		gate_wake_all(c->done);
}

static double cpu_us(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void race(struct kit *k, unsigned fibers, unsigned total)
{
	struct letter l = kit_letter(k, "speed", 4096 - 70);
	l.search = STR("SPEED"); /* a text that is the message itself is not repeated */
	struct courier c[FIBERS_LARGEST];
	struct gate done;
	unsigned running = fibers;
	gate_init(&done);
	uint64_t began = clock_mono_ns();
	double cpu = cpu_us();
	size_t commits = committer_commits(k->store->committer);
	for (unsigned i = 0; i < fibers; i++) {
		c[i] = (struct courier){k, &l, total / fibers, &running, &done};
		assert_ok(fiber_start(deliver_many, &c[i], "courier", NULL));
	}
	while (running)
		assert_ok(gate_wait(&done, FIBER_FOREVER));
	double seconds = (double)(clock_mono_ns() - began) / 1e9;
	printf("%2u fibers: %6.0f deliveries/s of 4 KiB, %5.1f us CPU each, %4.1f to a commit\n", fibers, total / seconds,
		(cpu_us() - cpu) / total, (double)total / (double)(committer_commits(k->store->committer) - commits));
}

static void take_away(struct kit *k)
{
	struct view *v = kit_view(k, "INBOX");
	uint32_t n = view_exists(v), *uids = arena_array(&k->m, n, sizeof *uids);
	for (uint32_t i = 0; i < n; i++)
		uids[i] = view_uid(v, i + 1);
	uint64_t began = clock_mono_ns();
	assert_ok(message_remove(v, &(struct uids){uids, n / 2}));
	printf("removing %u with their bodies: %.0f ms\n", n / 2, (double)(clock_mono_ns() - began) / 1e6);
	view_close(&v);
	assert_ok(mailbox_rename(&k->owner, STR("INBOX"), STR("old")));
	began = clock_mono_ns();
	assert_ok(mailbox_delete(&k->owner, STR("old")));
	printf("deleting a mailbox with the others: %.0f ms\n", (double)(clock_mono_ns() - began) / 1e6);
	struct file *log = NULL;
	uint64_t size;
	assert_ok(files_open(k->files, "mail.db-wal", FILES_READ, &log));
	assert_ok(file_size(log, &size));
	printf("the log's size: %lu KiB\n", (unsigned long)size / 1024);
	file_close(&log);
}

static void speed_of_delivery(struct kit *k)
{
	race(k, 10, 1000);
	race(k, 1, 2000);
	race(k, 10, 10000);
	race(k, 50, 20000);
	take_away(k);
}

/* Rows straight into the tables: opening is what is measured. */
static result fill_body(struct work *w, void *arg)
{
	const unsigned *n = arg;
	struct box_row *b;
	TRY(work_find(w, STR("INBOX"), &b));
	for (unsigned i = 0; i < *n; i++) {
		int64_t second = 1700000000 + i;
		w->account.content = (uint64_t)second * 1000000 << 10; /* as a clock would number it */
		struct row row = {.size = 4096, .flags = i % 3 ? STORE_SEEN : 0, .content = w->account.content};
		struct message_dates d = {second, second, 0};
		TRY(work_add_message(w, b, &row, &d));
	}
	return OK;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof *v, by_size);
	return v[n / 2];
}

/* As a mail program sets a flag and takes it away again. */
static void flag_some(struct kit *k, struct view *v, const uint32_t *uids)
{
	double ms[TIMES];
	struct uids which = {uids, SOME}, not;
	for (unsigned i = 0; i < TIMES; i++) {
		struct flag_change c = {i % 2 ? FLAGS_REMOVE : FLAGS_ADD, {STORE_FLAGGED, NULL, 0}, false, 0};
		uint64_t began = clock_mono_ns();
		assert_ok(message_flags(v, &which, &c, &k->m, &not));
		ms[i] = (double)(clock_mono_ns() - began) / 1e6;
		kit_pull(k, v);
	}
	printf("a flag on %d of them: %.2f ms\n", SOME, median(ms, TIMES));
}

static void open_often(struct kit *k)
{
	double ms[TIMES];
	for (unsigned i = 0; i < TIMES; i++) {
		kit_reopen(k);
		uint64_t began = clock_mono_ns();
		struct view *v = kit_view(k, "INBOX");
		ms[i] = (double)(clock_mono_ns() - began) / 1e6;
		view_close(&v);
	}
	printf("and again, %d times: %.2f ms\n", TIMES, median(ms, TIMES));
}

static void fill_and_open(struct kit *k, unsigned n)
{
	struct work w = work_new(k->store, fill_body, &n);
	assert_ok(work_do(&w));
	kit_reopen(k);
	uint64_t began = clock_mono_ns();
	struct view *v = kit_view(k, "INBOX");
	double ms = (double)(clock_mono_ns() - began) / 1e6;
	printf("opening a mailbox of %u: %.1f ms\n", view_exists(v), ms);
	view_close(&v);
	open_often(k);
	v = kit_view(k, "INBOX");
	view_close(&v);
	began = clock_mono_ns();
	v = kit_view(k, "INBOX");
	printf("opening it again: %.2f ms\n", (double)(clock_mono_ns() - began) / 1e6);
	uint32_t *uids = arena_array(&k->m, n, sizeof *uids);
	for (unsigned i = 0; i < n; i++)
		uids[i] = i + 1;
	flag_some(k, v, uids);
	struct flag_change c = {FLAGS_ADD, {STORE_FLAGGED, NULL, 0}, false, 0};
	struct uids which = {uids, n}, not;
	began = clock_mono_ns();
	assert_ok(message_flags(v, &which, &c, &k->m, &not));
	printf("a flag on %u: %.1f ms\n", n, (double)(clock_mono_ns() - began) / 1e6);
	began = clock_mono_ns();
	assert_ok(message_remove(v, &which));
	printf("removing %u: %.1f ms\n", n, (double)(clock_mono_ns() - began) / 1e6);
	began = clock_mono_ns();
	kit_pull(k, v);
	printf("a view learns of it: %.2f ms\n", (double)(clock_mono_ns() - began) / 1e6);
	view_close(&v);
}

static void speed_of_opening(struct kit *k)
{
	fill_and_open(k, 10000);
}

static void speed_of_opening_large(struct kit *k)
{
	fill_and_open(k, 100000);
}

/* What nobody else can share: written pages of this process. */
static unsigned long private_kib(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	char line[200];
	uint64_t n = 0;
	while (f && fgets(line, sizeof line, f)) {
		str s = str_trim(str_from(line));
		if (str_starts(s, STR("Private_Dirty:")) && str_ends(s, STR(" kB")))
			(void)str_to_u64(str_trim(str_sub(s, 14, s.n - 17)), &n);
	}
	if (f)
		fclose(f);
	return n;
}

static unsigned long bare; /* before the first store was opened */

static void memory_when_idle(struct kit *k)
{
	struct view *v;
	for (int i = 0; i < 100; i++)
		assert_ok(kit_deliver(k, "", "idle", 4000));
	kit_reopen(k);
	v = kit_view(k, "INBOX");
	for (uint32_t uid = 1; uid <= 100; uid++)
		(void)kit_bytes(k, v, uid);
	view_close(&v);
	arena_free(&k->m);
	unsigned long before = private_kib();
	assert_ok(store_trim(&k->administrator));
	printf("private memory of a store with a mailbox of 100 read: %lu KiB, trimmed: %lu KiB (the bare process %lu)\n",
		before - bare, private_kib() - bare, bare);
}

static void test_memory(void **state)
{
	(void)state;
	bare = private_kib();
	kit_run_on_disk(memory_when_idle);
}

static void test_delivery(void **state)
{
	(void)state;
	kit_run_on_disk(speed_of_delivery);
}

static void test_opening(void **state)
{
	(void)state;
	kit_run_on_disk(speed_of_opening);
	kit_run_on_disk(speed_of_opening_large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory), cmocka_unit_test(test_delivery),
		cmocka_unit_test(test_opening)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
