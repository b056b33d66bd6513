/* A small disk that fills up: what was kept stays, deleting makes room again. */
#include "account/store/core.h"
#include "account/store/kit.h"

#include <stdio.h>

/* The disk in memory, with so many bytes and no more. */
static struct files_ops limited;
static const struct files_ops *inner;
static uint64_t used, capacity;

static result limited_write(struct file *file, uint64_t at, str bytes)
{
	uint64_t size;
	TRY(inner->size(file, &size));
	uint64_t end = at + bytes.n, more = end > size ? end - size : 0;
	if (more > capacity - used)
		return failure(FAIL_FULL, "the disk is full");
	TRY(inner->write(file, at, bytes));
	used += more;
	return OK;
}

static result limited_truncate(struct file *file, uint64_t to)
{
	uint64_t size;
	TRY(inner->size(file, &size));
	TRY(inner->truncate(file, to));
	used = to < size ? used - (size - to) : used;
	return OK;
}

static result limited_unlink(struct files *f, const char *path)
{
	uint64_t size = 0;
	struct file *file = NULL;
	if (!failed(files_open(f, path, FILES_READ, &file)) && failed(inner->size(file, &size)))
		size = 0;
	file_close(&file);
	TRY(inner->unlink(f, path));
	used -= size;
	return OK;
}

static void limit(struct files *f)
{
	inner = f->ops;
	limited = *inner;
	limited.write = limited_write;
	limited.truncate = limited_truncate;
	limited.unlink = limited_unlink;
	f->ops = &limited;
}

static unsigned fill_up(struct kit *k)
{
	for (unsigned n = 0;; n++) {
		result r = kit_deliver(k, "", "fill", 20000);
		if (failed(r)) {
			assert_int_equal(r.kind, FAIL_FULL);
			return n;
		}
		arena_clear(&k->m);
	}
}

/* By \Deleted and EXPUNGE, or by way of the Trash; the first step, too, needs room. */
static void delete_as_programs_do(struct kit *k, struct view *v, const struct uids *which, int round)
{
	const struct flag_change deleted = {FLAGS_ADD, {STORE_DELETED, NULL, 0}, false, 0};
	struct uids not;
	struct copied copied;
	if (round % 2 == 0) {
		assert_ok(message_flags(v, which, &deleted, &k->m, &not));
		assert_ok(message_expunge(v, which));
		return;
	}
	assert_ok(message_move(v, &(struct copy_order){which, STR("Trash"), false}, &k->m, &copied));
	struct view *trash = kit_view(k, "Trash");
	assert_ok(message_remove(trash, &(struct uids){copied.to, copied.n}));
	view_close(&trash);
}

static void deleting_makes_room(struct kit *k)
{
	for (int i = 0; i < 300; i++)
		assert_ok(kit_deliver(k, "", "first", 20000));
	arena_clear(&k->m);
	assert_ok(store_trim(&k->administrator));
	for (int round = 0; round < 5; round++) {
		unsigned n = fill_up(k);
		assert_true(n > 10);
		if (round == 2)
			kit_reopen(k); /* the account opens on a full disk too */
		struct view *v = kit_view(k, "INBOX");
		uint32_t count = view_exists(v);
		uint32_t *all = arena_array(&k->m, count, sizeof *all);
		for (uint32_t i = 0; i < count; i++)
			all[i] = view_uid(v, i + 1);
		delete_as_programs_do(k, v, &(struct uids){all, 20}, round);
		if (round % 2)
			assert_ok(message_remove(v, &(struct uids){all, count}));
		else
			for (uint32_t i = 20; i < count; i += 7)
				assert_ok(message_remove(v, &(struct uids){all + i, count - i < 7 ? count - i : 7}));
		view_close(&v);
		assert_ok(store_trim(&k->administrator));
		kit_expect_sound(k);
		printf("round %d: %u letters of 20 KB fitted and were removed\n", round, n);
	}
}

/* Forgetting delivery ids can wait. */
static void opens_with_much_to_forget(struct kit *k)
{
	kit_write(k, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<20000)"
		" INSERT INTO delivered(id,at) SELECT randomblob(16),1 FROM n");
	assert_true(fill_up(k) > 10);
	kit_reopen(k);
	struct view *v = kit_view(k, "INBOX");
	uint32_t first = view_uid(v, 1);
	assert_ok(message_remove(v, &(struct uids){&first, 1}));
	view_close(&v);
}

