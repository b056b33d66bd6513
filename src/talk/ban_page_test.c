#include "talk/ban_page.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/test.h"
#include "run/memfd.h"
#include "run/random.h"

enum { NOW = 1000 };

static struct {
	int fd;
	struct ban_page *page;
	struct ban_window *window;
} t;

static int set_up(void **state)
{
	(void)state;
	assert_ok(random_open());
	assert_ok(ban_page_make(&t.fd));
	assert_ok(ban_page_open(t.fd, &t.page));
	assert_ok(ban_window_open(t.fd, &t.window));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ban_window_close(&t.window);
	ban_page_close(&t.page);
	close(t.fd);
	return 0;
}

static net_cidr network(const char *text)
{
	net_cidr c;
	assert_ok(net_parse_cidr(str_from(text), &c));
	return c;
}

static void put(const char *text, enum ban_grade grade, int64_t until)
{
	const struct ban_row row = {.network = network(text), .grade = grade, .until = until};
	assert_ok(ban_page_put(t.page, &row));
}

static void take_away(const char *text)
{
	const net_cidr c = network(text);
	ban_page_remove(t.page, &c);
}

static enum ban_grade grade_of(const char *text, int64_t now)
{
	net_addr a;
	struct ban_row found = {.grade = BAN_NONE};
	assert_ok(net_parse_ip(str_from(text), &a));
	return ban_window_find(t.window, &a, now, &found) ? found.grade : BAN_NONE;
}

static void networks_hold_for_their_addresses_and_no_others(void **state)
{
	(void)state;
	put("192.0.2.7", BAN_FULL, 0);
	put("198.51.100.0/24", BAN_TARPIT, 0);
	put("2001:db8:1::/48", BAN_DELAY, 0);
	assert_int_equal(grade_of("192.0.2.7", NOW), BAN_FULL);
	assert_int_equal(grade_of("192.0.2.6", NOW), BAN_NONE);
	assert_int_equal(grade_of("198.51.100.255", NOW), BAN_TARPIT);
	assert_int_equal(grade_of("198.51.101.0", NOW), BAN_NONE);
	assert_int_equal(grade_of("2001:db8:1:ffff::1", NOW), BAN_DELAY);
	assert_int_equal(grade_of("2001:db8:2::1", NOW), BAN_NONE);
	take_away("192.0.2.7");
	assert_int_equal(grade_of("192.0.2.7", NOW), BAN_NONE);
	assert_int_equal(grade_of("198.51.100.9", NOW), BAN_TARPIT);
}

static void the_strictest_counts_and_a_row_is_replaced(void **state)
{
	(void)state;
	struct ban_row found;
	net_addr a;
	put("192.0.2.0/24", BAN_FULL, 0);
	put("192.0.2.7", BAN_DELAY, 0);
	assert_ok(net_parse_ip(STR("192.0.2.7"), &a));
	assert_true(ban_window_find(t.window, &a, NOW, &found));
	assert_int_equal(found.grade, BAN_FULL);
	assert_int_equal(found.network.bits, 120);
	put("192.0.2.0/24", BAN_TARPIT, 0);
	assert_int_equal(grade_of("192.0.2.7", NOW), BAN_TARPIT);
	assert_int_equal(ban_page_rows(t.page), 2);
}

static void a_ban_ends_at_its_time_without_its_writer(void **state)
{
	(void)state;
	put("192.0.2.7", BAN_FULL, NOW + 10);
	ban_page_close(&t.page);
	assert_int_equal(grade_of("192.0.2.7", NOW + 9), BAN_FULL);
	assert_int_equal(grade_of("192.0.2.7", NOW + 10), BAN_NONE);
}

/* Everything that is put and removed in any order, beside a plain list. */
static void it_agrees_with_a_plain_list(void **state)
{
	(void)state;
	enum { KINDS = 3000, STEPS = 30000 };
	static bool there[KINDS];
	memset(there, 0, sizeof there);
	for (int i = 0; i < STEPS; i++) {
		uint32_t k = random_below(KINDS);
		struct ban_row row = {.network = {.ip = {[10] = 0xff, [11] = 0xff, 10, 0, (unsigned char)(k >> 8),
			(unsigned char)k}, .bits = 128}, .grade = BAN_FULL};
		there[k] = random_below(2);
		if (there[k])
			assert_ok(ban_page_put(t.page, &row));
		else
			ban_page_remove(t.page, &row.network);
	}
	for (uint32_t k = 0; k < KINDS; k++) {
		struct ban_row found;
		const net_addr a = {.ip = {[10] = 0xff, [11] = 0xff, 10, 0, (unsigned char)(k >> 8), (unsigned char)k}};
		assert_int_equal(ban_window_find(t.window, &a, NOW, &found), there[k]);
	}
}

