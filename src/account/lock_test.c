/* To `locked` and back, with the machine stopping at every step; the vault is played. */
#include "account/lock.h"
#include "account/store/kit.h"
#include "account/store/reseal.h"
#include "base/test.h"

static const unsigned char id[16] = "an account";

static struct {
	struct sim *sim;
	unsigned char key[OWN_KEY], next[OWN_KEY];
	bool has_key, has_next;
	unsigned made;
	bool dead; /* the machine stopped: nobody answers */
} v;

static result answer(void)
{
	v.dead = v.dead || sim_dead(v.sim);
	return v.dead ? failure(FAIL_CLOSED, "the vault has gone") : OK;
}

static result get_key(bool fresh, unsigned char key[OWN_KEY])
{
	TRY(answer());
	if (!v.has_key && fresh)
		memset(v.key, (int)++v.made, sizeof v.key);
	v.has_key = v.has_key || fresh;
	memcpy(key, v.key, sizeof v.key);
	return v.has_key ? OK : failure(FAIL_ABSENT, "there is no key");
}

static result get_next(bool make, unsigned char key[OWN_KEY])
{
	TRY(answer());
	if (!v.has_next && make)
		memset(v.next, (int)++v.made, sizeof v.next);
	v.has_next = v.has_next || make;
	memcpy(key, v.next, sizeof v.next);
	return v.has_next ? OK : failure(FAIL_ABSENT, "there is no next key");
}

static result follow(void)
{
	TRY(answer());
	if (v.has_next)
		memcpy(v.key, v.next, sizeof v.key);
	v.has_next = false;
	return OK;
}

static const struct lock_vault vault = {get_key, get_next, follow};
static const struct owner_key owner = {"the owner's"}, other = {"another one's"};

enum { LARGE = 300000, LETTERS = 3 };

struct house {
	struct kit k;
	struct lock l;
	unsigned char database[OWN_KEY];
};

static void begin(struct house *h)
{
	h->l = (struct lock){.files = h->k.files, .vault = &vault, .id = id};
	assert_ok(lock_find(&h->l));
}

static void open_house(struct house *h)
{
	lock_database(&h->l, h->database);
	h->k.key = h->database;
	assert_ok(kit_open(&h->k));
}

/* One that no packing makes small enough for a row. */
static void deliver_large(struct house *h)
{
	struct letter l = kit_letter(&h->k, "kept", 10);
	AUTO_BUF buf b = buf_new(LARGE * 2);
	uint64_t state = 1;
	struct arrived done;
	buf_put(&b, str_sub(l.body, 0, l.header_size));
	while (b.n < LARGE) {
		uint64_t r = sim_random(&state);
		buf_put(&b, str_of((const char *)&r, sizeof r));
	}
	l.body = buf_str(&b);
	const struct incoming in = {.delivery = kit_delivery(&h->k), .received = 1700000000, .letter = &l};
	assert_ok(message_deliver(&h->k.courier, &in, &done));
}

static void fill(struct house *h)
{
	assert_ok(kit_deliver(&h->k, "", "kept", 500));
	deliver_large(h);
	assert_ok(kit_deliver(&h->k, "", "kept", 500));
}

static void expect_all(struct house *h)
{
	open_house(h);
	struct view *view = kit_view(&h->k, "INBOX");
	assert_int_equal(view_exists(view), LETTERS);
	assert_true(kit_bytes(&h->k, view, 2).n > LARGE);
	view_close(&view);
	kit_expect_sound(&h->k);
	kit_close(&h->k);
}

static void open_sim(struct house *h)
{
	memset(&v, 0, sizeof v);
	*h = (struct house){.k = {.sim = sim_new(5), .m = arena_new(64 << 20)}};
	v.sim = h->k.sim;
	h->k.files = sim_files(h->k.sim);
	begin(h);
	open_house(h);
	fill(h);
	kit_close(&h->k);
}

static void close_sim(struct house *h)
{
	arena_free(&h->k.m);
	sim_free(&h->k.sim);
}

/* ---- */

