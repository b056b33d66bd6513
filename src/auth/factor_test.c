/* Second factors, rules, and passwords whose hashes come from elsewhere. */
#include "auth/auth_kit.h"

#include <stdio.h>
#include <time.h>

#include "auth/hashes.h"
#include "auth/password.h"
#include "auth/rules.h"
#include "run/places_kit.h"
#include "auth/second_factor.h"
#include "run/clock.h"

#define ANNA "anna@example.test"
#define GOOD "four easy words here"

static void anna_is_there(void)
{
	assert_ok(kit_domain("example.test"));
	assert_ok(kit_account(ANNA, GOOD));
}

/* "verdict: why" */
static str answer(const char *password, enum edge_auth_protocol p, const char *client)
{
	static char text[300];
	AUTO_ARENA arena a = arena_new(65536);
	const struct edge_auth_login m = {.protocol = p, .user = STR(ANNA), .password = str_from(password),
		.client = str_from(client), .encrypted = true};
	struct edge_auth_login_is is;
	assert_ok(edge_auth_login_call(kit.edge, NULL, &m, &a, &is));
	snprintf(text, sizeof text, "%s: %.*s", edge_auth_login_verdict_names[is.verdict], STR_ARG(is.text));
	edge_auth_login_is_release(&is);
	return str_from(text);
}

static str by(const char *password)
{
	return answer(password, EDGE_AUTH_PROTOCOL_IMAP, "192.0.2.7");
}

/* ---- codes by time ---- */

/* RFC 6238 appendix B, its last six digits. */
static void the_codes_of_the_rfc(void **state)
{
	static const struct {
		int64_t at;
		const char *code;
	} rows[] = {{59, "287082"}, {1111111109, "081804"}, {1111111111, "050471"}, {1234567890, "005924"},
		{2000000000, "279037"}, {20000000000, "353130"}};
	char code[TOTP_DIGITS + 1];
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		second_factor_code((const unsigned char *)"12345678901234567890", rows[i].at, code);
		assert_string_equal(code, rows[i].code);
	}
}

static struct kit_factor totp(void)
{
	struct kit_factor out;
	kit_totp(ANNA, &out);
	return out;
}

static enum fail_kind check(const char *code)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	return web_auth_second_factor_check_call(kit.web, NULL,
		&(struct web_auth_second_factor_check){.account = STR(ANNA), .code = str_from(code)}, &a, &done).kind;
}

static struct web_auth_second_factor_is show(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_second_factor_is is;
	assert_ok(web_auth_second_factor_show_call(kit.web, NULL,
		&(struct web_auth_second_factor_show){.account = STR(ANNA)}, &a, &is));
	return is;
}

static void each_code_is_good_once(void)
{
	char code[TOTP_DIGITS + 1];
	anna_is_there();
	assert_int_equal(check("123456"), FAIL_ABSENT);
	struct kit_factor made = totp();
	clock_test_hold(1700000000000);
	second_factor_code(made.secret, 1700000000, code);
	assert_int_equal(check(code), FAIL_NONE);
	assert_int_equal(check(code), FAIL_DENIED);
	second_factor_code(made.secret, 1700000000 - TOTP_STEP_S, code); /* older than one that was taken */
	assert_int_equal(check(code), FAIL_DENIED);
	second_factor_code(made.secret, 1700000000 + TOTP_STEP_S, code); /* the person's clock is ahead */
	assert_int_equal(check(code), FAIL_NONE);
	clock_test_release();
	assert_int_equal(check(made.recovery[4]), FAIL_NONE);
	assert_int_equal(check(made.recovery[4]), FAIL_DENIED);
	assert_int_equal(show().codes, RECOVERY_CODES - 1);
	struct kit_factor again = totp();
	assert_int_equal(check(made.recovery[5]), FAIL_DENIED);
	assert_int_equal(check(again.recovery[5]), FAIL_NONE);
}

static void guessing_codes_gets_slower(void)
{
	anna_is_there();
	totp();
	for (int i = 0; i < THROTTLE_FREE + 1; i++)
		assert_int_equal(check("000000"), FAIL_DENIED);
	uint64_t before = clock_mono_ms();
	check("000000");
	assert_true(clock_mono_ms() - before >= THROTTLE_STEP);
}

