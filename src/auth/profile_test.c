/* What an account may send in an hour and a day, and what of that survives. */
#include "auth/auth_kit.h"

#include "engine/committer.h"
#include "run/clock.h"

#define ANNA "anna@example.test"
#define GOOD "four easy words here"

enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS };

static trace_id token;

static void anna_logs_in(void)
{
	struct edge_auth_login_is is = kit_login(ANNA, GOOD, EDGE_AUTH_PROTOCOL_SMTP);
	assert_int_equal(is.verdict, EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	token = is.token;
}

static void begin(const char *hour, const char *first)
{
	clock_test_hold(1795341600000); /* 2026-11-22 10:00 */
	assert_ok(kit_domain("example.test"));
	assert_ok(kit_account(ANNA, GOOD));
	assert_ok(options_set(&auth.options, OPT_SEND_HOUR, str_from(hour)));
	assert_ok(options_set(&auth.options, OPT_FIRST_HOUR, str_from(first)));
	anna_logs_in();
}

static char why[EDGE_AUTH_RECIPIENT_IS_WHY_MAX + 1];

static bool may_write(const char *address)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct edge_auth_recipient m = {.token = token, .address = str_from(address)};
	struct edge_auth_recipient_is is;
	assert_ok(edge_auth_recipient_call(kit.edge, NULL, &m, &a, &is));
	memset(why, 0, sizeof why);
	memcpy(why, is.why.p ? is.why.p : "", is.why.n);
	assert_true((is.verdict == EDGE_AUTH_RECIPIENT_VERDICT_ELSEWHERE) == (is.why.n == 0));
	return is.verdict == EDGE_AUTH_RECIPIENT_VERDICT_ELSEWHERE;
}

static struct profile_counts counts(void)
{
	struct profile_counts c;
	struct book_account *who;
	assert_ok(directory_find_account(auth.directory, STR(ANNA), &who));
	assert_ok(profile_counts(&auth.profiles, who->id, &c));
	return c;
}

static void wrote(const char *one, const char *other)
{
	str to[] = {str_from(one), str_from(other ? other : "")};
	struct edge_auth_wrote m = {.token = token, .recipients = {to, other ? 2 : 1}};
	uint64_t before = counts().sent_day;
	assert_ok(edge_auth_wrote_send(kit.edge, NULL, &m));
	for (int i = 0; i < 1000 && counts().sent_day < before + m.recipients.n; i++)
		fiber_yield();
}

static void send_to(const char *address)
{
	assert_true(may_write(address));
	wrote(address, NULL);
}

static void move_ms(uint64_t ms)
{
	clock_test_advance(ms);
	for (int i = 0; i < 50; i++)
		fiber_yield();
}

static void an_hour_has_its_limit_and_says_when_it_opens(void)
{
	begin("3", "0");
	send_to("a@far.test");
	send_to("a@far.test");
	move_ms(20 * MINUTE_MS);
	send_to("a@far.test");
	assert_false(may_write("a@far.test"));
	assert_non_null(strstr(why, "may send 3 messages an hour"));
	assert_non_null(strstr(why, "11:00 UTC on 22 Nov"));
	move_ms(39 * MINUTE_MS);
	assert_false(may_write("a@far.test"));
	move_ms(MINUTE_MS);
	send_to("a@far.test");
	send_to("a@far.test");
	assert_false(may_write("a@far.test"));
	assert_non_null(strstr(why, "11:20 UTC"));
}

static void new_correspondents_have_a_limit_of_their_own(void)
{
	begin("0", "2");
	send_to("a@far.test");
	send_to("b@far.test");
	assert_false(may_write("c@far.test"));
	assert_non_null(strstr(why, "first messages to somebody"));
	send_to("A@FAR.test"); /* the same address */
	send_to("b@far.test");
	struct profile_counts c = counts();
	assert_int_equal(c.sent_hour, 4);
	assert_int_equal(c.first_hour, 2);
	assert_int_equal(c.known, 2);
	move_ms(HOUR_MS);
	send_to("c@far.test");
	assert_int_equal(counts().first_hour, 1);
	assert_int_equal(counts().first_day, 3);
}

static void a_day_has_its_limit(void)
{
	begin("0", "0");
	assert_ok(options_set(&auth.options, OPT_SEND_DAY, STR("2")));
	send_to("a@far.test");
	move_ms(20 * HOUR_MS);
	send_to("a@far.test");
	assert_false(may_write("a@far.test"));
	assert_non_null(strstr(why, "10:00 UTC on 23 Nov"));
	move_ms(4 * HOUR_MS);
	send_to("a@far.test");
}

