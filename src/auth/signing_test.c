/* Keys of DKIM from their making to their end. */
#include "auth/auth_kit.h"

#include <stdio.h>

#include "grammar/text/base64.h"
#include "run/clock.h"

enum { DAY_MS = 86400 * 1000, ARENA = 65536 };

static struct edge_auth_signers_are signers(const char *domain, arena *a)
{
	struct edge_auth_signers m = {.domain = str_from(domain)};
	struct edge_auth_signers_are are;
	assert_ok(edge_auth_signers_call(kit.edge, NULL, &m, a, &are));
	return are;
}

static size_t signing(const char *domain)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	return signers(domain, &a).rows.n;
}

static size_t in_state(enum key_state state)
{
	const struct book_domain *d = book_domain(&auth.directory->book, STR("example.test"));
	size_t n = 0;
	LIST_EACH(node, &d->keys)
		n += LIST_OWNER(node, struct book_key, node)->state == state;
	return n;
}

static void states(size_t published, size_t active, size_t retired)
{
	assert_int_equal(in_state(KEY_BEGUN), 0);
	assert_int_equal(in_state(KEY_PUBLISHED), published);
	assert_int_equal(in_state(KEY_ACTIVE), active);
	assert_int_equal(in_state(KEY_RETIRED), retired);
}

static void reopen(void)
{
	kit_close();
	kit_open();
}

/* ---- */

static void makes(void)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	assert_ok(kit_domain("example.test"));
	assert_int_equal(kit.keys_made, 0);
	struct edge_auth_signers_are are = signers("EXAMPLE.test", &a);
	assert_int_equal(are.rows.n, 2);
	assert_int_equal(are.rows.p[0].algorithm, EDGE_AUTH_ALGORITHM_RSA_SHA256);
	assert_int_equal(are.rows.p[1].algorithm, EDGE_AUTH_ALGORITHM_ED25519_SHA256);
	assert_str(are.rows.p[0].domain, STR("example.test"));
	assert_false(str_eq(are.rows.p[0].selector, are.rows.p[1].selector));
	assert_int_equal(are.rows.p[0].key.n, KEY_NAME);
	reopen();
	struct edge_auth_signers_are again = signers("example.test", &a);
	assert_int_equal(again.rows.n, 2);
	assert_str(again.rows.p[0].selector, are.rows.p[0].selector);
	assert_str(again.rows.p[1].key, are.rows.p[1].key);
	assert_int_equal(kit.keys_made, 2);
	assert_int_equal(signing("example.org"), 0);
	assert_int_equal(signing("a..b"), 0);
	assert_int_equal(kit.keys_made, 2);
}

static void a_domain_gets_its_keys_when_they_are_asked_for(void **state)
{
	(void)state;
	kit_run(makes);
}

static void is_switched(void)
{
	assert_ok(kit_domain("example.test"));
	assert_int_equal(signing("example.test"), 2);
	assert_ok(directory_set_signing(auth.directory, STR("example.test"), false));
	assert_int_equal(signing("example.test"), 0);
	reopen();
	assert_int_equal(signing("example.test"), 0);
	assert_ok(directory_set_signing(auth.directory, STR("example.test"), true));
	assert_int_equal(signing("example.test"), 2);
	assert_int_equal(directory_set_signing(auth.directory, STR("example.org"), false).kind, FAIL_ABSENT);
	states(0, 2, 0);
}

static void signing_can_be_off_for_a_domain(void **state)
{
	(void)state;
	kit_run(is_switched);
}

static void looks(void)
{
	assert_ok(kit_domain("example.test"));
	assert_ok(kit_domain("example.org"));
	assert_ok(kit_domain("example.net"));
	signing_look(&auth);
	assert_int_equal(kit.keys_made, 6);
	states(0, 2, 0);
	signing_look(&auth);
	assert_int_equal(kit.keys_made, 6);
}

static void or_at_the_first_look(void **state)
{
	(void)state;
	kit_run(looks);
}

static void fails(void)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	struct edge_auth_signers m = {.domain = STR("example.test")};
	struct edge_auth_signers_are are;
	assert_ok(kit_domain("example.test"));
	kit.no_vault = true;
	assert_true(failed(edge_auth_signers_call(kit.edge, NULL, &m, &a, &are)));
	signing_look(&auth);
	assert_int_equal(kit.events[EV_DKIM_TROUBLE], 1);
	reopen();
	kit.no_vault = false;
	assert_int_equal(in_state(KEY_BEGUN), 2);
	signing_look(&auth);
	states(0, 2, 0);
	assert_int_equal(kit.keys_made, 2);
}

static void what_was_begun_is_finished(void **state)
{
	(void)state;
	kit_run(fails);
}

static void full_vault(void)
{
	assert_ok(kit_domain("example.test"));
	kit.no_keys = true;
	assert_int_equal(signing("example.test"), 0);
}

static void with_no_room_for_keys_mail_goes_unsigned(void **state)
{
	(void)state;
	kit_run(full_vault);
}

