#include "watch/detect/detect_kit.h"

#include <stdio.h>

static void post_from(struct scene *s, unsigned network)
{
	char client[32];
	snprintf(client, sizeof client, "10.%u.0.7", network);
	SCENE(s, EV_POSTED, F_U64("account", 1), F_U64("recipients", 1), F_STR("client", str_from(client)));
	scene_wait(s, MINUTE);
}

static void a_sold_account_sends_from_everywhere(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (unsigned i = 0; i < 12; i++)
		post_from(&s, i);
	assert_int_equal(scene_count_person(&s, MEASURE_NOTICE, 1), 1);
	assert_string_equal(scene_last(&s, MEASURE_NOTICE)->detector, "scattered-sending");
	scene_close(&s);
}

static void a_day_on_the_road_is_innocent(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (unsigned i = 0; i < 200; i++)
		post_from(&s, i / 40 % 2 + i % 2); /* three networks at most */
	assert_int_equal(s.n, 0);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sold_account_sends_from_everywhere),
		cmocka_unit_test(a_day_on_the_road_is_innocent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
