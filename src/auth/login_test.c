#include "auth/auth_kit.h"

#include <stdio.h>
#include <unistd.h>

#include "auth/login.h"
#include "base/log.h"
#include "run/clock.h"
#include "run/fiber.h"

#define ANNA "anna@example.test"
#define GOOD "four easy words here"

static void anna_is_there(void)
{
	assert_ok(kit_domain("example.test"));
	assert_ok(kit_account(ANNA, GOOD));
}

static enum edge_auth_login_verdict try(const char *user, const char *password)
{
	return kit_login(user, password, EDGE_AUTH_PROTOCOL_SMTP).verdict;
}

static void only_the_right_password_opens(void)
{
	anna_is_there();
	assert_int_equal(try(ANNA, GOOD), EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	assert_int_equal(try("ANNA@EXAMPLE.TEST", GOOD), EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	assert_int_equal(try(ANNA, "four easy words there"), EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	assert_int_equal(try(ANNA, ""), EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	assert_int_equal(try("nobody@example.test", GOOD), EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	assert_int_equal(try("", ""), EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	assert_int_equal(kit.events[EV_LOGIN], 2);
	assert_int_equal(kit.events[EV_LOGIN_FAILED], 4);
}

static void an_event_never_holds_the_password(void)
{
	anna_is_there();
	try(ANNA, "a secret that is wrong");
	str record = str_of(kit.last_fields, kit.last_n);
	assert_true(str_find(record, STR(ANNA)) != STR_NONE);
	assert_true(str_find(record, STR("192.0.2.7")) != STR_NONE);
	assert_true(str_find(record, STR("a secret")) == STR_NONE);
}

static void nobody_acts_for_another(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct edge_auth_login_is is;
	anna_is_there();
	struct edge_auth_login m = {.authzid = STR("otto@example.test"), .user = STR(ANNA), .password = STR(GOOD),
				    .client = STR("192.0.2.7")};
	assert_ok(edge_auth_login_call(kit.edge, NULL, &m, &a, &is));
	assert_int_equal(is.verdict, EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	m.authzid = STR("Anna@Example.Test");
	assert_ok(edge_auth_login_call(kit.edge, NULL, &m, &a, &is));
	assert_int_equal(is.verdict, EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
}

static uint64_t us_of(const char *user, const char *password)
{
	uint64_t before = clock_mono_ns();
	try(user, password);
	return (clock_mono_ns() - before) / 1000;
}

/* The least of a few: whatever else the machine does only makes one longer. */
static uint64_t least_of(const char *user, const char *password)
{
	uint64_t least = UINT64_MAX;
	for (int i = 0; i < 5; i++) {
		uint64_t us = us_of(user, password);
		least = us < least ? us : least;
	}
	return least;
}

/* An Argon2id of 8 MiB is some 10,000 microseconds, a digest some 100. */
static void the_unknown_cost_the_same_and_the_recent_nothing(void)
{
	anna_is_there();
	try(ANNA, GOOD);
	uint64_t recent = least_of(ANNA, GOOD), wrong = least_of(ANNA, "another password"),
		 unknown = least_of("nobody@example.test", GOOD);
	assert_true(recent < wrong / 2);
	assert_true(unknown > wrong / 3);
}

static void change_password(const char *password)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	struct web_auth_account_password m = {.address = STR(ANNA), .password = str_from(password)};
	assert_ok(web_auth_account_password_call(kit.web, NULL, &m, &a, &done));
}

static void disable(bool disabled)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	struct web_auth_account_disable m = {.address = STR(ANNA), .disabled = disabled};
	assert_ok(web_auth_account_disable_call(kit.web, NULL, &m, &a, &done));
}

static void a_changed_password_ends_the_old_one(void)
{
	anna_is_there();
	struct edge_auth_login_is in = kit_login(ANNA, GOOD, EDGE_AUTH_PROTOCOL_SMTP);
	assert_true(kit_may_send(&in.token, ANNA));
	change_password("five quite different words here");
	assert_int_equal(try(ANNA, GOOD), EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	assert_false(kit_may_send(&in.token, ANNA));
	assert_int_equal(try(ANNA, "five quite different words here"), EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
}

static void the_disabled_learn_it_only_with_their_password(void)
{
	anna_is_there();
	struct edge_auth_login_is in = kit_login(ANNA, GOOD, EDGE_AUTH_PROTOCOL_SMTP);
	disable(true);
	assert_int_equal(try(ANNA, GOOD), EDGE_AUTH_LOGIN_VERDICT_DISABLED);
	assert_int_equal(try(ANNA, "wrong"), EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	assert_false(kit_may_send(&in.token, ANNA));
	assert_int_equal(kit_recipient(ANNA).verdict, EDGE_AUTH_RECIPIENT_VERDICT_DISABLED);
	disable(false);
	assert_int_equal(try(ANNA, GOOD), EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
}

static void guessing_gets_slower_and_nobody_is_locked_out(void)
{
	uint32_t last = 0;
	anna_is_there();
	for (int i = 0; i < THROTTLE_FREE + 4; i++) {
		uint32_t now = kit_login(ANNA, "wrong", EDGE_AUTH_PROTOCOL_SMTP).delay;
		assert_true(now >= last);
		last = now;
	}
	assert_true(last >= 4 * THROTTLE_STEP);
	struct edge_auth_login_is in = kit_login(ANNA, GOOD, EDGE_AUTH_PROTOCOL_SMTP);
	assert_int_equal(in.verdict, EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	assert_true(in.delay > 0); /* the same network guessed */
}

static uint32_t delay_from(const char *client)
{
	kit.client = client;
	return kit_login(ANNA, "wrong", EDGE_AUTH_PROTOCOL_SMTP).delay;
}

static void guesses_from_elsewhere_do_not_slow_the_owner(void)
{
	char client[32];
	anna_is_there();
	for (int i = 0; i < 10; i++) {
		snprintf(client, sizeof client, "198.51.%d.7", i);
		delay_from(client);
	}
	assert_true(delay_from("192.0.2.99") > 0);
	assert_int_equal(delay_from(KIT_USUAL_CLIENT), 0);
	for (int i = 0; i < THROTTLE_FREE; i++)
		delay_from(KIT_USUAL_CLIENT);
	assert_true(delay_from(KIT_USUAL_CLIENT) > 0); /* what they do themselves is another thing */
}

/* As many as wait from there; what they wait for is not looked at. */
static void wait_from(const char *client, size_t n, struct turn *turns)
{
	for (size_t i = 0; i < n; i++)
		assert_ok(turn_take(&auth.turns, str_from(client), &turns[i]));
}

static void who_guesses_in_parallel_takes_nobodys_place(void)
{
	struct turn turns[TURNS_FREE];
	anna_is_there();
	wait_from("198.51.100.1", TURNS_FREE, turns);
	kit.client = "198.51.100.200";
	assert_int_equal(try(ANNA, GOOD), EDGE_AUTH_LOGIN_VERDICT_LATER);
	kit.client = "198.51.101.1";
	assert_int_equal(try(ANNA, GOOD), EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	kit.client = "198.51.100.200";
	assert_int_equal(try(ANNA, GOOD), EDGE_AUTH_LOGIN_VERDICT_ACCEPTED); /* known from just now: not checked again */
	turn_give(&auth.turns, &turns[0]);
	assert_int_equal(try(ANNA, "wrong"), EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	for (size_t i = 1; i < TURNS_FREE; i++)
		turn_give(&auth.turns, &turns[i]);
	assert_int_equal(auth.turns.n, 0);
	assert_int_equal(auth.turns.waiting.n, 0);
}

static void a_token_works_on_its_channel_until_logout(void)
{
	anna_is_there();
	struct edge_auth_login_is in = kit_login(ANNA, GOOD, EDGE_AUTH_PROTOCOL_SMTP);
	assert_true(kit_may_send(&in.token, ANNA));
	assert_true(kit_may_send(&in.token, ""));
	assert_false(kit_may_send(&in.token, "otto@example.test"));
	assert_false(kit_may_send(&(trace_id){{0}}, ANNA));
	assert_int_equal(tokens_account(&auth.tokens, &kit + 1, &in.token), 0);
	assert_ok(edge_auth_logout_send(kit.edge, NULL, &(struct edge_auth_logout){.token = in.token}));
	assert_false(kit_may_send(&in.token, ANNA));
	in = kit_login(ANNA, GOOD, EDGE_AUTH_PROTOCOL_SMTP);
	edge_left((struct room_visitor *)(void *)&kit);
	assert_false(kit_may_send(&in.token, ANNA));
}

static void a_session_is_handed_to_the_account(void)
{
	char said[6];
	ssize_t n = -1;
	anna_is_there();
	struct edge_auth_login_is in = kit_login("ANNA@example.test", GOOD, EDGE_AUTH_PROTOCOL_IMAP);
	assert_int_equal(in.verdict, EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	assert_true(in.session >= 0);
	for (int i = 0; i < 1000 && n < 0; i++) {
		n = read(in.session, said, sizeof said);
		if (n < 0)
			assert_ok(fiber_sleep(1));
	}
	assert_str(str_of(said, (size_t)n), STR("* OK\r\n"));
	assert_str(str_from(kit.session_user), STR(ANNA));
	close(in.session);
	kit.account_down = true;
	in = kit_login(ANNA, GOOD, EDGE_AUTH_PROTOCOL_IMAP);
	assert_int_equal(in.verdict, EDGE_AUTH_LOGIN_VERDICT_UNAVAILABLE);
	assert_true(in.session < 0);
}

struct crowd {
	int came, later, refused, left;
	struct gate done;
};

static void one_of_many(void *arg)
{
	struct crowd *c = arg;
	char client[32];
	snprintf(client, sizeof client, "198.51.%d.7", ++c->came);
	kit.client = client;
	enum edge_auth_login_verdict v = try("nobody@example.test", "wrong");
	c->later += v == EDGE_AUTH_LOGIN_VERDICT_LATER;
	c->refused += v == EDGE_AUTH_LOGIN_VERDICT_REFUSED;
	c->left--;
	gate_wake_all(&c->done);
}

static void too_many_logins_wait_while_look_ups_go_on(void)
{
	struct crowd c = {.left = CHECKER_WAITING + 40};
	anna_is_there();
	gate_init(&c.done);
	for (int i = c.left; i > 0; i--)
		assert_ok(fiber_start(one_of_many, &c, "one of many", NULL));
	assert_ok(fiber_sleep(20));
	uint64_t before = clock_mono_ms();
	assert_int_equal(kit_recipient(ANNA).verdict, EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED);
	assert_true(c.left > 0); /* hashing is still under way */
	assert_true(clock_mono_ms() - before < 1000);
	while (c.left > 0)
		assert_ok(gate_wait(&c.done, 60000));
	assert_true(c.later > 0);
	assert_true(c.refused >= CHECKER_WAITING);
}

#define ON_KIT(NAME) static void NAME##_test(void **state) { (void)state; kit_run(NAME); }
ON_KIT(only_the_right_password_opens)
ON_KIT(an_event_never_holds_the_password)
ON_KIT(nobody_acts_for_another)
ON_KIT(the_unknown_cost_the_same_and_the_recent_nothing)
ON_KIT(a_changed_password_ends_the_old_one)
ON_KIT(the_disabled_learn_it_only_with_their_password)
ON_KIT(guessing_gets_slower_and_nobody_is_locked_out)
ON_KIT(guesses_from_elsewhere_do_not_slow_the_owner)
ON_KIT(who_guesses_in_parallel_takes_nobodys_place)
ON_KIT(a_token_works_on_its_channel_until_logout)
ON_KIT(a_session_is_handed_to_the_account)
ON_KIT(too_many_logins_wait_while_look_ups_go_on)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_right_password_opens_test),
		cmocka_unit_test(an_event_never_holds_the_password_test),
		cmocka_unit_test(nobody_acts_for_another_test),
		cmocka_unit_test(the_unknown_cost_the_same_and_the_recent_nothing_test),
		cmocka_unit_test(a_changed_password_ends_the_old_one_test),
		cmocka_unit_test(the_disabled_learn_it_only_with_their_password_test),
		cmocka_unit_test(guessing_gets_slower_and_nobody_is_locked_out_test),
		cmocka_unit_test(guesses_from_elsewhere_do_not_slow_the_owner_test),
		cmocka_unit_test(who_guesses_in_parallel_takes_nobodys_place_test),
		cmocka_unit_test(a_token_works_on_its_channel_until_logout_test),
		cmocka_unit_test(a_session_is_handed_to_the_account_test),
		cmocka_unit_test(too_many_logins_wait_while_look_ups_go_on_test),
	};
	return cmocka_run_group_tests_name("auth-login", tests, NULL, NULL);
}