/* The newest messages are in no list yet, and no list has room: who looks needs none. */
static void looks_while_full(struct kit *k)
{
	struct findings f;
	assert_true(fill_up(k) > 10);
	k->watched = true;
	kit_reopen(k);
	capacity += 1 << 20; /* every 64th letter brings all of them into the list */
	do
		assert_ok(kit_deliver(k, "", "fill", 20000));
	while (k->store->lists.unlisted.n == 0);
	capacity = used;
	for (int again = 0; again < 2; again++) {
		assert_ok(store_check(&k->administrator, false, &k->m, &f));
		assert_int_equal(f.n, 0);
		assert_true(k->store->lists.unlisted.n > 0);
		kit_reopen(k);
	}
	struct view *v = kit_view(k, "INBOX");
	uint32_t last = view_uid(v, view_exists(v));
	assert_true(str_find(kit_bytes(k, v, last), STR("Subject: fill")) != STR_NONE);
	assert_ok(message_remove(v, &(struct uids){&last, 1}));
	assert_int_equal(k->store->lists.unlisted.n, 0);
	view_close(&v);
}

/* An account on a disk where others took the rest of the room. */
static struct {
	unsigned before; /* letters there */
	uint64_t left;   /* octets */
	bool watched, reopened;
} small;

static uint32_t empties_itself(struct kit *k)
{
	struct view *v = kit_view(k, "INBOX");
	uint32_t n = view_exists(v);
	uint32_t *all = arena_array(&k->m, n, sizeof *all);
	for (uint32_t i = 0; i < n; i++)
		all[i] = view_uid(v, i + 1);
	for (uint32_t i = 0; i < n; i++)
		assert_ok(message_remove(v, &(struct uids){all + i, 1}));
	view_close(&v);
	return n;
}

/* Whatever it took it can remove, and what is kept meanwhile leaves it the room for that. */
static void a_small_account_empties_itself(struct kit *k)
{
	k->watched = small.watched;
	kit_reopen(k);
	for (unsigned i = 0; i < small.before; i++)
		assert_ok(kit_deliver(k, "", "first", 20000));
	assert_ok(store_trim(&k->administrator));
	capacity = used + small.left;
	unsigned came = fill_up(k);
	if (small.reopened)
		kit_reopen(k);
	uint32_t n = empties_itself(k);
	capacity = 64 << 20;
	assert_ok(store_trim(&k->administrator));
	assert_int_equal(n + empties_itself(k), small.before + came);
}

static void (*play)(struct kit *k);

static void fills(void *arg)
{
	struct kit *k = arg;
	assert_ok(kit_open(k));
	play(k);
	kit_reopen(k);
	kit_expect_sound(k);
	kit_close(k);
}

static void on_a_small_disk(void (*fn)(struct kit *k))
{
	play = fn;
	struct kit k = {.sim = sim_new(9), .m = arena_new(16 << 20)};
	k.files = sim_files(k.sim);
	used = 0;
	capacity = 24 << 20;
	limit(k.files);
	kit_on_fiber(fills, &k);
	arena_free(&k.m);
	sim_free(&k.sim);
}

static void test_full(void **state)
{
	(void)state;
	on_a_small_disk(deleting_makes_room);
}

static void test_much_to_forget(void **state)
{
	(void)state;
	on_a_small_disk(opens_with_much_to_forget);
}

static void test_looking(void **state)
{
	(void)state;
	on_a_small_disk(looks_while_full);
}

static void test_a_small_account(void **state)
{
	(void)state;
	for (small.left = 0; small.left < 3000000; small.left += 1000000)
		for (unsigned i = 0; i < 12; i++) {
			small.before = i * 10;
			small.watched = i % 4 == 3;
			small.reopened = i % 2;
			on_a_small_disk(a_small_account_empties_itself);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_full), cmocka_unit_test(test_much_to_forget),
		cmocka_unit_test(test_looking), cmocka_unit_test(test_a_small_account)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
