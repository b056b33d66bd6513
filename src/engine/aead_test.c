#include "engine/aead.h"
#include "base/mem.h"
#include "base/test.h"

#include <pthread.h>
#include <sodium.h>

enum { LARGEST = 70000, SHORT_ONES = 1100, THREADS = 8, TURNS = 200 };

static unsigned char key[AEAD_KEY], nonce[AEAD_NONCE];

static struct aead_use use_of(str bound)
{
	return (struct aead_use){key, nonce, bound};
}

static void fill(unsigned char *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)((i + seed) * 2654435761U >> 13);
}

/* draft-irtf-cfrg-xchacha-03, A.3.1 */
static void vector_of_the_draft(void)
{
	static const char plain[] = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
				    "future, sunscreen would be it.";
	static const unsigned char bound[] = {0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7};
	static const char sealed[] =
		"bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39"
		"ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
		"21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";
	enum { N = sizeof plain - 1 };
	unsigned char p[N + AEAD_TAG];
	char hex[2 * sizeof p + 1];
	for (size_t i = 0; i < AEAD_KEY; i++)
		key[i] = (unsigned char)(0x80 + i);
	for (size_t i = 0; i < AEAD_NONCE; i++)
		nonce[i] = (unsigned char)(0x40 + i);
	memcpy(p, plain, N);
	const struct aead_use use = use_of(str_of((const char *)bound, sizeof bound));
	aead_seal(&use, p, N, p + N);
	assert_string_equal(sodium_bin2hex(hex, sizeof hex, p, sizeof p), sealed);
	assert_true(aead_open(&use, p, N, p + N));
	assert_memory_equal(p, plain, N);
}

/* As libsodium seals it, and back. */
static void same_as_libsodium(size_t n, str bound)
{
	AUTO_MEM unsigned char *plain = mem_alloc(n + 1);
	AUTO_MEM unsigned char *ours = mem_alloc(n + AEAD_TAG), *theirs = mem_alloc(n + AEAD_TAG);
	const struct aead_use use = use_of(bound);
	assert_non_null(plain);
	assert_non_null(ours);
	assert_non_null(theirs);
	fill(plain, n, (unsigned)n);
	memcpy(ours, plain, n);
	aead_seal(&use, ours, n, ours + n);
	crypto_aead_xchacha20poly1305_ietf_encrypt(theirs, NULL, plain, n, (const unsigned char *)bound.p, bound.n, NULL,
		nonce, key);
	assert_memory_equal(ours, theirs, n + AEAD_TAG);
	assert_true(aead_open(&use, ours, n, ours + n));
	assert_memory_equal(ours, plain, n);
}

static void every_length(void)
{
	for (size_t n = 0; n < SHORT_ONES; n++)
		same_as_libsodium(n, n % 2 ? STR("bound to this") : STR(""));
	same_as_libsodium(4056, STR("page"));
	same_as_libsodium(LARGEST, STR(""));
}

static void what_was_changed_is_noticed(void)
{
	unsigned char p[100 + AEAD_TAG], changed[sizeof p];
	fill(p, 100, 1);
	aead_seal(&(struct aead_use){key, nonce, STR("this")}, p, 100, p + 100);
	for (size_t i = 0; i < sizeof p; i++) {
		memcpy(changed, p, sizeof p);
		changed[i] ^= 0x10;
		assert_false(aead_open(&(struct aead_use){key, nonce, STR("this")}, changed, 100, changed + 100));
		assert_true(sodium_is_zero(changed, 100));
	}
	memcpy(changed, p, sizeof p);
	assert_false(aead_open(&(struct aead_use){key, nonce, STR("that")}, changed, 100, changed + 100));
	assert_true(aead_open(&(struct aead_use){key, nonce, STR("this")}, p, 100, p + 100));
}

static void all_of_it(void)
{
	vector_of_the_draft();
	every_length();
	what_was_changed_is_noticed();
}

/* First: who did not start it gets the same from libsodium. */
static void before_the_start(void **state)
{
	(void)state;
	assert_false(aead_is_quick());
	all_of_it();
}

static void after_the_start(void **state)
{
	(void)state;
	assert_ok(aead_start());
	assert_ok(aead_start());
	assert_true(aead_is_quick());
	all_of_it();
}

static void *seal_and_open(void *arg)
{
	const unsigned char own = *(const unsigned char *)arg;
	unsigned char theirs[AEAD_KEY] = {own}, p[2000 + AEAD_TAG], plain[2000];
	const struct aead_use use = {theirs, nonce, STR("")};
	size_t good = aead_is_quick() ? 0 : TURNS + 1;
	for (unsigned i = 0; i < TURNS; i++) {
		fill(plain, sizeof plain, i + own);
		memcpy(p, plain, sizeof plain);
		aead_seal(&use, p, sizeof plain, p + sizeof plain);
		good += aead_open(&use, p, sizeof plain, p + sizeof plain) && memcmp(p, plain, sizeof plain) == 0;
	}
	return (void *)(uintptr_t)good;
}

static void threads_at_once(void **state)
{
	(void)state;
	pthread_t threads[THREADS];
	unsigned char numbers[THREADS];
	for (size_t i = 0; i < THREADS; i++) {
		numbers[i] = (unsigned char)(i + 1);
		assert_int_equal(pthread_create(&threads[i], NULL, seal_and_open, &numbers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		void *good;
		assert_int_equal(pthread_join(threads[i], &good), 0);
		assert_int_equal((uintptr_t)good, TURNS);
	}
}

static int set_up(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_the_start),
		cmocka_unit_test(after_the_start),
		cmocka_unit_test(threads_at_once),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
