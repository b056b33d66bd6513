/* Frames of the sealed log: small changes are small on disk, come back as they were, show nothing, and are noticed
 * when they were changed or not written to the end; and logs of the layouts before. */
#include "engine/seal_frame.h"
#include "engine/seal_kit.h"

enum { CONTENT = SEAL_PAGE - SEAL_RESERVED, PAGES = 40, FRAMES = 400 };

struct log {
	struct sim *sim;
	struct box box;
	struct wal wal;
};

static void open_log(struct log *l, uint32_t window)
{
	*l = (struct log){.sim = sim_new(1)};
	memcpy(l->box.key, kit_key, BOX_KEY);
	memcpy(l->box.id, kit_id, BOX_ID);
	l->wal.box = &l->box;
	l->wal.window = window;
	assert_ok(files_open(sim_files(l->sim), "t.db-wal", FILES_CREATE | FILES_BLOCKS | FILES_FLUSHED, &l->wal.file));
	assert_ok(wal_open(&l->wal, false));
	assert_ok(wal_write(&l->wal, 0, (const unsigned char[WAL_HEADER]){1}, WAL_HEADER));
}

static void close_log(struct log *l)
{
	wal_close(&l->wal);
	sim_free(&l->sim);
}

static uint64_t place_of(uint32_t number)
{
	return WAL_HEADER + (uint64_t)number * WAL_FRAME;
}

static void put_in(struct log *l, uint32_t number, uint32_t page, const unsigned char *content, bool ends)
{
	unsigned char head[WAL_FRAME_HEAD] = {0, 0, (unsigned char)(page >> 8), (unsigned char)page, 0, 0, 0, ends};
	unsigned char whole[SEAL_PAGE] = {0};
	memcpy(whole, content, CONTENT);
	assert_ok(wal_write(&l->wal, place_of(number), head, sizeof head));
	assert_ok(wal_write(&l->wal, place_of(number) + WAL_FRAME_HEAD, whole, SEAL_PAGE));
}

/* A transaction of one frame. */
static void put(struct log *l, uint32_t number, uint32_t page, const unsigned char *content)
{
	put_in(l, number, page, content, true);
}

static result get(struct log *l, uint32_t number, unsigned char *content)
{
	size_t n = CONTENT;
	return wal_read(&l->wal, place_of(number) + WAL_FRAME_HEAD, content, &n);
}

static char *on_disk(struct log *l, uint32_t number)
{
	return (char *)(uintptr_t)sim_bytes(l->sim, "t.db-wal").p + wal_frame_at(number);
}

/* What of a frame's place is not zero. */
static size_t length_of(struct log *l, uint32_t number)
{
	size_t zeros = 0;
	while (zeros < WAL_FRAME && on_disk(l, number)[zeros] == 0)
		zeros++;
	return WAL_FRAME - zeros;
}

static void fill(unsigned char *content, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++)
		content[i] = (unsigned char)sim_random(&seed);
}

static void a_small_change_is_small_on_disk(void **state)
{
	(void)state;
	struct log l;
	unsigned char page[CONTENT], back[CONTENT];
	open_log(&l, 100);
	fill(page, CONTENT, 1);
	put(&l, 0, 7, page);
	assert_ok(wal_sync(&l.wal));
	assert_in_range(length_of(&l, 0), CONTENT, WAL_FRAME);
	for (uint32_t n = 1; n < 60; n++) {
		page[n * 10]++;
		put(&l, n, 7, page);
		assert_ok(wal_sync(&l.wal));
		assert_ok(get(&l, n, back));
		assert_memory_equal(back, page, CONTENT);
	}
	assert_true(length_of(&l, 1) < 100);
	unsigned whole = 0; /* changes that add up make a new base */
	for (uint32_t n = 1; n < 60; n++)
		whole += length_of(&l, n) > CONTENT;
	assert_in_range(whole, 1, 6);
	memset(page + 500, 0, CONTENT - 500); /* another page: what is empty of it takes no room */
	put(&l, 60, 8, page);
	assert_ok(wal_sync(&l.wal));
	assert_in_range(length_of(&l, 60), 500, 600);
	close_log(&l);
}

