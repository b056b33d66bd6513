/* People who come to the administration over the network: who gets a session, what it
 * may do, and what ends it. */
#include "auth/auth_kit.h"

#include <stdio.h>

#include "run/clock.h"
#include "run/random.h"

#define ANNA "anna@example.test"
#define CHIEF "chief@example.test"
#define GOOD "four easy words here" /* of kit_admin too */
#define HERE "192.0.2.7"

enum { NOW_S = 1700000000 };

/* ---- the table of sessions ---- */

static unsigned char token[VISITOR_TOKEN];
static str shown(const unsigned char t[VISITOR_TOKEN])
{
	return str_of((const char *)t, VISITOR_TOKEN);
}

static void a_session_ends_when_idle_and_when_old(void **state)
{
	struct visitors v;
	(void)state;
	visitors_init(&v);
	assert_ok(visitors_give(&v, (struct visitor){.account = 7, .factor = true}, 1000, token));
	const struct visitor *who = visitors_use(&v, shown(token), 1000 + VISITOR_IDLE_MS - 1);
	assert_true(who && who->account == 7 && who->factor);
	assert_null(visitors_use(&v, shown(token), 1000 + 2 * (uint64_t)VISITOR_IDLE_MS - 1));
	assert_int_equal(v.table.n, 0);
	assert_ok(visitors_give(&v, (struct visitor){.account = 7}, 1000, token));
	for (uint64_t t = 1000; t < 1000 + VISITOR_LONGEST_MS; t += VISITOR_IDLE_MS / 2)
		assert_non_null(visitors_use(&v, shown(token), t));
	assert_null(visitors_use(&v, shown(token), 1000 + VISITOR_LONGEST_MS));
	visitors_free(&v);
}

static void the_token_itself_is_nowhere(void **state)
{
	struct visitors v;
	unsigned char other[VISITOR_TOKEN] = {1};
	(void)state;
	visitors_init(&v);
	assert_ok(visitors_give(&v, (struct visitor){.account = 7}, 0, token));
	assert_null(visitors_use(&v, shown(other), 0));
	assert_null(visitors_use(&v, STR(""), 0));
	str key;
	void *value;
	size_t at = 0;
	assert_true(hash_each(&v.table, &at, &key, &value));
	assert_true(key.n == VISITOR_TOKEN && memcmp(key.p, token, VISITOR_TOKEN) != 0);
	assert_null(visitors_use(&v, key, 0)); /* who reads the table has no token */
	visitors_free(&v);
}

static void sessions_are_bounded(void **state)
{
	struct visitors v;
	unsigned char first[VISITOR_TOKEN], second[VISITOR_TOKEN];
	(void)state;
	visitors_init(&v);
	assert_ok(visitors_give(&v, (struct visitor){.account = 1}, 0, first));
	assert_ok(visitors_give(&v, (struct visitor){.account = 2}, 0, second));
	for (int i = 0; i < VISITORS_EACH; i++)
		assert_ok(visitors_give(&v, (struct visitor){.account = 2}, 0, token));
	assert_null(visitors_use(&v, shown(second), 0)); /* its own newer ones took its place, and nobody else's */
	assert_non_null(visitors_use(&v, shown(first), 0));
	for (uint64_t i = 0; i < VISITORS_MAX; i++)
		assert_ok(visitors_give(&v, (struct visitor){.account = 10 + i}, 0, token));
	assert_int_equal(v.table.n, VISITORS_MAX);
	assert_null(visitors_use(&v, shown(first), 0));
	visitors_end_account(&v, 10 + VISITORS_MAX - 1, "test");
	assert_null(visitors_use(&v, shown(token), 0));
	visitors_free(&v);
}

/* ---- who gets one ---- */

static char said[300];

