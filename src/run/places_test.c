#include "run/places_kit.h"

#include <unistd.h>

#include "base/test.h"
#include "run/loop.h"
#include "run/memfd.h"

enum { SKIPPED = 77 }; /* as meson has it */

/* libmaxminddb 1.7 forgets some KiB when the metadata of a file that it refuses are damaged. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb";
}

/* What the tests know of the world. */
static const char lines[] =
	"192.0.2.0/24 DE 64500 52.52 13.4\n198.51.100.0/24 FR 64501\n203.0.113.0/25 - 64502\n203.0.113.128/25 CH -\n"
	"2001:db8:1::/48 DE 64500\n";

static buf countries, networks;

static int set_up(void **state)
{
	(void)state;
	if (places_kit_make("country", lines, &countries) && places_kit_make("network", lines, &networks))
		return 0;
	exit(SKIPPED);
}

static int tear_down(void **state)
{
	(void)state;
	buf_free(&countries);
	buf_free(&networks);
	return 0;
}

static net_addr address(const char *text)
{
	net_addr a;
	assert_ok(net_parse_ip(str_from(text), &a));
	return a;
}

static result take(struct places **p, str c, str n)
{
	int cfd = -1, nfd = -1;
	if (c.n)
		assert_ok(memfd_of(c, &cfd));
	if (n.n)
		assert_ok(memfd_of(n, &nfd));
	result r = places_take(p, cfd, nfd);
	if (cfd >= 0)
		close(cfd);
	if (nfd >= 0)
		close(nfd);
	return r;
}

struct want {
	const char *address, *country;
	uint32_t asn;
	const char *network;
};

static void expect(const struct places *p, const struct want *w)
{
	net_addr a = address(w->address);
	net_cidr n;
	struct place at;
	assert_int_equal(places_find(p, &a, &at), w->country[0] || w->asn);
	assert_string_equal(at.country, w->country);
	assert_int_equal(at.asn, w->asn);
	assert_ok(net_parse_cidr(str_from(w->network), &n));
	assert_int_equal(at.network.bits, n.bits);
	assert_memory_equal(at.network.ip, n.ip, sizeof n.ip);
}

static void test_addresses_are_found(void **state)
{
	static const struct want wanted[] = {
		{"192.0.2.7", "DE", 64500, "192.0.2.0/24"},     {"198.51.100.255", "FR", 64501, "198.51.100.0/24"},
		{"203.0.113.1", "", 64502, "203.0.113.0/25"},   {"203.0.113.200", "CH", 0, "203.0.113.128/25"},
		{"2001:db8:1::9", "DE", 64500, "2001:db8:1::/48"}, {"8.8.8.8", "", 0, "8.8.8.8"},
		{"2001:db8:2::9", "", 0, "2001:db8:2::9"},      {"::1", "", 0, "::1"},
	};
	struct places *p = NULL;
	(void)state;
	assert_ok(take(&p, buf_str(&countries), buf_str(&networks)));
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		expect(p, &wanted[i]);
	places_free(&p);
	assert_null(p);
}

static void test_positions_are_found(void **state)
{
	struct places *p = NULL;
	struct place at;
	net_addr berlin = address("192.0.2.7"), unknown = address("198.51.100.7");
	(void)state;
	assert_ok(take(&p, buf_str(&countries), buf_str(&networks)));
	assert_true(places_find(p, &berlin, &at) && at.located);
	assert_true(at.latitude > 52.5 && at.latitude < 52.6 && at.longitude > 13.3 && at.longitude < 13.5);
	assert_true(places_find(p, &unknown, &at) && !at.located);
	places_free(&p);
}

static void test_one_database_alone_or_none(void **state)
{
	struct places *p = NULL;
	(void)state;
	expect(NULL, &(struct want){"192.0.2.7", "", 0, "192.0.2.7"});
	assert_ok(take(&p, buf_str(&countries), (str){NULL, 0}));
	expect(p, &(struct want){"192.0.2.7", "DE", 0, "192.0.2.0/24"});
	assert_ok(take(&p, (str){NULL, 0}, buf_str(&networks)));
	expect(p, &(struct want){"192.0.2.7", "", 64500, "192.0.2.0/24"});
	/* a file that knows both may be given as either */
	assert_ok(take(&p, (str){NULL, 0}, buf_str(&countries)));
	expect(p, &(struct want){"192.0.2.7", "DE", 0, "192.0.2.0/24"});
	assert_ok(places_take(&p, -1, -1));
	assert_null(p);
}