static void change(unsigned char *content, uint64_t *rng)
{
	size_t runs = sim_random(rng) % 6, most = sim_random(rng) % 4 ? 40 : CONTENT;
	for (size_t i = 0; i < runs; i++) {
		size_t at = sim_random(rng) % CONTENT, n = sim_random(rng) % most;
		n = n < CONTENT - at ? n : CONTENT - at;
		if (sim_random(rng) % 3)
			fill(content + at, n, sim_random(rng));
		else
			memset(content + at, 0, n);
	}
}

/* Some frames of the last transaction are written again, as after a rollback; memory is given back now and then. */
static void every_frame_comes_back(void **state)
{
	(void)state;
	static unsigned char model[FRAMES][CONTENT], latest[PAGES][CONTENT];
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct log l;
		uint64_t rng = seed;
		memset(latest, 0, sizeof latest);
		open_log(&l, seed % 2 ? 150 : 0);
		for (uint32_t n = 0; n < FRAMES;) {
			uint32_t begin = n, page;
			for (uint32_t i = 0; i < 1 + sim_random(&rng) % 12 && n < FRAMES; i++) {
				page = (uint32_t)(sim_random(&rng) % (sim_random(&rng) % 2 ? 5 : PAGES));
				change(latest[page], &rng);
				memcpy(model[n], latest[page], CONTENT);
				put(&l, n++, page + 1, latest[page]);
				if (sim_random(&rng) % 7 == 0 && n > begin + 1)
					n = begin;
			}
			if (sim_random(&rng) % 4)
				assert_ok(wal_sync(&l.wal));
			if (sim_random(&rng) % 5 == 0) /* its commit failed: the next one takes its place */
				n = begin;
			if (sim_random(&rng) % 9 == 0)
				wal_trim(&l.wal);
			unsigned char back[CONTENT];
			uint32_t which = (uint32_t)(sim_random(&rng) % (n ? n : 1));
			for (uint32_t i = which; i < n && i < which + 20; i++) {
				assert_ok(get(&l, i, back));
				assert_memory_equal(back, model[i], CONTENT);
			}
		}
		close_log(&l);
	}
}

/* What a transaction wrote before its end may be written again in the same place. */
static void a_base_is_of_a_transaction_that_ended(void **state)
{
	(void)state;
	struct log l;
	unsigned char page[CONTENT], back[CONTENT], other[CONTENT];
	open_log(&l, 100);
	fill(page, CONTENT, 1);
	fill(other, CONTENT, 2);
	put(&l, 0, 9, other);
	assert_ok(wal_sync(&l.wal));
	for (uint32_t n = 1; n < 4; n++) {
		page[n]++;
		put_in(&l, n, 7, page, false);
		assert_ok(wal_sync(&l.wal));
		assert_true(length_of(&l, n) > CONTENT);
	}
	put_in(&l, 1, 7, other, false);
	assert_ok(wal_sync(&l.wal));
	assert_ok(get(&l, 3, back));
	assert_memory_equal(back, page, CONTENT);
	close_log(&l);
}

static enum frame_state state_of(struct log *l, uint32_t number)
{
	unsigned char unit[WAL_FRAME];
	bool there;
	enum frame_state state = FRAME_STRANGE;
	assert_ok(wal_raw(&l->wal, number, unit, &there));
	if (there)
		assert_ok(frame_open(&l->wal, number, unit, &state));
	return state;
}

/* Of one that finds no room the disk may keep blocks from its beginning: with one of those that are short all that says
 * something would be among them, were it not at the end. */
