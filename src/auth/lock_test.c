/* Locked accounts, through the doors that web and the edges use; the account is the kit's. */
#include "auth/auth_kit.h"

#include <stdio.h>
#include <unistd.h>

#include "auth/openers.h"
#include "auth/unlock.h"

#define ANNA "anna@example.test"
#define GOOD "four easy words here"
#define OTHER "five other words are here"

static char recovery[64], app[64];

/* ---- what is asked ---- */

static result policy(enum web_auth_policy p, const char *password, bool *waits)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_account_policy_is is = {0};
	const struct web_auth_account_policy m = {.account = STR(ANNA), .policy = p, .password = str_from(password)};
	result r = web_auth_account_policy_call(kit.web, NULL, &m, &a, &is);
	if (failed(r))
		return kit_kind(r);
	*waits = is.waits;
	assert_true(is.recovery_key.n < sizeof recovery);
	if (is.recovery_key.n)
		snprintf(recovery, sizeof recovery, "%.*s", STR_ARG(is.recovery_key));
	return OK;
}

static result add_app(const char *name)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_app_password_added is;
	const struct web_auth_app_password_add m = {.account = STR(ANNA), .name = str_from(name)};
	result r = web_auth_app_password_add_call(kit.web, NULL, &m, &a, &is);
	if (!failed(r))
		snprintf(app, sizeof app, "%.*s", STR_ARG(is.secret));
	return kit_kind(r);
}

static result end_app(const char *name)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	const struct web_auth_app_password_revoke m = {.account = STR(ANNA), .name = str_from(name)};
	return kit_kind(web_auth_app_password_revoke_call(kit.web, NULL, &m, &a, &done));
}

static result set_password(const char *password)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	const struct web_auth_account_password m = {.address = STR(ANNA), .password = str_from(password)};
	return kit_kind(web_auth_account_password_call(kit.web, NULL, &m, &a, &done));
}

static result recover(const char *key, const char *password)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	const struct web_auth_account_recover m = {
		.account = STR(ANNA), .recovery_key = str_from(key), .password = str_from(password)};
	return kit_kind(web_auth_account_recover_call(kit.web, NULL, &m, &a, &done));
}

static enum edge_auth_login_verdict login(const char *password)
{
	struct edge_auth_login_is is = kit_login(ANNA, password, EDGE_AUTH_PROTOCOL_IMAP);
	if (is.session >= 0)
		close(is.session);
	return is.verdict;
}

