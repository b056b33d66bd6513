/* What administrators do, through the door that web uses, and what stays of it
 * after a restart and after a crash. */
#include "auth/auth_kit.h"

#include <stdio.h>

#include "auth/accounts.h"
#include "auth/listing.h"
#include "auth/login.h"
#include "base/log.h"
#include "run/fiber.h"
#include "run/net.h"

#include <sys/socket.h>
#include <unistd.h>

#define ANNA "anna@example.test"
#define OTTO "otto@example.test"
#define GOOD "four easy words here"

static enum fail_kind kind(result r)
{
	return r.kind;
}

static void two_people(void)
{
	assert_ok(kit_domain("Example.TEST"));
	assert_ok(kit_account(ANNA, GOOD));
	assert_ok(kit_account(OTTO, GOOD));
}

static void reopen(void)
{
	kit_close();
	kit_open();
}

static struct web_auth_account_is show(arena *a, const char *address)
{
	struct web_auth_account_show m = {.address = str_from(address)};
	struct web_auth_account_is is;
	assert_ok(web_auth_account_show_call(kit.web, NULL, &m, a, &is));
	return is;
}

static enum fail_kind delete_alias(const char *address)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	struct web_auth_alias_delete m = {.address = str_from(address)};
	return kind(web_auth_alias_delete_call(kit.web, NULL, &m, &a, &done));
}

static enum fail_kind delete_domain(const char *name)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	struct web_auth_domain_delete m = {.name = str_from(name)};
	return kind(web_auth_domain_delete_call(kit.web, NULL, &m, &a, &done));
}

static enum fail_kind catch_all(const char *name, const char *target)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	struct web_auth_domain_catch_all m = {.name = str_from(name), .target = str_from(target)};
	return kind(web_auth_domain_catch_all_call(kit.web, NULL, &m, &a, &done));
}

static enum fail_kind signing(const char *name, bool signs)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	struct web_auth_domain_signing m = {.name = str_from(name), .signs = signs};
	return kind(web_auth_domain_signing_call(kit.web, NULL, &m, &a, &done));
}

static enum fail_kind grant(const char *account, const char *address, bool granted)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	struct web_auth_send_as m = {.account = str_from(account), .address = str_from(address), .granted = granted};
	return kind(web_auth_send_as_call(kit.web, NULL, &m, &a, &done));
}

static enum fail_kind disable(const char *address, bool disabled)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	struct web_auth_account_disable m = {.address = str_from(address), .disabled = disabled};
	return kind(web_auth_account_disable_call(kit.web, NULL, &m, &a, &done));
}

