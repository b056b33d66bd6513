#include "edge/intake.h"

#include "base/test.h"
#include "talk/shape.h"

enum { STEP = 10007 };

static void put(struct intake *in, size_t n)
{
	size_t from = (size_t)intake_size(in);
	for (size_t i = 0; i < n; i++)
		buf_putc(&in->near, (char)((from + i) % 251));
	intake_step(in);
}

static struct intake in_steps(size_t n, size_t most)
{
	struct intake in = intake_new(1 << 20);
	for (size_t left = n; left > 0;) {
		size_t step = left < most ? left : most;
		put(&in, step);
		left -= step;
	}
	return in;
}

static struct intake of(size_t n)
{
	return in_steps(n, STEP);
}

static void is_whole(size_t n, bool shared)
{
	struct intake in = of(n);
	struct body AUTO_BODY body = body_of(STR(""));
	assert_int_equal(in.broken, FAIL_NONE);
	assert_int_equal(intake_size(&in), n);
	assert_ok(intake_body(&in, &body));
	assert_int_equal(body.owned, shared);
	assert_int_equal(body.memfd > 0, shared);
	assert_int_equal(body.bytes.n, n);
	for (size_t i = 0; i < n; i++)
		if (body.bytes.p[i] != (char)(i % 251))
			fail_msg("octet %zu of %zu is another", i, n);
	intake_free(&in);
}

static void what_is_short_stays_in_memory(void **state)
{
	(void)state;
	is_whole(0, false);
	is_whole(1, false);
	is_whole(TALK_INLINE_MAX, false);
}

static void what_is_long_is_shared(void **state)
{
	(void)state;
	is_whole(TALK_INLINE_MAX + 1, true);
	is_whole(2 * TALK_INLINE_MAX, true);
	is_whole(2 * TALK_INLINE_MAX + 1, true);
	is_whole(1000003, true);
}

static void long_steps_make_the_same(void **state)
{
	(void)state;
	for (size_t most = INTAKE_STEP_MAX - 1; most <= INTAKE_STEP_MAX; most++) {
		struct intake in = in_steps(1 << 20, most);
		struct body AUTO_BODY body = body_of(STR(""));
		assert_int_equal(in.broken, FAIL_NONE);
		assert_ok(intake_body(&in, &body));
		assert_int_equal(body.bytes.n, 1 << 20);
		for (size_t i = 0; i < body.bytes.n; i++)
			assert_int_equal((unsigned char)body.bytes.p[i], i % 251);
		intake_free(&in);
	}
}

static void little_of_a_long_one_is_held_twice(void **state)
{
	(void)state;
	struct intake in = of(1000003);
	assert_true(in.near.cap <= TALK_INLINE_MAX + INTAKE_STEP_MAX);
	assert_true(in.far >= 1000003 - TALK_INLINE_MAX);
	intake_free(&in);
	assert_int_equal(intake_size(&in), 0);
	assert_int_equal(in.memfd, -1);
}

static void more_than_may_be_breaks_it(void **state)
{
	(void)state;
	struct intake in = intake_new(TALK_INLINE_MAX + 2 * STEP);
	for (size_t i = 0; i < TALK_INLINE_MAX / STEP + 2; i++)
		put(&in, STEP);
	assert_int_equal(in.broken, FAIL_NONE);
	put(&in, STEP);
	assert_int_equal(in.broken, FAIL_LIMIT);
	intake_free(&in);
	assert_int_equal(in.broken, FAIL_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_short_stays_in_memory),
		cmocka_unit_test(what_is_long_is_shared),
		cmocka_unit_test(long_steps_make_the_same),
		cmocka_unit_test(little_of_a_long_one_is_held_twice),
		cmocka_unit_test(more_than_may_be_breaks_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
