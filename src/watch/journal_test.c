#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "run/clock.h"
#include "run/random.h"
#include "run/worker.h"
#include "watch/journal.h"
#include "watch/keeper.h"
#include "watch/ledger_kit.h"

static long size_of(const char *name)
{
	struct stat s;
	return stat(name, &s) == 0 ? (long)s.st_size : -1;
}

static void test_full_files_move_up(void **state)
{
	(void)state;
	struct journal_file f = {.fd = -1, .max = 10};
	for (int i = 0; i < JOURNAL_FILES + 3; i++)
		assert_ok(journal_file_write(&f, STR("0123456789")));
	assert_int_equal(size_of("postern.log"), 10);
	assert_int_equal(size_of("postern.log.1"), 10);
	assert_int_equal(size_of("postern.log.5"), 10);
	assert_int_equal(size_of("postern.log.6"), -1);
	close(f.fd);
}

static void test_a_file_moved_away_is_made_anew(void **state)
{
	(void)state;
	struct journal_file f = {.fd = -1, .max = 1000};
	assert_ok(journal_file_write(&f, STR("before\n")));
	assert_int_equal(rename("postern.log", "elsewhere"), 0);
	assert_ok(journal_file_write(&f, STR("after\n")));
	assert_int_equal(size_of("elsewhere"), 7);
	assert_int_equal(size_of("postern.log"), 6);
	close(f.fd);
}

static void test_a_file_goes_on_where_it_ended(void **state)
{
	(void)state;
	struct journal_file f = {.fd = -1, .max = 10}, again = {.fd = -1, .max = 10};
	assert_ok(journal_file_write(&f, STR("0123456789")));
	close(f.fd);
	assert_ok(journal_file_write(&again, STR("x"))); /* opened at its full size: written, then turned */
	assert_ok(journal_file_write(&again, STR("y")));
	assert_int_equal(size_of("postern.log.1"), 11);
	assert_int_equal(size_of("postern.log"), 1);
	close(again.fd);
}

static void flood(void *arg)
{
	static const char line[] = "a line of the log, as long as most are in this test of what does not fit\n";
	struct journal *j = NULL;
	size_t kept = 0;
	(void)arg;
	assert_ok(journal_open(true, &j));
	for (size_t i = 0; i < JOURNAL_PENDING_MAX / (sizeof line - 1) + 100; i++) {
		buf *lines = journal_lines(j);
		if (!lines)
			continue;
		buf_put(lines, str_from(line));
		kept++;
	}
	assert_true(journal_dropped(j) > 0);
	journal_kick(j);
	journal_close(&j);
	assert_int_equal(size_of("postern.log"), (long)(kept * (sizeof line - 1)));
}

static void test_what_does_not_fit_is_dropped_and_counted(void **state)
{
	(void)state;
	ledger_kit_run(flood);
}

/* That a further line needs, which is then written. */
static uint64_t allocations(struct journal *j)
{
	long size = size_of("postern.log") < 0 ? 0 : size_of("postern.log");
	mem_fail_at(UINT64_MAX);
	buf *lines = journal_lines(j);
	uint64_t n = mem_count();
	mem_fail_at(0);
	assert_non_null(lines);
	buf_put(lines, STR("a line\n"));
	journal_kick(j);
	ledger_kit_pass(0);
	assert_int_equal(size_of("postern.log"), size + (long)(sizeof "a line\n" - 1));
	return n;
}

static void lull(void *arg)
{
	struct journal *j = NULL;
	(void)arg;
	clock_test_hold(1000);
	worker_test_alone(true);
	assert_ok(journal_open(true, &j));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(allocations(j), 1);
		assert_int_equal(allocations(j), 1); /* while one is written the other gathers */
		for (int again = 0; again < 4; again++)
			assert_int_equal(allocations(j), 0);
		ledger_kit_pass(KEEPER_LULL_MS);
	}
	journal_close(&j);
	worker_test_alone(false);
	clock_test_release();
}

static void test_a_lull_gives_buffers_back(void **state)
{
	(void)state;
	ledger_kit_run(lull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_full_files_move_up, ledger_kit_enter, ledger_kit_leave),
		cmocka_unit_test_setup_teardown(test_a_file_moved_away_is_made_anew, ledger_kit_enter, ledger_kit_leave),
		cmocka_unit_test_setup_teardown(test_a_file_goes_on_where_it_ended, ledger_kit_enter, ledger_kit_leave),
		cmocka_unit_test_setup_teardown(test_what_does_not_fit_is_dropped_and_counted, ledger_kit_enter,
			ledger_kit_leave),
		cmocka_unit_test_setup_teardown(test_a_lull_gives_buffers_back, ledger_kit_enter, ledger_kit_leave),
	};
	return failed(random_open()) ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
