#include "base/mem.h"
#include "base/test.h"
#include "engine/blob.h"
#include "engine/files_sim.h"
#include "engine/seal.h"

#include <sodium.h>
#include <stdio.h>

enum { LARGE = 5 * BLOB_PIECE + 1234 };

static char *body_new(size_t n, bool noise)
{
	char *p = mem_alloc(n + 1);
	uint64_t rng = n;
	for (size_t i = 0; i < n; i++)
		p[i] = noise ? (char)sim_random(&rng) : "A letter of words and words. "[i % 29];
	return p;
}

static void values_pack_and_unpack(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 4, 5, 6, 100, PACK_WORTH - 1, PACK_WORTH, 4096, 70000, 1 << 20};
	struct packer p = {0};
	for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
		size_t n = sizes[i / 2], size;
		AUTO_MEM char *body = body_new(n, i % 2);
		AUTO_BUF buf packed = buf_new(2 << 20), plain = buf_new(2 << 20);
		buf_put(&packed, STR("before"));
		assert_ok(pack(&p, str_of(body, n), &packed));
		str value = str_skip(buf_str(&packed), 6);
		assert_true(value.n <= n + 1);
		if (n < PACK_WORTH)
			assert_int_equal(value.n, n + 1);
		else if (i % 2 == 0)
			assert_true(value.n < (n < 4096 ? n / 2 : n / 10));
		assert_ok(unpacked_size(value, &size));
		assert_int_equal(size, n);
		assert_ok(unpack(&p, value, &plain));
		assert_str(buf_str(&plain), str_of(body, n));
		if (i == 5)
			packer_trim(&p);
	}
	AUTO_BUF buf out = buf_new(100);
	assert_int_equal(pack(&p, str_of("x", (size_t)PACK_MAX + 1), &out).kind, FAIL_LIMIT);
	assert_int_equal(unpack(&p, STR(""), &out).kind, FAIL_DAMAGE);
	assert_int_equal(unpack(&p, STR("\1\xff\xff\xff\x7fxxxx"), &out).kind, FAIL_DAMAGE);
	assert_int_equal(unpack(&p, STR("\1\x05\0\0\0xxxx"), &out).kind, FAIL_DAMAGE);
	packer_trim(&p);
}

/* A quarter and more less than base64, whether what it stands for shrinks further or not. */
static void base64_is_taken_off(void **state)
{
	(void)state;
	static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct packer p = {0};
	static const size_t lines[] = {50, 900, 3000};
	for (size_t i = 0; i < 6; i++) {
		AUTO_BUF buf text = buf_new(1 << 20), packed = buf_new(1 << 20), again = buf_new(1 << 20);
		uint64_t rng = i + 1;
		for (size_t k = 0; k < lines[i / 2] * 78; k++) {
			char letter = i % 2 ? "QmFzZTY0"[k % 8] : alphabet[sim_random(&rng) & 63];
			buf_putc(&text, k % 78 == 76 ? '\r' : k % 78 == 77 ? '\n' : letter);
		}
		assert_ok(pack(&p, buf_str(&text), &packed));
		assert_true(packed.n < text.n * 74 / 100);
		assert_ok(unpack(&p, buf_str(&packed), &again));
		assert_str(buf_str(&again), buf_str(&text));
		for (size_t k = 1; k <= PACK_HEAD; k++) {
			buf_clear(&again);
			packed.p[k] ^= 1;
			assert_int_equal(unpack(&p, buf_str(&packed), &again).kind, FAIL_DAMAGE);
			packed.p[k] ^= 1;
		}
	}
	packer_trim(&p);
}

static result read_all(struct sim *sim, const struct blob_key *key, buf *out)
{
	struct blob AUTO_BLOB *b = NULL;
	TRY(blob_open(sim_files(sim), key, &b));
	return blob_read(b, 0, UINT64_MAX, out);
}

