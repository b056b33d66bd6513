/* Reports as their readers see them: people, programs, and the parser of mail. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "grammar/mime/mime.h"
#include "grammar/mime/qp.h"
#include "grammar/smtp/advice.h"
#include "grammar/smtp/dsn.h"

#define ORIGINAL "From: Anna <anna@example.test>\r\nTo: otto@example.org\r\nSubject: Lunch\r\n" \
	"Message-ID: <one@example.test>\r\n\r\nAt noon?\r\n"

static struct {
	buf out;
	arena arena;
	struct mime_table parts;
	struct dsn_made how;
} got;

static int end(void **state)
{
	(void)state;
	buf_free(&got.out);
	arena_free(&got.arena);
	return 0;
}

static struct dsn_row full(void)
{
	const struct advice_reply r = {552, STR("5.2.2"), STR("mx.example.org"), STR("over quota")};
	return (struct dsn_row){.address = STR("otto@example.org"), .orcpt = STR("rfc822;otto@example.org"),
		.action = DSN_FAILED,
		.status = STR("5.2.2"), .host = STR("mx.example.org"), .diagnostic = STR("over quota"), .code = 552,
		.advice = advice_find(&r), .last = 1700000000};
}

static struct dsn about(const struct dsn_row *rows, size_t n)
{
	return (struct dsn){.to = STR("anna@example.test"), .from_domain = STR("example.test"),
		.reporting_mta = STR("mail.example.test"), .message_id = STR("rep1@mail.example.test"), .now = 1700000100,
		.arrived = 1699990000, .subject = STR("Lunch"), .rows = rows, .n = n, .original = STR(ORIGINAL)};
}

static void print(const struct dsn *d)
{
	buf_free(&got.out);
	arena_free(&got.arena);
	got.out = buf_new(16 << 20);
	got.arena = arena_new(MIME_ARENA_MAX);
	dsn_print(&got.out, d, &got.how);
	assert_ok(buf_result(&got.out));
	assert_ok(mime_parse(buf_str(&got.out), &got.arena, &got.parts));
	assert_true(got.parts.n >= 4);
}

static str part(uint32_t number)
{
	uint32_t at = mime_section(&got.parts, &number, 1);
	assert_int_not_equal(at, MIME_NONE);
	return mime_body(buf_str(&got.out), &got.parts.parts[at]);
}

static bool part_is(uint32_t number, const char *type, const char *subtype)
{
	uint32_t at = mime_section(&got.parts, &number, 1);
	return at != MIME_NONE && mime_is(&got.parts.parts[at], str_from(type), str_from(subtype));
}

static void holds(str s, const char *want)
{
	if (str_find(s, str_from(want)) == STR_NONE)
		fail_msg("not in it: %s\n%.*s", want, STR_ARG(s));
}

static void lacks(str s, const char *part_of)
{
	if (str_find(s, str_from(part_of)) != STR_NONE)
		fail_msg("in it: %s\n%.*s", part_of, STR_ARG(s));
}

/* A name that the parser gives to the multipart itself. */
static str head(void)
{
	return mime_header(buf_str(&got.out), &got.parts.parts[0]);
}

static void people_are_told_what_happened_whose_fault_it_is_and_what_to_do(void **state)
{
	struct dsn_row row = full();
	struct dsn d = about(&row, 1);
	(void)state;
	print(&d);
	assert_str(part(1), STR("Your message could not be delivered to:\r\n"
		"\r\n"
		"    otto@example.org\r\n"
		"        The recipient's mailbox is full.\r\n"
		"        The cause is at the recipient's mailbox.\r\n"
		"        Tell them by another way, and send the message again when they have\r\n"
		"        made room.\r\n"
		"        The server mx.example.org said: 552 5.2.2 over quota\r\n"
		"\r\n"
		"It is about your message \"Lunch\", which came to this server on Tue, 14 Nov\r\n"
		"2023 19:26:40 +0000.\r\n"
		"\r\n"
		"This was written by the mail server mail.example.test; nobody reads answers\r\n"
		"to it but its postmaster.\r\n"));
	holds(head(), "From: Mail Delivery System <postmaster@example.test>\r\nTo: <anna@example.test>\r\n"
		"Subject: Not delivered:\r\n Lunch\r\nDate: Tue, 14 Nov 2023 22:15:00 +0000\r\n"
		"Message-ID: <rep1@mail.example.test>\r\nIn-Reply-To: <one@example.test>\r\nReferences: <one@example.test>\r\n"
		"Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; "
		"report-type=delivery-status;");
	assert_false(got.how.utf8 || got.how.eight_bit);
}