static void an_account_is_made_whole(void)
{
	two_people();
	assert_int_equal(kit.folders, 2);
	assert_int_equal(kit.quota, 10ull << 30);
	assert_int_equal(kit_recipient(ANNA).first, 1);
	assert_int_equal(kit_recipient(OTTO).first, 2);
	assert_int_equal(kind(kit_account(ANNA, GOOD)), FAIL_EXISTS);
	assert_int_equal(kind(kit_account("Anna@EXAMPLE.test", GOOD)), FAIL_EXISTS);
	assert_int_equal(kind(kit_account("postmaster@example.test", GOOD)), FAIL_EXISTS);
	assert_int_equal(kind(kit_account("eve@example.org", GOOD)), FAIL_ABSENT);
	assert_int_equal(kind(kit_account("no address", GOOD)), FAIL_INPUT);
	assert_int_equal(kind(kit_account("eve@example.test", "short")), FAIL_INPUT);
	assert_int_equal(kit.events[EV_ADMIN], 3);
	assert_int_equal(kit.events[EV_ADMIN_REFUSED], 6);
	reopen();
	assert_int_equal(kit_recipient(OTTO).first, 2);
	assert_int_equal(kit_login(OTTO, GOOD, EDGE_AUTH_PROTOCOL_SMTP).verdict, EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
}

static void the_demo_alone_skips_the_password_rules(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_account_added added;
	struct web_auth_account_add m = {.address = STR(ANNA), .password = STR("demo"), .any_password = true};
	assert_ok(kit_domain("example.test"));
	assert_int_equal(kind(web_auth_account_add_call(kit.web, NULL, &m, &a, &added)), FAIL_DENIED);
	assert_ok(options_set(&auth.options, OPT_DEMO, STR("yes")));
	assert_ok(web_auth_account_add_call(kit.web, NULL, &m, &a, &added));
	assert_int_equal(kit_login(ANNA, "demo", EDGE_AUTH_PROTOCOL_SMTP).verdict, EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
}

static void a_hash_may_be_brought_along(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	char text[PASSWORD_HASH_MAX];
	struct web_auth_account_added added;
	assert_ok(kit_domain("example.test"));
	assert_ok(password_hash(STR(GOOD), 8 << 20, text));
	struct web_auth_account_add m = {.address = STR(ANNA), .hash = str_from(text)};
	assert_ok(web_auth_account_add_call(kit.web, NULL, &m, &a, &added));
	assert_int_equal(kit_login(ANNA, GOOD, EDGE_AUTH_PROTOCOL_SMTP).verdict, EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	m = (struct web_auth_account_add){.address = STR(OTTO), .hash = STR("$2b$12$abcdefgh")};
	assert_int_equal(kind(web_auth_account_add_call(kit.web, NULL, &m, &a, &added)), FAIL_INPUT);
}

static void what_cannot_be_made_leaves_nothing(void)
{
	assert_ok(kit_domain("example.test"));
	kit.no_folder = true;
	assert_int_equal(kind(kit_account(ANNA, GOOD)), FAIL_DISK);
	assert_int_equal(kit_recipient(ANNA).verdict, EDGE_AUTH_RECIPIENT_VERDICT_UNKNOWN);
	assert_int_equal(kit.keys_erased, 1);
	kit.no_folder = false;
	kit.account_down = true;
	assert_int_equal(kind(kit_account_of(ANNA, 5 << 20)), FAIL_BUSY);
	assert_int_equal(kit.folders_removed, 2);
	kit.account_down = false;
	assert_ok(kit_account_of(ANNA, 5 << 20));
	assert_int_equal(kit.quota, 5 << 20);
	assert_int_equal(kit_recipient(ANNA).first, 3); /* an id is never used twice */
}

static void an_account_is_erased_with_all_that_led_to_it(void)
{
	two_people();
	assert_ok(kit_alias("a@example.test", ANNA));
	assert_ok(kit_alias("both@example.test", ANNA " " OTTO));
	assert_int_equal(catch_all("example.test", ANNA), FAIL_NONE);
	assert_int_equal(grant(OTTO, ANNA, true), FAIL_NONE);
	assert_ok(kit_delete_account(ANNA));
	assert_int_equal(kit.keys_erased, 1);
	assert_int_equal(kit.folders_removed, 1);
	for (int i = 0; i < 2; i++) {
		AUTO_ARENA arena a = arena_new(1 << 20);
		assert_int_equal(kit_recipient(ANNA).verdict, EDGE_AUTH_RECIPIENT_VERDICT_UNKNOWN);
		assert_int_equal(kit_recipient("a@example.test").verdict, EDGE_AUTH_RECIPIENT_VERDICT_UNKNOWN);
		assert_int_equal(kit_recipient("both@example.test").first, 2);
		assert_int_equal(show(&a, OTTO).send_as.n, 0);
		assert_int_equal(kit_login(ANNA, GOOD, EDGE_AUTH_PROTOCOL_SMTP).verdict, EDGE_AUTH_LOGIN_VERDICT_REFUSED);
		reopen();
	}
	assert_int_equal(kind(kit_delete_account(ANNA)), FAIL_ABSENT);
	assert_ok(kit_account(ANNA, GOOD));
	assert_int_equal(kit_recipient(ANNA).first, 3);
}

static void what_a_stop_interrupted_is_finished_at_the_next_start(void)
{
	uint64_t left = 0;
	two_people();
	kit.no_vault = true;
	assert_int_equal(kind(kit_delete_account(ANNA)), FAIL_BUSY);
	assert_int_equal(kit_recipient(ANNA).verdict, EDGE_AUTH_RECIPIENT_VERDICT_UNKNOWN);
	assert_int_equal(kind(kit_account(ANNA, GOOD)), FAIL_EXISTS); /* not before the old one's mail is gone */
	struct new_account half = {.address = STR("half@example.test")};
	assert_ok(directory_begin_account(auth.directory, &half, &left));
	reopen();
	kit.no_vault = false;
	assert_int_equal(kit_recipient("half@example.test").verdict, EDGE_AUTH_RECIPIENT_VERDICT_UNKNOWN);
	accounts_finish_leftovers(&auth);
	assert_int_equal(kit.keys_erased, 2);
	assert_ok(directory_next_leftover(auth.directory, 0, &left));
	assert_int_equal(left, 0);
	assert_ok(kit_account(ANNA, GOOD));
	assert_ok(kit_account("half@example.test", GOOD));
}

static void a_domain_has_its_fixed_addresses(void)
{
	assert_ok(kit_domain("example.test"));
	assert_int_equal(kind(kit_domain("EXAMPLE.test")), FAIL_EXISTS);
	assert_int_equal(kind(kit_domain("[192.0.2.1]")), FAIL_INPUT);
	assert_ok(kit_domain("b\xc3\xbc" "cher.example"));
	assert_ok(kit_admin("chief@example.test"));
	assert_ok(kit_account(OTTO, GOOD));
	assert_int_equal(kit_recipient("abuse@xn--bcher-kva.example").first, 1);
	assert_int_equal(delete_alias("abuse@xn--bcher-kva.example"), FAIL_DENIED);
	assert_ok(kit_alias("abuse@xn--bcher-kva.example", OTTO));
	reopen();
	assert_int_equal(kit_recipient("abuse@xn--bcher-kva.example").first, 2);
	assert_int_equal(kit_recipient("postmaster").first, 1);
	assert_int_equal(delete_domain("example.test"), FAIL_CONFLICT);
	assert_int_equal(delete_domain("xn--bcher-kva.example"), FAIL_NONE);
	assert_int_equal(delete_domain("xn--bcher-kva.example"), FAIL_ABSENT);
	assert_int_equal(kit_recipient("abuse@xn--bcher-kva.example").verdict, EDGE_AUTH_RECIPIENT_VERDICT_ELSEWHERE);
	reopen();
	assert_int_equal(kit_recipient("abuse@xn--bcher-kva.example").verdict, EDGE_AUTH_RECIPIENT_VERDICT_ELSEWHERE);
}

static void aliases_are_checked(void)
{
	two_people();
	assert_ok(kit_alias("a@example.test", ANNA));
	assert_ok(kit_alias("aa@example.test", "a@example.test " OTTO));
	assert_int_equal(kit_recipient("aa@example.test").n, 2);
	assert_int_equal(kind(kit_alias("a@example.test", OTTO)), FAIL_EXISTS);
	assert_int_equal(kind(kit_alias(ANNA, OTTO)), FAIL_EXISTS);
	assert_int_equal(kind(kit_alias("b@example.test", "")), FAIL_INPUT);
	assert_int_equal(kind(kit_alias("b@example.test", "x@[192.0.2.1]")), FAIL_INPUT);
	assert_int_equal(kind(kit_alias("b@example.test", "nobody@example.test")), FAIL_ABSENT);
	assert_int_equal(kind(kit_alias("b@example.org", ANNA)), FAIL_ABSENT);
	assert_int_equal(kind(kit_alias("abuse@example.test", "abuse@example.test")), FAIL_CONFLICT);
	assert_ok(kit_alias("mine@example.test", "abuse@example.test"));
	assert_int_equal(kind(kit_alias("abuse@example.test", "mine@example.test")), FAIL_CONFLICT);
	assert_int_equal(delete_alias(ANNA), FAIL_ABSENT);
	assert_int_equal(delete_alias("a@example.test"), FAIL_NONE);
	assert_int_equal(kit_recipient("aa@example.test").first, 2);
	reopen();
	assert_int_equal(kit_recipient("aa@example.test").n, 1);
	assert_int_equal(catch_all("example.test", "nobody@example.test"), FAIL_ABSENT);
	assert_int_equal(catch_all("example.test", "aa@example.test"), FAIL_NONE);
	assert_int_equal(kit_recipient("who@example.test").first, 2);
	reopen();
	assert_int_equal(kit_recipient("who@example.test").first, 2);
	assert_int_equal(catch_all("example.test", ""), FAIL_NONE);
	assert_int_equal(kit_recipient("who@example.test").verdict, EDGE_AUTH_RECIPIENT_VERDICT_UNKNOWN);
}

static void rights_to_send_are_granted_and_taken(void)
{
	two_people();
	struct edge_auth_login_is in = kit_login(OTTO, GOOD, EDGE_AUTH_PROTOCOL_SMTP);
	assert_false(kit_may_send(&in.token, "sales@example.org"));
	assert_int_equal(grant(OTTO, "Sales@Example.org", true), FAIL_NONE);
	assert_int_equal(grant(OTTO, "sales@example.org", true), FAIL_NONE); /* twice is fine */
	assert_int_equal(grant(OTTO, "@example.net", true), FAIL_NONE);
	assert_true(kit_may_send(&in.token, "sales@example.org"));
	assert_true(kit_may_send(&in.token, "anyone@example.net"));
	reopen();
	in = kit_login(OTTO, GOOD, EDGE_AUTH_PROTOCOL_SMTP);
	assert_true(kit_may_send(&in.token, "anyone@example.net"));
	assert_int_equal(grant(OTTO, "@example.net", false), FAIL_NONE);
	assert_int_equal(grant(OTTO, "@example.net", false), FAIL_ABSENT);
	assert_false(kit_may_send(&in.token, "anyone@example.net"));
	assert_int_equal(grant("nobody@example.test", "@example.net", true), FAIL_ABSENT);
}

static void rights_to_send_are_bounded(void)
{
	char address[40];
	two_people();
	for (int i = 0; i < BOOK_GRANTS; i++) {
		snprintf(address, sizeof address, "a%d@example.org", i);
		assert_ok(directory_grant(auth.directory, 2, str_from(address), true));
	}
	assert_int_equal(grant(OTTO, "one-more@example.org", true), FAIL_LIMIT);
	assert_int_equal(grant(OTTO, "a7@example.org", false), FAIL_NONE);
	assert_int_equal(grant(OTTO, "one-more@example.org", true), FAIL_NONE);
	AUTO_ARENA arena a = arena_new(1 << 20);
	assert_int_equal(show(&a, OTTO).send_as.n, LISTING_RIGHTS);
}

static void an_account_is_shown(void)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	two_people();
	assert_ok(kit_alias("z@example.test", ANNA));
	assert_int_equal(grant(ANNA, "b@example.org", true), FAIL_NONE);
	assert_int_equal(grant(ANNA, "@a.example", true), FAIL_NONE);
	struct web_auth_account_is is = show(&a, ANNA);
	assert_true(is.reachable);
	assert_int_equal(is.messages, 3);
	assert_int_equal(is.quota, 10ull << 30);
	assert_int_equal(is.addresses.n, 4); /* its own, z@, and as the oldest account postmaster@ and abuse@ */
	assert_str(is.addresses.p[0], STR(ANNA));
	assert_int_equal(is.send_as.n, 2);
	assert_str(is.send_as.p[0], STR("@a.example"));
	kit.account_down = true;
	is = show(&a, ANNA);
	assert_false(is.reachable);
	assert_int_equal(is.quota, 10ull << 30);
	assert_str(is.row.address, STR(ANNA));
}

static result check(arena *a, const char *address, bool repair, struct web_auth_account_checked *out)
{
	struct web_auth_account_check m = {.address = str_from(address), .repair = repair};
	return web_auth_account_check_call(kit.web, NULL, &m, a, out);
}

static void an_account_is_checked_by_its_own_process(void)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct web_auth_account_checked is;
	two_people();
	int told = kit.events[EV_ADMIN];
	assert_ok(check(&a, OTTO, false, &is));
	assert_int_equal(is.account, 2);
	assert_int_equal(kit.account_number, 2);
	assert_int_equal(is.messages, 3);
	assert_int_equal(is.more, 7);
	assert_int_equal(is.findings.n, 1);
	assert_str(is.findings.p[0].sentence, STR("One thing."));
	assert_false(is.findings.p[0].repaired);
	assert_int_equal(kit.events[EV_ADMIN], told);
	assert_ok(check(&a, OTTO, true, &is));
	assert_true(is.findings.p[0].repaired);
	assert_int_equal(kit.events[EV_ADMIN], told + 1);
	assert_int_equal(check(&a, "nobody@example.test", false, &is).kind, FAIL_ABSENT);
	kit.account_down = true;
	assert_int_equal(check(&a, ANNA, true, &is).kind, FAIL_BUSY);
}

static size_t pages_of_accounts(size_t *rows)
{
	AUTO_ARENA arena a = arena_new(8 << 20);
	char after[ADDRESS_MAX] = "", last[ADDRESS_MAX] = "";
	size_t pages = 0;
	for (;; pages++) {
		struct web_auth_account_list m = {.after = str_from(after)};
		struct web_auth_accounts page;
		assert_ok(web_auth_account_list_call(kit.web, NULL, &m, &a, &page));
		if (page.rows.n == 0)
			return pages;
		for (size_t i = 0; i < page.rows.n; i++) {
			snprintf(last, sizeof last, "%.*s", STR_ARG(page.rows.p[i].address));
			assert_true(strcmp(last, after) > 0);
			memcpy(after, last, sizeof after);
			++*rows;
		}
	}
}

/* Straight into the directory: two hundred Argon2ids would take their time. */
/* What was said since, once an edge has heard that OTTO receives. */
#define HEARS_OF(CHANGE) HEARS(kit_recipient(OTTO).verdict == EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED, CHANGE)
#define HEARS(ANSWER, CHANGE) \
	do { \
		assert_true(ANSWER); \
		int before = kit.news; \
		assert_int_equal(CHANGE, FAIL_NONE); \
		fiber_yield(); \
		assert_int_equal(kit.news, before + 1); \
	} while (0)

static void edges_hear_of_every_change(void)
{
	two_people();
	HEARS_OF(kind(kit_alias("a@example.test", ANNA)));
	HEARS_OF(catch_all("example.test", "a@example.test"));
	HEARS_OF(signing("example.test", false));
	HEARS_OF(delete_alias("a@example.test"));
	HEARS_OF(disable(ANNA, true));
	HEARS_OF(disable(ANNA, false));
	HEARS_OF(kind(kit_delete_account(ANNA)));
	HEARS_OF(kind(kit_account(ANNA, GOOD)));
	HEARS_OF(kind(kit_domain("example.org")));
	HEARS_OF(kind(kit_alias("postmaster@example.org", OTTO)));
	HEARS_OF(delete_domain("example.org"));
}

static bool writes_elsewhere(const trace_id *token)
{
	AUTO_ARENA arena a = arena_new(65536);
	const struct edge_auth_recipient m = {.address = STR("x@far.test"), .token = *token, .sender = STR(ANNA)};
	struct edge_auth_recipient_is is;
	assert_ok(edge_auth_recipient_call(kit.edge, NULL, &m, &a, &is));
	return is.verdict == EDGE_AUTH_RECIPIENT_VERDICT_ELSEWHERE;
}

static void edges_hear_what_a_login_may_no_more(void)
{
	two_people();
	struct edge_auth_login_is in = kit_login(ANNA, GOOD, EDGE_AUTH_PROTOCOL_SMTP);
	HEARS(kit_may_send(&in.token, ANNA), kind(kit_alias("a@example.test", ANNA)));
	HEARS(writes_elsewhere(&in.token), kind(kit_alias("b@example.test", ANNA)));
	int before = kit.news;
	assert_true(kit_may_send(&in.token, ANNA));
	login_forget(&auth, in.account);
	fiber_yield();
	assert_int_equal(kit.news, before + 1);
	assert_false(kit_may_send(&in.token, ANNA));
}

static void an_edge_with_nothing_to_forget_hears_nothing(void)
{
	two_people();
	assert_int_equal(kit_recipient("nobody@example.test").verdict, EDGE_AUTH_RECIPIENT_VERDICT_UNKNOWN);
	assert_ok(kit_alias("a@example.test", ANNA));
	HEARS_OF(kind(kit_alias("b@example.test", ANNA)));
	int before = kit.news;
	assert_ok(kit_alias("c@example.test", ANNA));
	assert_int_equal(disable(ANNA, true), FAIL_NONE);
	fiber_yield();
	assert_int_equal(kit.news, before);
}

/* A socket that takes no more: the end of its channel is what the edge hears. */
static void an_edge_that_reads_nothing_loses_its_channel(void)
{
	struct channel *c;
	int ends[2], told = 0;
	assert_ok(net_pair(SOCK_SEQPACKET, ends));
	struct channel_options o = {.fd = ends[0], .peer = "edge-mx 1"};
	assert_ok(edge_auth_open_as_auth(&o, NULL, &c));
	for (; channel_is_open(c) && told < 1000000; told++) {
		assert_ok(audience_add(&auth.audience, &o, c));
		audience_tell(&auth.audience);
	}
	assert_false(channel_is_open(c));
	assert_true(told > 10);
	channel_close(&c);
	close(ends[1]);
}

static void the_audience_is_bounded(void)
{
	static char visitors[AUDIENCE_MAX + 1]; /* only their addresses count */
	for (size_t i = 0; i < AUDIENCE_MAX; i++)
		assert_ok(audience_add(&auth.audience, visitors + i, kit.edge_far));
	assert_int_equal(audience_add(&auth.audience, visitors + AUDIENCE_MAX, kit.edge_far).kind, FAIL_LIMIT);
	audience_left(&auth.audience, visitors);
	assert_ok(audience_add(&auth.audience, visitors + AUDIENCE_MAX, kit.edge_far));
	audience_free(&auth.audience);
}

static void add_many(unsigned n)
{
	char address[100], name[DIRECTORY_NAME_MAX];
	uint64_t id;
	memset(name, 'n', sizeof name);
	for (unsigned i = 0; i < n; i++) {
		snprintf(address, sizeof address, "user%u@example.test", i);
		struct new_account f = {.address = str_from(address), .name = str_of(name, sizeof name), .hash = STR("-")};
		assert_ok(directory_begin_account(auth.directory, &f, &id));
		assert_ok(directory_finish_account(auth.directory, id));
	}
}

static void lists_come_in_pages(void)
{
	AUTO_ARENA arena a = arena_new(4 << 20);
	size_t rows = 0;
	assert_ok(kit_domain("example.test"));
	add_many(450);
	assert_int_equal(pages_of_accounts(&rows), 3);
	assert_int_equal(rows, 450);
	struct web_auth_domains domains;
	assert_ok(web_auth_domain_list_call(kit.web, NULL, &(struct web_auth_domain_list){0}, &a, &domains));
	assert_int_equal(domains.rows.n, 1);
	assert_int_equal(domains.rows.p[0].accounts, 450);
}

static void a_page_of_wide_aliases_fits_a_packet(void)
{
	AUTO_ARENA arena a = arena_new(16 << 20);
	char names[BOOK_TARGETS][80], text[80];
	str targets[BOOK_TARGETS];
	size_t rows = 0;
	char after[80] = "";
	assert_ok(kit_domain("a-rather-long-domain-name-for-addresses.example.test"));
	for (int i = 0; i < BOOK_TARGETS; i++) {
		uint64_t id;
		snprintf(names[i], sizeof names[i], "u%d@a-rather-long-domain-name-for-addresses.example.test", i);
		targets[i] = str_from(names[i]);
		struct new_account f = {.address = targets[i], .hash = STR("-")};
		assert_ok(directory_begin_account(auth.directory, &f, &id));
		assert_ok(directory_finish_account(auth.directory, id));
	}
	for (int i = 0; i < 48; i++) {
		snprintf(text, sizeof text, "x%02d@a-rather-long-domain-name-for-addresses.example.test", i);
		assert_ok(directory_add_alias(auth.directory, str_from(text), targets, BOOK_TARGETS));
	}
	for (;;) {
		struct web_auth_alias_list m = {.after = str_from(after)};
		struct web_auth_aliases page;
		assert_ok(web_auth_alias_list_call(kit.web, NULL, &m, &a, &page));
		if (page.rows.n == 0)
			break;
		rows += page.rows.n;
		snprintf(after, sizeof after, "%.*s", STR_ARG(page.rows.p[page.rows.n - 1].address));
		for (size_t i = 0; i < page.rows.n; i++)
			if (!page.rows.p[i].fixed)
				assert_int_equal(page.rows.p[i].targets.n, BOOK_TARGETS);
	}
	assert_int_equal(rows, 50); /* with postmaster@ and abuse@ */
	str wider[BOOK_TARGETS + 1];
	for (int i = 0; i <= BOOK_TARGETS; i++)
		wider[i] = targets[i % BOOK_TARGETS];
	snprintf(text, sizeof text, "wider@a-rather-long-domain-name-for-addresses.example.test");
	result r = directory_add_alias(auth.directory, str_from(text), wider, BOOK_TARGETS + 1);
	assert_int_equal(r.kind, FAIL_LIMIT);
}

/* The power fails within the N-th operation on the disk; what was acknowledged
 * is there, the rest is not there or is a leftover. */
static void crash_at(uint64_t n)
{
	char address[40];
	int made = 0;
	sim_fault_at(kit.sim, SIM_CRASH, n);
	for (int i = 0; i < 6; i++) {
		uint64_t id;
		snprintf(address, sizeof address, "c%d@example.test", i);
		struct new_account f = {.address = str_from(address), .hash = STR("-")};
		if (failed(directory_begin_account(auth.directory, &f, &id)) ||
		    failed(directory_finish_account(auth.directory, id)))
			break;
		made++;
	}
	kit_close();
	sim_fault_at(kit.sim, SIM_NONE, 0);
	sim_crash(kit.sim);
	kit_open();
	for (int i = 0; i < 6; i++) {
		snprintf(address, sizeof address, "c%d@example.test", i);
		bool there = kit_recipient(address).verdict == EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED;
		assert_true(there || i >= made);
		assert_false(there && i > made);
	}
	accounts_finish_leftovers(&auth);
	for (int i = 0; i < 6; i++) {
		snprintf(address, sizeof address, "c%d@example.test", i);
		(void)kind(kit_delete_account(address));
	}
}

static void what_was_acknowledged_survives_a_crash(void)
{
	assert_ok(kit_domain("example.test"));
	for (uint64_t n = 1; n < 40; n += 3)
		crash_at(n);
	assert_true(kit.given_up > 0);
}

#define ON_KIT(NAME) static void NAME##_test(void **state) { (void)state; kit_run(NAME); }
ON_KIT(an_account_is_made_whole)
ON_KIT(the_demo_alone_skips_the_password_rules)
ON_KIT(a_hash_may_be_brought_along)
ON_KIT(what_cannot_be_made_leaves_nothing)
ON_KIT(an_account_is_erased_with_all_that_led_to_it)
ON_KIT(what_a_stop_interrupted_is_finished_at_the_next_start)
ON_KIT(a_domain_has_its_fixed_addresses)
ON_KIT(aliases_are_checked)
ON_KIT(rights_to_send_are_granted_and_taken)
ON_KIT(rights_to_send_are_bounded)
ON_KIT(an_account_is_shown)
ON_KIT(an_account_is_checked_by_its_own_process)
ON_KIT(edges_hear_of_every_change)
ON_KIT(edges_hear_what_a_login_may_no_more)
ON_KIT(an_edge_with_nothing_to_forget_hears_nothing)
ON_KIT(an_edge_that_reads_nothing_loses_its_channel)
ON_KIT(the_audience_is_bounded)
ON_KIT(lists_come_in_pages)
ON_KIT(a_page_of_wide_aliases_fits_a_packet)
ON_KIT(what_was_acknowledged_survives_a_crash)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_is_made_whole_test),
		cmocka_unit_test(the_demo_alone_skips_the_password_rules_test),
		cmocka_unit_test(a_hash_may_be_brought_along_test),
		cmocka_unit_test(what_cannot_be_made_leaves_nothing_test),
		cmocka_unit_test(an_account_is_erased_with_all_that_led_to_it_test),
		cmocka_unit_test(what_a_stop_interrupted_is_finished_at_the_next_start_test),
		cmocka_unit_test(a_domain_has_its_fixed_addresses_test),
		cmocka_unit_test(aliases_are_checked_test),
		cmocka_unit_test(rights_to_send_are_granted_and_taken_test),
		cmocka_unit_test(rights_to_send_are_bounded_test),
		cmocka_unit_test(an_account_is_shown_test),
		cmocka_unit_test(an_account_is_checked_by_its_own_process_test),
		cmocka_unit_test(edges_hear_of_every_change_test),
		cmocka_unit_test(edges_hear_what_a_login_may_no_more_test),
		cmocka_unit_test(an_edge_with_nothing_to_forget_hears_nothing_test),
		cmocka_unit_test(an_edge_that_reads_nothing_loses_its_channel_test),
		cmocka_unit_test(the_audience_is_bounded_test),
		cmocka_unit_test(lists_come_in_pages_test),
		cmocka_unit_test(a_page_of_wide_aliases_fits_a_packet_test),
		cmocka_unit_test(what_was_acknowledged_survives_a_crash_test),
	};
	return cmocka_run_group_tests_name("auth-admin", tests, NULL, NULL);
}