/* "kind: sentence"; "yes" with the session in `token`, "chief" where it may administrate. */
static const char *log_in(const char *user, const char *password, const char *code)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct visitor_auth_logged_in is;
	const struct visitor_auth_login m = {.user = str_from(user), .password = str_from(password), .code = str_from(code),
		.client = STR(HERE), .trusted = true};
	result r = visitor_auth_login_call(kit.visitor, NULL, &m, &a, &is);
	if (failed(r)) {
		snprintf(said, sizeof said, "%s: %s", fail_name(r.kind), r.text);
		return said;
	}
	assert_str(is.person.address, str_from(user));
	memcpy(token, is.token, sizeof token);
	return is.person.administrator ? "chief" : "yes";
}

static const char *use(const char *client)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct visitor_auth_session_is is;
	struct visitor_auth_session m = {.client = str_from(client)};
	memcpy(m.token, token, sizeof token);
	result r = visitor_auth_session_call(kit.visitor, NULL, &m, &a, &is);
	return failed(r) ? fail_name(r.kind) : is.person.administrator ? "chief" : "yes";
}

static bool says(const char *text, const char *part)
{
	return str_find(str_from(text), str_from(part)) != STR_NONE;
}

static const char *code_at(const struct kit_factor *f, int64_t at)
{
	static char code[TOTP_DIGITS + 1];
	second_factor_code(f->secret, at, code);
	return code;
}

static void demand(bool demanded)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	assert_ok(web_auth_domain_second_factor_call(kit.web, NULL,
		&(struct web_auth_domain_second_factor){.name = STR("example.test"), .demanded = demanded}, &a, &done));
}

static void set_admin(const char *address, bool administrator)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	assert_ok(web_auth_account_admin_call(kit.web, NULL,
		&(struct web_auth_account_admin){.address = str_from(address), .administrator = administrator}, &a, &done));
}

static void people_are_there(void)
{
	assert_ok(kit_domain("example.test"));
	assert_ok(kit_admin(CHIEF));
	assert_ok(kit_account(ANNA, GOOD));
}

static void an_owner_needs_a_password(void)
{
	people_are_there();
	assert_string_equal(log_in(ANNA, GOOD, ""), "yes");
	assert_string_equal(use(HERE), "yes");
	assert_int_equal(kit.events[EV_LOGIN], 1);
	assert_true(says(log_in(ANNA, "four easy words there", ""), "denied: User name, password or code is wrong"));
	assert_true(says(log_in("nobody@example.test", GOOD, ""), "denied: User name, password or code is wrong"));
	assert_int_equal(kit.events[EV_LOGIN_FAILED], 2);
}

static void an_administrator_needs_a_code(void)
{
	struct kit_factor f;
	people_are_there();
	assert_true(says(log_in(CHIEF, GOOD, ""), "denied: Administrators need a second factor"));
	assert_true(says(log_in(CHIEF, GOOD, "123456"), "denied: Administrators need a second factor"));
	kit_totp(CHIEF, &f);
	clock_test_hold((int64_t)NOW_S * 1000);
	assert_true(says(log_in(CHIEF, GOOD, ""), "denied: This account has a second factor; send its code"));
	assert_true(says(log_in(CHIEF, GOOD, "000000"), "denied: User name, password or code is wrong"));
	/* a code is not used up by a wrong password */
	assert_true(says(log_in(CHIEF, "four easy words there", code_at(&f, NOW_S)), "denied: "));
	assert_string_equal(log_in(CHIEF, GOOD, code_at(&f, NOW_S)), "chief");
	assert_string_equal(use(HERE), "chief");
	assert_true(says(log_in(CHIEF, GOOD, code_at(&f, NOW_S)), "denied: "));
	assert_string_equal(log_in(CHIEF, GOOD, f.recovery[3]), "chief");
	assert_true(says(log_in(CHIEF, GOOD, f.recovery[3]), "denied: "));
	clock_test_release();
}

static void a_domain_demands_it_of_everybody(void)
{
	struct kit_factor f;
	people_are_there();
	assert_string_equal(log_in(ANNA, GOOD, ""), "yes");
	demand(true);
	assert_string_equal(use(HERE), "absent"); /* sessions from before, too */
	assert_true(says(log_in(ANNA, GOOD, ""), "denied: This domain demands a second factor"));
	kit_totp(ANNA, &f);
	assert_string_equal(log_in(ANNA, GOOD, f.recovery[0]), "yes");
	assert_string_equal(use(HERE), "yes");
}