static void with_it_on_a_password_alone_opens_nothing(void)
{
	anna_is_there();
	struct edge_auth_login_is in = kit_login(ANNA, GOOD, EDGE_AUTH_PROTOCOL_SMTP);
	assert_true(kit_may_send(&in.token, ANNA));
	totp();
	assert_false(kit_may_send(&in.token, ANNA));
	assert_int_equal(kit.ends, 1);
	assert_str(by(GOOD), STR("barred: This account has a second factor: use an app password"));
	assert_str(by("four easy words there"), STR("refused: "));
	kit_close();
	kit_open();
	assert_true(str_starts(by(GOOD), STR("barred: ")));
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_app_password_added app;
	assert_ok(web_auth_app_password_add_call(kit.web, NULL,
		&(struct web_auth_app_password_add){.account = STR(ANNA), .name = STR("phone")}, &a, &app));
	assert_str(by(arena_cstr(&a, app.secret)), STR("accepted: "));
	struct web_auth_done done;
	assert_ok(web_auth_second_factor_off_call(kit.web, NULL,
		&(struct web_auth_second_factor_off){.account = STR(ANNA)}, &a, &done));
	assert_str(by(GOOD), STR("accepted: "));
}

static void a_domain_can_demand_it(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	struct web_auth_domain_second_factor m = {.name = STR("Example.test"), .demanded = true};
	anna_is_there();
	assert_ok(web_auth_domain_second_factor_call(kit.web, NULL, &m, &a, &done));
	assert_str(by(GOOD), STR("barred: This domain demands a second factor: use an app password"));
	kit_close();
	kit_open();
	assert_true(show().demanded && !show().on);
	assert_true(str_starts(by(GOOD), STR("barred: ")));
	m.demanded = false;
	assert_ok(web_auth_domain_second_factor_call(kit.web, NULL, &m, &a, &done));
	assert_str(by(GOOD), STR("accepted: "));
}

/* ---- rules ---- */

static uint64_t rule(const char *protocol, const char *network, const char *hours)
{
	AUTO_ARENA arena a = arena_new(65536);
	str p = str_from(protocol), n = str_from(network);
	const struct web_auth_rule_add m = {.account = STR(ANNA), .protocols = {&p, p.n > 0}, .networks = {&n, n.n > 0},
		.hours = str_from(hours)};
	struct web_auth_rule_added is;
	return failed(web_auth_rule_add_call(kit.web, NULL, &m, &a, &is)) ? 0 : is.rule;
}

static enum fail_kind drop(uint64_t number)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	return web_auth_rule_delete_call(kit.web, NULL,
		&(struct web_auth_rule_delete){.account = STR(ANNA), .rule = number}, &a, &done).kind;
}

static void a_rule_bars_by_protocol_and_network(void)
{
	anna_is_there();
	uint64_t first = rule("imap", "198.51.100.0/24", "");
	assert_true(first > 0);
	assert_true(str_starts(by(GOOD), STR("barred: A rule of this account does not let it be used from your network")));
	assert_str(by("wrong words are here"), STR("refused: "));
	assert_str(answer(GOOD, EDGE_AUTH_PROTOCOL_IMAP, "198.51.100.9"), STR("accepted: "));
	assert_str(answer(GOOD, EDGE_AUTH_PROTOCOL_SMTP, "192.0.2.7"), STR("accepted: "));
	kit_close();
	kit_open();
	assert_true(str_starts(by(GOOD), STR("barred: ")));
	assert_true(rule("", "192.0.2.7", "") > 0); /* fitting one is enough */
	assert_str(by(GOOD), STR("accepted: "));
	assert_true(str_starts(answer(GOOD, EDGE_AUTH_PROTOCOL_SMTP, "192.0.2.8"), STR("barred: ")));
	assert_int_equal(drop(first), FAIL_NONE);
	assert_int_equal(drop(first), FAIL_ABSENT);
}

