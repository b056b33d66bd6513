/* Client certificates, through the doors that web and the edges use. */
#include "auth/auth_kit.h"

#include <stdio.h>

#include "auth/certificates.h"
#include "run/clock.h"

#define ANNA "anna@example.test"
#define OTTO "otto@example.test"
#define GOOD "four easy words here"

/* Of the certificate made last. */
static unsigned char print[APP_FINGERPRINT];
static char digits[2 * APP_FINGERPRINT + 1], serial[2 * APP_SERIAL + 1];

static result add(struct web_auth_certificate_add *m)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_certificate_added is;
	m->account = m->account.n ? m->account : STR(ANNA);
	m->name = m->name.n ? m->name : STR("laptop");
	m->public = m->public.n ? m->public : STR("a2V5");
	result r = web_auth_certificate_add_call(kit.web, NULL, m, &a, &is);
	if (failed(r))
		return kit_kind(r);
	assert_true(str_starts(is.certificate, STR("-----BEGIN CERTIFICATE-----\n")));
	assert_true(str_starts(is.authority, STR("-----BEGIN CERTIFICATE-----\ndGhlIGF1dGhvcml0eQ==\n-----END")));
	snprintf(digits, sizeof digits, "%.*s", STR_ARG(is.fingerprint));
	snprintf(serial, sizeof serial, "%.*s", STR_ARG(is.serial));
	for (size_t i = 0; i < sizeof print; i++)
		print[i] = (unsigned char)(ascii_hex(digits[2 * i]) << 4 | ascii_hex(digits[2 * i + 1]));
	return OK;
}

/* Anna's "laptop", or what else is wished. */
#define ADD(...) add(&(struct web_auth_certificate_add){.protocols = {0} __VA_OPT__(,) __VA_ARGS__})

static enum fail_kind revoke(const char *name)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	const struct web_auth_certificate_revoke m = {.account = STR(ANNA), .name = str_from(name)};
	return web_auth_certificate_revoke_call(kit.web, NULL, &m, &a, &done).kind;
}

/* "verdict: why" */
static str by(const char *authzid, enum edge_auth_protocol p)
{
	static char text[300];
	AUTO_ARENA arena a = arena_new(65536);
	struct edge_auth_certificate_login m = {.protocol = p, .authzid = str_from(authzid),
		.subject = STR("in the certificate"), .client = STR("192.0.2.7"), .session = p != EDGE_AUTH_PROTOCOL_SMTP};
	struct edge_auth_login_is is;
	memcpy(m.fingerprint, print, sizeof m.fingerprint);
	assert_ok(edge_auth_certificate_login_call(kit.edge, NULL, &m, &a, &is));
	snprintf(text, sizeof text, "%s: %.*s", edge_auth_login_verdict_names[is.verdict], STR_ARG(is.text));
	if (is.verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED)
		assert_str(is.address, STR(ANNA));
	edge_auth_login_is_release(&is);
	return str_from(text);
}

static bool enters(const char *authzid)
{
	return str_starts(by(authzid, EDGE_AUTH_PROTOCOL_SMTP), STR("accepted: "));
}

static bool is_barred(const char *why)
{
	str said = by("", EDGE_AUTH_PROTOCOL_SMTP);
	return str_starts(said, STR("barred: ")) && str_find(said, str_from(why)) != STR_NONE;
}

static bool asked(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct edge_auth_offers_are are;
	assert_ok(edge_auth_offers_call(kit.edge, NULL, &(struct edge_auth_offers){0}, &a, &are));
	assert_false(are.scram); /* that is for app passwords */
	assert_true(are.authority.n == 0 || str_eq(are.authority, STR("the authority")));
	return are.authority.n > 0;
}

static void anna_and_otto(void)
{
	assert_ok(kit_domain("example.test"));
	assert_ok(kit_account(ANNA, GOOD));
	assert_ok(kit_account(OTTO, GOOD));
}

static void a_certificate_logs_in(void)
{
	anna_and_otto();
	assert_false(asked());
	int news = kit.news;
	assert_ok(ADD());
	assert_int_equal(kit.news, news + 1); /* edges ask for certificates from now on */
	assert_true(asked());
	assert_true(kit.last_until > clock_wall_s() + 729 * 86400 && kit.last_until < clock_wall_s() + 731 * 86400);
	assert_true(enters(""));
	assert_true(enters(ANNA));
	assert_false(enters(OTTO)); /* nobody acts for another here */
	assert_false(enters("nobody@example.test"));
	assert_str(by("", EDGE_AUTH_PROTOCOL_IMAP), STR("accepted: "));
	assert_true(kit.session_credential > 0);
	kit_close();
	kit_open();
	assert_true(enters(""));
	print[0] ^= 1;
	assert_str(by("", EDGE_AUTH_PROTOCOL_SMTP), STR("refused: "));
}