static void any_range_comes_back(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, BLOB_PIECE - 1, BLOB_PIECE, BLOB_PIECE + 1, LARGE, 3 * LARGE, 3 * LARGE + 1};
	struct packer p = {0};
	uint64_t rng = 1;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct sim *sim = sim_new(i);
		size_t n = sizes[i];
		AUTO_MEM char *body = body_new(n, i % 2);
		struct blob_key key;
		struct blob AUTO_BLOB *b = NULL;
		assert_ok(blob_put(sim_files(sim), &p, str_of(body, n), &key));
		assert_ok(blob_open(sim_files(sim), &key, &b));
		assert_int_equal(blob_size(b), n);
		for (int k = 0; k < 40; k++) {
			AUTO_BUF buf out = buf_new(4 * LARGE);
			size_t at = sim_random(&rng) % (n + 10), want = k ? sim_random(&rng) % (n + 10) : SIZE_MAX;
			assert_ok(blob_read(b, at, want, &out));
			assert_str(buf_str(&out), str_sub(str_of(body, n), at, want));
		}
		blob_close(&b);
		assert_ok(blob_delete(sim_files(sim), &key));
		assert_int_equal(blob_open(sim_files(sim), &key, &b).kind, FAIL_ABSENT);
		assert_int_equal(blob_delete(sim_files(sim), &key).kind, FAIL_ABSENT);
		sim_free(&sim);
	}
	struct blob_key key;
	struct sim *sim = sim_new(9);
	assert_int_equal(blob_put(sim_files(sim), &p, str_of("x", (size_t)BLOB_SIZE_MAX + 1), &key).kind, FAIL_LIMIT);
	sim_free(&sim);
	packer_trim(&p);
}

/* The first versions ended with the last part. */
static void a_file_without_zeros_at_its_end_opens(void **state)
{
	(void)state;
	struct sim *sim = sim_new(1);
	struct packer p = {0};
	struct blob_key key;
	struct blob_name name;
	assert_ok(blob_put(sim_files(sim), &p, STR("letter"), &key));
	blob_name_of(&key, &name);
	enum { PARTS = 48 + 7 + 16 + 4 + 16 };
	char cut[PARTS];
	memcpy(cut, sim_bytes(sim, name.text).p, sizeof cut);
	for (size_t n = sizeof cut - 1; n <= sizeof cut; n++) {
		AUTO_BUF buf out = buf_new(LARGE);
		sim_put(sim, name.text, str_of(cut, n));
		assert_int_equal(read_all(sim, &key, &out).kind, n == sizeof cut ? FAIL_NONE : FAIL_DAMAGE);
	}
	sim_free(&sim);
	packer_trim(&p);
}

static void a_partial_read_opens_only_its_pieces(void **state)
{
	(void)state;
	struct sim *sim = sim_new(1);
	struct packer p = {0};
	struct blob_key key;
	struct blob_name name;
	AUTO_MEM char *body = body_new(LARGE, true);
	assert_ok(blob_put(sim_files(sim), &p, str_of(body, LARGE), &key));
	blob_name_of(&key, &name);
	char *bytes = (char *)(uintptr_t)sim_bytes(sim, name.text).p;
	bytes[3 * (BLOB_PIECE + 17) + 48 + 10] ^= 1; /* in piece 3 */
	struct blob AUTO_BLOB *b = NULL;
	AUTO_BUF buf out = buf_new(LARGE);
	assert_ok(blob_open(sim_files(sim), &key, &b));
	assert_ok(blob_read(b, 0, 3 * BLOB_PIECE, &out));
	assert_ok(blob_read(b, 4 * BLOB_PIECE, BLOB_PIECE, &out));
	assert_int_equal(blob_read(b, 4 * BLOB_PIECE - 1, 1, &out).kind, FAIL_DAMAGE);
	blob_close(&b);
	sim_free(&sim);
	packer_trim(&p);
}

static void any_change_is_noticed(void **state)
{
	(void)state;
	struct packer p = {0};
	AUTO_MEM char *body = body_new(3 * BLOB_PIECE, true);
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct sim *sim = sim_new(seed);
		uint64_t rng = seed;
		struct blob_key key;
		struct blob_name name;
		AUTO_BUF buf out = buf_new(LARGE);
		assert_ok(blob_put(sim_files(sim), &p, str_of(body, 3 * BLOB_PIECE), &key));
		blob_name_of(&key, &name);
		str file = sim_bytes(sim, name.text);
		assert_true(str_find(file, str_of(body + 1000, 16)) == STR_NONE);
		char *bytes = (char *)(uintptr_t)file.p;
		size_t at = sim_random(&rng) % (seed % 2 ? file.n : 48);
		if (seed % 3) {
			bytes[at] ^= (char)(1 + sim_random(&rng) % 255);
		} else if (seed % 2) { /* two pieces change places */
			for (size_t i = 0; i < BLOB_PIECE + 17; i++) {
				char c = bytes[48 + i];
				bytes[48 + i] = bytes[48 + BLOB_PIECE + 17 + i];
				bytes[48 + BLOB_PIECE + 17 + i] = c;
			}
		} else {
			AUTO_MEM char *cut = mem_alloc(file.n);
			memcpy(cut, bytes, file.n);
			sim_put(sim, name.text, str_of(cut, file.n - 1 - sim_random(&rng) % 1000));
		}
		assert_int_equal(read_all(sim, &key, &out).kind, FAIL_DAMAGE);
		sim_free(&sim);
	}
	packer_trim(&p);
}

