/* Ways out and back: aliases to elsewhere, routes, backups, rewritten senders. */
#include "auth/auth_kit.h"

#include <stdio.h>

#include "run/clock.h"

#define ANNA "anna@example.test"

enum { DAY_MS = 86400 * 1000, ARENA = 65536 };

static enum fail_kind kind(result r)
{
	return r.kind;
}

static void one_person(void)
{
	assert_ok(kit_domain("example.test"));
	assert_ok(kit_account(ANNA, "four easy words here"));
}

static void reopen(void)
{
	kit_close();
	kit_open();
}

/* ---- questions ---- */

static struct edge_auth_recipient_is recipient(const char *address, arena *a)
{
	struct edge_auth_recipient m = {.address = str_from(address)};
	struct edge_auth_recipient_is is;
	assert_ok(edge_auth_recipient_call(kit.edge, NULL, &m, a, &is));
	return is;
}

/* "verdict accounts outside..." */
static void goes(const char *address, const char *want)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	AUTO_BUF buf b = buf_new(4000);
	struct edge_auth_recipient_is is = recipient(address, &a);
	buf_printf(&b, "%s %zu", edge_auth_recipient_verdict_names[is.verdict], is.accounts.n);
	for (size_t i = 0; i < is.outside.n; i++)
		buf_printf(&b, " %.*s", STR_ARG(is.outside.p[i]));
	assert_str(buf_str(&b), str_from(want));
}

static struct queue_auth_reader_is reader(const char *address, arena *a)
{
	struct queue_auth_reader m = {.address = str_from(address)};
	struct queue_auth_reader_is is;
	assert_ok(queue_auth_reader_call(kit.queue, NULL, &m, a, &is));
	return is;
}

/* What an edge is told that asks for a login of hers. */
static uint64_t way_for_anna(const char *to)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	struct edge_auth_login_is in = kit_login(ANNA, "four easy words here", EDGE_AUTH_PROTOCOL_SMTP);
	const struct edge_auth_recipient m = {.address = str_from(to), .token = in.token, .sender = STR(ANNA)};
	struct edge_auth_recipient_is is;
	assert_ok(edge_auth_recipient_call(kit.edge, NULL, &m, &a, &is));
	assert_int_equal(is.verdict, EDGE_AUTH_RECIPIENT_VERDICT_ELSEWHERE);
	return is.route;
}

static uint64_t route(const char *sender, const char *to)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	struct queue_auth_route m = {.sender = str_from(sender), .recipient = str_from(to)};
	struct queue_auth_route_is is;
	assert_ok(queue_auth_route_call(kit.queue, NULL, &m, &a, &is));
	return is.route;
}

static struct relay_auth_way_is way(uint64_t number, arena *a)
{
	struct relay_auth_way m = {.route = number};
	struct relay_auth_way_is is;
	assert_ok(relay_auth_way_call(kit.relay, NULL, &m, a, &is));
	return is;
}

static result add_route(const struct web_auth_route_add *m)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	struct web_auth_done done;
	result r = web_auth_route_add_call(kit.web, NULL, m, &a, &done);
	return kit_kind(r);
}

static enum fail_kind add(enum web_auth_route_kind k, const char *match, const char *host)
{
	struct web_auth_route_add m = {.kind = k, .match = str_from(match), .host = str_from(host)};
	return kind(add_route(&m));
}

static enum fail_kind delete_route(enum web_auth_route_kind k, const char *match)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	struct web_auth_done done;
	struct web_auth_route_delete m = {.kind = k, .match = str_from(match)};
	return kind(web_auth_route_delete_call(kit.web, NULL, &m, &a, &done));
}

/* In memory that lives until the next call. */
static const char *forwarder(const char *sender)
{
	static char text[1000];
	AUTO_ARENA arena a = arena_new(ARENA);
	struct edge_auth_forwarder m = {.sender = str_from(sender)};
	struct edge_auth_forwarder_is is;
	assert_ok(edge_auth_forwarder_call(kit.edge, NULL, &m, &a, &is));
	snprintf(text, sizeof text, "%.*s", STR_ARG(is.address));
	return text;
}

/* ---- aliases ---- */

