#include "relay/relay_kit.h"

#include "grammar/smtp/advice.h"
#include "talk/item.h"
#include "talk/mail_flags.h"

static const unsigned char item_key[ITEM_KEY] = "an item's key";
static const trace_id report_id = {"report"};
static const struct queue_relay_report_row row = {.address = STR_INIT("nobody@example.test"),
	.action = QUEUE_RELAY_ACTION_FAILED, .status = STR_INIT("5.1.1"), .code = 550, .advice = 2};

static struct queue_relay_report question(void)
{
	const struct queue_relay_send m = kit_mail(NULL, 0);
	struct queue_relay_report r = {.delivery = m.delivery, .report = report_id, .sender = STR("user1@home.test"),
		.holder = QUEUE_RELAY_HOLDER_ACCOUNT, .account = 7, .ret = 1, .flags = MAIL_UTF8,
			.wrapped = m.wrapped,
		.sealed = m.sealed};
	r.rows.p = &row;
	r.rows.n = 1;
	return r;
}

static result ask(struct channel *queue, const struct queue_relay_report *m, arena *a,
	struct queue_relay_reported *out)
{
	const struct asking how = {.arena = a, .timeout_ms = 20000};
	return queue_relay_report_call_within(queue, &how, m, out);
}

static void open_report(const struct queue_relay_reported *r, buf *plain, struct item *out)
{
	assert_str(r->wrapped, STR("wrapped"));
	assert_ok(item_open(r->sealed.bytes, &report_id, item_key, plain, out));
	assert_int_equal(r->size, out->trace.n + out->message.n);
}

static void for_an_account_here(struct channel *queue)
{
	AUTO_ARENA arena a = arena_new(4 << 20);
	AUTO_BUF buf plain = buf_new(1 << 20);
	struct queue_relay_report m = question();
	struct queue_relay_reported r;
	struct item i;
	assert_ok(ask(queue, &m, &a, &r));
	open_report(&r, &plain, &i);
	assert_int_equal(kit.wrapped_for, 7);
	assert_int_equal(r.flags, MAIL_REPORT | MAIL_8BIT);
	assert_str(i.sender, STR(""));
	assert_str(i.recipient, STR("user1@home.test"));
	assert_str(i.trace, STR("Return-Path: <>\r\n"));
	assert_str(i.facts, STR("facts"));
	assert_str(i.message,
		STR("From: home.test\r\nTo: user1@home.test\r\nby home.test whole 1 utf8 1 rows 1 failed "
		"nobody@example.test advice 2\r\n\r\nSubject: hello\r\n\r\n.dot\r\nbody\r\n"));
	queue_relay_reported_release(&r);
}

static void without_the_original(struct channel *queue)
{
	AUTO_ARENA arena a = arena_new(4 << 20);
	AUTO_BUF buf plain = buf_new(1 << 20);
	struct queue_relay_report m = question();
	struct queue_relay_reported r;
	struct item i;
	m.sealed = (struct body){0};
	assert_ok(ask(queue, &m, &a, &r));
	open_report(&r, &plain, &i);
	assert_true(str_find(i.message, STR("nobody@example.test")) != STR_NONE);
	assert_true(str_find(i.message, STR("hello")) == STR_NONE);
	queue_relay_reported_release(&r);
}

static void what_the_queue_has_lost_is_reported_all_the_same(void **state)
{
	(void)state;
	kit_ask(without_the_original);
	assert_int_equal(kit.bounces, 1);
}

static void a_report_for_an_account_is_sealed_for_it(void **state)
{
	(void)state;
	kit_ask(for_an_account_here);
	assert_int_equal(kit.bounces, 1);
}

static void for_somebody_elsewhere(struct channel *queue)
{
	AUTO_ARENA arena a = arena_new(4 << 20);
	AUTO_BUF buf plain = buf_new(1 << 20);
	struct queue_relay_report_row late = row;
	struct queue_relay_report m = question();
	struct queue_relay_reported r;
	struct item i;
	m.holder = QUEUE_RELAY_HOLDER_RELAY;
	m.flags = 0;
	late.action = QUEUE_RELAY_ACTION_DELAYED;
	m.rows.p = &late;
	assert_ok(ask(queue, &m, &a, &r));
	open_report(&r, &plain, &i);
	assert_int_equal(kit.wrapped_for, 0);
	assert_true(str_starts(i.trace, STR("DKIM-Signature: b=")));
	assert_true(str_find(i.trace, STR("c2lnbmVk")) != STR_NONE);
	assert_true(str_find(i.message, STR("whole 0 utf8 0 rows 1 delayed")) != STR_NONE);
	queue_relay_reported_release(&r);
}

static void a_report_for_elsewhere_is_signed_and_sealed_for_the_relay(void **state)
{
	(void)state;
	kit_ask(for_somebody_elsewhere);
}

static void what_cannot_be_reported_is_refused(struct channel *queue)
{
	AUTO_ARENA arena a = arena_new(4 << 20);
	struct queue_relay_report m = question();
	struct queue_relay_reported r;
	m.rows.n = 0;
	assert_int_equal(ask(queue, &m, &a, &r).kind, FAIL_INPUT);
	m = question();
	m.wrapped = STR("another's");
	assert_int_equal(ask(queue, &m, &a, &r).kind, FAIL_DAMAGE);
	m = question();
	m.delivery = report_id;
	assert_int_equal(ask(queue, &m, &a, &r).kind, FAIL_DAMAGE);
	assert_int_equal(kit.bounces, 0);
}

static void another_ones_message_is_not_reported_on(void **state)
{
	(void)state;
	kit_ask(what_cannot_be_reported_is_refused);
}

static const char *const refuses[] = {">220 mx.example.test", "<EHLO", ">250-mx.example.test", ">250 "
	"ENHANCEDSTATUSCODES",
	"<MAIL", ">250 2.1.0 ok", "<RCPT", ">452 4.2.2 <a@example.test> mailbox full", "wait", NULL};

static void is_advised(const struct queue_relay_sent *sent)
{
	const struct advice *a = advice_at(sent->outcomes.p[0].advice);
	assert_int_equal(sent->outcomes.p[0].verdict, QUEUE_RELAY_VERDICT_LATER);
	assert_non_null(a);
	assert_string_equal(a->name, "mailbox-full");
}

static void an_answer_is_understood(void **state)
{
	const struct queue_relay_recipient to = {.address = STR("a@example.test")};
	const struct queue_relay_send m = kit_mail(&to, 1);
	(void)state;
	kit_usual_dns();
	kit_script(refuses);
	kit_send(&m, is_advised);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_RELAY(a_report_for_an_account_is_sealed_for_it),
		IN_RELAY(what_the_queue_has_lost_is_reported_all_the_same),
		IN_RELAY(a_report_for_elsewhere_is_signed_and_sealed_for_the_relay),
		IN_RELAY(another_ones_message_is_not_reported_on),
		IN_RELAY(an_answer_is_understood),
	};
	return cmocka_run_group_tests_name("relay-report", tests, kit_group_open, kit_group_close);
}
