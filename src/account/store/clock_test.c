/* Somebody sets the clock, by seconds and by decades, to and fro: numbers that
 * name things for good are given once and grow, letters come once, all is sound. */
#include "account/store/kit.h"
#include "run/clock.h"

#include <stdio.h>

#define YEAR INT64_C(31557600000)
static const int64_t start = 1700000000000;
/* Milliseconds since 1970; the fifth is past what 32 bits hold in seconds. */
static const int64_t times[] = {start, start - 1000, start + 3 * YEAR, start - 20 * YEAR, start + 90 * YEAR, 0, -5000,
	start, start + 10};
enum { TIMES = sizeof times / sizeof *times };

static struct letter letter;

static struct arrived deliver(struct kit *k, unsigned char id)
{
	struct incoming a = {{{id}}, clock_wall_s(), STR(""), {0}, &letter};
	struct arrived done;
	assert_ok(message_deliver(&k->courier, &a, &done));
	return done;
}

/* EMAILIDs of the INBOX grow with its uids. */
static void expect_contents(struct kit *k, uint32_t n)
{
	struct view *v = kit_view(k, "INBOX");
	struct view_message m;
	uint64_t last = 0;
	assert_int_equal(view_exists(v), n);
	for (uint32_t i = 1; i <= n; i++) {
		assert_ok(view_at(v, i, &m));
		assert_true(m.content > last && m.uid == i);
		last = m.content;
	}
	view_close(&v);
}

static uint32_t make_again(struct kit *k)
{
	struct mailbox_status s;
	result gone = mailbox_delete(&k->owner, STR("again"));
	assert_true(!failed(gone) || gone.kind == FAIL_ABSENT);
	assert_ok(mailbox_create(&k->owner, STR("again"), 0, &s));
	return s.uidvalidity;
}

static void jumps(struct kit *k)
{
	uint32_t validity = 0;
	uint64_t modseq = 0;
	letter = kit_letter(k, "clock", 100);
	for (unsigned char i = 0; i < TIMES; i++) {
		clock_test_set(times[i]);
		assert_false(deliver(k, (unsigned char)(i + 1)).duplicate);
		assert_true(deliver(k, (unsigned char)(i + 1)).duplicate);
		uint32_t next = make_again(k);
		assert_true(next > validity && kit_modseq(k) > modseq);
		validity = next;
		modseq = kit_modseq(k);
		if (i % 2)
			kit_reopen(k);
		expect_contents(k, i + 1);
		kit_expect_sound(k);
	}
}

static void the_clock_may_jump(void **state)
{
	(void)state;
	clock_test_hold(start);
	kit_run(jumps);
	clock_test_release();
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_clock_may_jump)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
