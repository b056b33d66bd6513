/* A locked account: its process ends and begins again on a disk of its own. */
#include "account/opening.h"

#include <sys/socket.h>
#include <unistd.h>

#include "account/account.h"
#include "account/room_kit.h"
#include "engine/files_sim.h"
#include "grammar/text/charset.h"
#include "run/net.h"
#include "run/stream.h"

static const struct owner_key owner = {"the key of the owner"}, stranger = {"another key"};

static struct {
	struct sim *sim;
	unsigned char key[OWN_KEY], next[OWN_KEY];
	bool has_next;
} v;

static result vault_key(bool fresh, unsigned char key[OWN_KEY])
{
	(void)fresh;
	memcpy(key, v.key, sizeof v.key);
	return OK;
}

static result vault_next(bool make, unsigned char key[OWN_KEY])
{
	if (!v.has_next && !make)
		return failure(FAIL_ABSENT, "there is no next key");
	memset(v.next, v.key[0] + 1, sizeof v.next);
	v.has_next = true;
	memcpy(key, v.next, sizeof v.next);
	return OK;
}

static result vault_follow(void)
{
	if (v.has_next)
		memcpy(v.key, v.next, sizeof v.key);
	v.has_next = false;
	return OK;
}

static const struct lock_vault vault = {vault_key, vault_next, vault_follow};

static void begin_process(void)
{
	account.files = sim_files(v.sim);
	account.lock = (struct lock){.vault = &vault};
	account.store = NULL;
	account.merged = account.tried = false;
	account.imap.examine = NULL;
	assert_ok(opening_start());
}

static void end_process(void)
{
	imap_sessions_stop(&account.imap);
	pop3_sessions_stop(&account.pop3);
	t.stopping = true;
	idle_stir();
	idle_wait_for_deliveries();
	opening_stop();
	assert_ok(fiber_sleep(1)); /* who tried again hears of it */
	t.stopping = false;
	assert_null(account.store);
}

static struct auth_account_usage_is usage(void)
{
	struct auth_account_usage q = {0};
	struct auth_account_usage_is u;
	assert_ok(auth_account_usage_call(t.auth, NULL, &q, &t.m, &u));
	return u;
}

static result set_lock(bool lock, const struct owner_key *k, bool *shut)
{
	struct auth_account_lock m = {.lock = lock, .opens = k != NULL};
	struct auth_account_lock_set is;
	if (k)
		memcpy(m.owner, k->b, sizeof m.owner);
	result r = auth_account_lock_call(t.auth, NULL, &m, &t.m, &is);
	*shut = !failed(r) && is.shut;
	return r;
}

/* A session with that key, or none: what the client hears first. */
static result log_in(const struct owner_key *k, bool *shut, struct stream **client)
{
	int ends[2];
	str line;
	assert_ok(net_pair(SOCK_STREAM, ends));
	struct auth_account_session m = {
		.protocol = AUTH_ACCOUNT_PROTOCOL_IMAP, .tag = STR("a1"), .socket = ends[1], .opens = k != NULL};
	struct auth_account_session_taken taken;
	if (k)
		memcpy(m.owner, k->b, sizeof m.owner);
	result r = auth_account_session_call(t.auth, NULL, &m, &t.m, &taken);
	close(ends[1]);
	*shut = !failed(r) && taken.shut;
	if (failed(r) || taken.shut) {
		close(ends[0]);
		return r;
	}
	assert_ok(stream_open(ends[0], client));
	stream_set_idle(*client, 10000);
	assert_ok(stream_read_line(*client, 4000, LINE_CRLF, &line));
	assert_true(str_starts(line, STR("a1 OK ")));
	return OK;
}

static void fresh_disk(void)
{
	v.sim = sim_new(3);
	memset(v.key, 1, sizeof v.key);
	v.has_next = false;
	assert_ok(options_set(&account.options, OPT_LOCK_GRACE, STR("100ms")));
	begin_process();
}

static void back_to_the_kit(void)
{
	end_process();
	sim_free(&v.sim);
	account.store = t.kit->store;
}

