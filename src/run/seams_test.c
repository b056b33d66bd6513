/* The small seams: randomness, secrets, sealed memory, small files, budget, clock. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/test.h"
#include "run/budget.h"
#include "run/clock.h"
#include "run/files.h"
#include "run/memfd.h"
#include "run/random.h"
#include "run/secret.h"

static void randomness_differs_and_is_uniform(void **state)
{
	(void)state;
	assert_ok(random_open());
	uint64_t before = hash_bytes(STR("x"));
	random_seed_hash();
	assert_true(before != hash_bytes(STR("x")));
	assert_true(random_u64() != random_u64());
	size_t seen[3] = {0};
	for (int i = 0; i < 3000; i++)
		seen[random_below(3)]++;
	for (int i = 0; i < 3; i++)
		assert_in_range(seen[i], 800, 1200);
	assert_int_equal(random_below(0), 0);
}

static void a_seed_repeats_all_of_it(void **state)
{
	(void)state;
	uint64_t first[4], hashes[2];
	for (int turn = 0; turn < 2; turn++) {
		random_test_seed(7);
		hashes[turn] = hash_bytes(STR("x"));
		for (int i = 0; i < 4; i++) {
			uint64_t drawn = random_u64() + random_below(1000);
			assert_true(turn == 0 || drawn == first[i]);
			first[i] = drawn;
		}
	}
	assert_true(hashes[0] == hashes[1] && first[0] != first[1]);
	random_test_seed(8);
	assert_true(hash_bytes(STR("x")) != hashes[0]);
}

static void secrets_are_taken_compared_and_wiped(void **state)
{
	(void)state;
	char typed[] = "correct horse";
	struct secret *a = NULL, *b = NULL, *c = NULL;
	assert_ok(secret_take(typed, sizeof(typed) - 1, &a));
	for (size_t i = 0; i < sizeof(typed); i++)
		assert_int_equal(typed[i], 0);
	assert_str(secret_open(a), STR("correct horse"));
	char again[] = "correct horse";
	assert_ok(secret_take(again, sizeof(again) - 1, &b));
	assert_true(secret_eq(a, b));
	secret_bytes(b)[0] ^= 1;
	assert_false(secret_eq(a, b));
	assert_ok(secret_random(32, &c));
	assert_int_equal(secret_open(c).n, 32);
	assert_int_equal(secret_new(SECRET_MAX + 1, &c).kind, FAIL_LIMIT);
	secret_free(&a);
	secret_free(&b);
	secret_free(&c);
	assert_null(c);
	secret_free(&c);
}

static void sealed_memory_cannot_change(void **state)
{
	(void)state;
	int fd = -1;
	assert_ok(memfd_of(STR("Subject: hello\r\n"), &fd));
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 1 << 20), -1);
	assert_ptr_equal(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	str view;
	assert_ok(memfd_map(fd, 16, MEMFD_READING, &view));
	assert_str(view, STR("Subject: hello\r\n"));
	memfd_unmap(&view);
	assert_ok(memfd_map(fd, 16, MEMFD_CARRYING, &view));
	assert_str(view, STR("Subject: hello\r\n"));
	memfd_unmap(&view);
	assert_int_equal(memfd_map(fd, 15, MEMFD_CARRYING, &view).kind, FAIL_PEER);
	assert_int_equal(memfd_map(fd, 15, MEMFD_READING, &view).kind, FAIL_PEER);
	close(fd);
	assert_ok(memfd_of(STR(""), &fd));
	assert_ok(memfd_map(fd, 16, MEMFD_READING, &view));
	assert_int_equal(view.n, 0);
	memfd_unmap(&view);
	close(fd);
}

static void unsealed_memory_is_nonsense(void **state)
{
	(void)state;
	int fd = -1;
	uint64_t size = 0;
	assert_ok(memfd_create_empty("test", &fd));
	assert_ok(memfd_append(fd, STR("abc")));
	assert_int_equal(memfd_check(fd, 100, &size).kind, FAIL_PEER);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_int_equal(memfd_check(fd, 100, &size).kind, FAIL_PEER);
	assert_ok(memfd_seal(fd));
	assert_ok(memfd_check(fd, 100, &size));
	assert_int_equal(size, 3);
	close(fd);
	int null = open("/dev/null", O_RDWR);
	assert_int_equal(memfd_check(null, 100, &size).kind, FAIL_PEER);
	close(null);
}

static char dir[] = "/tmp/seams_test.XXXXXX";

static void small_files_are_replaced_whole(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	int at = -1;
	assert_ok(dir_open_at(AT_FDCWD, dir, &at));
	AUTO_BUF buf out = buf_new(10000);
	assert_int_equal(file_read_at(at, "a", &out).kind, FAIL_ABSENT);
	assert_ok(file_write_at(at, "a", STR("first"), 0600));
	assert_ok(file_write_at(at, "a", STR("second"), 0600));
	assert_ok(file_read_at(at, "a", &out));
	assert_str(buf_str(&out), STR("second"));
	struct stat st;
	assert_int_equal(fstatat(at, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(faccessat(at, "a.new", F_OK, 0), -1);
	AUTO_BUF buf small = buf_new(5);
	assert_int_equal(file_read_at(at, "a", &small).kind, FAIL_LIMIT);
	AUTO_BUF buf exact = buf_new(6);
	assert_ok(file_read_at(at, "a", &exact));
	assert_ok(dir_make_at(at, "d", 0700));
	assert_ok(dir_make_at(at, "d", 0700));
	assert_ok(file_write_at(at, "d/b", STR(""), 0600));
	assert_int_equal(dir_make_at(at, "a", 0700).kind, FAIL_EXISTS);
	assert_int_equal(file_write_at(at, "absent/b", STR(""), 0600).kind, FAIL_ABSENT);
	assert_int_equal(unlinkat(at, "d/b", 0) | unlinkat(at, "d", AT_REMOVEDIR) | unlinkat(at, "a", 0), 0);
	close(at);
	assert_int_equal(rmdir(dir), 0);
}

static void the_budget_has_an_end(void **state)
{
	(void)state;
	struct budget b = budget_new(100);
	assert_ok(budget_take(&b, 60));
	assert_int_equal(budget_take(&b, 41).kind, FAIL_LIMIT);
	assert_int_equal(budget_take(&b, UINT64_MAX).kind, FAIL_LIMIT);
	assert_ok(budget_take(&b, 40));
	budget_give(&b, 100);
	assert_ok(budget_take(&b, 100));
	assert_int_equal(b.refused, 2);
	assert_int_equal(b.peak, 100);
	assert_true(budget_of_memory(1, 4) > 1 << 20);
}

static void the_clock_can_be_held(void **state)
{
	(void)state;
	uint64_t a = clock_mono_ns();
	assert_true(clock_mono_ns() >= a);
	clock_test_hold(5000);
	assert_int_equal(clock_wall_s(), 5);
	uint64_t held = clock_mono_ms();
	clock_test_advance(2500);
	assert_int_equal(clock_mono_ms(), held + 2500);
	assert_int_equal(clock_wall_ms(), 7500);
	clock_test_release();
	assert_true(clock_wall_s() > 1700000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(randomness_differs_and_is_uniform), cmocka_unit_test(secrets_are_taken_compared_and_wiped),
		cmocka_unit_test(sealed_memory_cannot_change), cmocka_unit_test(unsealed_memory_is_nonsense),
		cmocka_unit_test(small_files_are_replaced_whole), cmocka_unit_test(the_budget_has_an_end),
		cmocka_unit_test(the_clock_can_be_held),
		cmocka_unit_test(a_seed_repeats_all_of_it), /* last: the seed stays */
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