static void rules_for_the_administration_are_kept(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_rules is;
	anna_is_there();
	assert_true(rule("admin", "198.51.100.0/24", "08:00-18:00") > 0);
	assert_str(by(GOOD), STR("accepted: "));
	assert_ok(web_auth_rule_list_call(kit.web, NULL, &(struct web_auth_rule_list){.account = STR(ANNA)}, &a, &is));
	assert_int_equal(is.rows.n, 1);
	assert_str(is.rows.p[0].protocols.p[0], STR("admin"));
	assert_str(is.rows.p[0].networks.p[0], STR("198.51.100.0/24"));
	assert_str(is.rows.p[0].hours, STR("08:00-18:00"));
}

static void rules_that_say_nothing_or_nonsense(void)
{
	anna_is_there();
	assert_int_equal(rule("imap", "", ""), 0);
	assert_int_equal(rule("ftp", "192.0.2.7", ""), 0);
	assert_int_equal(rule("", "everywhere", ""), 0);
	assert_int_equal(rule("", "", "8-18"), 0);
	for (int i = 0; i < RULES_MAX; i++)
		assert_true(rule("", "192.0.2.7", "") > 0);
	assert_int_equal(rule("", "192.0.2.7", ""), 0);
}

/* ---- countries ---- */

static const char world[] = "192.0.2.0/24 DE 64500\n198.51.100.0/24 RU 64501\n203.0.113.0/25 - 64502\n";

/* Codes with a blank between them. */
static enum fail_kind country_rule(const char *codes, bool others, const char *network)
{
	AUTO_ARENA arena a = arena_new(65536);
	str c[2], rest = str_from(codes), n = str_from(network);
	size_t count = 0;
	for (; rest.n; rest = str_skip(rest, c[count++].n + 1))
		c[count] = str_sub(rest, 0, str_chr(rest, ' '));
	const struct web_auth_rule_add m = {.account = STR(ANNA), .networks = {&n, n.n > 0}, .countries = {c, count},
		.others = others};
	struct web_auth_rule_added is;
	return web_auth_rule_add_call(kit.web, NULL, &m, &a, &is).kind;
}

static bool enters_from(const char *client)
{
	return str_starts(answer(GOOD, EDGE_AUTH_PROTOCOL_IMAP, client), STR("accepted: "));
}

static bool know_the_world(void)
{
	if (!auth.places)
		auth.places = places_kit_of(world);
	return auth.places != NULL;
}

static void a_rule_by_country(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_rules is;
	anna_is_there();
	assert_int_equal(country_rule("DE", false, ""), FAIL_CONFLICT); /* no database */
	if (!know_the_world())
		return;
	assert_int_equal(country_rule("deu", false, ""), FAIL_LIMIT);
	assert_int_equal(country_rule("d1", false, ""), FAIL_INPUT);
	assert_int_equal(country_rule("de", false, ""), FAIL_NONE);
	assert_true(enters_from("192.0.2.7"));
	assert_true(str_starts(by(GOOD), STR("accepted: "))); /* from the same */
	assert_true(str_starts(answer(GOOD, EDGE_AUTH_PROTOCOL_IMAP, "198.51.100.7"),
		STR("barred: A rule of this account does not let it be used from your country")));
	assert_str(answer("wrong words are here", EDGE_AUTH_PROTOCOL_IMAP, "198.51.100.7"), STR("refused: "));
	assert_false(enters_from("203.0.113.7")); /* known, but not where */
	assert_false(enters_from("10.1.2.3"));
	assert_int_equal(country_rule("", false, "10.0.0.0/8"), FAIL_NONE); /* fitting one is enough */
	assert_true(enters_from("10.1.2.3"));
	assert_int_equal(country_rule("ZZ", false, ""), FAIL_NONE);
	assert_true(enters_from("203.0.113.7"));
	assert_ok(web_auth_rule_list_call(kit.web, NULL, &(struct web_auth_rule_list){.account = STR(ANNA)}, &a, &is));
	assert_str(is.rows.p[0].countries.p[0], STR("DE"));
	assert_false(is.rows.p[0].others);
	places_free(&auth.places); /* the file was taken out of the configuration: rules do not open */
	assert_int_equal(drop(is.rows.p[2].rule), FAIL_NONE);
	assert_false(enters_from("192.0.2.7"));
}