static void expect_shut(void)
{
	struct auth_account_seal_for s = {0};
	struct auth_account_sealed_for sealed;
	struct auth_account_check c = {0};
	struct auth_account_checked checked;
	struct stream *client = NULL;
	bool shut;
	assert_true(usage().shut);
	assert_ok(log_in(NULL, &shut, &client));
	assert_true(shut);
	assert_int_equal(log_in(&stranger, &shut, &client).kind, FAIL_DENIED);
	assert_true(usage().shut);
	assert_ok(auth_account_seal_for_call(t.auth, NULL, &s, &t.m, &sealed));
	assert_true(sealed.shut);
	assert_int_equal(auth_account_check_call(t.auth, NULL, &c, &t.m, &checked).kind, FAIL_CONFLICT);
	assert_ok(set_lock(false, NULL, &shut));
	assert_true(shut);
}

static void locked_room(void)
{
	struct auth_account_quota q = {.octets = 900};
	struct auth_account_quota_set set;
	struct stream *client = NULL;
	bool shut;
	fresh_disk();
	deliver(1, t.facts);
	assert_ok(set_lock(true, &owner, &shut));
	assert_false(shut || usage().shut);
	deliver(2, t.facts);
	end_process();
	begin_process();
	expect_shut();
	assert_int_equal(deliver(3, t.facts).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_KEPT);
	assert_int_equal(deliver(3, t.facts).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_KEPT); /* the merge will know */
	assert_int_equal(deliver(2, t.facts).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_KEPT);
	assert_int_equal(deliver(4, str_sub(t.facts, 0, 20)).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE);
	assert_ok(auth_account_quota_call(t.auth, NULL, &q, &t.m, &set));
	assert_int_equal(usage().waiting, 3);
	assert_int_equal(usage().messages, 2);
	end_process();
	begin_process(); /* one that ended meanwhile knows as much */
	assert_int_equal(usage().waiting, 3);
	assert_int_equal(usage().quota, 900);
	assert_ok(log_in(&owner, &shut, &client));
	assert_false(shut);
	assert_int_equal(usage().messages, 3);
	assert_int_equal(usage().waiting, 0);
	assert_int_equal(usage().quota, 900);
	assert_int_equal(deliver(3, t.facts).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_DUPLICATE);
	stream_free(&client);
	for (int i = 0; i < 2000 && !t.idle; i++)
		assert_ok(fiber_sleep(1));
	assert_true(t.idle > 0); /* after the grace it asks to be ended */
	back_to_the_kit();
}

static void is_shut_until_its_owner_s_key_comes(void **state)
{
	(void)state;
	run_in_room(locked_room);
}

static void released_room(void)
{
	bool shut;
	fresh_disk();
	assert_ok(set_lock(true, &owner, &shut));
	end_process();
	begin_process();
	deliver(1, t.facts);
	assert_int_equal(set_lock(false, &stranger, &shut).kind, FAIL_DENIED);
	assert_ok(set_lock(false, &owner, &shut));
	assert_false(shut);
	assert_int_equal(usage().messages, 1);
	end_process();
	begin_process();
	assert_false(usage().shut);
	assert_int_equal(usage().messages, 1);
	assert_int_equal(deliver(1, t.facts).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_DUPLICATE);
	back_to_the_kit();
}

static void is_released_with_what_arrived(void **state)
{
	(void)state;
	run_in_room(released_room);
}

/* The owner gets in to make room; what arrived is merged once there is some. */
static void full_room(void)
{
	struct stream *client = NULL;
	bool shut;
	fresh_disk();
	assert_ok(set_lock(true, &owner, &shut));
	end_process();
	begin_process();
	for (unsigned char i = 1; i < 100; i++)
		deliver(i, t.facts);
	sim_fault_at(v.sim, SIM_FULL, 8);
	assert_ok(log_in(&owner, &shut, &client));
	assert_true(usage().waiting > 0);
	assert_int_equal(deliver(200, t.facts).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE);
	sim_fault_at(v.sim, SIM_NONE, 0);
	assert_int_equal(deliver(201, t.facts).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_KEPT);
	stream_free(&client);
	end_process();
	begin_process();
	assert_ok(log_in(&owner, &shut, &client));
	assert_int_equal(usage().waiting, 0);
	assert_int_equal(usage().messages, 100);
	stream_free(&client);
	back_to_the_kit();
}