/* The record of the domain's published key of that algorithm. */
static void publish(char *record, size_t room, enum dkim_algorithm algorithm)
{
	AUTO_BUF buf b = buf_new(KEY_PUBLIC_MAX), text = buf_new(1000);
	const struct book_domain *d = book_domain(&auth.directory->book, STR("example.test"));
	const struct book_key *k = domain_key(d, KEY_PUBLISHED, algorithm);
	assert_non_null(k);
	base64_encode(&b, key_name(k), 0);
	dkim_key_print(&text, algorithm, buf_str(&b));
	snprintf(record, room, "%.*s", STR_ARG(buf_str(&text)));
	kit.dns = record;
}

static void rotates(void)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	char record[1000];
	clock_test_hold(1795312800000);
	assert_ok(kit_domain("example.test"));
	str first = signers("example.test", &a).rows.p[0].selector;
	assert_true(str_starts(first, STR("20261122r")));
	clock_test_advance(179ull * DAY_MS);
	signing_look(&auth);
	states(0, 2, 0);
	clock_test_advance(1ull * DAY_MS);
	signing_look(&auth); /* DNS does not have them yet */
	states(2, 2, 0);
	assert_str(signers("example.test", &a).rows.p[0].selector, first);
	kit.dns = "v=DKIM1; k=rsa; p=AAAA";
	signing_look(&auth); /* another key stands there */
	states(2, 2, 0);
	publish(record, sizeof record, DKIM_RSA_SHA256);
	signing_look(&auth);
	states(1, 2, 1);
	struct edge_auth_signers_are are = signers("example.test", &a);
	assert_int_equal(are.rows.n, 2);
	for (size_t i = 0; i < are.rows.n; i++)
		assert_false(str_eq(are.rows.p[i].selector, first));
	reopen();
	states(1, 2, 1);
	publish(record, sizeof record, DKIM_ED25519_SHA256);
	signing_look(&auth);
	states(0, 2, 2);
	assert_true(str_find(str_from(kit.asked), STR("._domainkey.example.test")) != STR_NONE);
	kit.dns = NULL;
	clock_test_advance(11ull * DAY_MS);
	signing_look(&auth);
	states(0, 2, 2);
	assert_int_equal(kit.keys_dropped, 0);
	clock_test_advance(1ull * DAY_MS);
	signing_look(&auth);
	states(0, 2, 0);
	assert_int_equal(kit.keys_dropped, 2);
	assert_int_equal(kit.keys_made, 4);
	clock_test_release();
}

static void new_keys_follow_old_ones_when_dns_has_them(void **state)
{
	(void)state;
	kit_run(rotates);
}

static void never(void)
{
	clock_test_hold(1795312800000);
	assert_ok(options_set(&auth.options, OPT_DKIM_ROTATE, STR("0")));
	assert_ok(kit_domain("example.test"));
	signing_look(&auth);
	clock_test_advance(5000ull * DAY_MS);
	signing_look(&auth);
	states(0, 2, 0);
	clock_test_release();
}

static void rotation_can_be_off(void **state)
{
	(void)state;
	kit_run(never);
}

static result kit_delete_domain(const char *name)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	struct web_auth_done done;
	struct web_auth_domain_delete m = {.name = str_from(name)};
	result r = web_auth_domain_delete_call(kit.web, NULL, &m, &a, &done);
	return kit_kind(r);
}

static void ends(void)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	assert_ok(kit_domain("example.test"));
	str key = signers("example.test", &a).rows.p[1].key;
	assert_ok(kit_delete_domain("example.test"));
	assert_int_equal(signing("example.test"), 0);
	kit.no_vault = true;
	signing_look(&auth);
	assert_int_equal(kit.keys_dropped, 0);
	kit.no_vault = false;
	reopen();
	signing_look(&auth);
	assert_int_equal(kit.keys_dropped, 2);
	assert_str(str_from(kit.last_key), key);
	signing_look(&auth);
	assert_int_equal(kit.keys_dropped, 2);
	assert_ok(kit_domain("example.test"));
	assert_int_equal(signing("example.test"), 2);
	assert_int_equal(kit.keys_made, 4);
}

static void a_deleted_domains_keys_are_destroyed(void **state)
{
	(void)state;
	kit_run(ends);
}

/* Two edges ask at once. */
static int answered;

static void ask(void *arg)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	(void)arg;
	assert_int_equal(signers("example.test", &a).rows.n, 2);
	answered++;
}

static void at_once(void)
{
	answered = 0;
	assert_ok(kit_domain("example.test"));
	for (int i = 0; i < 5; i++)
		assert_ok(fiber_start(ask, NULL, "ask", NULL));
	while (answered < 5)
		assert_ok(fiber_sleep(1));
	assert_int_equal(kit.keys_made, 2);
}

static void many_who_ask_at_once_get_the_same_keys(void **state)
{
	(void)state;
	kit_run(at_once);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_domain_gets_its_keys_when_they_are_asked_for),
		cmocka_unit_test(signing_can_be_off_for_a_domain),
		cmocka_unit_test(or_at_the_first_look),
		cmocka_unit_test(what_was_begun_is_finished),
		cmocka_unit_test(with_no_room_for_keys_mail_goes_unsigned),
		cmocka_unit_test(new_keys_follow_old_ones_when_dns_has_them),
		cmocka_unit_test(rotation_can_be_off),
		cmocka_unit_test(a_deleted_domains_keys_are_destroyed),
		cmocka_unit_test(many_who_ask_at_once_get_the_same_keys),
	};
	return cmocka_run_group_tests_name("auth signing", tests, NULL, NULL);
}
