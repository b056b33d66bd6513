/* Letters, checks and sessions through the room's two doors. */
#include "account/room_kit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "account/account.h"
#include "account/store/core.h"
#include "grammar/text/charset.h"
#include "run/net.h"
#include "run/stream.h"

/* ---- letters */

static uint64_t messages(void)
{
	struct auth_account_usage q = {0};
	struct auth_account_usage_is u;
	assert_ok(auth_account_usage_call(t.auth, NULL, &q, &t.m, &u));
	return u.messages;
}

static void letters_once(void)
{
	assert_int_equal(deliver(1, t.facts).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_KEPT);
	assert_int_equal(deliver(1, t.facts).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_DUPLICATE);
	assert_int_equal(deliver(2, t.facts).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_KEPT);
	assert_int_equal(messages(), 2);
	struct view *v = kit_view(t.kit, "INBOX");
	assert_str(kit_bytes(t.kit, v, 1), STR("Return-Path: <a@example.net>\r\n"
		"Subject: hello\r\nFrom: a@example.net\r\n\r\nbody\r\n"));
	view_close(&v);
}

static void keeps_each_letter_once(void **state)
{
	(void)state;
	run_in_room(letters_once);
}

/* Every prefix of the facts, and every octet of them changed. */
static void bad_facts(void)
{
	AUTO_BUF buf changed = buf_new(1024 * 1024);
	for (size_t n = 0; n < t.facts.n; n += 7) {
		struct courier_account_delivered is = deliver(9, str_sub(t.facts, 0, n));
		assert_int_equal(is.verdict, COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE);
		assert_true(is.text.n > 0);
	}
	for (size_t i = 0; i < t.facts.n; i += 3) {
		buf_clear(&changed);
		buf_put(&changed, t.facts);
		changed.p[i] = (char)~changed.p[i];
		deliver((unsigned char)(10 + i % 200), buf_str(&changed)); /* kept or not: nobody dies of it */
		arena_clear(&t.m);
		fiber_on_loop_stack(find_facts, NULL);
	}
	assert_int_equal(deliver(255, t.facts).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_KEPT);
}

static void outlives_facts_that_are_nonsense(void **state)
{
	(void)state;
	run_in_room(bad_facts);
}

static struct courier_account_delivered deliver_sealed(unsigned char id, str wrapped, const trace_id *bound_to)
{
	const struct item i = {1700000000, STR("a"), STR("user@example.test"), STR("X: y\r\n"), t.facts, STR(ROOM_MAIL)};
	AUTO_BUF buf sealed = buf_new(1024 * 1024);
	struct courier_account_delivered is;
	assert_ok(item_seal(&i, bound_to, item_key, &sealed));
	struct courier_account_deliver_sealed m = {
		.delivery = {{id}}, .wrapped = wrapped, .sealed = body_of(buf_str(&sealed))};
	assert_ok(courier_account_deliver_sealed_call(t.courier, NULL, &m, &t.m, &is));
	return is;
}

static void from_the_queue(void)
{
	const trace_id one = {{1}}, two = {{2}};
	assert_int_equal(deliver_sealed(1, STR("wrapping"), &one).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_KEPT);
	assert_int_equal(deliver_sealed(1, STR("wrapping"), &one).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_DUPLICATE);
	assert_int_equal(deliver_sealed(2, STR("another"), &two).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE);
	assert_int_equal(deliver_sealed(2, STR("wrapping"), &one).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE);
	assert_int_equal(messages(), 1);
}

static void opens_what_the_queue_held(void **state)
{
	(void)state;
	run_in_room(from_the_queue);
}

static void room_for_letters(void)
{
	struct auth_account_quota q = {.octets = 1000};
	struct auth_account_quota_set set;
	struct courier_account_may_take m = {.size = 500};
	struct courier_account_may_take_is is;
	assert_ok(auth_account_quota_call(t.auth, NULL, &q, &t.m, &set));
	assert_ok(courier_account_may_take_call(t.courier, NULL, &m, &t.m, &is));
	assert_int_equal(is.verdict, COURIER_ACCOUNT_TAKE_VERDICT_YES);
	assert_int_equal(is.headroom, 1000);
	m.size = 2000; /* more than the quota ever has */
	assert_ok(courier_account_may_take_call(t.courier, NULL, &m, &t.m, &is));
	assert_int_equal(is.verdict, COURIER_ACCOUNT_TAKE_VERDICT_TOO_LARGE);
	deliver(1, t.facts);
	m.size = 990;
	assert_ok(courier_account_may_take_call(t.courier, NULL, &m, &t.m, &is));
	assert_int_equal(is.verdict, COURIER_ACCOUNT_TAKE_VERDICT_OVER_QUOTA);
	q.octets = 0;
	assert_ok(auth_account_quota_call(t.auth, NULL, &q, &t.m, &set));
	m.size = options_number(&account.options, OPT_MESSAGE_SIZE) + 1;
	assert_ok(courier_account_may_take_call(t.courier, NULL, &m, &t.m, &is));
	assert_int_equal(is.verdict, COURIER_ACCOUNT_TAKE_VERDICT_TOO_LARGE);
	account.store = NULL; /* as while it is being closed */
	assert_int_equal(courier_account_may_take_call(t.courier, NULL, &m, &t.m, &is).kind, FAIL_BUSY);
	assert_int_equal(deliver(1, t.facts).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE);
}

