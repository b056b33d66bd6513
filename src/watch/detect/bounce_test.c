#include "watch/detect/detect_kit.h"

static void outcome(struct scene *s, enum log_name event, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		scene_event(s, event, (const struct log_field[]){F_U64("account", 1), {0}});
		scene_wait(s, MINUTE);
	}
}

static void a_bought_list_is_noticed(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (int i = 0; i < 12; i++) {
		outcome(&s, EV_SENT, 2);
		outcome(&s, EV_SEND_FAILED, 1);
	}
	assert_int_equal(scene_count_person(&s, MEASURE_NOTICE, 1), 1);
	assert_int_equal(scene_count(&s, MEASURE_HOLD, NULL), 0);
	outcome(&s, EV_SEND_FAILED, 20); /* and the rest of it is worse */
	assert_int_equal(scene_count_person(&s, MEASURE_HOLD, 1), 1);
	assert_string_equal(scene_last(&s, MEASURE_HOLD)->detector, "bounce-rate");
	scene_close(&s);
}

static void a_newsletter_is_innocent(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	outcome(&s, EV_SEND_FAILED, BOUNCE_LEAST - 1); /* a handful proves nothing */
	for (int i = 0; i < 30; i++) {
		outcome(&s, EV_SENT, 20);
		outcome(&s, EV_SEND_FAILED, 1);
	}
	assert_int_equal(s.n, 0);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bought_list_is_noticed),
		cmocka_unit_test(a_newsletter_is_innocent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
