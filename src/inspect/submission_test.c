#include "base/test.h"

#include "base/mem.h"
#include "inspect/submission.h"
#include "talk/channel.h"

enum { MEMORY = 1 << 20, NOW = 1795312800 /* Sun, 22 Nov 2026 02:00:00 +0000 */ };

#define DATE "Date: Sun, 22 Nov 2026 02:00:00 +0000\r\n"
#define ID "Message-ID: <1@mx.example>\r\n"

static void becomes(str in, str want)
{
	AUTO_ARENA arena a = arena_new(MEMORY);
	AUTO_BODY struct body out = body_of(STR(""));
	const struct submission s = {in, STR("1@mx.example"), NOW};
	bool changed;
	assert_ok(submission_normalise(&s, &a, &changed, &out));
	if (str_eq(in, want))
		assert_false(changed);
	else
		assert_str(out.bytes, want);
}

static void what_is_missing_is_added(void **state)
{
	(void)state;
	becomes(STR("From: a\r\n\r\nx\r\n"), STR(DATE ID "From: a\r\n\r\nx\r\n"));
	becomes(STR("From: a\r\nDate: y\r\n\r\nx\r\n"), STR(ID "From: a\r\nDate: y\r\n\r\nx\r\n"));
	becomes(STR("message-id: y\r\n\r\nDate: x\r\n"), STR(DATE "message-id: y\r\n\r\nDate: x\r\n"));
	becomes(STR(""), STR(DATE ID));
	becomes(STR("\r\nbody"), STR(DATE ID "\r\nbody"));
}

static void what_is_there_stays(void **state)
{
	(void)state;
	const str whole = STR("Date: nonsense\r\nMESSAGE-ID:\r\nFrom:  a \r\nX:y\r\n\r\nBcc: body\r\n");
	becomes(whole, whole);
}

#define WHOLE DATE ID

static void each_bcc_is_taken_out(void **state)
{
	(void)state;
	becomes(STR(WHOLE "Bcc: a@example.org,\r\n\tb@example.org\r\nTo: c\r\n\r\nx"), STR(WHOLE "To: c\r\n\r\nx"));
	becomes(STR("bcc: a\r\n" WHOLE "BCC : b\r\n c\r\n\td\r\nBcc:\r\n\r\nBcc: stays\r\n"),
		STR(WHOLE "\r\nBcc: stays\r\n"));
	becomes(STR(WHOLE "Resent-Bcc: a\r\nResent-To: b\r\n\r\n"), STR(WHOLE "Resent-To: b\r\n\r\n"));
	becomes(STR(WHOLE "X-Bcc: a\r\nBcc-X: b\r\n\r\n"), STR(WHOLE "X-Bcc: a\r\nBcc-X: b\r\n\r\n"));
	becomes(STR(WHOLE "Bcc: a"), STR(WHOLE));
}

/* Beyond what a parser of headers keeps. */
static void a_bcc_behind_many_fields(void **state)
{
	(void)state;
	AUTO_BUF buf in = buf_new(MEMORY), want = buf_new(MEMORY);
	buf_put(&in, STR(WHOLE));
	for (int i = 0; i < 30000; i++)
		buf_put(&in, STR("X: y\r\n"));
	buf_put(&want, buf_str(&in));
	buf_put(&in, STR("Bcc: z\r\n\r\n"));
	buf_put(&want, STR("\r\n"));
	becomes(buf_str(&in), buf_str(&want));
}

static void lines_that_are_no_field_stay(void **state)
{
	(void)state;
	becomes(STR(" stray\r\nFrom: a\r\n\r\n"), STR(" stray\r\n" WHOLE "From: a\r\n\r\n"));
	becomes(STR("From x Mon\r\nBcc: a\r\njunk\r\n\r\n"), STR(WHOLE "From x Mon\r\njunk\r\n\r\n"));
}

static void a_long_message_goes_on_in_a_memfd(void **state)
{
	(void)state;
	AUTO_BUF buf in = buf_new(4 << 20), want = buf_new(4 << 20);
	buf_put(&in, STR("Bcc: a\r\n\r\n"));
	buf_put(&want, STR(WHOLE "\r\n"));
	for (size_t i = 0; i < TALK_INLINE_MAX; i++) {
		buf_putc(&in, (char)('a' + i % 26));
		buf_putc(&want, (char)('a' + i % 26));
	}
	becomes(buf_str(&in), buf_str(&want));
	AUTO_ARENA arena a = arena_new(MEMORY);
	struct body out;
	bool changed;
	const struct submission s = {buf_str(&in), STR(""), NOW};
	assert_ok(submission_normalise(&s, &a, &changed, &out));
	assert_true(out.owned);
	body_free(&out);
}

static void without_an_id_to_add_none_is_added(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(MEMORY);
	struct body out;
	bool changed;
	const struct submission s = {STR(DATE "\r\n"), STR(""), NOW};
	assert_ok(submission_normalise(&s, &a, &changed, &out));
	assert_false(changed);
}

static void short_memory_is_told(void **state)
{
	(void)state;
	const struct submission s = {STR("Bcc: a\r\nFrom: b\r\n\r\nbody"), STR("i@x"), NOW};
	for (uint64_t n = 1;; n++) {
		AUTO_ARENA arena a = arena_new(MEMORY);
		struct body out;
		bool changed;
		mem_fail_at(n);
		result r = submission_normalise(&s, &a, &changed, &out);
		uint64_t used = mem_count();
		mem_fail_at(0);
		if (used < n) {
			assert_ok(r);
			assert_true(n > 1);
			break;
		}
		assert_int_equal(r.kind, FAIL_MEMORY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_missing_is_added),
		cmocka_unit_test(what_is_there_stays),
		cmocka_unit_test(each_bcc_is_taken_out),
		cmocka_unit_test(a_bcc_behind_many_fields),
		cmocka_unit_test(lines_that_are_no_field_stay),
		cmocka_unit_test(a_long_message_goes_on_in_a_memfd),
		cmocka_unit_test(without_an_id_to_add_none_is_added),
		cmocka_unit_test(short_memory_is_told),
	};
	return cmocka_run_group_tests_name("inspect submission", tests, NULL, NULL);
}