static void programs_are_told_in_fields(void **state)
{
	struct dsn_row row = full();
	struct dsn d = about(&row, 1);
	(void)state;
	d.envid = STR("QQ+1");
	print(&d);
	assert_true(part_is(2, "message", "delivery-status"));
	assert_str(part(2), STR("Original-Envelope-Id: QQ+1\r\n"
		"Reporting-MTA: dns; mail.example.test\r\n"
		"Arrival-Date: Tue, 14 Nov 2023 19:26:40 +0000\r\n"
		"\r\n"
		"Original-Recipient: rfc822; otto@example.org\r\n"
		"Final-Recipient: rfc822; otto@example.org\r\n"
		"Action: failed\r\n"
		"Status: 5.2.2\r\n"
		"Remote-MTA: dns; mx.example.org\r\n"
		"Diagnostic-Code: smtp; 552 5.2.2 over quota\r\n"
		"Last-Attempt-Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"));
}

static void a_delay_says_until_when_and_that_nothing_needs_to_be_done(void **state)
{
	struct dsn_row row = full();
	struct dsn d = about(&row, 1);
	(void)state;
	row.action = DSN_DELAYED;
	row.until = 1700400000;
	print(&d);
	holds(head(), "Subject: Not delivered yet:");
	holds(part(1), "You need not do\r\nanything");
	holds(part(1), "It is tried until Sun, 19 Nov 2023 13:20:00 +0000.");
	lacks(part(1), "send the message again");
	holds(part(2), "Action: delayed");
	holds(part(2), "Will-Retry-Until: Sun, 19 Nov 2023 13:20:00 +0000");
}

static void all_that_became_of_it_is_told_the_worst_first(void **state)
{
	struct dsn_row rows[5];
	struct dsn d = about(rows, 5);
	(void)state;
	for (int i = 0; i < 5; i++) {
		rows[i] = full();
		rows[i].action = (enum dsn_action)(DSN_EXPANDED - i);
		rows[i].status = rows[i].orcpt = STR("");
	}
	print(&d);
	str text = part(1), fields = part(2);
	size_t failed_at = str_find(text, STR("could not be delivered")), delivered_at = str_find(text, STR("was "
		"delivered to:"));
	assert_true(failed_at < delivered_at && delivered_at != STR_NONE);
	holds(text, "taken by the next server");
	holds(text, "delivered to a list");
	holds(fields, "Action: relayed\r\nStatus: 2.0.0");
	holds(fields, "Action: expanded\r\nStatus: 2.0.0");
	holds(fields, "Action: delayed\r\nStatus: 4.0.0");
	lacks(fields, "Original-Recipient");
	rows[0].action = DSN_DELIVERED;
	d.n = 1;
	print(&d);
	holds(head(), "Subject: Delivered:");
	lacks(part(1), "over quota");
}

static void the_original_comes_as_far_as_it_was_asked_for(void **state)
{
	struct dsn_row row = full();
	struct dsn d = about(&row, 1);
	(void)state;
	print(&d);
	assert_true(part_is(3, "text", "rfc822-headers"));
	assert_str(part(3), STR("From: Anna <anna@example.test>\r\nTo: otto@example.org\r\nSubject: Lunch\r\n"
		"Message-ID: <one@example.test>"));
	d.whole = true;
	print(&d);
	assert_true(part_is(3, "message", "rfc822"));
	holds(part(3), "\r\n\r\nAt noon?");
	static char big[DSN_WHOLE_MAX + 1];
	memset(big, 'x', sizeof big);
	for (size_t i = 0; i + 2 < sizeof big; i += 70)
		memcpy(big + i, "\r\n", 2);
	memcpy(big, "Subject: x\r\n\r\n", 14);
	d.original = str_of(big, DSN_WHOLE_MAX);
	print(&d);
	assert_true(part_is(3, "message", "rfc822"));
	d.original = str_of(big, DSN_WHOLE_MAX + 1);
	print(&d);
	assert_true(part_is(3, "text", "rfc822-headers"));
}

static void what_cannot_stand_in_lines_of_mail_comes_as_its_header(void **state)
{
	static const str binary[] = {STR_INIT("Subject: x\r\n\r\na\nb"), STR_INIT("Subject: x\r\n\r\na\0b"),
		STR_INIT("Subject: x\r\n\r\na\rb\r\n")};
	struct dsn_row row = full();
	struct dsn d = about(&row, 1);
	(void)state;
	d.whole = true;
	for (size_t i = 0; i < sizeof binary / sizeof *binary; i++) {
		d.original = binary[i];
		print(&d);
		assert_true(part_is(3, "text", "rfc822-headers"));
		assert_str(part(3), STR("Subject: x"));
	}
	AUTO_BUF buf tall = buf_new(10000);
	buf_put(&tall, STR("Subject: x\r\n\r\n"));
	for (int i = 0; i < DSN_LINE_MAX; i++)
		buf_putc(&tall, 'y');
	d.original = buf_str(&tall);
	print(&d);
	assert_true(part_is(3, "message", "rfc822"));
	buf_put(&tall, STR("yy"));
	d.original = buf_str(&tall);
	print(&d);
	assert_true(part_is(3, "text", "rfc822-headers"));
}