/* When blob_put has returned, a crash can't take the body; before that at most an orphan is left. */
static void a_body_that_was_put_survives_a_crash(void **state)
{
	(void)state;
	struct packer p = {0};
	AUTO_MEM char *body = body_new(LARGE, true);
	for (uint64_t n = 1; n <= 40; n++) {
		struct sim *sim = sim_new(n);
		struct blob_key keys[5];
		size_t put = 0;
		sim_fault_at(sim, SIM_CRASH, n);
		while (put < 5 && !failed(blob_put(sim_files(sim), &p, str_of(body, LARGE), &keys[put])))
			put++;
		sim_crash(sim);
		for (size_t i = 0; i < put; i++) {
			AUTO_BUF buf out = buf_new(LARGE);
			assert_ok(read_all(sim, &keys[i], &out));
			assert_str(buf_str(&out), str_of(body, LARGE));
		}
		sim_free(&sim);
	}
	packer_trim(&p);
}

static bool is_the_one(void *ctx, str name)
{
	return str_eq(name, str_from(((struct blob_name *)ctx)->text));
}

static result count_one(void *ctx, str name)
{
	(void)name;
	++*(size_t *)ctx;
	return OK;
}

static void the_sweep_removes_orphans_only(void **state)
{
	(void)state;
	struct sim *sim = sim_new(1);
	struct packer p = {0};
	struct blob_key keep, lose;
	struct blob_name name;
	size_t count = 0;
	sim_put(sim, "mail.db", STR("not a body"));
	sim_put(sim, "0123456789abcdef0123456789abcdef.part", STR("half"));
	assert_ok(blob_put(sim_files(sim), &p, STR("kept"), &keep));
	assert_ok(blob_put(sim_files(sim), &p, STR("lost"), &lose));
	blob_name_of(&keep, &name);
	assert_ok(blob_sweep(sim_files(sim), is_the_one, &name));
	assert_ok(files_list(sim_files(sim), count_one, &count));
	assert_int_equal(count, 2);
	AUTO_BUF buf out = buf_new(100);
	assert_ok(read_all(sim, &keep, &out));
	assert_str(buf_str(&out), STR("kept"));
	assert_int_equal(read_all(sim, &lose, &out).kind, FAIL_ABSENT);
	sim_free(&sim);
	packer_trim(&p);
}

static void every_operation_and_allocation_may_fail(void **state)
{
	(void)state;
	struct packer p = {0};
	AUTO_MEM char *body = body_new(2 * BLOB_PIECE, true);
	for (uint64_t n = 1; n < 80; n++) {
		struct sim *sim = sim_new(n);
		struct blob_key key;
		AUTO_BUF buf out = buf_new(LARGE);
		if (n < 40)
			sim_fault_at(sim, n % 2 ? SIM_FULL : SIM_REFUSE, n / 2 + 1);
		else
			mem_fail_at(n - 39);
		result r = blob_put(sim_files(sim), &p, str_of(body, 2 * BLOB_PIECE), &key);
		mem_fail_at(0);
		sim_fault_at(sim, SIM_NONE, 0);
		if (!failed(r)) {
			mem_fail_at(n < 40 ? 0 : n - 39);
			result got = read_all(sim, &key, &out);
			assert_true(!failed(got) || (got.kind == FAIL_MEMORY && n >= 40));
		}
		mem_fail_at(0);
		sim_free(&sim);
	}
	packer_trim(&p);
}

static int start(void **state)
{
	(void)state;
	return failed(seal_start()) ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_pack_and_unpack),
		cmocka_unit_test(base64_is_taken_off),
		cmocka_unit_test(any_range_comes_back),
		cmocka_unit_test(a_file_without_zeros_at_its_end_opens),
		cmocka_unit_test(a_partial_read_opens_only_its_pieces),
		cmocka_unit_test(any_change_is_noticed),
		cmocka_unit_test(a_body_that_was_put_survives_a_crash),
		cmocka_unit_test(the_sweep_removes_orphans_only),
		cmocka_unit_test(every_operation_and_allocation_may_fail),
	};
	return cmocka_run_group_tests_name("blob", tests, start, NULL);
}