static void test_what_is_no_database_changes_nothing(void **state)
{
	struct places *p = NULL;
	int fd;
	(void)state;
	assert_ok(take(&p, buf_str(&countries), (str){NULL, 0}));
	assert_int_equal(take(&p, STR("no database at all"), (str){NULL, 0}).kind, FAIL_INPUT);
	assert_int_equal(take(&p, buf_str(&countries), STR("x")).kind, FAIL_INPUT);
	assert_ok(memfd_create_empty("unsealed", &fd)); /* could still be cut short */
	assert_ok(memfd_append(fd, buf_str(&countries)));
	assert_int_equal(places_take(&p, fd, -1).kind, FAIL_PEER);
	close(fd);
	expect(p, &(struct want){"192.0.2.7", "DE", 0, "192.0.2.0/24"});
	places_free(&p);
}

/* Whatever it says: no fault, and what it says has a form. */
static void look_around(str database)
{
	static const char *const around[] = {"192.0.2.7", "203.0.113.1", "255.255.255.255", "2001:db8:1::9", "::"};
	struct places *p = NULL;
	if (failed(take(&p, database, database)))
		return;
	for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
		net_addr a = address(around[i]);
		struct place at;
		places_find(p, &a, &at);
		assert_true(at.network.bits <= 128 && net_in(&a, &at.network));
		assert_true(!at.country[0] || (ascii_alpha((unsigned char)at.country[1]) && !at.country[2]));
	}
	places_free(&p);
}

static void test_damage_is_survived(void **state)
{
	static const unsigned char masks[] = {0x01, 0x20, 0x80, 0xff};
	(void)state;
	for (size_t i = 0; i < countries.n; i++) {
		for (size_t m = 0; m < sizeof masks; m++) {
			char kept = countries.p[i];
			countries.p[i] = (char)(kept ^ masks[m]);
			look_around(buf_str(&countries));
			countries.p[i] = kept;
		}
		look_around(str_sub(buf_str(&countries), 0, i));
		look_around(str_skip(buf_str(&countries), i));
	}
}

/* ---- data nested deep: the library walks them by recursion ---- */

enum { NESTED = 20000 };

/* A database of one network whose country stands behind arrays in arrays. */
static void nest(str database, buf *out)
{
	size_t data = str_find(database, STR("\xe1\x47" "country"));
	size_t end = str_find(database, STR("\xab\xcd\xefMaxMind.com"));
	assert_true(data != STR_NONE && end != STR_NONE);
	buf_put(out, str_sub(database, 0, data));
	buf_put(out, STR("\xe2\x44" "deep"));
	for (int i = 0; i < NESTED; i++)
		buf_put(out, STR("\x01\x04"));
	buf_put(out, STR("\x40"));
	buf_put(out, str_sub(database, data + 1, end - data - 1));
	buf_put(out, str_skip(database, end));
	assert_ok(buf_result(out));
}

static void look_from_a_fiber(void *arg)
{
	const struct places *p = arg;
	net_addr a = address("192.0.2.7");
	struct place at;
	assert_true(places_find(p, &a, &at));
	assert_string_equal(at.country, "DE");
}

static void test_deep_data_do_not_end_a_fiber(void **state)
{
	AUTO_BUF buf plain = buf_new(0), nested = buf_new(1 << 20);
	struct places *p = NULL;
	(void)state;
	assert_true(places_kit_make("country", "192.0.2.0/24 DE -\n", &plain));
	nest(buf_str(&plain), &nested);
	assert_ok(take(&p, buf_str(&nested), (str){NULL, 0}));
	assert_ok(loop_open());
	assert_ok(fiber_start(look_from_a_fiber, p, "look", NULL));
	loop_run();
	loop_close();
	places_free(&p);
}

static void test_codes_of_countries(void **state)
{
	char code[PLACES_COUNTRY + 1];
	(void)state;
	assert_true(places_country_of(STR("de"), code));
	assert_string_equal(code, "DE");
	assert_false(places_country_of(STR("d"), code));
	assert_false(places_country_of(STR("deu"), code));
	assert_false(places_country_of(STR("d1"), code));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_are_found),
		cmocka_unit_test(test_positions_are_found),
		cmocka_unit_test(test_one_database_alone_or_none),
		cmocka_unit_test(test_what_is_no_database_changes_nothing),
		cmocka_unit_test(test_damage_is_survived),
		cmocka_unit_test(test_deep_data_do_not_end_a_fiber),
		cmocka_unit_test(test_codes_of_countries),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
