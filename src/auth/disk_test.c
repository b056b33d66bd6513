/* A table of changes, over and over: the N-th operation on the disk fails, finds
 * no room, or is the machine's last; the N-th allocation is refused. What was
 * answered OK is seen at once and after the next start, power cut included; what
 * was refused is not seen; look-ups go on all the while. */
#include "auth/auth_kit.h"

#include <stdio.h>
#include <stdlib.h>

#include "auth/accounts.h"
#include "base/mem.h"

#define ANNA "anna@example.test"
#define OTTO "otto@example.test"

enum fault { REFUSE, FULL, CRASH, MEMORY, FAULTS };
static const char *const fault_names[FAULTS] = {"the disk failed", "the disk was full", "the machine stopped",
	"memory was refused"};

static uint64_t id_of(const char *address)
{
	struct book_account *who;
	return failed(directory_find_account(auth.directory, str_from(address), &who)) ? 0 : who->id;
}

static struct book_account *account_of(const char *address)
{
	struct book_account *who;
	assert_ok(directory_find_account(auth.directory, str_from(address), &who));
	return who;
}

/* ---- the changes, and whether each is seen ---- */

static result add_domain(void)
{
	return kit_domain("b.test");
}

static bool has_domain(void)
{
	return book_domain(&auth.directory->book, STR("b.test")) != NULL;
}

static result add_account(void)
{
	uint64_t id;
	struct new_account n = {.address = STR("new@example.test"), .hash = STR("-")};
	TRY(directory_begin_account(auth.directory, &n, &id));
	return directory_finish_account(auth.directory, id);
}

static bool has_account(void)
{
	return id_of("new@example.test") != 0;
}

static result add_alias(void)
{
	return kit_alias("all@example.test", ANNA " " OTTO);
}

static bool has_alias(void)
{
	struct book_entry *e = book_entry(&auth.directory->book, STR("all@example.test"));
	return e && e->targets_n == 2;
}

static result add_outside(void)
{
	return kit_alias("out@example.test", ANNA " x@elsewhere.test");
}

static bool has_outside(void)
{
	struct book_entry *e = book_entry(&auth.directory->book, STR("out@example.test"));
	return e && e->targets_n == 1 && e->outside && e->outside->n == 1;
}

static result add_route(void)
{
	const struct route n = {.kind = ROUTE_DOMAIN, .match = STR("c.test"), .host = STR("h.test"), .user = STR("u"),
		.tls = ROUTE_VERIFIED};
	return directory_add_route(auth.directory, &n, STR("p"));
}

static bool has_route(void)
{
	struct route *r = routes_choose(&auth.directory->routes, STR(""), STR("a@c.test"));
	return r && str_eq(r->user, STR("u"));
}

static result delete_route(void)
{
	return directory_delete_route(auth.directory, ROUTE_RELAYED, STR("old.test"));
}

static bool lacks_route(void)
{
	return !routes_find(&auth.directory->routes, ROUTE_RELAYED, STR("old.test"));
}

static result make_forward_key(void)
{
	return forward_keys_refresh(auth.directory, 20000);
}

static bool has_forward_key(void)
{
	return auth.directory->forward.n == 1;
}

static result keep_long_sender(void)
{
	uint64_t number;
	return forward_long_keep(auth.directory, STR("somebody@example.org"), 20000, &number);
}

static bool has_long_sender(void)
{
	AUTO_BUF buf b = buf_new(100);
	return !failed(forward_long_find(auth.directory, 1, &b)) && str_eq(buf_str(&b), STR("somebody@example.org"));
}

static result delete_alias(void)
{
	return directory_delete_alias(auth.directory, STR("old@example.test"));
}

static bool lacks_alias(void)
{
	return !book_entry(&auth.directory->book, STR("old@example.test"));
}

static result add_grant(void)
{
	return directory_grant(auth.directory, id_of(OTTO), STR("sales@example.test"), true);
}

static bool has_grant(void)
{
	return hash_get(&account_of(OTTO)->grants, STR("sales@example.test")) != NULL;
}

static result set_catch_all(void)
{
	return directory_set_catch_all(auth.directory, STR("example.test"), STR(ANNA));
}

static bool has_catch_all(void)
{
	return book_domain(&auth.directory->book, STR("example.test"))->catch_all != NULL;
}