static void a_full_disk_does_not_keep_the_owner_out(void **state)
{
	(void)state;
	run_in_room(full_room);
}

/* What was accepted last, and damaged since, cannot be told from what was cut off. */
static void count_torn(void *ctx, str record)
{
	if ((str_at(record, 0) | (unsigned)str_at(record, 1) << 8) == EV_ARRIVALS_TORN)
		++*(unsigned *)ctx;
}

static void torn_room(void)
{
	struct stream *client = NULL;
	unsigned told = 0;
	bool shut;
	fresh_disk();
	assert_ok(set_lock(true, &owner, &shut));
	end_process();
	begin_process();
	deliver(1, t.facts);
	deliver(2, t.facts);
	end_process();
	str file = sim_bytes(v.sim, "arrivals-1");
	((char *)(uintptr_t)file.p)[file.n - 1] ^= 1;
	begin_process();
	log_set_sink(count_torn, &told);
	assert_ok(log_in(&owner, &shut, &client));
	assert_int_equal(usage().messages, 1);
	log_set_sink(NULL, NULL);
	assert_int_equal(told, 1);
	stream_free(&client);
	back_to_the_kit();
}

static void what_does_not_open_at_the_end_is_told(void **state)
{
	(void)state;
	run_in_room(torn_room);
}

/* A quota that is set while everything is sealed anew is not lost with what is. */
static void set_quota(void *arg)
{
	struct auth_account_quota q = {.octets = 4711};
	struct auth_account_quota_set set;
	AUTO_ARENA arena m = arena_new(4096);
	assert_ok(auth_account_quota_call(t.auth, NULL, &q, &m, &set));
	*(bool *)arg = true;
}

static bool quota_set;

static result slow_follow(void)
{
	assert_ok(fiber_start(set_quota, &quota_set, "quota", NULL));
	assert_ok(fiber_sleep(20));
	return vault_follow();
}

static void changing_room(void)
{
	static const struct lock_vault slow = {vault_key, vault_next, slow_follow};
	bool shut;
	fresh_disk();
	account.lock.vault = &slow;
	for (int lock = 1; lock >= 0; lock--) {
		quota_set = false;
		assert_ok(set_lock(lock, &owner, &shut));
		for (int i = 0; i < 1000 && !quota_set; i++)
			assert_ok(fiber_sleep(1));
		assert_true(quota_set);
		assert_int_equal(usage().quota, 4711);
		struct auth_account_quota none = {.octets = 0};
		struct auth_account_quota_set set;
		assert_ok(auth_account_quota_call(t.auth, NULL, &none, &t.m, &set));
	}
	back_to_the_kit();
}

static void a_quota_waits_for_a_change_of_policy(void **state)
{
	(void)state;
	run_in_room(changing_room);
}

static void lull(void *arg)
{
	(void)arg;
	idle_give_back();
}

/* What gives memory back works on the store with more than one step, and waits between them. */
static void lulling_room(void)
{
	fresh_disk();
	assert_ok(fiber_start(lull, NULL, "lull", NULL));
	fiber_yield();
	assert_int_equal(account.deliveries, 1);
	back_to_the_kit();
}

static void a_lull_keeps_the_store_open(void **state)
{
	(void)state;
	run_in_room(lulling_room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_shut_until_its_owner_s_key_comes), cmocka_unit_test(is_released_with_what_arrived),
		cmocka_unit_test(a_full_disk_does_not_keep_the_owner_out),
		cmocka_unit_test(what_does_not_open_at_the_end_is_told),
		cmocka_unit_test(a_quota_waits_for_a_change_of_policy), cmocka_unit_test(a_lull_keeps_the_store_open),
	};
	return failed(charset_preload()) ? 1 : cmocka_run_group_tests_name("opening", tests, NULL, NULL);
}