static void what_a_full_disk_took_of_a_commit_never_opens(void **state)
{
	(void)state;
	unsigned char page[CONTENT] = {0};
	unsigned kept = 0;
	for (uint32_t n = 1; n < 40; n++) {
		struct log l;
		open_log(&l, 100);
		for (uint32_t i = 0; i < n; i++) {
			page[10 * i]++;
			put(&l, i, 7, page);
			assert_ok(wal_sync(&l.wal));
		}
		page[4]++;
		sim_fault_at(l.sim, SIM_FULL_COPYING, 1);
		put(&l, n, 7, page);
		assert_int_equal(wal_sync(&l.wal).kind, FAIL_FULL);
		sim_fault_at(l.sim, SIM_NONE, 0);
		kept += length_of(&l, n) > 0;
		wal_trim(&l.wal); /* what memory has of the log */
		assert_int_equal(state_of(&l, n - 1), FRAME_GOOD);
		assert_int_equal(state_of(&l, n), FRAME_STRANGE);
		close_log(&l);
	}
	assert_true(kept > 0);
}

/* Also where a change was tried against a base and did not fit: 'secret' lies behind what differs from zeros. */
static void nothing_is_left_in_clear(void **state)
{
	(void)state;
	struct log l;
	unsigned char page[CONTENT] = {0};
	char secret[96];
	open_log(&l, 100);
	for (size_t at = 0; at < CONTENT - 64; at += 128)
		memset(page + at, 0x55, 64);
	put(&l, 0, 7, page);
	assert_ok(wal_sync(&l.wal));
	memset(page, 0, sizeof page);
	fill((unsigned char *)secret, sizeof secret, 9);
	memcpy(page + 3000, secret, sizeof secret);
	put(&l, 1, 7, page);
	assert_ok(wal_sync(&l.wal));
	assert_in_range(length_of(&l, 1), 96, 200);
	assert_true(str_find(sim_bytes(l.sim, "t.db-wal"), str_of(secret + 8, 16)) == STR_NONE);
	close_log(&l);
}

static void every_changed_byte_is_noticed(void **state)
{
	(void)state;
	struct log l;
	unsigned char page[CONTENT] = {0}, back[CONTENT];
	open_log(&l, 0);
	for (uint32_t n = 0; n < 2; n++) {
		page[n]++;
		put(&l, n, 7, page);
		assert_ok(wal_sync(&l.wal));
	}
	wal_trim(&l.wal); /* the base in memory */
	for (size_t at = 0; at < WAL_FRAME; at++) {
		on_disk(&l, 1)[at] ^= 1;
		assert_int_equal(get(&l, 1, back).kind, FAIL_DAMAGE);
		on_disk(&l, 1)[at] ^= 1;
	}
	assert_ok(get(&l, 1, back));
	on_disk(&l, 0)[30] ^= 1; /* the base */
	assert_int_equal(get(&l, 1, back).kind, FAIL_DAMAGE);
	close_log(&l);
}

/* ---- the layouts before ---- */

static const unsigned before[] = {1, 2};
enum { BEFORE = sizeof before / sizeof *before };

static void seal_old(struct wal *w, uint32_t number, unsigned char *unit)
{
	struct box_name name = {BOX_FRAME, number, w->head.generation};
	if (w->head.layout == 1)
		box_seal(w->box, &name, unit, WAL_FRAME);
	else
		frame_seal(w, number, unit);
	assert_ok(file_write(w->file, wal_frame_at(number), str_of((const char *)unit, WAL_FRAME)));
}

static void make_slot_old(struct wal *w, unsigned slot, unsigned layout)
{
	unsigned char unit[WAL_SLOT];
	size_t n = sizeof unit;
	struct box_name name = {BOX_HEADER, slot, 0};
	assert_ok(file_read(w->file, slot * WAL_SLOT_AT, unit, &n));
	assert_true(box_open(w->box, &name, unit, sizeof unit));
	assert_int_equal(unit[7], '0' + WAL_LAYOUT);
	unit[7] = (unsigned char)('0' + layout);
	box_seal(w->box, &name, unit, sizeof unit);
	assert_ok(file_write(w->file, slot * WAL_SLOT_AT, str_of((const char *)unit, sizeof unit)));
}

static struct wal open_left(struct sim *sim, struct box *box)
{
	struct wal w = {.box = box};
	memcpy(box->key, kit_key, BOX_KEY);
	memcpy(box->id, kit_id, BOX_ID);
	assert_ok(files_open(sim_files(sim), "t.db-wal", FILES_WRITE, &w.file));
	assert_ok(wal_open(&w, false));
	return w;
}