static void expect_in(const char *password)
{
	assert_int_equal(login(password), EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
}

static void expect_locked_out(const char *password)
{
	assert_int_equal(login(password), EDGE_AUTH_LOGIN_VERDICT_LOCKED);
}

static enum lock_state state_now(void)
{
	struct book_account *who;
	assert_ok(directory_find_account(auth.directory, STR(ANNA), &who));
	return (enum lock_state)who->lock;
}

/* The owner logs out, and the account's process ends. */
static void leave(void)
{
	kit.shut = kit.locked;
}

static void anna(void)
{
	assert_ok(kit_domain("example.test"));
	assert_ok(kit_account(ANNA, GOOD));
}

/* Locked, and its owner is away. */
static void anna_locked(void)
{
	bool waits;
	anna();
	assert_ok(policy(WEB_AUTH_POLICY_LOCKED, GOOD, &waits));
	assert_false(waits);
	assert_true(kit.locked);
	leave();
}

/* ---- locking ---- */

static void locked_at_login(void)
{
	bool waits;
	anna();
	assert_ok(policy(WEB_AUTH_POLICY_LOCKED, "", &waits));
	assert_true(waits && recovery[0]);
	assert_false(kit.locked);
	assert_int_equal(kit_login(ANNA, GOOD, EDGE_AUTH_PROTOCOL_SMTP).verdict, EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	assert_false(kit.locked); /* sending mail opens no mailbox */
	expect_in(GOOD);
	assert_true(kit.locked && kit.locks == 1);
	assert_int_equal(state_now(), LOCK_LOCKED);
	const struct owner_key was = kit.owner;
	leave();
	expect_in(GOOD);
	leave();
	kit_close();
	kit_open();
	expect_in(GOOD);
	assert_int_equal(kit.locks, 1);
	assert_memory_equal(was.b, kit.owner.b, sizeof was.b);
	recovery[0] = '\0';
	assert_ok(policy(WEB_AUTH_POLICY_LOCKED, "", &waits)); /* it is: nothing changes, and no key is shown again */
	assert_false(waits || recovery[0]);
}

static void becomes_locked_at_the_owner_s_login(void **state)
{
	(void)state;
	kit_run(locked_at_login);
}

static void locked_at_once(void)
{
	bool waits;
	anna();
	assert_int_equal(policy(WEB_AUTH_POLICY_LOCKED, OTHER, &waits).kind, FAIL_DENIED);
	assert_int_equal(state_now(), LOCK_NONE);
	assert_ok(policy(WEB_AUTH_POLICY_LOCKED, GOOD, &waits));
	assert_false(waits);
	leave();
	expect_in(GOOD);
}

static void becomes_locked_at_once_with_the_password(void **state)
{
	(void)state;
	kit_run(locked_at_once);
}

/* The account could not: the key that was sealed for the openers stays the one. */
static void half_done(void)
{
	bool waits;
	anna();
	assert_ok(add_app("phone"));
	kit.no_lock = true;
	assert_ok(policy(WEB_AUTH_POLICY_LOCKED, "", &waits));
	expect_in(GOOD);
	assert_int_equal(state_now(), LOCK_SEALING);
	assert_int_equal(set_password(OTHER).kind, FAIL_CONFLICT); /* nobody can seal for another password now */
	kit_close();
	kit_open();
	assert_int_equal(state_now(), LOCK_SEALING);
	kit.no_lock = false;
	expect_in(app);
	assert_true(kit.locked);
	assert_int_equal(state_now(), LOCK_LOCKED);
	leave();
	expect_in(GOOD);
	leave();
	assert_ok(recover(recovery, OTHER));
	expect_in(OTHER);
}

static void what_was_cut_off_goes_on(void **state)
{
	(void)state;
	kit_run(half_done);
}

/* ---- secrets ---- */

static void app_passwords(void)
{
	char before[64], away[64];
	bool waits;
	anna();
	assert_ok(add_app("before"));
	memcpy(before, app, sizeof before);
	assert_ok(policy(WEB_AUTH_POLICY_LOCKED, GOOD, &waits));
	leave();
	expect_in(before);
	assert_ok(add_app("while open"));
	leave();
	expect_in(app);
	leave();
	assert_ok(add_app("away"));
	memcpy(away, app, sizeof away);
	expect_locked_out(away);
	assert_true(kit.shut);
	assert_int_equal(kit_login(ANNA, away, EDGE_AUTH_PROTOCOL_SMTP).verdict, EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	expect_in(GOOD); /* from here on it opens */
	leave();
	expect_in(away);
	leave();
	assert_ok(end_app("away"));
	assert_int_equal(login(away), EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	AUTO_ARENA arena m = arena_new(UNLOCK_ARENA);
	struct account_lock l;
	assert_ok(lock_read(auth.directory, 1, &m, &l));
	assert_int_equal(l.n, 2 + 2 * 2); /* what was revoked left nothing behind */
}

static void app_passwords_open_it_as_well(void **state)
{
	(void)state;
	kit_run(app_passwords);
}

static void passwords(void)
{
	anna_locked();
	assert_int_equal(set_password(OTHER).kind, FAIL_CONFLICT);
	expect_in(GOOD);
	assert_ok(set_password(OTHER));
	leave();
	assert_int_equal(login(GOOD), EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	expect_in(OTHER);
}

static void a_password_is_changed_while_it_is_open(void **state)
{
	(void)state;
	kit_run(passwords);
}

static void recovered(void)
{
	anna_locked();
	assert_int_equal(recover("aaaa-bbbb-cccc-dddd-eeee-ffff-gggg", OTHER).kind, FAIL_DENIED);
	assert_int_equal(recover("no key", OTHER).kind, FAIL_INPUT);
	assert_int_equal(recover(recovery, "short").kind, FAIL_INPUT);
	expect_in(GOOD);
	leave();
	assert_ok(recover(recovery, OTHER));
	assert_int_equal(login(GOOD), EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	expect_in(OTHER);
	leave();
	assert_ok(recover(recovery, GOOD)); /* it stays good */
	expect_in(GOOD);
}

static void the_recovery_key_sets_a_password(void **state)
{
	(void)state;
	kit_run(recovered);
}

/* A client certificate proves who somebody is, and has nothing to open with. */
static void certified(void)
{
	struct proof p = {.r = OK, .account = 1, .app_password = 7};
	struct owner_key owner;
	anna_locked();
	result r = unlock_by(&auth, &p, &owner);
	assert_int_equal(r.kind, FAIL_DENIED);
	assert_non_null(strstr(r.text, "certificate"));
}

static void a_certificate_does_not_open_it(void **state)
{
	(void)state;
	kit_run(certified);
}

/* ---- no longer ---- */

static void released(void)
{
	bool waits;
	anna_locked();
	assert_ok(add_app("phone"));
	assert_ok(policy(WEB_AUTH_POLICY_SERVER, "", &waits));
	assert_true(waits && kit.locked);
	assert_ok(policy(WEB_AUTH_POLICY_LOCKED, "", &waits)); /* thought better of it */
	expect_in(GOOD);
	assert_true(kit.locked);
	assert_int_equal(state_now(), LOCK_LOCKED);
	leave();
	assert_ok(policy(WEB_AUTH_POLICY_SERVER, "", &waits));
	kit.locked = kit.shut = false; /* it was released, and auth ended before it wrote that down */
	assert_ok(policy(WEB_AUTH_POLICY_LOCKED, "", &waits));
	expect_in(GOOD);
	assert_true(kit.locked);
	leave();
	assert_ok(policy(WEB_AUTH_POLICY_SERVER, "", &waits));
	expect_in(app);
	assert_false(kit.locked);
	assert_int_equal(state_now(), LOCK_NONE);
	assert_ok(set_password(OTHER));
	expect_in(OTHER);
	assert_ok(policy(WEB_AUTH_POLICY_LOCKED, OTHER, &waits));
	leave();
	expect_in(app); /* its public half was kept */
	assert_ok(policy(WEB_AUTH_POLICY_SERVER, "", &waits));
	assert_false(waits || kit.locked);
	assert_ok(policy(WEB_AUTH_POLICY_LOCKED, "", &waits));
	assert_ok(policy(WEB_AUTH_POLICY_SERVER, "", &waits));
	expect_in(OTHER);
	assert_false(kit.locked);
	assert_int_equal(recover(recovery, GOOD).kind, FAIL_CONFLICT);
}

static void is_released_where_its_key_is(void **state)
{
	(void)state;
	kit_run(released);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(becomes_locked_at_the_owner_s_login),
		cmocka_unit_test(becomes_locked_at_once_with_the_password),
		cmocka_unit_test(what_was_cut_off_goes_on), cmocka_unit_test(app_passwords_open_it_as_well),
		cmocka_unit_test(a_password_is_changed_while_it_is_open), cmocka_unit_test(the_recovery_key_sets_a_password),
		cmocka_unit_test(a_certificate_does_not_open_it), cmocka_unit_test(is_released_where_its_key_is),
	};
	return cmocka_run_group_tests_name("locked accounts", tests, NULL, NULL);
}