static void eight_bits_are_said_or_encoded(void **state)
{
	struct dsn_row row = full();
	struct dsn d = about(&row, 1);
	(void)state;
	d.original = STR("Subject: x\r\n\r\nGr\xc3\xbc\xc3\x9f" "e\r\n");
	print(&d);
	assert_false(got.how.eight_bit);
	d.whole = true;
	print(&d);
	assert_true(got.how.eight_bit && !got.how.utf8);
	holds(head(), "Content-Transfer-Encoding: 8bit");
	d.whole = false;
	d.original = STR("Subject: Gr\xfc\xdf" "e\r\n\r\n");
	d.subject = STR("Gr\xc3\xbc\xc3\x9f" "e");
	print(&d);
	assert_false(got.how.eight_bit);
	assert_true(str_is_ascii(buf_str(&got.out)));
	holds(part(3), "Gr=FC=DFe");
	holds(part(1), "Gr=C3=BC=C3=9Fe");
	holds(head(), "Not delivered:\r\n =?utf-8?B?R3LDvMOfZQ==?=");
}

static void international_addresses_have_forms_of_their_own(void **state)
{
	struct dsn_row row = full();
	struct dsn d = about(&row, 1);
	(void)state;
	row.address = STR("j\xc3\xbcrgen@example.org");
	row.orcpt = STR("utf-8;j\xc3\xbcrgen@example.org");
	print(&d);
	assert_true(part_is(2, "message", "delivery-status"));
	holds(part(2), "Original-Recipient: utf-8; j\\x{FC}rgen@example.org\r\nFinal-Recipient: utf-8; "
		"j\\x{FC}rgen@example.org");
	assert_true(str_is_ascii(buf_str(&got.out)) && !got.how.utf8);
	d.utf8 = true;
	print(&d);
	assert_true(part_is(2, "message", "global-delivery-status"));
	assert_true(part_is(3, "message", "global-headers"));
	holds(part(2), "Final-Recipient: utf-8; j\xc3\xbcrgen@example.org");
	assert_true(got.how.utf8 && got.how.eight_bit);
	d.whole = true;
	print(&d);
	assert_true(part_is(3, "message", "global"));
}

static void nothing_in_a_row_ends_its_place(void **state)
{
	struct dsn_row row = full();
	struct dsn d = about(&row, 1);
	(void)state;
	row.diagnostic = STR("no\r\nAction: delivered\r\n\r\nx \xff" "\x01");
	row.host = STR("mx\r\n.example.org");
	row.status = STR("5.1.1\r\nX: y");
	row.address = STR("a\r\nb@example.org");
	row.orcpt = STR("rfc822;a\r\nc@example.org");
	d.subject = STR("a\r\nBcc: x");
	d.envid = STR("1\r\n2");
	print(&d);
	lacks(part(2), "\r\nAction: delivered");
	lacks(part(2), "\r\nX: y");
	lacks(head(), "\r\nBcc");
	holds(part(2), "Original-Envelope-Id: 1  2\r\n");
	size_t lines = 0;
	for (size_t i = 0; i < part(2).n; i++)
		lines += part(2).p[i] == '\n';
	assert_int_equal(lines, 11);
}

static void the_boundary_is_not_in_the_original(void **state)
{
	struct dsn_row row = full();
	struct dsn d = about(&row, 1);
	(void)state;
	d.whole = true;
	d.original = STR("Subject: x\r\n\r\n--rep1mailexampletest=_0--\r\nrep1mailexampletest=_1\r\n");
	print(&d);
	holds(head(), "boundary=\"rep1mailexampletest=_2\"");
	holds(part(3), "=_0--");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(people_are_told_what_happened_whose_fault_it_is_and_what_to_do, end),
		cmocka_unit_test_teardown(programs_are_told_in_fields, end),
		cmocka_unit_test_teardown(a_delay_says_until_when_and_that_nothing_needs_to_be_done, end),
		cmocka_unit_test_teardown(all_that_became_of_it_is_told_the_worst_first, end),
		cmocka_unit_test_teardown(the_original_comes_as_far_as_it_was_asked_for, end),
		cmocka_unit_test_teardown(what_cannot_stand_in_lines_of_mail_comes_as_its_header, end),
		cmocka_unit_test_teardown(eight_bits_are_said_or_encoded, end),
		cmocka_unit_test_teardown(international_addresses_have_forms_of_their_own, end),
		cmocka_unit_test_teardown(nothing_in_a_row_ends_its_place, end),
		cmocka_unit_test_teardown(the_boundary_is_not_in_the_original, end),
	};
	return cmocka_run_group_tests_name("dsn", tests, NULL, NULL);
}