/* The log that was left becomes what the program wrote before there were bases, or while the zeros lay behind. */
static void make_old(struct sim *sim, unsigned layout)
{
	static unsigned char units[FRAMES][WAL_FRAME];
	struct box box = {.left = 0};
	struct wal w = open_left(sim, &box);
	assert_in_range(w.frames, 10, FRAMES);
	for (uint32_t n = 0; n < w.frames; n++) {
		bool there;
		enum frame_state state;
		assert_ok(wal_raw(&w, n, units[n], &there));
		assert_ok(frame_open(&w, n, units[n], &state));
		assert_int_equal(state, FRAME_GOOD);
	}
	wal_trim(&w);
	w.head.layout = layout;
	for (uint32_t n = 0; n < w.frames; n++)
		seal_old(&w, n, units[n]);
	make_slot_old(&w, 0, layout);
	make_slot_old(&w, 1, layout);
	wal_close(&w);
}

static unsigned layout_of(struct sim *sim)
{
	struct box box = {.left = 0};
	struct wal w = open_left(sim, &box);
	unsigned layout = w.head.layout;
	wal_close(&w);
	return layout;
}

static void a_log_of_before_is_carried_over(void **state)
{
	(void)state;
	for (size_t i = 0; i < BEFORE; i++) {
		struct sim *sim = kit_killed_after(8);
		struct db *db;
		int64_t last;
		make_old(sim, before[i]);
		assert_int_equal(layout_of(sim), before[i]);
		assert_ok(kit_open(sim, &db));
		kit_expect_turns(db, &last);
		assert_int_equal(last, 8);
		assert_ok(kit_turn(db, 9));
		db_close(&db);
		assert_int_equal(layout_of(sim), WAL_LAYOUT);
		sim_free(&sim);
	}
}

/* Where the disk has no room to carry it over it goes on as it began. */
static void goes_on(unsigned layout)
{
	struct sim *sim = kit_killed_after(8), *left = sim_new(3);
	struct db *db;
	int64_t last;
	struct db_options o = kit_options(sim);
	o.log_frames = 1000;
	make_old(sim, layout);
	sim_fault_at(sim, SIM_FULL, 1);
	assert_ok(db_open(&o, &db));
	sim_fault_at(sim, SIM_NONE, 0);
	for (int64_t turn = 9; turn < 14; turn++)
		assert_ok(kit_turn(db, turn));
	kit_copy(sim, left);
	db_close(&db);
	assert_int_equal(layout_of(left), layout);
	assert_ok(kit_open(left, &db));
	kit_expect_turns(db, &last);
	assert_int_equal(last, 13);
	db_close(&db);
	sim_free(&sim);
	sim_free(&left);
}

static void a_log_of_before_goes_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < BEFORE; i++)
		goes_on(before[i]);
}

static void damage_in_a_log_of_before_is_reported(void **state)
{
	(void)state;
	for (size_t i = 0; i < BEFORE; i++) {
		struct sim *sim = kit_killed_after(8);
		struct db *db;
		make_old(sim, before[i]);
		((char *)(uintptr_t)sim_bytes(sim, "t.db-wal").p)[wal_frame_at(3) + 1000] ^= 1;
		assert_int_equal(kit_open(sim, &db).kind, FAIL_DAMAGE);
		sim_free(&sim);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_change_is_small_on_disk),
		cmocka_unit_test(every_frame_comes_back),
		cmocka_unit_test(a_base_is_of_a_transaction_that_ended),
		cmocka_unit_test(what_a_full_disk_took_of_a_commit_never_opens),
		cmocka_unit_test(nothing_is_left_in_clear),
		cmocka_unit_test(every_changed_byte_is_noticed),
		cmocka_unit_test(a_log_of_before_is_carried_over),
		cmocka_unit_test(a_log_of_before_goes_on),
		cmocka_unit_test(damage_in_a_log_of_before_is_reported),
	};
	return cmocka_run_group_tests_name("seal_frame", tests, kit_start, NULL);
}