static void app_passwords_and_edges_do_not_come_in(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_app_password_added app;
	people_are_there();
	assert_ok(web_auth_app_password_add_call(kit.web, NULL,
		&(struct web_auth_app_password_add){.account = STR(ANNA), .name = STR("phone")}, &a, &app));
	assert_true(says(log_in(ANNA, arena_cstr(&a, app.secret), ""), "denied: An app password is for mail programs"));
	const struct edge_auth_login m = {.protocol = EDGE_AUTH_PROTOCOL_ADMIN, .user = STR(ANNA), .password = STR(GOOD),
		.client = STR(HERE), .encrypted = true};
	struct edge_auth_login_is is;
	assert_int_equal(edge_auth_login_call(kit.edge, NULL, &m, &a, &is).kind, FAIL_DENIED);
}

static void codes_are_checked_one_at_a_time(void)
{
	struct kit_factor f;
	people_are_there();
	kit_totp(CHIEF, &f);
	book_account(&auth.directory->book, 1)->coding = true;
	assert_true(says(log_in(CHIEF, GOOD, f.recovery[0]), "busy: "));
	book_account(&auth.directory->book, 1)->coding = false;
	assert_string_equal(log_in(CHIEF, GOOD, f.recovery[0]), "chief");
}

static void who_guesses_waits(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct visitor_auth_logged_in is;
	const struct visitor_auth_login m = {.user = STR(ANNA), .password = STR("wrong"), .client = STR("198.51.100.1")};
	people_are_there();
	for (int i = 0; i < THROTTLE_FREE; i++)
		assert_int_equal(visitor_auth_login_call(kit.visitor, NULL, &m, &a, &is).kind, FAIL_DENIED);
	uint64_t before = clock_mono_ms();
	assert_int_equal(visitor_auth_login_call(kit.visitor, NULL, &m, &a, &is).kind, FAIL_DENIED);
	assert_true(clock_mono_ms() - before >= THROTTLE_STEP);
}

/* ---- what ends it, and what it may ---- */

static void rights_are_asked_anew(void)
{
	struct kit_factor f;
	people_are_there();
	kit_totp(CHIEF, &f);
	assert_string_equal(log_in(CHIEF, GOOD, f.recovery[0]), "chief");
	set_admin(CHIEF, false);
	assert_string_equal(use(HERE), "yes");
	set_admin(CHIEF, true);
	assert_string_equal(use(HERE), "chief");
	assert_string_equal(log_in(ANNA, GOOD, ""), "yes");
	set_admin(ANNA, true); /* who has shown no code is no administrator yet */
	assert_string_equal(use(HERE), "absent");
	kit_close();
	kit_open();
	assert_true(book_account(&auth.directory->book, 2)->admin);
}

static void change_password(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	assert_ok(web_auth_account_password_call(kit.web, NULL,
		&(struct web_auth_account_password){.address = STR(ANNA), .password = STR("five quite other words here")},
		&a, &done));
}

static void disable(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	assert_ok(web_auth_account_disable_call(kit.web, NULL,
		&(struct web_auth_account_disable){.address = STR(ANNA), .disabled = true}, &a, &done));
}

static void contain(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	assert_ok(web_auth_account_contain_call(kit.web, NULL,
		&(struct web_auth_account_contain){.address = STR(ANNA), .reason = STR("test")}, &a, &done));
}

static void make_factor(void)
{
	struct kit_factor f;
	kit_totp(ANNA, &f);
}

static void erase(void)
{
	assert_ok(kit_delete_account(ANNA));
}

static void leave(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct visitor_auth_logged_out done;
	struct visitor_auth_logout m;
	memcpy(m.token, token, sizeof token);
	assert_ok(visitor_auth_logout_call(kit.visitor, NULL, &m, &a, &done));
}