static void an_alias_leads_to_another_server(void)
{
	one_person();
	assert_ok(kit_alias("both@example.test", ANNA " Otto@B\xc3\xbc" "cher.example otto@example.org"));
	goes("both@example.test", "received 1 Otto@xn--bcher-kva.example otto@example.org");
	goes("both+tag@example.test", "received 1 Otto@xn--bcher-kva.example otto@example.org");
	assert_ok(kit_alias("away@example.test", "otto@example.org"));
	goes("away@example.test", "received 0 otto@example.org");
	assert_ok(kit_alias("more@example.test", "both@example.test away@example.test"));
	goes("more@example.test", "received 1 Otto@xn--bcher-kva.example otto@example.org");
	reopen();
	goes("more@example.test", "received 1 Otto@xn--bcher-kva.example otto@example.org");
	assert_ok(kit_delete_account(ANNA));
	goes("both@example.test", "received 0 Otto@xn--bcher-kva.example otto@example.org");
	reopen();
	goes("both@example.test", "received 0 Otto@xn--bcher-kva.example otto@example.org");
	assert_int_equal(kind(kit_domain("example.org")), FAIL_CONFLICT);
}

static void targets_elsewhere_are_listed(void)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	struct web_auth_aliases page;
	one_person();
	assert_ok(kit_alias("both@example.test", "otto@example.org " ANNA));
	struct web_auth_alias_list m = {.after = STR("abuse@example.test")};
	assert_ok(web_auth_alias_list_call(kit.web, NULL, &m, &a, &page));
	assert_int_equal(page.rows.p[0].targets.n, 2);
	assert_str(page.rows.p[0].targets.p[0], STR(ANNA));
	assert_str(page.rows.p[0].targets.p[1], STR("otto@example.org"));
}

/* ---- routes ---- */

static void the_nearest_route_is_taken(void)
{
	one_person();
	assert_int_equal(route("", "x@d.test"), 0);
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_DOMAIN, "", "all.test"), FAIL_NONE);
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_SENDER, "Example.TEST", "sender.test"), FAIL_NONE);
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_SENDER, "Anna@example.test", "anna.test"), FAIL_NONE);
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_DOMAIN, "d.test", "d-way.test"), FAIL_NONE);
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_RECIPIENT, "x@d.test", "x-way.test"), FAIL_NONE);
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_RELAYED, "b.test", "b-way.test"), FAIL_NONE);
	reopen();
	assert_int_equal(route("", "x@e.test"), 1);
	assert_int_equal(route("otto@example.test", "x@e.test"), 2);
	assert_int_equal(route("ANNA@example.test", "x@e.test"), 3);
	assert_int_equal(way_for_anna("x@e.test"), 3);
	assert_int_equal(way_for_anna("y@b.test"), 6);
	assert_int_equal(route(ANNA, "y@D.test"), 4);
	assert_int_equal(route(ANNA, "X@d.test"), 5);
	assert_int_equal(route(ANNA, "y@b.test"), 6);
	assert_int_equal(delete_route(WEB_AUTH_ROUTE_KIND_RECIPIENT, "X@D.test"), FAIL_NONE);
	assert_int_equal(delete_route(WEB_AUTH_ROUTE_KIND_RECIPIENT, "X@D.test"), FAIL_ABSENT);
	assert_int_equal(route(ANNA, "x@d.test"), 4);
	assert_int_equal(delete_route(WEB_AUTH_ROUTE_KIND_DOMAIN, ""), FAIL_NONE);
	assert_int_equal(route("", "x@e.test"), 0);
}

static void a_way_is_told_with_its_password(void)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	one_person();
	struct web_auth_route_add m = {.kind = WEB_AUTH_ROUTE_KIND_DOMAIN, .host = STR("Smart.test"), .port = 2465,
		.user = STR("me"), .password = STR("se cret"), .tls = STR("implicit")};
	assert_ok(add_route(&m));
	reopen();
	struct relay_auth_way_is is = way(1, &a);
	assert_true(is.known && is.port == 2465 && is.tls == RELAY_AUTH_TLS_IMPLICIT && !is.mx);
	assert_str(is.host, STR("smart.test"));
	assert_str(is.password, STR("se cret"));
	assert_false(way(2, &a).known);
	struct web_auth_routes page;
	assert_ok(web_auth_route_list_call(kit.web, NULL, &(struct web_auth_route_list){0}, &a, &page));
	assert_int_equal(page.rows.n, 1);
	assert_str(page.rows.p[0].user, STR("me"));
	assert_str(page.rows.p[0].tls, STR("implicit"));
	struct web_auth_route_list next = {.after = 1};
	assert_ok(web_auth_route_list_call(kit.web, NULL, &next, &a, &page));
	assert_int_equal(page.rows.n, 0);
}

