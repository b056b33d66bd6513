/* Properties: a set prints to a set that prints the same; resolved, it holds
 * just the numbers that a naive reading gives, is sorted and is not joinable;
 * a writer fed with those numbers prints the same. */
#include "grammar/imap/imap_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SMALL = 300 };

static void naive(const struct imap_set *s, uint32_t max, bool *in)
{
	for (size_t i = 0; i < s->n; i++) {
		uint32_t a = s->r[i].first, b = s->r[i].last;
		if (max == 0 && (a == IMAP_STAR || b == IMAP_STAR))
			continue;
		a = a == IMAP_STAR ? max : a;
		b = b == IMAP_STAR ? max : b;
		for (uint32_t n = 1; n < SMALL; n++)
			in[n] |= (n >= a && n <= b) || (n >= b && n <= a);
	}
}

static void check_order(const struct imap_set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		must(s->r[i].first >= 1 && s->r[i].first <= s->r[i].last);
		must(i == 0 || s->r[i].first - 1 > s->r[i - 1].last);
	}
}

static void check_round_trip(const struct imap_set *s)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	AUTO_BUF buf first = buf_new(1 << 20), second = buf_new(1 << 20);
	if (s->n == 0)
		return;
	imap_put_set(&first, s);
	struct imap_lex x = imap_lex_on(buf_str(&first), &a);
	struct imap_set again = imap_sequence_set(&x);
	must(imap_ends(&x) && !x.in.bad);
	imap_put_set(&second, &again);
	must(str_eq(buf_str(&first), buf_str(&second)));
}

static void check_members(const struct imap_set *s, const bool *in)
{
	AUTO_BUF buf written = buf_new(1 << 20), printed = buf_new(1 << 20);
	struct imap_set_writer w = {.out = &written};
	for (uint32_t n = 1; n < SMALL; n++) {
		must(imap_set_has(s, n) == in[n]);
		if (in[n])
			imap_set_add(&w, n);
	}
	must(imap_set_end(&w) == (written.n > 0));
	if (s->n > 0 && s->r[s->n - 1].last >= SMALL)
		return;
	imap_put_set(&printed, s);
	must(str_eq(buf_str(&printed), buf_str(&written)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	if (size < 1)
		return 0;
	struct imap_lex x = imap_lex_on(str_of((const char *)data + 1, size - 1), &a);
	struct imap_set s = imap_sequence_set(&x);
	bool in[SMALL] = {false};
	if (x.in.bad || s.saved)
		return 0;
	check_round_trip(&s);
	naive(&s, data[0], in);
	imap_set_resolve(&s, data[0]);
	check_order(&s);
	check_round_trip(&s);
	check_members(&s, in);
	return 0;
}