static void the_page_has_its_limit(void **state)
{
	(void)state;
	struct ban_row row = {.network = {.ip = {0x20}, .bits = 64}, .grade = BAN_FULL};
	result r = OK;
	uint32_t n = 0;
	for (; !failed(r); n++) {
		memcpy(row.network.ip + 4, &n, sizeof n);
		r = ban_page_put(t.page, &row);
	}
	assert_int_equal(r.kind, FAIL_LIMIT);
	assert_int_equal(n - 1, BAN_PAGE_ROWS);
	assert_int_equal(ban_page_rows(t.page), BAN_PAGE_ROWS);
	ban_page_remove(t.page, &(net_cidr){.ip = {0x20}, .bits = 64});
	assert_ok(ban_page_put(t.page, &row));
}

static void only_its_writer_can_write(void **state)
{
	(void)state;
	struct ban_page *second;
	assert_true(ban_page_is_shut(t.fd));
	assert_int_equal(write(t.fd, "x", 1), -1);
	assert_int_equal(ftruncate(t.fd, 0), -1);
	assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, t.fd, 0), MAP_FAILED);
	void *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, t.fd, 0);
	assert_int_equal(mprotect(p, 4096, PROT_READ | PROT_WRITE), -1);
	munmap(p, 4096);
	assert_int_equal(ban_page_open(t.fd, &second).kind, FAIL_CONFLICT);
}

static void what_is_no_page_is_not_read(void **state)
{
	(void)state;
	int fd;
	struct ban_window *w;
	assert_ok(ban_page_make(&fd));
	assert_false(ban_page_is_shut(fd));
	assert_int_equal(ban_window_open(fd, &w).kind, FAIL_PEER);
	close(fd);
	assert_ok(memfd_of(STR("short"), &fd));
	assert_int_equal(ban_window_open(fd, &w).kind, FAIL_PEER);
	close(fd);
}

/* Whatever stands in it: a look ends, gives nothing that cannot be, and changes nothing of the reader's. */
static void a_page_of_rubbish_harms_nobody(void **state)
{
	(void)state;
	for (int filling = 0; filling < 3; filling++) {
		int fd;
		struct ban_window *w;
		struct ban_page *p;
		static char junk[1 << 16];
		random_fill(junk, sizeof junk);
		if (filling == 1)
			memset(junk, 0xff, sizeof junk);
		assert_ok(ban_page_make(&fd));
		off_t whole = lseek(fd, 0, SEEK_END);
		for (off_t at = filling == 2 ? 4096 : 0; at + (off_t)sizeof junk <= whole; at += (off_t)sizeof junk)
			assert_int_equal(pwrite(fd, junk, sizeof junk, at), sizeof junk);
		assert_ok(ban_page_open(fd, &p)); /* sets mark and key: now it looks like one */
		assert_ok(ban_window_open(fd, &w));
		for (unsigned i = 0; i < 300; i++) {
			struct ban_row found = {.grade = BAN_NONE};
			net_addr a;
			random_fill(a.ip, sizeof a.ip);
			if (ban_window_find(w, &a, NOW, &found))
				assert_true(found.grade > BAN_NONE && found.grade < BAN_GRADES && found.network.bits <= 128);
		}
		ban_window_close(&w);
		ban_page_close(&p);
		close(fd);
	}
	assert_false(ban_window_find(NULL, &(net_addr){.port = 0}, NOW, &(struct ban_row){.grade = BAN_NONE}));
}

int main(void)
{
#define PAGE_TEST(F) cmocka_unit_test_setup_teardown((F), set_up, tear_down)
	const struct CMUnitTest tests[] = {
		PAGE_TEST(networks_hold_for_their_addresses_and_no_others),
		PAGE_TEST(the_strictest_counts_and_a_row_is_replaced),
		PAGE_TEST(a_ban_ends_at_its_time_without_its_writer),
		PAGE_TEST(it_agrees_with_a_plain_list),
		PAGE_TEST(the_page_has_its_limit),
		PAGE_TEST(only_its_writer_can_write),
		PAGE_TEST(what_is_no_page_is_not_read),
		PAGE_TEST(a_page_of_rubbish_harms_nobody),
	};
	return cmocka_run_group_tests_name("page of bans", tests, NULL, NULL);
}