static void its_bounds_hold(void)
{
	struct web_auth_certificate_add by_imap = {.name = STR("a"), .protocols = {(str[]){STR("imap")}, 1}};
	const str net = STR("198.51.100.0/24");
	anna_and_otto();
	assert_ok(add(&by_imap));
	assert_true(is_barred("not for this protocol"));
	assert_ok(ADD(.name = STR("b"), .networks = {&net, 1}));
	assert_true(is_barred("network"));
	assert_int_equal(ADD(.name = STR("d"), .expires = clock_wall_s() - 1).kind, FAIL_INPUT);
	assert_int_equal(ADD(.name = STR("d"), .expires = clock_wall_s() + 3651 * 86400).kind, FAIL_INPUT);
	assert_int_equal(ADD(.name = STR("a")).kind, FAIL_EXISTS);
	assert_int_equal(ADD(.name = STR("d"), .public = STR("YmFk")).kind, FAIL_INPUT); /* the vault takes no such key */
	assert_int_equal(ADD(.name = STR("d"), .public = STR("?")).kind, FAIL_INPUT);
	assert_int_equal(ADD(.name = STR("d"), .account = STR("nobody@example.test")).kind, FAIL_ABSENT);
}

static void revoking_ends_it(void)
{
	anna_and_otto();
	assert_ok(ADD(.name = STR("one")));
	assert_true(enters(""));
	assert_int_equal(revoke("other"), FAIL_ABSENT);
	assert_int_equal(revoke("one"), FAIL_NONE);
	assert_int_equal(kit.ends, 1);
	assert_false(kit.ended_all);
	assert_false(enters(""));
	assert_false(asked());
	assert_ok(ADD(.name = STR("two")));
	assert_int_equal(revoke(serial), FAIL_NONE);
	assert_false(enters(""));
	assert_ok(ADD(.name = STR("three")));
	assert_int_equal(revoke(digits), FAIL_NONE);
	assert_false(enters(""));
	assert_ok(ADD(.name = STR("four")));
	assert_ok(kit_delete_account(ANNA));
	assert_false(enters(""));
}

/* It is as good as an app password where a second factor is on, and obeys rules. */
static void other_bounds_of_the_account(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	struct web_auth_rule_added rule;
	const str net = STR("198.51.100.0/24");
	anna_and_otto();
	assert_ok(ADD());
	assert_ok(web_auth_domain_second_factor_call(kit.web, NULL,
		&(struct web_auth_domain_second_factor){.name = STR("example.test"), .demanded = true}, &a, &done));
	assert_true(enters(""));
	assert_ok(web_auth_rule_add_call(kit.web, NULL,
		&(struct web_auth_rule_add){.account = STR(ANNA), .networks = {&net, 1}}, &a, &rule));
	assert_true(is_barred("your network"));
	assert_ok(web_auth_rule_delete_call(kit.web, NULL,
		&(struct web_auth_rule_delete){.account = STR(ANNA), .rule = rule.rule}, &a, &done));
	assert_ok(web_auth_account_disable_call(kit.web, NULL,
		&(struct web_auth_account_disable){.address = STR(ANNA), .disabled = true}, &a, &done));
	assert_str(by("", EDGE_AUTH_PROTOCOL_SMTP), STR("disabled: "));
}

static void the_list_and_the_last_use(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_app_passwords is;
	const struct web_auth_certificate_list q = {.account = STR(ANNA)};
	anna_and_otto();
	assert_ok(ADD());
	assert_ok(web_auth_certificate_list_call(kit.web, NULL, &q, &a, &is));
	assert_int_equal(is.rows.n, 1);
	assert_str(is.rows.p[0].name, STR("laptop"));
	assert_str(is.rows.p[0].serial, str_from(serial));
	assert_str(is.rows.p[0].fingerprint, str_from(digits));
	assert_int_equal(is.rows.p[0].used, 0);
	assert_true(enters(""));
	assert_ok(app_uses_flush(&auth.app_uses));
	kit_close();
	kit_open();
	assert_ok(web_auth_certificate_list_call(kit.web, NULL, &q, &a, &is));
	assert_true(is.rows.p[0].used > 0);
	assert_str(is.rows.p[0].used_from, STR("192.0.2.7"));
	assert_ok(web_auth_app_password_list_call(kit.web, NULL,
		&(struct web_auth_app_password_list){.account = STR(ANNA)}, &a, &is));
	assert_int_equal(is.rows.n, 0);
	kit.no_vault = true;
	assert_true(failed(ADD(.name = STR("later"))));
}

#define ON_KIT(NAME) static void NAME##_test(void **state) { (void)state; kit_run(NAME); }
ON_KIT(a_certificate_logs_in)
ON_KIT(its_bounds_hold)
ON_KIT(revoking_ends_it)
ON_KIT(other_bounds_of_the_account)
ON_KIT(the_list_and_the_last_use)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_logs_in_test),
		cmocka_unit_test(its_bounds_hold_test),
		cmocka_unit_test(revoking_ends_it_test),
		cmocka_unit_test(other_bounds_of_the_account_test),
		cmocka_unit_test(the_list_and_the_last_use_test),
	};
	return cmocka_run_group_tests_name("client certificates", tests, NULL, NULL);
}
