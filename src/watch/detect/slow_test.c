#include "watch/detect/detect_kit.h"

static void end(struct scene *s, const char *client, unsigned octets, bool timeout)
{
	SCENE(s, EV_DISCONNECT, F_STR("client", str_from(client)), F_U64("in", octets),
	      F_STR("end", timeout ? STR("timeout") : STR("")));
}

static void who_only_takes_up_room_is_noticed(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (int i = 0; i < 40; i++) {
		end(&s, "192.0.2.7", 11, true);
		scene_wait(&s, 10 * 1000);
	}
	assert_true(scene_count(&s, MEASURE_BAN, "192.0.2.7") >= 1);
	assert_string_equal(scene_last(&s, MEASURE_BAN)->detector, "slow-client");
	scene_close(&s);
}

static void a_telephone_in_a_tunnel_is_innocent(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (int i = 0; i < 500; i++) {
		end(&s, "192.0.2.7", 30, true);     /* twice an hour, for days */
		end(&s, "192.0.2.8", 30, false);    /* a monitor that hangs up */
		end(&s, "192.0.2.9", 90000, true);  /* a letter that got stuck */
		scene_wait(&s, HOUR / 2);
	}
	assert_int_equal(s.n, 0);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_only_takes_up_room_is_noticed),
		cmocka_unit_test(a_telephone_in_a_tunnel_is_innocent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