static void a_rule_for_all_countries_but_some(void)
{
	anna_is_there();
	if (!know_the_world())
		return;
	assert_int_equal(country_rule("RU", true, ""), FAIL_NONE);
	assert_true(enters_from("192.0.2.7"));
	assert_true(enters_from("10.1.2.3"));
	assert_false(enters_from("198.51.100.7"));
	places_free(&auth.places); /* nobody's country is known any more: nobody is barred */
	assert_true(enters_from("198.51.100.7"));
}

static void a_rule_for_all_countries_that_are_known_but_some(void)
{
	anna_is_there();
	if (!know_the_world())
		return;
	assert_int_equal(country_rule("RU ZZ", true, ""), FAIL_NONE);
	assert_true(enters_from("192.0.2.7"));
	assert_false(enters_from("10.1.2.3"));
	assert_false(enters_from("198.51.100.7"));
	places_free(&auth.places); /* everybody is */
	assert_false(enters_from("192.0.2.7"));
}

static void hours_of_a_day(void **state)
{
	static const struct {
		const char *hours;
		unsigned minute;
		bool in;
	} rows[] = {{"08:00-18:00", 480, true}, {"08:00-18:00", 479, false}, {"08:00-18:00", 1080, false},
		{"22:00-06:00", 1330, true}, {"22:00-06:00", 100, true}, {"22:00-06:00", 700, false},
		{"00:00-24:00", 1439, true}};
	struct rule_hours h;
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct rule one = {.hours = str_from(rows[i].hours)};
		const struct rules r = {&one, 1};
		const struct rule_visit v = {.minute = rows[i].minute, .client = STR("192.0.2.7")};
		assert_int_equal(rules_bar(&r, &v) == NULL, rows[i].in);
	}
	assert_false(rules_hours_of(STR("25:00-26:00"), &h));
	assert_false(rules_hours_of(STR("08:00-08:00"), &h));
	assert_false(rules_hours_of(STR("08:60-09:00"), &h));
	assert_false(rules_hours_of(STR("24:01-09:00"), &h));
}

/* ---- hashes from elsewhere, all of GOOD ---- */

static const char *const foreign[] = {
	"$2b$05$abcdefghijklmnopqrstuuZqvqfv/o8oyiBvZ1dPEOJ3b3ZPo1wYa",
	"{SHA512-CRYPT}$6$saltsalt$"
	"8DjkefKHmP/om68nCettIv8KCHwXqinIf95J3xmqt5YCjO2.//dNnRpsDCiOKXZd30AwkK6clOwp0X4rjhfu3.",
	"$6$rounds=5000$saltsalt$8DjkefKHmP/om68nCettIv8KCHwXqinIf95J3xmqt5YCjO2.//dNnRpsDCiOKXZd30AwkK6clOwp0X4rjhfu3.",
	"$pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg$4qAqI0FlNoV51VvC9G6vZcWHnqU0YsEIhgXd2HE5qEA",
	"$pbkdf2-sha512$1000$MDEyMzQ1Njc4OWFiY2RlZg$"
	"f7HeatPLkjLsCWopjZQXGzYdZpnL3bLWeJhSRZ0iHcpzinaznx5YDbfXkvg0cTQnUXZpRF8qPu6"
	"HnCr0ujQnPw",
};
enum { FOREIGN = sizeof foreign / sizeof *foreign };

static void other_servers_hashes_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < FOREIGN; i++) {
		str text = hashes_plain(str_from(foreign[i]));
		assert_true(hashes_is_foreign(text) && password_is_hash(text) && password_is_weak(text, 0));
		assert_ok(password_verify(text, STR(GOOD)));
		assert_int_equal(password_verify(text, STR("four easy words her")).kind, FAIL_DENIED);
		assert_int_equal(password_verify(text, STR("")).kind, FAIL_DENIED);
		assert_false(hashes_is_foreign(str_sub(text, 0, text.n - 1)));
	}
	assert_false(hashes_is_foreign(STR("$2b$31$abcdefghijklmnopqrstuuZqvqfv/o8oyiBvZ1dPEOJ3b3ZPo1wYa")));
	assert_false(hashes_is_foreign(STR("$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/")));
	assert_false(hashes_is_foreign(STR("$pbkdf2-sha256$0$MDEyMzQ1Njc4OWFiY2RlZg$"
		"4qAqI0FlNoV51VvC9G6vZcWHnqU0YsEIhgXd2HE5qEA")));
	assert_false(hashes_is_foreign(STR("{PLAIN}four")));
}