static result end_signing(void)
{
	return directory_set_signing(auth.directory, STR("example.test"), false);
}

static bool signs_not(void)
{
	return !book_domain(&auth.directory->book, STR("example.test"))->signs;
}

static result disable(void)
{
	return directory_set_disabled(auth.directory, id_of(OTTO), true);
}

static bool is_disabled(void)
{
	return account_of(OTTO)->disabled;
}

static result set_hash(void)
{
	return directory_set_hash(auth.directory, id_of(ANNA), STR("another"));
}

static bool has_hash(void)
{
	struct account_record r;
	result got = directory_read_account(auth.directory, id_of(ANNA), &r);
	return !failed(got) && strcmp(r.hash, "another") == 0;
}

static result erase(void)
{
	struct book_account *who;
	TRY(directory_find_account(auth.directory, STR("gone@example.test"), &who));
	return directory_doom_account(auth.directory, who->id);
}

static bool is_erased(void)
{
	return id_of("gone@example.test") == 0;
}

/* ---- DKIM's keys ---- */

static const struct book_key *key_of(const char *domain, enum key_state state, enum dkim_algorithm algorithm)
{
	return domain_key(book_domain(&auth.directory->book, str_from(domain)), state, algorithm);
}

static uint64_t key_id(const char *domain, enum key_state state, enum dkim_algorithm algorithm)
{
	const struct book_key *k = key_of(domain, state, algorithm);
	return k ? k->id : 0;
}

static result begin_keys(void)
{
	return directory_begin_keys(auth.directory, STR("example.test"), 1);
}

static bool has_begun(void)
{
	return key_of("example.test", KEY_BEGUN, DKIM_RSA_SHA256) && key_of("example.test", KEY_BEGUN, DKIM_ED25519_SHA256);
}

static result finish_key(void)
{
	return directory_finish_key(auth.directory, key_id("begun.test", KEY_BEGUN, DKIM_RSA_SHA256), STR("AAAA"), 2);
}

static bool has_finished(void)
{
	return key_of("begun.test", KEY_ACTIVE, DKIM_RSA_SHA256) != NULL;
}

static result turn_key(void)
{
	return directory_turn_key(auth.directory, key_id("turned.test", KEY_PUBLISHED, DKIM_RSA_SHA256), 3);
}

static bool has_turned(void)
{
	return key_of("turned.test", KEY_ACTIVE, DKIM_RSA_SHA256) && key_of("turned.test", KEY_RETIRED, DKIM_RSA_SHA256);
}

static result doom_key(void)
{
	return directory_doom_key(auth.directory, key_id("turned.test", KEY_RETIRED, DKIM_ED25519_SHA256));
}

static bool is_doomed(void)
{
	return !key_of("turned.test", KEY_RETIRED, DKIM_ED25519_SHA256);
}

static void finish_both(const char *domain)
{
	for (int a = 0; a < KEY_ALGORITHMS; a++)
		assert_ok(directory_finish_key(
			auth.directory, key_id(domain, KEY_BEGUN, (enum dkim_algorithm)a), STR("AA"), 1));
}

static void keys_to_begin_with(void)
{
	assert_ok(kit_domain("begun.test"));
	assert_ok(kit_domain("turned.test"));
	assert_ok(directory_begin_keys(auth.directory, STR("begun.test"), 1));
	for (int round = 0; round < 2; round++) {
		assert_ok(directory_begin_keys(auth.directory, STR("turned.test"), 1));
		finish_both("turned.test");
	}
	assert_ok(directory_turn_key(auth.directory, key_id("turned.test", KEY_PUBLISHED, DKIM_ED25519_SHA256), 1));
}

static const struct change {
	result (*make)(void);
	bool (*seen)(void);
	bool reads; /* seen asks the database: not while it is broken */
} changes[] = {
	{add_domain, has_domain, false},   {add_account, has_account, false},     {add_alias, has_alias, false},
	{delete_alias, lacks_alias, false}, {add_grant, has_grant, false},         {set_catch_all, has_catch_all, false},
	{disable, is_disabled, false},     {set_hash, has_hash, true},            {erase, is_erased, false},
	{add_outside, has_outside, false}, {add_route, has_route, false},         {delete_route, lacks_route, false},
	{make_forward_key, has_forward_key, false}, {keep_long_sender, has_long_sender, true},
	{begin_keys, has_begun, false},    {finish_key, has_finished, false},     {turn_key, has_turned, false},
	{doom_key, is_doomed, false},      {end_signing, signs_not, false},
};
enum { CHANGES = sizeof changes / sizeof *changes };

