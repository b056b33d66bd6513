#include "base/test.h"

#include <sodium.h>

#include "engine/files_sim.h"
#include "run/clock.h"
#include "run/fiber.h"
#include "run/loop.h"
#include "run/random.h"
#include "run/worker.h"
#include "watch/audit.h"

enum { DAY = 86400 * 1000, ACTS = 6, ARENA = 1 << 20, PLACES_MAX = 400 };

static const struct origin web = {.role = STR_INIT("web")};
static unsigned char secret[crypto_sign_SECRETKEYBYTES];
static struct audit_options options;
static struct sim *sim;
static bool vault_away;

/* ---- a vault, a disk, a fiber ---- */

static result have_signed(void *ctx, const struct audit_checkpoint *c, unsigned char signature[AUDIT_SIGNATURE])
{
	struct audit_statement s = audit_statement_of(c->seq, c->time, &c->hash);
	(void)ctx;
	if (vault_away)
		return failure(FAIL_CLOSED, "the vault is away");
	if (c->seq < options.signed_seq)
		return failure(FAIL_DENIED, "the vault signed more");
	crypto_sign_detached(signature, NULL, (const unsigned char *)s.p, s.n, secret);
	options.signed_seq = c->seq;
	options.signed_hash = c->hash;
	return OK;
}

static int begin(void **state)
{
	(void)state;
	options = (struct audit_options){.signer = {.sign = have_signed}};
	crypto_sign_keypair(options.key, secret);
	sim = sim_new(7);
	options.files = sim_files(sim);
	vault_away = false;
	clock_test_hold((int64_t)20000 * DAY);
	worker_test_alone(true);
	return 0;
}

static int end(void **state)
{
	(void)state;
	sim_free(&sim);
	clock_test_release();
	worker_test_alone(false);
	return 0;
}

static void on_fiber(void (*fn)(void *), void *arg)
{
	assert_ok(loop_open());
	assert_ok(fiber_start(fn, arg, "test", NULL));
	loop_run();
	loop_close();
}

static struct audit *open_log(void)
{
	struct audit *a = NULL;
	assert_ok(audit_open(&options, &a));
	return a;
}

/* ---- records ---- */

static struct log_octets octets;

static struct entry entry_of(str target, uint64_t account)
{
	const struct log_field f[] = {F_STR("act", STR("alias-add")), F_STR("target", target), F_U64("account", account),
				      {0}};
	log_encode(EV_ADMIN, NULL, f, &octets);
	return (struct entry){.at = clock_wall_ms(), .from = web, .record = str_of(octets.p, octets.n)};
}

static result attest(struct audit *a, uint64_t account)
{
	struct entry e = entry_of(STR("anna@example.org"), account);
	return audit_attest(a, &e);
}

static void add(struct audit *a, uint64_t account)
{
	struct entry e = entry_of(STR("bert@example.org"), account);
	audit_add(a, &e);
}

/* ---- another reader ---- */

struct seen {
	struct audit_chain chain;
	bool accounts[64];
	size_t files, clears, gaps;
};

static result note(void *ctx, str name)
{
	struct seen *s = ctx;
	s->files += str_starts(name, STR("audit-"));
	s->clears += str_starts(name, STR("clear-"));
	return OK;
}

static void read_one(struct seen *s, uint64_t first)
{
	struct audit_reader r;
	struct audit_line l;
	struct audit_value v;
	struct audit_hash rest;
	str line;
	uint64_t left = 0;
	crypto_hash_sha256_state h;
	crypto_hash_sha256_init(&h);
	assert_ok(audit_reader_open(&r, options.files, AUDIT_CHAIN_FILE, first));
	audit_chain_file(&s->chain, first);
	for (;;) {
		assert_ok(audit_reader_next(&r, &line));
		if (line.n == 0)
			break;
		if (!audit_chain_line(&s->chain, line)) {
			left += line.n;
			crypto_hash_sha256_update(&h, (const unsigned char *)line.p, line.n);
			continue;
		}
		assert_true(audit_line_read(str_sub(line, 0, line.n - 1), &l));
		s->gaps += str_eq(l.event, STR("audit.gap"));
		if (audit_field_find(l.fields, STR("account"), &v))
			s->accounts[v.number] = true;
	}
	crypto_hash_sha256_final(&h, rest.b);
	if (left > 0)
		audit_chain_rest(&s->chain, left, &rest);
	audit_reader_close(&r);
}

static struct seen look(void)
{
	struct seen s = {.files = 0};
	struct audit_files f;
	struct audit_tail tail;
	audit_chain_begin(&s.chain, options.key);
	assert_ok(files_list(options.files, note, &s));
	assert_ok(audit_files_open(&f, options.files, options.key, &tail));
	for (size_t i = 0; i < f.names_n; i++)
		read_one(&s, f.names[i]);
	audit_files_close(&f);
	audit_chain_end(&s.chain);
	return s;
}

static void assert_whole(const struct seen *s)
{
	if (s->chain.fault != AUDIT_WHOLE)
		fail_msg("%s at %lu: %s", audit_fault_name(s->chain.fault), (unsigned long)s->chain.at, s->chain.why);
}

