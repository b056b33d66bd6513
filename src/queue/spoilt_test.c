/* Mail that the disk has spoilt: its sender is told, and nobody else waits for it. */
#include "queue/mail.h"
#include "queue/queue_kit.h"

#include <stdio.h>

enum { DAY_MS = 24 * 3600 * 1000 };

static result flip_in_body(void *ctx, str name)
{
	char text[64];
	(void)ctx;
	if (!str_ends(name, STR(".body")))
		return OK;
	snprintf(text, sizeof text, "%.*s", STR_ARG(name));
	((char *)(uintptr_t)sim_bytes(world.sim, text).p)[100] ^= 1;
	return OK;
}

/* Its sender hears of it at once, and nothing of it stays. */
static void what_the_disk_has_spoilt_is_reported(void)
{
	world.manner = LATER;
	world.octets = 2 * QUEUE_INLINE - 8;
	world.reader_outside = "a@example.org";
	post(1, "a@example.org", "b@one.test", NULL);
	settle();
	assert_int_equal(body_files(), 1);
	assert_ok(files_list(sim_files(world.sim), flip_in_body, NULL));
	world.spoilt = true;
	pass(DAY_MS);
	assert_int_equal(world.events[EV_SEND_FAILED], 1);
	assert_int_equal(world.events[EV_REPORTED], 1);
	assert_int_equal(world.events[EV_REPORT_LATER], 0);
	world.manner = TAKES;
	pass(DAY_MS);
	assert_int_equal(queued(), 0);
	assert_int_equal(body_files(), 0);
}

KIT_TEST(what_the_disk_has_spoilt_is_reported)

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_the_disk_has_spoilt_is_reported_test)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