static void routes_come_in_pages(void)
{
	AUTO_ARENA arena a = arena_new(4 << 20);
	char match[40];
	uint64_t after = 0;
	size_t rows = 0;
	struct web_auth_routes page;
	one_person();
	for (int i = 0; i < 120; i++) {
		snprintf(match, sizeof match, "d%d.test", i);
		assert_int_equal(add(WEB_AUTH_ROUTE_KIND_DOMAIN, match, "h.test"), FAIL_NONE);
	}
	do {
		struct web_auth_route_list m = {.after = after};
		assert_ok(web_auth_route_list_call(kit.web, NULL, &m, &a, &page));
		rows += page.rows.n;
		if (page.rows.n > 0)
			after = page.rows.p[page.rows.n - 1].route;
	} while (page.rows.n > 0);
	assert_int_equal(rows, 120);
}

static void what_would_be_an_open_relay_is_refused(void)
{
	one_person();
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_RELAYED, "", "h.test"), FAIL_INPUT);
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_RELAYED, "*", "h.test"), FAIL_INPUT);
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_RELAYED, "*.test", "h.test"), FAIL_INPUT);
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_RELAYED, "x@b.test", "h.test"), FAIL_INPUT);
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_RELAYED, "b.test", ""), FAIL_INPUT);
	goes("x@b.test", "elsewhere 0");
}

static void a_route_is_checked(void)
{
	struct web_auth_route_add login = {.kind = WEB_AUTH_ROUTE_KIND_DOMAIN, .host = STR("h.test"), .user = STR("u"),
		.tls = STR("opportunistic")};
	struct web_auth_route_add port = {.kind = WEB_AUTH_ROUTE_KIND_DOMAIN, .port = 25};
	struct web_auth_route_add words = {.kind = WEB_AUTH_ROUTE_KIND_DOMAIN, .host = STR("h.test"), .tls = STR("maybe")};
	struct web_auth_route_add literal = {.kind = WEB_AUTH_ROUTE_KIND_DOMAIN, .host = STR("192.0.2.1"), .mx = true};
	AUTO_ARENA arena a = arena_new(ARENA);
	one_person();
	assert_int_equal(kind(add_route(&login)), FAIL_INPUT);
	assert_int_equal(kind(add_route(&port)), FAIL_INPUT);
	assert_int_equal(kind(add_route(&words)), FAIL_INPUT);
	assert_int_equal(kind(add_route(&literal)), FAIL_INPUT);
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_RECIPIENT, "", "h.test"), FAIL_INPUT);
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_RECIPIENT, "d.test", "h.test"), FAIL_INPUT);
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_DOMAIN, "a@d.test", "h.test"), FAIL_INPUT);
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_DOMAIN, "d.test", "2001:db8::1"), FAIL_NONE);
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_DOMAIN, "D.test", "h.test"), FAIL_EXISTS);
	assert_str(way(1, &a).host, STR("[IPv6:2001:db8::1]"));
}

static void a_domain_is_ours_or_relayed_never_both(void)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	one_person();
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_RELAYED, "example.test", "h.test"), FAIL_CONFLICT);
	assert_int_equal(add(WEB_AUTH_ROUTE_KIND_RELAYED, "b.test", "primary.test"), FAIL_NONE);
	assert_int_equal(kind(kit_domain("b.test")), FAIL_CONFLICT);
	goes("who@B.test", "relayed 0");
	assert_int_equal(recipient("who@b.test", &a).route, 1);
	assert_str(reader("who@b.test", &a).outside.p[0], STR("who@b.test"));
	assert_int_equal(delete_route(WEB_AUTH_ROUTE_KIND_RELAYED, "b.test"), FAIL_NONE);
	goes("who@b.test", "elsewhere 0");
	assert_ok(kit_domain("b.test"));
}

/* ---- readers of reports ---- */

static void readers_are_found_here_and_elsewhere(void)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	one_person();
	assert_ok(kit_alias("both@example.test", ANNA " otto@example.org"));
	assert_int_equal(reader(ANNA, &a).accounts.n, 1);
	struct queue_auth_reader_is both = reader("both@example.test", &a);
	assert_int_equal(both.accounts.n + 10 * both.outside.n, 11);
	assert_str(reader("x@example.org", &a).outside.p[0], STR("x@example.org"));
	struct queue_auth_reader_is none = reader("nobody@example.test", &a);
	assert_int_equal(none.accounts.n + none.outside.n, 0);
}

static struct relay_auth_reporter_is reporter(const char *address, arena *a)
{
	struct relay_auth_reporter m = {.address = str_from(address)};
	struct relay_auth_reporter_is is;
	assert_ok(relay_auth_reporter_call(kit.relay, NULL, &m, a, &is));
	return is;
}

