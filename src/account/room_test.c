/* The room's two doors, spoken to as edge, queue and auth speak, over a real
 * store. room.h's calls are played here. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "account/account.h"
#include "account/opening.h"
#include "account/store/core.h"
#include "account/store/kit.h"
#include "grammar/mime/facts.h"
#include "grammar/text/charset.h"
#include "run/net.h"
#include "run/stream.h"
#include "talk/auth_account.h"
#include "talk/courier_account.h"
#include "talk/item.h"
#include "talk/principal_vault.h"
#include "talk/room.h"

static const char mail[] = "Subject: hello\r\nFrom: a@example.net\r\n\r\nbody\r\n";
static const unsigned char item_key[ITEM_KEY] = "the key of one queue item";

struct account account;

static struct {
	struct kit *kit;
	struct channel *courier, *courier_far, *auth, *auth_far, *vault, *vault_far;
	arena m;
	str facts;
	uint32_t idle;
} t;

struct actor account_as(enum actor_kind kind)
{
	return (struct actor){account.store, kind};
}

/* Of inspect.c, which no letter of these tests needs. */
result account_facts(struct body *message, arena *m, str *facts)
{
	(void)message;
	(void)m;
	(void)facts;
	return failure(FAIL_BUSY, "there is no inspect here");
}

/* ---- in place of the supervisor and the vault */

result room_connect(const struct channel_kind *kind, const char *role, uint64_t number, struct channel **out)
{
	(void)number;
	if (kind != &principal_vault_as_principal_kind || !str_eq(str_from(role), STR("vault")))
		return failure(FAIL_BUSY, "there is no such room here");
	*out = t.vault;
	return OK;
}

uint64_t room_number(void)
{
	return 42;
}

static bool stopping;

bool room_stopping(void)
{
	return stopping;
}

void room_idle(void)
{
	t.idle++;
}

void room_give_up(result why)
{
	(void)why;
	abort();
}

static result on_unwrap(struct arrival *in, struct principal_vault_unwrap *m, struct principal_vault_own_key_is *answer)
{
	(void)in;
	if (!str_eq(m->wrapped, STR("wrapping")))
		return failure(FAIL_DAMAGE, "that was wrapped for somebody else");
	memcpy(answer->key, item_key, sizeof answer->key);
	return OK;
}

/* ---- life */

static void find_facts(void *arg)
{
	struct facts f;
	struct charsets *cs = charsets_new();
	AUTO_BUF buf encoded = buf_new(FACTS_ENCODED_MAX);
	arena m = arena_new(FACTS_ARENA_MAX);
	(void)arg;
	assert_ok(facts_of(STR(mail), &(struct facts_wants){cs, true}, &m, &f));
	facts_encode(&f, &encoded);
	t.facts = arena_dup(&t.m, buf_str(&encoded));
	arena_free(&m);
	charsets_free(&cs);
}

static void open_doors(void)
{
	static const struct principal_vault_as_vault vault_handlers = {.unwrap = on_unwrap};
	int c[2], a[2], v[2];
	assert_ok(net_pair(SOCK_SEQPACKET, c));
	assert_ok(net_pair(SOCK_SEQPACKET, a));
	assert_ok(net_pair(SOCK_SEQPACKET, v));
	struct channel_options o[] = {
		{.fd = c[0], .peer = "account 42"}, {.fd = c[1], .peer = "edge-mx 0"}, {.fd = a[0], .peer = "account 42"},
		{.fd = a[1], .peer = "auth 0"},     {.fd = v[0], .peer = "vault 0"},   {.fd = v[1], .peer = "account 42"},
	};
	assert_ok(courier_account_open_as_courier(&o[0], NULL, &t.courier));
	assert_ok(courier_account_open_as_account(&o[1], &courier_handlers, &t.courier_far));
	assert_ok(auth_account_open_as_auth(&o[2], NULL, &t.auth));
	assert_ok(auth_account_open_as_account(&o[3], &auth_handlers, &t.auth_far));
	assert_ok(principal_vault_open_as_principal(&o[4], NULL, &t.vault));
	assert_ok(principal_vault_open_as_vault(&o[5], &vault_handlers, &t.vault_far));
}