/* What one transaction was promised counts before it is sent. */
static void promises_count(void)
{
	begin("2", "0");
	assert_true(may_write("a@far.test"));
	assert_true(may_write("b@far.test"));
	assert_false(may_write("c@far.test"));
	move_ms(PROFILE_HOLD_MS + 1); /* nothing came of it */
	assert_true(may_write("c@far.test"));
	trace_id first = token;
	anna_logs_in();
	assert_true(may_write("d@far.test"));
	assert_false(may_write("e@far.test"));
	struct edge_auth_logout m = {.token = first};
	assert_ok(edge_auth_logout_send(kit.edge, NULL, &m));
	move_ms(0);
	assert_true(may_write("e@far.test")); /* what the other login was promised ended with it */
	wrote("d@far.test", "e@far.test");
	assert_false(may_write("f@far.test"));
	assert_int_equal(counts().sent_hour, 2);
}

static void counts_survive_a_restart(void)
{
	begin("4", "2");
	send_to("a@far.test");
	send_to("b@far.test");
	move_ms(PROFILE_FLUSH_MS + 1);
	assert_ok(profiles_flush(&auth.profiles));
	size_t commits = committer_commits(auth.directory->store);
	assert_ok(profiles_flush(&auth.profiles)); /* nothing is left to write */
	assert_int_equal(committer_commits(auth.directory->store), commits);
	kit_close();
	kit_open();
	assert_ok(options_set(&auth.options, OPT_SEND_HOUR, STR("4")));
	assert_ok(options_set(&auth.options, OPT_FIRST_HOUR, STR("2")));
	anna_logs_in();
	assert_int_equal(counts().sent_hour, 2);
	assert_false(may_write("c@far.test"));
	send_to("b@far.test");
	send_to("a@far.test");
	assert_false(may_write("a@far.test"));
}

static void who_is_erased_takes_the_counts_along(void)
{
	begin("4", "2");
	send_to("a@far.test");
	assert_ok(profiles_flush(&auth.profiles));
	assert_ok(kit_delete_account(ANNA));
	assert_ok(kit_account(ANNA, GOOD));
	assert_int_equal(counts().sent_day, 0);
	assert_int_equal(counts().known, 0);
}

static void the_oldest_correspondents_are_forgotten(void)
{
	begin("0", "0");
	struct book_account *who;
	assert_ok(directory_find_account(auth.directory, STR(ANNA), &who));
	assert_ok(profile_ready(&auth.profiles, who->id));
	for (unsigned i = 0; i < PROFILE_KNOWN + 10; i++) {
		AUTO_BUF buf b = buf_new(100);
		buf_printf(&b, "x%u@far.test", i);
		str key = buf_str(&b);
		profile_wrote(&auth.profiles, who->id, &key, 1);
		if (i == 100)
			assert_ok(profiles_flush(&auth.profiles));
	}
	assert_int_equal(counts().known, PROFILE_KNOWN);
	assert_ok(profiles_flush(&auth.profiles));
	kit_close();
	kit_open();
	anna_logs_in();
	assert_int_equal(counts().known, PROFILE_KNOWN);
	uint64_t before = counts().first_hour;
	wrote("x10@far.test", "x9@far.test"); /* the first is known still, the second is gone */
	assert_int_equal(counts().first_hour, before + 1);
}

static void a_login_asks_for_the_domain_of_from(void)
{
	begin("0", "0");
	assert_ok(kit_domain("other.test"));
	assert_true(kit_may_send(&token, "@example.test"));
	assert_false(kit_may_send(&token, "@other.test"));
	assert_false(kit_may_send(&token, "@far.test"));
	struct book_account *who;
	assert_ok(directory_find_account(auth.directory, STR(ANNA), &who));
	assert_ok(directory_grant(auth.directory, who->id, STR("sales@other.test"), true));
	assert_true(kit_may_send(&token, "@other.test"));
}

#define ON_KIT(NAME) static void test_##NAME(void **state) { (void)state; kit_run(NAME); clock_test_release(); }
ON_KIT(an_hour_has_its_limit_and_says_when_it_opens)
ON_KIT(new_correspondents_have_a_limit_of_their_own)
ON_KIT(a_day_has_its_limit)
ON_KIT(promises_count)
ON_KIT(counts_survive_a_restart)
ON_KIT(who_is_erased_takes_the_counts_along)
ON_KIT(the_oldest_correspondents_are_forgotten)
ON_KIT(a_login_asks_for_the_domain_of_from)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_hour_has_its_limit_and_says_when_it_opens),
		cmocka_unit_test(test_new_correspondents_have_a_limit_of_their_own),
		cmocka_unit_test(test_a_day_has_its_limit),
		cmocka_unit_test(test_promises_count),
		cmocka_unit_test(test_counts_survive_a_restart),
		cmocka_unit_test(test_who_is_erased_takes_the_counts_along),
		cmocka_unit_test(test_the_oldest_correspondents_are_forgotten),
		cmocka_unit_test(test_a_login_asks_for_the_domain_of_from),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
