#include "base/test.h"

#include "base/log.h"
#include "cli/story.h"

static void tells(const char *event, const char *fields, const char *want)
{
	AUTO_BUF buf b = buf_new(4096);
	json_t *v = json_loads(fields, 0, NULL);
	assert_non_null(v);
	story_tell(&b, str_from(event), v);
	assert_str(buf_str(&b), str_from(want));
	json_decref(v);
}

static void every_event_has_a_sentence(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LOG_EVENTS; i++)
		if (!story_knows(str_from(log_meaning_of(i)->name)))
			fail_msg("%s is not told", log_meaning_of(i)->name);
}

static void a_letter_is_told(void **state)
{
	(void)state;
	tells("smtp.accepted", "{\"client\":\"192.0.2.1\",\"helo\":\"mx.a.test\",\"from\":\"a@a.test\",\"to\":\"b@b.test\","
		"\"recipients\":1,\"size\":2048,\"user\":\"\",\"tls\":1}",
		"Taken from 192.0.2.1 (mx.a.test): from <a@a.test> to b@b.test, 2.0 KiB.");
	tells("smtp.accepted", "{\"client\":\"192.0.2.1\",\"helo\":\"\",\"from\":\"\",\"to\":\"b@b.test\",\"recipients\":3,"
		"\"size\":10,\"user\":\"b@b.test\"}",
		"Taken from 192.0.2.1, logged in as b@b.test: from <> to b@b.test and others (3 recipients), 10 octets.");
	tells("mail.sent", "{\"to\":\"b@b.test\",\"host\":\"mx.b.test\",\"address\":\"192.0.2.2\",\"tls\":\"TLSv1.3\","
		"\"verified\":\"dane\",\"code\":250,\"text\":\"queued\"}",
		"Handed over for b@b.test to mx.b.test at 192.0.2.2 over TLSv1.3 (proved by DANE). It said: 250 queued");
	tells("mail.deferred",
		"{\"to\":\"b@b.test\",\"attempts\":2,\"host\":\"mx.b.test\",\"code\":452,\"status\":\"4.2.2\","
		"\"text\":\"full\",\"advice\":1}",
		"Not handed over yet for b@b.test (try 2); it is tried again. The recipient's mailbox is full. "
		"Server mx.b.test said: 452 4.2.2 full");
	tells("mail.sent", "{\"to\":\"b@b.test\",\"host\":\"mx.b.test\",\"verified\":\"nobody\",\"code\":0,\"text\":\"\"}",
		"Handed over for b@b.test to mx.b.test");
	tells("mail.failed", "{\"to\":\"b@b.test\",\"advice\":9999,\"code\":0,\"text\":\"no\"}", "Cannot be delivered to "
		"b@b.test. no");
}

static void what_is_not_known_is_told_by_name(void **state)
{
	(void)state;
	tells("moon.rose", "{\"at\":\"dusk\",\"n\":3,\"empty\":\"\"}", "moon.rose, at dusk, n 3");
	tells("smtp.accepted", "{}", "Taken from : from <> to .");
	tells("mail.sent", "{\"to\":[1]}", "Handed over for ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_has_a_sentence),
		cmocka_unit_test(a_letter_is_told),
		cmocka_unit_test(what_is_not_known_is_told_by_name),
	};
	return cmocka_run_group_tests_name("story", tests, NULL, NULL);
}