static void close_doors(void)
{
	struct channel **all[] = {&t.courier, &t.courier_far, &t.auth, &t.auth_far, &t.vault, &t.vault_far};
	assert_ok(channel_drain(t.courier_far, 10000));
	assert_ok(channel_drain(t.auth_far, 10000));
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		channel_close(all[i]);
}

static void (*body)(void);

static void in_room(struct kit *k)
{
	t.kit = k;
	t.m = arena_new(64 * 1024 * 1024);
	options_init(&account.options);
	gate_init(&account.opened);
	account.store = k->store;
	imap_home_init(&account.imap);
	account.imap.owner = k->owner;
	account.imap.idle_ms = 60000;
	account.imap.message_max = 1024 * 1024;
	pop3_home_init(&account.pop3);
	account.pop3.owner = k->owner;
	account.pop3.idle_ms = 60000;
	fiber_on_loop_stack(find_facts, NULL);
	open_doors();
	body();
	imap_sessions_stop(&account.imap);
	pop3_sessions_stop(&account.pop3);
	close_doors();
	options_free(&account.options);
	arena_free(&t.m);
	account.store = NULL;
}

static void run_in_room(void (*fn)(void))
{
	body = fn;
	kit_run(in_room);
}

/* ---- letters */

static struct courier_account_delivered deliver(unsigned char id, str facts)
{
	struct courier_account_deliver m = {
		.delivery = {{id}},
		.sender = STR("a@example.net"),
		.recipient = STR("user@example.test"),
		.received = 1700000000,
		.trace = STR("Return-Path: <a@example.net>\r\n"),
		.facts = body_of(facts),
		.message = body_of(STR(mail)),
	};
	struct courier_account_delivered is;
	assert_ok(courier_account_deliver_call(t.courier, NULL, &m, &t.m, &is));
	return is;
}

static uint64_t messages(void)
{
	struct auth_account_usage q = {0};
	struct auth_account_usage_is u;
	assert_ok(auth_account_usage_call(t.auth, NULL, &q, &t.m, &u));
	return u.messages;
}

static void letters_once(void)
{
	assert_int_equal(deliver(1, t.facts).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_KEPT);
	assert_int_equal(deliver(1, t.facts).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_DUPLICATE);
	assert_int_equal(deliver(2, t.facts).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_KEPT);
	assert_int_equal(messages(), 2);
	struct view *v = kit_view(t.kit, "INBOX");
	assert_str(kit_bytes(t.kit, v, 1), STR("Return-Path: <a@example.net>\r\n"
		"Subject: hello\r\nFrom: a@example.net\r\n\r\nbody\r\n"));
	view_close(&v);
}

static void keeps_each_letter_once(void **state)
{
	(void)state;
	run_in_room(letters_once);
}

/* Every prefix of the facts, and every octet of them changed. */
static void bad_facts(void)
{
	AUTO_BUF buf changed = buf_new(1024 * 1024);
	for (size_t n = 0; n < t.facts.n; n += 7) {
		struct courier_account_delivered is = deliver(9, str_sub(t.facts, 0, n));
		assert_int_equal(is.verdict, COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE);
		assert_true(is.text.n > 0);
	}
	for (size_t i = 0; i < t.facts.n; i += 3) {
		buf_clear(&changed);
		buf_put(&changed, t.facts);
		changed.p[i] = (char)~changed.p[i];
		deliver((unsigned char)(10 + i % 200), buf_str(&changed)); /* kept or not: nobody dies of it */
		arena_clear(&t.m);
		fiber_on_loop_stack(find_facts, NULL);
	}
	assert_int_equal(deliver(255, t.facts).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_KEPT);
}

static void outlives_facts_that_are_nonsense(void **state)
{
	(void)state;
	run_in_room(bad_facts);
}

static struct courier_account_delivered deliver_sealed(unsigned char id, str wrapped, const trace_id *bound_to)
{
	const struct item i = {1700000000, STR("a"), STR("user@example.test"), STR("X: y\r\n"), t.facts, STR(mail)};
	AUTO_BUF buf sealed = buf_new(1024 * 1024);
	struct courier_account_delivered is;
	assert_ok(item_seal(&i, bound_to, item_key, &sealed));
	struct courier_account_deliver_sealed m = {
		.delivery = {{id}}, .wrapped = wrapped, .sealed = body_of(buf_str(&sealed))};
	assert_ok(courier_account_deliver_sealed_call(t.courier, NULL, &m, &t.m, &is));
	return is;
}