static void says_whether_there_is_room(void **state)
{
	(void)state;
	run_in_room(room_for_letters);
}

/* ---- check */

static struct auth_account_checked check(bool repair)
{
	struct auth_account_check q = {.repair = repair};
	struct auth_account_checked is;
	assert_ok(auth_account_check_call(t.auth, NULL, &q, &t.m, &is));
	return is;
}

static result hurt(struct db *db, void *arg)
{
	(void)arg;
	return db_exec(db, "UPDATE counts SET messages=7 WHERE id=1");
}

static void checks(void)
{
	deliver(1, t.facts);
	struct auth_account_checked is = check(false);
	assert_int_equal(is.findings.n + is.more, 0);
	assert_int_equal(is.messages, 1);
	struct commit_job job = {hurt, NULL, NULL, true, false};
	assert_ok(committer_do(account.store->committer, &job));
	is = check(false);
	assert_int_equal(is.findings.n, 1);
	assert_str(is.findings.p[0].sentence, STR("Mailbox INBOX counts 7 messages of 75 octets, it holds 1 of 75."));
	assert_false(is.findings.p[0].repaired);
	is = check(true);
	assert_true(is.findings.n == 1 && is.findings.p[0].repaired);
	assert_int_equal(check(false).findings.n, 0);
	struct store *s = account.store;
	account.store = NULL; /* as while it is being closed */
	struct auth_account_check q = {0};
	assert_int_equal(auth_account_check_call(t.auth, NULL, &q, &t.m, &is).kind, FAIL_BUSY);
	account.store = s;
}

static void checks_and_repairs(void **state)
{
	(void)state;
	run_in_room(checks);
}

/* ---- sessions */

static str first_line(enum auth_account_protocol protocol, struct stream **client)
{
	int ends[2];
	str line;
	assert_ok(net_pair(SOCK_STREAM, ends));
	struct auth_account_session m = {
		.protocol = protocol,
		.user = STR("user@example.test"),
		.client = STR("192.0.2.1"),
		.tag = STR("a1"),
		.socket = ends[1],
	};
	struct auth_account_session_taken taken;
	assert_ok(auth_account_session_call(t.auth, NULL, &m, &t.m, &taken));
	close(ends[1]);
	assert_ok(stream_open(ends[0], client));
	stream_set_idle(*client, 10000);
	assert_ok(stream_read_line(*client, 4000, LINE_CRLF, &line));
	return arena_dup(&t.m, line);
}

static void sessions_of_all_kinds(void)
{
	struct stream *imap, *pop3, *sieve;
	str some;
	assert_true(str_starts(first_line(AUTH_ACCOUNT_PROTOCOL_IMAP, &imap), STR("a1 OK [CAPABILITY ")));
	assert_int_equal(account.sessions, 1);
	assert_true(str_starts(first_line(AUTH_ACCOUNT_PROTOCOL_POP3, &pop3), STR("+OK ")));
	assert_int_equal(account.sessions, 2);
	assert_true(str_starts(first_line(AUTH_ACCOUNT_PROTOCOL_MANAGESIEVE, &sieve), STR("BYE ")));
	assert_int_equal(stream_read_some(sieve, &some).kind, FAIL_CLOSED);
	assert_int_equal(account.sessions, 2);
	stream_free(&imap);
	stream_free(&pop3);
	stream_free(&sieve);
	for (int i = 0; i < 1000 && account.sessions; i++)
		assert_ok(fiber_sleep(1));
	assert_int_equal(account.sessions, 0);
	account.sessions = (uint32_t)options_number(&account.options, OPT_SESSIONS);
	assert_true(str_starts(first_line(AUTH_ACCOUNT_PROTOCOL_IMAP, &imap), STR("a1 NO [LIMIT] ")));
	assert_true(str_starts(first_line(AUTH_ACCOUNT_PROTOCOL_POP3, &pop3), STR("-ERR [SYS/TEMP] ")));
	assert_int_equal(stream_read_some(pop3, &some).kind, FAIL_CLOSED);
	account.sessions = 0;
	stream_free(&imap);
	stream_free(&pop3);
	t.stopping = true;
	assert_true(str_starts(first_line(AUTH_ACCOUNT_PROTOCOL_IMAP, &imap), STR("a1 NO [UNAVAILABLE] ")));
	assert_true(str_starts(first_line(AUTH_ACCOUNT_PROTOCOL_POP3, &pop3), STR("-ERR [SYS/TEMP] ")));
	t.stopping = false;
	stream_free(&imap);
	stream_free(&pop3);
}

static void takes_sessions_from_auth(void **state)
{
	(void)state;
	run_in_room(sessions_of_all_kinds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_each_letter_once),
		cmocka_unit_test(outlives_facts_that_are_nonsense),
		cmocka_unit_test(opens_what_the_queue_held),
		cmocka_unit_test(says_whether_there_is_room),
		cmocka_unit_test(checks_and_repairs),
		cmocka_unit_test(takes_sessions_from_auth),
	};
	return failed(charset_preload()) ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