static void reports_come_from_a_domain_of_ours(void)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	assert_int_equal(reporter("x@example.org", &a).domain.n, 0);
	one_person();
	assert_ok(kit_domain("b.test"));
	assert_str(reporter("x@example.org", &a).domain, STR("example.test"));
	assert_str(reporter("x@B.test", &a).domain, STR("b.test"));
	assert_int_equal(reporter("x@b.test", &a).signers.n, 2);
}

/* ---- rewritten senders ---- */

static void a_report_finds_its_way_back(void)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	char made[1000];
	one_person();
	snprintf(made, sizeof made, "%s", forwarder("Otto.B@Example.org"));
	assert_true(str_istarts(str_from(made), STR("SRS0=")));
	assert_true(str_ends(str_from(made), STR("=example.org=Otto.B@example.test")));
	goes(made, "received 0 Otto.B@example.org");
	assert_str(reader(made, &a).outside.p[0], STR("Otto.B@example.org"));
	for (char *c = made; *c; c++)
		*c = (char)ascii_lower((unsigned char)*c);
	goes(made, "received 0 otto.b@example.org");
	reopen();
	goes(made, "received 0 otto.b@example.org");
	snprintf(made, sizeof made, "%s", forwarder("otto@\xe2\x98\x83.example")); /* no name of the DNS */
	goes(made, "received 0 otto@\xe2\x98\x83.example");
	assert_string_equal(forwarder(""), "");
	assert_string_equal(forwarder("anna@example.test"), "anna@example.test");
}

static void what_we_did_not_sign_leads_nowhere(void)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	char made[1000];
	one_person();
	snprintf(made, sizeof made, "%s", forwarder("otto@example.org"));
	char *name = strstr(made, "otto");
	*name = 'x';
	goes(made, "unknown 0");
	assert_true(recipient(made, &a).why.n > 0);
	goes("SRS0=AAAAAAAA=AA=example.org=otto@example.test", "unknown 0");
	goes("SRS0=@example.test", "unknown 0");
	goes("SRS0=AAAAAAAA=AA=example.org=otto@example.net", "elsewhere 0");
	assert_ok(kit_account("srs0=a@example.test", "four easy words here"));
	goes("srs0=a@example.test", "received 1");
}

static void a_catch_all_takes_no_broken_reports(void)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	struct web_auth_done done;
	struct web_auth_domain_catch_all m = {.name = STR("example.test"), .target = STR(ANNA)};
	one_person();
	assert_ok(web_auth_domain_catch_all_call(kit.web, NULL, &m, &a, &done));
	goes("anybody@example.test", "received 1");
	goes("SRS0=AAAAAAAA=AA=example.org=otto@example.test", "unknown 0");
}

static void a_rewritten_sender_grows_old(void)
{
	char made[1000];
	clock_test_hold(1700000000000);
	one_person();
	snprintf(made, sizeof made, "%s", forwarder("otto@example.org"));
	clock_test_set(1700000000000 + (int64_t)FORWARD_DAYS * DAY_MS);
	goes(made, "received 0 otto@example.org");
	clock_test_set(1700000000000 + (int64_t)(FORWARD_DAYS + 1) * DAY_MS);
	goes(made, "unknown 0");
	clock_test_set(1700000000000 - DAY_MS);
	goes(made, "received 0 otto@example.org");
	clock_test_release();
}

static void the_key_before_is_still_known(void)
{
	char first[1000];
	int64_t now = 1700000000000;
	clock_test_hold(now);
	one_person();
	(void)forwarder("otto@example.org");
	now += (int64_t)(FORWARD_KEY_DAYS - 1) * DAY_MS;
	clock_test_set(now);
	snprintf(first, sizeof first, "%s", forwarder("otto@example.org"));
	unsigned char before = auth.directory->forward.key[0][0];
	clock_test_set(now += DAY_MS);
	(void)forwarder("otto@example.org");
	assert_int_equal(auth.directory->forward.n, 2);
	assert_int_equal(auth.directory->forward.key[1][0], before);
	goes(first, "received 0 otto@example.org");
	reopen();
	goes(first, "received 0 otto@example.org");
	clock_test_set(now += (int64_t)FORWARD_KEY_DAYS * DAY_MS);
	(void)forwarder("otto@example.org");
	reopen();
	assert_int_equal(auth.directory->forward.n, 2);
	goes(first, "unknown 0");
	clock_test_release();
}

