#include "engine/armour.h"
#include "base/test.h"
#include "engine/files_sim.h"

enum { ROOM = 1 << 20 };

static void put_lines(buf *b, size_t lines, size_t letters)
{
	static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint64_t rng = lines * 1000 + letters;
	for (size_t i = 0; i < lines; i++) {
		for (size_t k = 0; k < letters; k++)
			buf_putc(b, alphabet[sim_random(&rng) & 63]);
		buf_put(b, STR("\r\n"));
	}
}

/* What it shrinks to, 0 when it stays; the text comes back in any case. */
static size_t shrunk(str text)
{
	AUTO_BUF buf bare = buf_new(ROOM), again = buf_new(ROOM);
	if (!armour_off(text, &bare)) {
		assert_int_equal(bare.n, 0);
		return 0;
	}
	assert_ok(armour_on(buf_str(&bare), text.n, &again));
	assert_str(buf_str(&again), text);
	assert_int_equal(armour_on(buf_str(&bare), text.n - 1, &again).kind, FAIL_DAMAGE);
	assert_int_equal(armour_on(buf_str(&bare), text.n + 1, &again).kind, FAIL_DAMAGE);
	return bare.n;
}

static void an_attachment_shrinks(void **state)
{
	(void)state;
	AUTO_BUF buf text = buf_new(ROOM);
	put_lines(&text, 1000, 76);
	buf_put(&text, STR("QUJDRA==\r\n"));
	assert_int_equal(shrunk(buf_str(&text)), 1000 * 57 + 10 + 9 + 4);
	/* As a piece of it does that begins and ends within a line. */
	assert_int_equal(shrunk(str_sub(buf_str(&text), 30, 65536)), 839 * 57 + (65536 - 839 * 78) + 9 + 4);
}

static void text_between_stays(void **state)
{
	(void)state;
	AUTO_BUF buf text = buf_new(ROOM);
	buf_put(&text, STR("--b\r\nContent-Transfer-Encoding: base64\r\n\r\n"));
	put_lines(&text, 50, 76);
	buf_put(&text, STR("QUI=\r\n--b\r\n\r\n"));
	put_lines(&text, 70, 60);
	put_lines(&text, ARMOUR_LINES, 40);
	put_lines(&text, ARMOUR_LINES - 1, 44);
	buf_put(&text, STR("--b--\n"));
	size_t runs = 50 * (78 - 57) + 70 * (62 - 45) + ARMOUR_LINES * (42 - 30);
	assert_int_equal(shrunk(buf_str(&text)), text.n - runs + 3 * 9 + 4);
}

static void what_is_no_base64_stays(void **state)
{
	(void)state;
	static const char *const breaks[] = {"-", "=", " ", "\n", "\r", "", "\x80"};
	assert_int_equal(shrunk(STR("")), 0);
	for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
		AUTO_BUF buf text = buf_new(ROOM);
		for (size_t k = 0; k < 50; k++) {
			put_lines(&text, ARMOUR_LINES - 1, 76);
			text.n -= 40;
			buf_put(&text, str_from(breaks[i]));
			put_lines(&text, 1, 37);
		}
		assert_int_equal(shrunk(buf_str(&text)), 0);
	}
	AUTO_BUF buf text = buf_new(ROOM);
	put_lines(&text, 100, 36);
	put_lines(&text, 100, 80);
	put_lines(&text, 100, 74);
	assert_int_equal(shrunk(buf_str(&text)), 0);
}

static void damage_is_noticed(void **state)
{
	(void)state;
	AUTO_BUF buf text = buf_new(ROOM), bare = buf_new(ROOM);
	put_lines(&text, 20, 76);
	assert_true(armour_off(buf_str(&text), &bare));
	for (size_t i = bare.n - 13; i < bare.n; i++) {
		AUTO_BUF buf again = buf_new(ROOM);
		bare.p[i] ^= (char)0x81;
		assert_int_equal(armour_on(buf_str(&bare), text.n, &again).kind, FAIL_DAMAGE);
		bare.p[i] ^= (char)0x81;
	}
	for (size_t n = 0; n < bare.n; n++) {
		AUTO_BUF buf again = buf_new(ROOM);
		assert_int_equal(armour_on(str_of(bare.p, n), text.n, &again).kind, FAIL_DAMAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attachment_shrinks),
		cmocka_unit_test(text_between_stays),
		cmocka_unit_test(what_is_no_base64_stays),
		cmocka_unit_test(damage_is_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