/* ---- the ordinary day ---- */

static void live_on_fiber(void *arg)
{
	struct audit_checkpoint c;
	struct audit *a = open_log();
	(void)arg;
	add(a, 1);
	assert_ok(attest(a, 2));
	assert_ok(audit_checkpoint(a, &c));
	assert_true(audit_checkpoint_signed(&c) && c.seq >= 3);
	audit_close(&a);
	a = open_log(); /* it goes on where it was */
	assert_ok(attest(a, 3));
	audit_close(&a);
}

static void it_goes_on_across_restarts(void **state)
{
	(void)state;
	on_fiber(live_on_fiber, NULL);
	struct seen s = look();
	assert_whole(&s);
	assert_int_equal(s.files, 1);
	assert_int_equal(s.chain.signed_to, s.chain.last - 1); /* the end is signed */
	assert_true(s.accounts[1] && s.accounts[2] && s.accounts[3]);
}

/* ---- days ---- */

static struct web_watch_audit_records shown(struct audit *a, uint64_t account, arena *m)
{
	struct web_watch_audit_records out = {0};
	assert_ok(audit_show(a, &(struct audit_question){.account = account}, m, &out));
	return out;
}

static void forget_on_fiber(void *arg)
{
	AUTO_ARENA arena m = arena_new(ARENA);
	struct audit *a = open_log();
	(void)arg;
	assert_ok(attest(a, 5));
	struct web_watch_audit_records r = shown(a, 5, &m);
	assert_int_equal(r.rows.n, 1);
	assert_str(r.rows.p[0].fields, STR("{\"act\":\"alias-add\",\"target\":\"anna@example.org\",\"account\":5}"));
	clock_test_advance(DAY);
	assert_ok(attest(a, 6)); /* another day, another file */
	assert_int_equal(shown(a, 5, &m).rows.n, 1); /* by the index */
	assert_int_equal(shown(a, 7, &m).rows.n, 0);
	clock_test_advance((uint64_t)options.forget_ms + DAY);
	assert_ok(attest(a, 7));
	clock_test_advance(AUDIT_FORGET_MS);
	assert_ok(fiber_sleep(0));
	add(a, 8);
	assert_ok(attest(a, 9));
	r = shown(a, 5, &m);
	assert_str(r.rows.p[0].fields, STR("{\"act\":\"alias-add\",\"target\":null,\"account\":5}"));
	uint64_t newest = audit_records(a); /* one more may be signed while they are shown */
	assert_in_range(shown(a, 0, &m).rows.p[0].seq, newest, audit_records(a));
	audit_close(&a);
}

static void addresses_are_forgotten_and_the_chain_holds(void **state)
{
	(void)state;
	options.forget_ms = 30 * (int64_t)DAY;
	on_fiber(forget_on_fiber, NULL);
	struct seen s = look();
	assert_whole(&s);
	assert_int_equal(s.files, 3);
	assert_int_equal(s.clears, 2); /* the first file's went, with the day that is old enough */
}

/* ---- bad days ---- */

static bool kept[ACTS + 1];

static void act_on_fiber(void *arg)
{
	struct audit *a = NULL;
	(void)arg;
	if (failed(audit_open(&options, &a)))
		return;
	for (uint64_t n = 1; n <= ACTS; n++) {
		add(a, 32 + n);
		kept[n] = !failed(attest(a, n));
	}
	audit_close(&a);
}

/* The machine stops at every place: what was promised is there, and the next start seals off the rest. */
static void no_crash_loses_what_was_promised(void **state)
{
	uint64_t place = 0;
	bool dead = true;
	while (dead && ++place < PLACES_MAX) {
		memset(kept, 0, sizeof kept);
		sim_fault_at(sim, SIM_CRASH, place);
		on_fiber(act_on_fiber, NULL);
		dead = sim_dead(sim);
		bool promised[ACTS + 1];
		memcpy(promised, kept, sizeof kept);
		sim_crash(sim);
		sim_fault_at(sim, SIM_NONE, 0);
		on_fiber(act_on_fiber, NULL); /* the next start */
		struct seen s = look();
		assert_whole(&s);
		for (size_t n = 1; n <= ACTS; n++)
			if (promised[n] && !s.accounts[n])
				fail_msg("place %lu: act %zu was promised and is gone", (unsigned long)place, n);
		end(state);
		begin(state);
	}
	assert_in_range(place, 20, PLACES_MAX - 1);
}

static void full_on_fiber(void *arg)
{
	struct audit *a = open_log();
	(void)arg;
	assert_ok(attest(a, 1));
	sim_fault_at(sim, SIM_FULL, 1);
	add(a, 2);
	assert_int_equal(attest(a, 3).kind, FAIL_FULL);
	assert_int_equal(audit_lost(a), 0);
	sim_fault_at(sim, SIM_NONE, 0);
	clock_test_advance(AUDIT_RETRY_MS);
	assert_ok(attest(a, 4));
	audit_close(&a);
}

