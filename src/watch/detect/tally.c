#include "watch/detect/tally.h"

enum { WORDS = TALLY_BITS / 64 };

static bool is_over(const struct tally *t, int64_t now, int64_t windows)
{
	return now < t->since || now - t->since >= windows * TALLY_WINDOW_MS;
}

static void turn(struct tally *t, int64_t now)
{
	if (!is_over(t, now, 1))
		return;
	bool keep = !is_over(t, now, 2);
	for (unsigned i = 0; i < WORDS; i++) {
		t->old[i] = keep ? t->young[i] : 0;
		t->young[i] = 0;
	}
	t->since = now;
}

bool tally_add(struct tally *t, uint64_t mark, int64_t now)
{
	unsigned bit = (unsigned)(mark % TALLY_BITS);
	uint64_t in_word = (uint64_t)1 << bit % 64;
	turn(t, now);
	bool fresh = !((t->young[bit / 64] | t->old[bit / 64]) & in_word);
	t->young[bit / 64] |= in_word;
	return fresh;
}

/* Linear counting: `set` bits are expected after N * (1/N + 1/(N-1) + ...) different ones. */
static unsigned expected(unsigned set)
{
	unsigned sum = 0; /* in 256ths */
	for (unsigned i = 0; i < set; i++)
		sum += 256 * TALLY_BITS / (TALLY_BITS - i);
	return (sum + 128) / 256;
}

unsigned tally_count(const struct tally *t, int64_t now)
{
	unsigned set = 0;
	for (unsigned i = 0; i < WORDS; i++) {
		uint64_t young = is_over(t, now, 2) ? 0 : t->young[i];
		uint64_t old = is_over(t, now, 1) ? 0 : t->old[i];
		set += (unsigned)__builtin_popcountll(young | old);
	}
	unsigned n = expected(set);
	return n < TALLY_MOST ? n : TALLY_MOST;
}