/* ---- a round ---- */

static enum fault fault;
static uint64_t place;
static bool hit;

static result make_account(const char *address)
{
	uint64_t id;
	struct new_account n = {.address = str_from(address), .hash = STR("-")};
	TRY(directory_begin_account(auth.directory, &n, &id));
	return directory_finish_account(auth.directory, id);
}

static void begin(void)
{
	assert_ok(kit_domain("example.test"));
	assert_ok(make_account(ANNA));
	assert_ok(make_account(OTTO));
	assert_ok(make_account("gone@example.test"));
	assert_ok(kit_alias("old@example.test", ANNA));
	const struct route old = {.kind = ROUTE_RELAYED, .match = STR("old.test"), .host = STR("h.test")};
	assert_ok(directory_add_route(auth.directory, &old, (str){NULL, 0}));
	keys_to_begin_with();
	for (size_t i = 0; i < CHANGES; i++)
		assert_false(changes[i].seen());
}

static void arm(void)
{
	static const enum sim_fault faults[] = {SIM_REFUSE, SIM_FULL, SIM_CRASH};
	if (fault == MEMORY)
		mem_fail_at(place);
	else
		sim_fault_at(kit.sim, faults[fault], place);
}

static void disarm(void)
{
	hit = fault == MEMORY ? mem_count() >= place : sim_steps(kit.sim) >= place;
	mem_fail_at(0);
}

static void mend(void)
{
	sim_fault_at(kit.sim, SIM_NONE, 0);
	if (fault == CRASH || fault == REFUSE)
		sim_crash(kit.sim);
}

static void round_of(void)
{
	bool done[CHANGES], refused = false;
	begin();
	arm();
	for (size_t i = 0; i < CHANGES; i++) {
		result r = changes[i].make();
		done[i] = !failed(r);
		refused |= failed(r);
		if (fault != MEMORY)
			assert_true(done[i] || r.kind == FAIL_DISK || r.kind == FAIL_FULL);
	}
	disarm();
	/* Where memory is short the answer alone may have been refused, or the book is behind and given up. */
	for (size_t i = 0; i < CHANGES; i++)
		if (!changes[i].reads && changes[i].seen() != done[i] && fault != MEMORY)
			fail_msg("change %zu: answered %d, seen %d", i, done[i], !done[i]);
		else if (!changes[i].reads && done[i] && !changes[i].seen())
			assert_true(kit.given_up > 0);
	if (fault != MEMORY)
		assert_true(kit_recipient(ANNA).verdict == EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED);
	if (fault != MEMORY)
		assert_int_equal(kit.given_up > 0, refused && fault != FULL); /* room made ahead in the log is not missed */
	assert_true(hit || !refused);
	kit_close();
	mend();
	kit_open();
	for (size_t i = 0; i < CHANGES; i++)
		if (done[i])
			assert_true(changes[i].seen());
		else if (fault == FULL)
			assert_false(changes[i].seen());
	accounts_finish_leftovers(&auth);
	assert_true(kit_recipient(ANNA).verdict == EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED);
}

static uint64_t first_place(void)
{
	const char *first = getenv("POSTERN_ROUND"); /* begin there, to look at one */
	uint64_t n = 1;
	if (first)
		(void)str_to_u64(str_from(first), &n);
	return n;
}

static void all_rounds(enum fault f)
{
	fault = f;
	place = first_place();
	do
		kit_run(round_of);
	while (hit && ++place < 3000);
	printf("%lu places where %s\n", (unsigned long)(place - 1), fault_names[f]);
	assert_true(place > 15);
}

static void test_failing_disk(void **state)
{
	(void)state;
	all_rounds(REFUSE);
}

static void test_full_disk(void **state)
{
	(void)state;
	all_rounds(FULL);
}

static void test_power_cut(void **state)
{
	(void)state;
	all_rounds(CRASH);
}

static void test_refused_memory(void **state)
{
	(void)state;
	all_rounds(MEMORY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_failing_disk), cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_power_cut), cmocka_unit_test(test_refused_memory)};
	return cmocka_run_group_tests_name("auth-disk", tests, NULL, NULL);
}