static void from_the_queue(void)
{
	const trace_id one = {{1}}, two = {{2}};
	assert_int_equal(deliver_sealed(1, STR("wrapping"), &one).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_KEPT);
	assert_int_equal(deliver_sealed(1, STR("wrapping"), &one).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_DUPLICATE);
	assert_int_equal(deliver_sealed(2, STR("another"), &two).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE);
	assert_int_equal(deliver_sealed(2, STR("wrapping"), &one).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE);
	assert_int_equal(messages(), 1);
}

static void opens_what_the_queue_held(void **state)
{
	(void)state;
	run_in_room(from_the_queue);
}

static void room_for_letters(void)
{
	struct auth_account_quota q = {.octets = 1000};
	struct auth_account_quota_set set;
	struct courier_account_may_take m = {.size = 500};
	struct courier_account_may_take_is is;
	assert_ok(auth_account_quota_call(t.auth, NULL, &q, &t.m, &set));
	assert_ok(courier_account_may_take_call(t.courier, NULL, &m, &t.m, &is));
	assert_int_equal(is.verdict, COURIER_ACCOUNT_TAKE_VERDICT_YES);
	assert_int_equal(is.headroom, 1000);
	m.size = 2000; /* more than the quota ever has */
	assert_ok(courier_account_may_take_call(t.courier, NULL, &m, &t.m, &is));
	assert_int_equal(is.verdict, COURIER_ACCOUNT_TAKE_VERDICT_TOO_LARGE);
	deliver(1, t.facts);
	m.size = 990;
	assert_ok(courier_account_may_take_call(t.courier, NULL, &m, &t.m, &is));
	assert_int_equal(is.verdict, COURIER_ACCOUNT_TAKE_VERDICT_OVER_QUOTA);
	q.octets = 0;
	assert_ok(auth_account_quota_call(t.auth, NULL, &q, &t.m, &set));
	m.size = options_number(&account.options, OPT_MESSAGE_SIZE) + 1;
	assert_ok(courier_account_may_take_call(t.courier, NULL, &m, &t.m, &is));
	assert_int_equal(is.verdict, COURIER_ACCOUNT_TAKE_VERDICT_TOO_LARGE);
	account.store = NULL; /* as while it is being closed */
	assert_int_equal(courier_account_may_take_call(t.courier, NULL, &m, &t.m, &is).kind, FAIL_BUSY);
	assert_int_equal(deliver(1, t.facts).verdict, COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE);
}

static void says_whether_there_is_room(void **state)
{
	(void)state;
	run_in_room(room_for_letters);
}

/* ---- check */

static struct auth_account_checked check(bool repair)
{
	struct auth_account_check q = {.repair = repair};
	struct auth_account_checked is;
	assert_ok(auth_account_check_call(t.auth, NULL, &q, &t.m, &is));
	return is;
}

static result hurt(struct db *db, void *arg)
{
	(void)arg;
	return db_exec(db, "UPDATE counts SET messages=7 WHERE id=1");
}

static void checks(void)
{
	deliver(1, t.facts);
	struct auth_account_checked is = check(false);
	assert_int_equal(is.findings.n + is.more, 0);
	assert_int_equal(is.messages, 1);
	struct commit_job job = {hurt, NULL, NULL, true, false};
	assert_ok(committer_do(account.store->committer, &job));
	is = check(false);
	assert_int_equal(is.findings.n, 1);
	assert_str(is.findings.p[0].sentence, STR("Mailbox INBOX counts 7 messages of 75 octets, it holds 1 of 75."));
	assert_false(is.findings.p[0].repaired);
	is = check(true);
	assert_true(is.findings.n == 1 && is.findings.p[0].repaired);
	assert_int_equal(check(false).findings.n, 0);
	struct store *s = account.store;
	account.store = NULL; /* as while it is being closed */
	struct auth_account_check q = {0};
	assert_int_equal(auth_account_check_call(t.auth, NULL, &q, &t.m, &is).kind, FAIL_BUSY);
	account.store = s;
}