static void a_full_disk_refuses_acts_and_keeps_the_others(void **state)
{
	(void)state;
	on_fiber(full_on_fiber, NULL);
	struct seen s = look();
	assert_whole(&s);
	assert_true(s.accounts[1] && s.accounts[2] && s.accounts[4]);
	assert_false(s.accounts[3]);
}

/* A disk with so much room: what grows takes of it, what goes gives it back. */
static struct {
	struct files_ops ops;
	bool bounded;
	uint64_t room;
} small;

static struct files_ops inner_ops;

static result small_write(struct file *file, uint64_t at, str bytes)
{
	uint64_t size;
	TRY(inner_ops.size(file, &size));
	uint64_t grows = at + bytes.n > size ? at + bytes.n - size : 0;
	if (small.bounded && grows > small.room)
		return failure(FAIL_FULL, "the disk is full");
	small.room -= small.bounded ? grows : 0;
	return inner_ops.write(file, at, bytes);
}

static result small_unlink(struct files *f, const char *path)
{
	small.room += sim_bytes(sim, path).n;
	return inner_ops.unlink(f, path);
}

static void ballast_on_fiber(void *arg)
{
	struct audit *a = open_log();
	(void)arg;
	assert_ok(attest(a, 1));
	clock_test_advance(AUDIT_FORGET_MS); /* the ballast is there */
	assert_ok(attest(a, 2));
	small.bounded = true;
	small.room = 0;
	assert_ok(attest(a, 3));
	assert_true(small.room > 0); /* of what the ballast gave way to */
	small.room = 0;
	assert_int_equal(attest(a, 4).kind, FAIL_FULL);
	small.bounded = false;
	audit_close(&a);
}

static void acts_go_on_from_the_ballast(void **state)
{
	const struct files_ops *ops = options.files->ops;
	struct files changed = *options.files;
	(void)state;
	inner_ops = *ops;
	small.ops = inner_ops;
	small.ops.write = small_write;
	small.ops.unlink = small_unlink;
	small.bounded = false;
	changed.ops = &small.ops;
	*options.files = changed;
	on_fiber(ballast_on_fiber, NULL);
	struct seen s = look();
	assert_whole(&s);
	assert_true(s.accounts[3] && !s.accounts[4]);
}

static void gap_on_fiber(void *arg)
{
	struct audit *a = open_log();
	(void)arg;
	assert_ok(attest(a, 1));
	sim_fault_at(sim, SIM_FULL, 1);
	while (audit_lost(a) == 0) {
		add(a, 2);
		fiber_yield();
	}
	sim_fault_at(sim, SIM_NONE, 0);
	clock_test_advance(AUDIT_RETRY_MS);
	assert_ok(attest(a, 3));
	audit_close(&a);
}

static void what_found_no_room_is_counted(void **state)
{
	(void)state;
	on_fiber(gap_on_fiber, NULL);
	struct seen s = look();
	assert_whole(&s);
	assert_int_equal(s.gaps, 1);
}

static void alone_on_fiber(void *arg)
{
	struct audit *a = open_log();
	(void)arg;
	vault_away = true;
	for (uint64_t n = 1; n <= ACTS; n++)
		assert_ok(attest(a, n)); /* the log goes on without signatures */
	vault_away = false;
	audit_close(&a);
}

static void it_goes_on_while_the_vault_is_away(void **state)
{
	(void)state;
	on_fiber(alone_on_fiber, NULL);
	struct seen s = look();
	assert_whole(&s);
	assert_true(s.accounts[ACTS]);
}

/* ---- what somebody did to the files meanwhile ---- */

static void again_on_fiber(void *arg)
{
	struct audit *a = open_log();
	(void)arg;
	assert_ok(attest(a, 9));
	audit_close(&a);
}

static void a_cut_while_it_was_down_stays_visible(void **state)
{
	struct audit_name name = audit_name_of(AUDIT_CHAIN_FILE, 1);
	(void)state;
	on_fiber(live_on_fiber, NULL);
	str all = sim_bytes(sim, name.p);
	size_t first_end = str_chr(all, '\n') + 1;
	AUTO_BUF buf left = buf_new(1 << 20);
	buf_put(&left, str_sub(all, 0, first_end));
	sim_put(sim, name.p, buf_str(&left));
	on_fiber(again_on_fiber, NULL);
	struct seen s = look();
	assert_int_equal(s.chain.fault, AUDIT_CUT);
	assert_int_equal(s.chain.at, 2);
}

#define ON_A_DISK(T) cmocka_unit_test_setup_teardown(T, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_DISK(it_goes_on_across_restarts),
		ON_A_DISK(addresses_are_forgotten_and_the_chain_holds),
		ON_A_DISK(no_crash_loses_what_was_promised),
		ON_A_DISK(a_full_disk_refuses_acts_and_keeps_the_others),
		ON_A_DISK(acts_go_on_from_the_ballast),
		ON_A_DISK(what_found_no_room_is_counted),
		ON_A_DISK(it_goes_on_while_the_vault_is_away),
		ON_A_DISK(a_cut_while_it_was_down_stays_visible),
	};
	return failed(random_open()) ? 1 : cmocka_run_group_tests_name("audit log", tests, NULL, NULL);
}