static void there_and_back_on(void *arg)
{
	struct house h;
	unsigned char first[OWN_KEY], database[OWN_KEY];
	(void)arg;
	open_sim(&h);
	memcpy(first, v.key, sizeof first);
	h.l.notice.quota = 4711;
	assert_ok(lock_change(&h.l, &owner));
	assert_memory_not_equal(first, v.key, sizeof first); /* the vault's key of before is gone */
	expect_all(&h);

	begin(&h);
	assert_true(h.l.locked && !h.l.open);
	assert_int_equal(h.l.notice.quota, 4711);
	assert_int_equal(lock_open(&h.l, &other).kind, FAIL_DENIED);
	assert_false(h.l.open);
	/* neither the key of before nor the vault's of now opens it alone, nor the owner's with another of the vault's */
	unsigned char mixed[OWN_KEY];
	owner_key_database(&owner, first, mixed);
	const unsigned char *const wrong[] = {first, v.key, owner.b, mixed};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		h.k.key = wrong[i];
		assert_int_equal(kit_open(&h.k).kind, FAIL_DAMAGE);
	}
	assert_ok(lock_open(&h.l, &owner));
	expect_all(&h);
	lock_database(&h.l, database);

	assert_ok(lock_change(&h.l, NULL));
	expect_all(&h);
	begin(&h);
	assert_false(h.l.locked);
	expect_all(&h);
	h.k.key = database;
	assert_int_equal(kit_open(&h.k).kind, FAIL_DAMAGE);
	assert_null(sim_bytes(v.sim, "lock").p);
	close_sim(&h);
}

static void to_locked_and_back(void **state)
{
	(void)state;
	kit_on_fiber(there_and_back_on, NULL);
}

/* What any body file's key of before opened is gone too. */
static void bodies_on(void *arg)
{
	struct house h;
	(void)arg;
	open_sim(&h);
	AUTO_BUF buf names = buf_new(4096), now = buf_new(4096);
	assert_ok(files_list(h.k.files, kit_gather_bodies, &names));
	assert_true(names.n > 0);
	assert_ok(lock_change(&h.l, &owner));
	expect_all(&h);
	assert_ok(files_list(h.k.files, kit_gather_bodies, &now));
	assert_int_equal(now.n, names.n);
	assert_int_equal(str_find(buf_str(&now), buf_str(&names)), STR_NONE);
	close_sim(&h);
}

static void body_files_get_new_keys(void **state)
{
	(void)state;
	kit_on_fiber(bodies_on, NULL);
}

struct trial {
	enum sim_fault fault;
	bool lock;
	uint64_t n;
	bool hit;
};

/* The process that is there: where it cannot open what it has changed by half, another one can. */
static void go_on_or_begin(struct house *h)
{
	lock_database(&h->l, h->database);
	h->k.key = h->database;
	if (failed(kit_open(&h->k)))
		begin(h);
	else
		kit_close(&h->k);
}

/* Whichever policy it came to: all mail is there, and it goes on from there. */
static void trial_on(void *arg)
{
	struct trial *t = arg;
	struct house h;
	open_sim(&h);
	if (!t->lock)
		assert_ok(lock_change(&h.l, &owner));
	sim_fault_at(v.sim, t->fault, t->n);
	t->hit = failed(lock_change(&h.l, t->lock ? &owner : NULL));
	if (t->fault == SIM_CRASH)
		sim_crash(v.sim);
	sim_fault_at(v.sim, SIM_NONE, 0);
	v.dead = false;
	if (t->fault == SIM_CRASH)
		begin(&h);
	else
		go_on_or_begin(&h);
	if (!t->hit)
		assert_int_equal(h.l.locked, t->lock);
	if (h.l.locked && !h.l.open)
		assert_ok(lock_open(&h.l, &owner));
	expect_all(&h);
	if (h.l.locked != t->lock)
		assert_ok(lock_change(&h.l, t->lock ? &owner : NULL));
	expect_all(&h);
	assert_null(sim_bytes(v.sim, STORE_NEXT).p);
	close_sim(&h);
}

static void every_step(enum sim_fault fault, bool lock)
{
	struct trial t = {.fault = fault, .lock = lock, .n = 0, .hit = true};
	while (t.hit) {
		t.n++;
		kit_on_fiber(trial_on, &t);
	}
	assert_true(t.n > 10);
}

static void every_step_may_be_the_last(void **state)
{
	(void)state;
	every_step(SIM_CRASH, true);
	every_step(SIM_CRASH, false);
}

static void every_step_may_fail(void **state)
{
	(void)state;
	every_step(SIM_REFUSE, true);
	every_step(SIM_FULL, true);
	every_step(SIM_REFUSE, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_locked_and_back), cmocka_unit_test(body_files_get_new_keys),
		cmocka_unit_test(every_step_may_be_the_last), cmocka_unit_test(every_step_may_fail),
	};
	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