static void a_forwarded_forwarder_is_not_wrapped_again(void)
{
	char made[1000];
	one_person();
	snprintf(made, sizeof made, "%s", forwarder("SRS0=ABCD=EF=far.test=otto@first.test"));
	assert_true(str_starts(str_from(made), STR("SRS1=")));
	assert_non_null(strstr(made, "=first.test==ABCD=EF=far.test=otto@example.test"));
	goes(made, "received 0 SRS0=ABCD=EF=far.test=otto@first.test");
	snprintf(made, sizeof made, "%s", forwarder("SRS1=WXYZ=first.test==ABCD=EF=far.test=otto@second.test"));
	assert_non_null(strstr(made, "=first.test==ABCD=EF=far.test=otto@example.test"));
	goes(made, "received 0 SRS0=ABCD=EF=far.test=otto@first.test");
}

static void a_long_sender_has_a_number(void)
{
#define LONG "bounces+1234567-89ab-anna=example.test@em9876.mail.a-large-sender.example"
	char made[1000], again[1000];
	one_person();
	snprintf(made, sizeof made, "%s", forwarder(LONG));
	assert_true(strchr(made, '@') - made <= 64);
	goes(made, "received 0 " LONG);
	snprintf(again, sizeof again, "%s", forwarder(LONG));
	assert_string_equal(made, again);
	assert_string_equal(strrchr(forwarder("\"a b\"@example.org"), '='), "=2@example.test");
	reopen();
	goes(made, "received 0 " LONG);
}

static void long_senders_are_forgotten(void)
{
	char first[1000];
	clock_test_hold(1700000000000);
	one_person();
	snprintf(first, sizeof first, "%s", forwarder(LONG));
	clock_test_set(1700000000000 + (int64_t)(FORWARD_DAYS + 2) * DAY_MS);
	(void)forwarder("x" LONG);
	AUTO_BUF buf b = buf_new(1000);
	assert_int_equal(forward_long_find(auth.directory, 1, &b).kind, FAIL_ABSENT);
	assert_ok(forward_long_find(auth.directory, 2, &b));
	goes(first, "unknown 0");
	clock_test_release();
}

#define ON_KIT(NAME) static void NAME##_test(void **state) { (void)state; kit_run(NAME); }
ON_KIT(an_alias_leads_to_another_server)
ON_KIT(targets_elsewhere_are_listed)
ON_KIT(the_nearest_route_is_taken)
ON_KIT(a_way_is_told_with_its_password)
ON_KIT(routes_come_in_pages)
ON_KIT(what_would_be_an_open_relay_is_refused)
ON_KIT(a_route_is_checked)
ON_KIT(a_domain_is_ours_or_relayed_never_both)
ON_KIT(readers_are_found_here_and_elsewhere)
ON_KIT(reports_come_from_a_domain_of_ours)
ON_KIT(a_report_finds_its_way_back)
ON_KIT(what_we_did_not_sign_leads_nowhere)
ON_KIT(a_catch_all_takes_no_broken_reports)
ON_KIT(a_rewritten_sender_grows_old)
ON_KIT(the_key_before_is_still_known)
ON_KIT(a_forwarded_forwarder_is_not_wrapped_again)
ON_KIT(a_long_sender_has_a_number)
ON_KIT(long_senders_are_forgotten)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_alias_leads_to_another_server_test),
		cmocka_unit_test(targets_elsewhere_are_listed_test),
		cmocka_unit_test(the_nearest_route_is_taken_test),
		cmocka_unit_test(a_way_is_told_with_its_password_test),
		cmocka_unit_test(routes_come_in_pages_test),
		cmocka_unit_test(what_would_be_an_open_relay_is_refused_test),
		cmocka_unit_test(a_route_is_checked_test),
		cmocka_unit_test(a_domain_is_ours_or_relayed_never_both_test),
		cmocka_unit_test(readers_are_found_here_and_elsewhere_test),
		cmocka_unit_test(reports_come_from_a_domain_of_ours_test),
		cmocka_unit_test(a_report_finds_its_way_back_test),
		cmocka_unit_test(what_we_did_not_sign_leads_nowhere_test),
		cmocka_unit_test(a_catch_all_takes_no_broken_reports_test),
		cmocka_unit_test(a_rewritten_sender_grows_old_test),
		cmocka_unit_test(the_key_before_is_still_known_test),
		cmocka_unit_test(a_forwarded_forwarder_is_not_wrapped_again_test),
		cmocka_unit_test(a_long_sender_has_a_number_test),
		cmocka_unit_test(long_senders_are_forgotten_test),
	};
	return cmocka_run_group_tests_name("auth-world", tests, NULL, NULL);
}