static void checks_and_repairs(void **state)
{
	(void)state;
	run_in_room(checks);
}

/* ---- sessions */

static str first_line(enum auth_account_protocol protocol, struct stream **client)
{
	int ends[2];
	str line;
	assert_ok(net_pair(SOCK_STREAM, ends));
	struct auth_account_session m = {
		.protocol = protocol,
		.user = STR("user@example.test"),
		.client = STR("192.0.2.1"),
		.tag = STR("a1"),
		.socket = ends[1],
	};
	struct auth_account_session_taken taken;
	assert_ok(auth_account_session_call(t.auth, NULL, &m, &t.m, &taken));
	close(ends[1]);
	assert_ok(stream_open(ends[0], client));
	stream_set_idle(*client, 10000);
	assert_ok(stream_read_line(*client, 4000, LINE_CRLF, &line));
	return arena_dup(&t.m, line);
}

static void sessions_of_all_kinds(void)
{
	struct stream *imap, *pop3, *sieve;
	str some;
	assert_true(str_starts(first_line(AUTH_ACCOUNT_PROTOCOL_IMAP, &imap), STR("a1 OK [CAPABILITY ")));
	assert_int_equal(account.sessions, 1);
	assert_true(str_starts(first_line(AUTH_ACCOUNT_PROTOCOL_POP3, &pop3), STR("+OK ")));
	assert_int_equal(account.sessions, 2);
	assert_true(str_starts(first_line(AUTH_ACCOUNT_PROTOCOL_MANAGESIEVE, &sieve), STR("BYE ")));
	assert_int_equal(stream_read_some(sieve, &some).kind, FAIL_CLOSED);
	assert_int_equal(account.sessions, 2);
	stream_free(&imap);
	stream_free(&pop3);
	stream_free(&sieve);
	for (int i = 0; i < 1000 && account.sessions; i++)
		assert_ok(fiber_sleep(1));
	assert_int_equal(account.sessions, 0);
	account.sessions = (uint32_t)options_number(&account.options, OPT_SESSIONS);
	assert_true(str_starts(first_line(AUTH_ACCOUNT_PROTOCOL_IMAP, &imap), STR("a1 NO [LIMIT] ")));
	assert_true(str_starts(first_line(AUTH_ACCOUNT_PROTOCOL_POP3, &pop3), STR("-ERR [SYS/TEMP] ")));
	assert_int_equal(stream_read_some(pop3, &some).kind, FAIL_CLOSED);
	account.sessions = 0;
	stream_free(&imap);
	stream_free(&pop3);
	stopping = true;
	assert_true(str_starts(first_line(AUTH_ACCOUNT_PROTOCOL_IMAP, &imap), STR("a1 NO [UNAVAILABLE] ")));
	assert_true(str_starts(first_line(AUTH_ACCOUNT_PROTOCOL_POP3, &pop3), STR("-ERR [SYS/TEMP] ")));
	stopping = false;
	stream_free(&imap);
	stream_free(&pop3);
}

static void takes_sessions_from_auth(void **state)
{
	(void)state;
	run_in_room(sessions_of_all_kinds);
}

/* ---- a locked account: its process ends and begins again on a disk of its own */

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
	stopping = true;
	idle_stir();
	idle_wait_for_deliveries();
	opening_stop();
	assert_ok(fiber_sleep(1)); /* who tried again hears of it */
	stopping = false;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_shut_until_its_owner_s_key_comes), cmocka_unit_test(is_released_with_what_arrived),
		cmocka_unit_test(a_full_disk_does_not_keep_the_owner_out),
		cmocka_unit_test(what_does_not_open_at_the_end_is_told),
		cmocka_unit_test(a_quota_waits_for_a_change_of_policy),
		cmocka_unit_test(keeps_each_letter_once),
		cmocka_unit_test(outlives_facts_that_are_nonsense),
		cmocka_unit_test(opens_what_the_queue_held),
		cmocka_unit_test(says_whether_there_is_room),
		cmocka_unit_test(checks_and_repairs),
		cmocka_unit_test(takes_sessions_from_auth),
	};
	return failed(charset_preload()) ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