static void (*ending)(void);

static void it_is_over_then(void)
{
	people_are_there();
	assert_string_equal(log_in(ANNA, GOOD, ""), "yes");
	assert_string_equal(use(HERE), "yes");
	ending();
	assert_string_equal(use(HERE), "absent");
	assert_int_equal(kit.events[EV_LOGOUT], 1);
}

static void what_ends_a_session(void **state)
{
	static void (*const ends[])(void) = {change_password, disable, contain, make_factor, erase, leave};
	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		ending = ends[i];
		kit_run(it_is_over_then);
	}
}

static void turning_the_factor_off_ends_what_it_proved(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct kit_factor f;
	struct web_auth_done done;
	people_are_there();
	kit_totp(CHIEF, &f);
	assert_string_equal(log_in(CHIEF, GOOD, f.recovery[0]), "chief");
	assert_ok(web_auth_second_factor_off_call(kit.web, NULL,
		&(struct web_auth_second_factor_off){.account = STR(CHIEF)}, &a, &done));
	assert_string_equal(use(HERE), "absent");
}

static void rules_hold_at_the_door_and_inside(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_rule_added rule;
	str protocol = STR("admin"), network = STR("192.0.2.0/24");
	people_are_there();
	assert_ok(web_auth_rule_add_call(kit.web, NULL, &(struct web_auth_rule_add){.account = STR(ANNA),
		.protocols = {&protocol, 1}, .networks = {&network, 1}}, &a, &rule));
	assert_string_equal(log_in(ANNA, GOOD, ""), "yes");
	assert_string_equal(use(HERE), "yes");
	assert_string_equal(use("198.51.100.7"), "denied");
	network = STR("198.51.100.0/24");
	struct web_auth_done done;
	assert_ok(web_auth_rule_delete_call(kit.web, NULL,
		&(struct web_auth_rule_delete){.account = STR(ANNA), .rule = rule.rule}, &a, &done));
	assert_ok(web_auth_rule_add_call(kit.web, NULL, &(struct web_auth_rule_add){.account = STR(ANNA),
		.protocols = {&protocol, 1}, .networks = {&network, 1}}, &a, &rule));
	assert_string_equal(use(HERE), "denied"); /* a rule that came later too */
	assert_true(says(log_in(ANNA, GOOD, ""), "denied: A rule of this account"));
}

#define ON_KIT(NAME) static void NAME##_test(void **state) { (void)state; kit_run(NAME); }
ON_KIT(an_owner_needs_a_password)
ON_KIT(an_administrator_needs_a_code)
ON_KIT(a_domain_demands_it_of_everybody)
ON_KIT(app_passwords_and_edges_do_not_come_in)
ON_KIT(codes_are_checked_one_at_a_time)
ON_KIT(who_guesses_waits)
ON_KIT(rights_are_asked_anew)
ON_KIT(turning_the_factor_off_ends_what_it_proved)
ON_KIT(rules_hold_at_the_door_and_inside)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_ends_when_idle_and_when_old),
		cmocka_unit_test(the_token_itself_is_nowhere),
		cmocka_unit_test(sessions_are_bounded),
		cmocka_unit_test(an_owner_needs_a_password_test),
		cmocka_unit_test(an_administrator_needs_a_code_test),
		cmocka_unit_test(a_domain_demands_it_of_everybody_test),
		cmocka_unit_test(app_passwords_and_edges_do_not_come_in_test),
		cmocka_unit_test(codes_are_checked_one_at_a_time_test),
		cmocka_unit_test(who_guesses_waits_test),
		cmocka_unit_test(rights_are_asked_anew_test),
		cmocka_unit_test(what_ends_a_session),
		cmocka_unit_test(turning_the_factor_off_ends_what_it_proved_test),
		cmocka_unit_test(rules_hold_at_the_door_and_inside_test),
	};
	if (failed(random_open()) || failed(second_factor_start()))
		return 1;
	return cmocka_run_group_tests_name("auth-visitor", tests, NULL, NULL);
}
