#include "base/test.h"

#include "base/mem.h"
#include "grammar/mime/facts.h"
#include "inspect/bounce.h"

#define ORIGINAL "From: anna@example.test\r\nSubject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\nMessage-ID: " \
	"<one@example.test>\r\n\r\nHi\r\n"

static const struct asker_inspect_bounce_row row = {.address = STR_INIT("otto@example.org"),
	.status = STR_INIT("5.1.1"),
	.code = 550, .diagnostic = STR_INIT("no such user"), .advice = 2};
static const struct asker_inspect_signer signers[] = {
	{STR_INIT("example.test"), STR_INIT("e1"), ASKER_INSPECT_ALGORITHM_ED25519_SHA256, STR_INIT("k1")},
	{STR_INIT("example.org"), STR_INIT("e1"), ASKER_INSPECT_ALGORITHM_ED25519_SHA256, STR_INIT("k2")},
};

static struct {
	arena out;
	struct charsets *charsets;
	struct asker_inspect_bounced answer;
} got;

static int begin(void **state)
{
	(void)state;
	got.out = arena_new(64 << 20);
	got.charsets = charsets_new();
	got.answer = (struct asker_inspect_bounced){0};
	return 0;
}

static int end(void **state)
{
	(void)state;
	body_free(&got.answer.message);
	arena_free(&got.out);
	charsets_free(&got.charsets);
	return 0;
}

static struct asker_inspect_bounce question(str original)
{
	return (struct asker_inspect_bounce){.to = STR("anna@example.test"), .from_domain = STR("example.test"),
		.reporting_mta = STR("mail.example.test"), .message_id = STR("r1@mail.example.test"), .now = 1700000000,
		.rows = {&row, 1}, .signers = {signers, 2}, .message = body_of(original)};
}

static result write_report(const struct asker_inspect_bounce *m)
{
	struct bounce b = {.asked = m, .charsets = got.charsets, .out = &got.out, .answer = &got.answer};
	bounce_write(&b);
	return b.result;
}

static void has(str s, const char *part)
{
	if (str_find(s, str_from(part)) == STR_NONE)
		fail_msg("not in it: %s\n%.*s", part, STR_ARG(s));
}

static void a_report_is_written_examined_and_made_ready_for_signing(void **state)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct asker_inspect_bounce m = question(STR(ORIGINAL));
	struct facts facts;
	(void)state;
	assert_ok(write_report(&m));
	str report = got.answer.message.bytes;
	has(report, "There is no mailbox of that name at the recipient's server.");
	has(report, "Gr=C3=BC=C3=9Fe");
	assert_ok(facts_decode(got.answer.facts.bytes, report.n, &a, &facts));
	assert_str(facts.subject, STR("Not delivered: Gr\xc3\xbc\xc3\x9f" "e"));
	assert_str(facts.message_id, STR("r1@mail.example.test"));
	assert_int_equal(got.answer.signatures.n, 1);
	assert_str(got.answer.signatures.p[0].key, STR("k1"));
	assert_false(got.answer.utf8 || got.answer.eight_bit);
}

static void a_long_report_travels_in_a_memfd(void **state)
{
	AUTO_BUF buf b = buf_new(1 << 20);
	(void)state;
	buf_put(&b, STR(ORIGINAL));
	while (b.n < 300000)
		buf_put(&b, STR("a line of seventy letters or so, which makes the message long\r\n"));
	struct asker_inspect_bounce m = question(buf_str(&b));
	m.whole = true;
	assert_ok(write_report(&m));
	assert_true(got.answer.message.owned);
	assert_true(got.answer.message.bytes.n > 300000);
}

static void memory_may_end_anywhere(void **state)
{
	struct asker_inspect_bounce m = question(STR(ORIGINAL));
	uint64_t n = 0, refused = 0;
	bool hit;
	(void)state;
	do {
		body_free(&got.answer.message);
		arena_clear(&got.out);
		got.answer = (struct asker_inspect_bounced){0};
		mem_fail_at(++n);
		result r = write_report(&m);
		hit = mem_count() >= n;
		mem_fail_at(0);
		assert_true(!failed(r) || r.kind == FAIL_MEMORY);
		refused += failed(r);
		if (!failed(r))
			has(got.answer.message.bytes, "Final-Recipient: rfc822; otto@example.org");
	} while (hit);
	assert_true(refused > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_report_is_written_examined_and_made_ready_for_signing, begin, end),
		cmocka_unit_test_setup_teardown(a_long_report_travels_in_a_memfd, begin, end),
		cmocka_unit_test_setup_teardown(memory_may_end_anywhere, begin, end),
	};
	return cmocka_run_group_tests_name("bounce", tests, NULL, NULL);
}