static result with_hash(const char *text)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_account_added added;
	const struct web_auth_account_add m = {.address = STR(ANNA), .hash = str_from(text)};
	result r = web_auth_account_add_call(kit.web, NULL, &m, &a, &added);
	return kit_kind(r);
}

static result set_hash(const char *text)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	const struct web_auth_account_password m = {.address = STR(ANNA), .hash = str_from(text)};
	result r = web_auth_account_password_call(kit.web, NULL, &m, &a, &done);
	return kit_kind(r);
}

static void they_become_ours_at_the_first_login(void)
{
	assert_ok(kit_domain("example.test"));
	assert_int_equal(with_hash("{PLAIN}" GOOD).kind, FAIL_INPUT);
	assert_ok(with_hash(foreign[0]));
	for (size_t i = 0; i < FOREIGN; i++) {
		assert_ok(set_hash(foreign[i]));
		assert_str(by("four easy words her"), STR("refused: "));
		assert_int_equal(kit.events[EV_PASSWORD_RAISED], i);
		assert_str(by(GOOD), STR("accepted: "));
		assert_int_equal(kit.events[EV_PASSWORD_RAISED], i + 1);
		kit_close(); /* forgets recent logins */
		kit_open();
		assert_str(by(GOOD), STR("accepted: "));
		assert_int_equal(kit.events[EV_PASSWORD_RAISED], i + 1);
	}
}

/* The kit hashes with 8 MiB. */
static void weaker_parameters_are_raised(void)
{
	anna_is_there();
	assert_str(by(GOOD), STR("accepted: "));
	assert_int_equal(kit.events[EV_PASSWORD_RAISED], 0);
	recent_forget(&auth.recent, 1);
	assert_ok(options_set(&auth.options, OPT_PASSWORD_MEMORY, STR("16M")));
	assert_str(by(GOOD), STR("accepted: "));
	assert_int_equal(kit.events[EV_PASSWORD_RAISED], 1);
}

#define ON_KIT(NAME) static void NAME##_test(void **state) { (void)state; kit_run(NAME); }
ON_KIT(each_code_is_good_once)
ON_KIT(guessing_codes_gets_slower)
ON_KIT(with_it_on_a_password_alone_opens_nothing)
ON_KIT(a_domain_can_demand_it)
ON_KIT(a_rule_bars_by_protocol_and_network)
ON_KIT(rules_for_the_administration_are_kept)
ON_KIT(rules_that_say_nothing_or_nonsense)
ON_KIT(a_rule_by_country)
ON_KIT(a_rule_for_all_countries_but_some)
ON_KIT(a_rule_for_all_countries_that_are_known_but_some)
ON_KIT(they_become_ours_at_the_first_login)
ON_KIT(weaker_parameters_are_raised)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_codes_of_the_rfc),
		cmocka_unit_test(each_code_is_good_once_test),
		cmocka_unit_test(guessing_codes_gets_slower_test),
		cmocka_unit_test(with_it_on_a_password_alone_opens_nothing_test),
		cmocka_unit_test(a_domain_can_demand_it_test),
		cmocka_unit_test(a_rule_bars_by_protocol_and_network_test),
		cmocka_unit_test(rules_for_the_administration_are_kept_test),
		cmocka_unit_test(rules_that_say_nothing_or_nonsense_test),
		cmocka_unit_test(a_rule_by_country_test),
		cmocka_unit_test(a_rule_for_all_countries_but_some_test),
		cmocka_unit_test(a_rule_for_all_countries_that_are_known_but_some_test),
		cmocka_unit_test(hours_of_a_day),
		cmocka_unit_test(other_servers_hashes_are_read),
		cmocka_unit_test(they_become_ours_at_the_first_login_test),
		cmocka_unit_test(weaker_parameters_are_raised_test),
	};
	if (failed(second_factor_start()))
		return 1;
	return cmocka_run_group_tests_name("auth-factor", tests, NULL, NULL);
}
