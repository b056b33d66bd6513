#include "grammar/imap/imap_set.h"

static uint32_t member(struct imap_lex *x, bool star)
{
	if (star && imap_eat(x, '*'))
		return IMAP_STAR;
	int c = cursor_peek(&x->in);
	if (c < '1' || c > '9')
		imap_want(x,
			"a message number is expected here: 1 to 4294967295, or \"*\" where the command allows it");
	return imap_nz_number(x);
}

/* An upper bound of the ranges that follow, so that one array is enough. */
static size_t count_ranges(const struct imap_lex *x)
{
	size_t n = 1;
	for (const char *p = x->in.p; p < x->in.end && *p != ' ' && *p != ')' && *p != '\r'; p++)
		n += *p == ',';
	return n;
}

static struct imap_set set(struct imap_lex *x, bool star)
{
	struct imap_set s = {.r = imap_new(x, count_ranges(x), sizeof *s.r)};
	if (!s.r)
		return s;
	do {
		struct imap_range r = {.first = member(x, star)};
		r.last = imap_eat(x, ':') ? member(x, star) : r.first;
		s.r[s.n++] = r;
	} while (imap_eat(x, ','));
	return s;
}

struct imap_set imap_sequence_set(struct imap_lex *x)
{
	if (imap_eat(x, '$'))
		return (struct imap_set){.saved = true};
	return set(x, true);
}

struct imap_set imap_known_uids(struct imap_lex *x)
{
	return set(x, false);
}

static void swap(struct imap_range *a, struct imap_range *b)
{
	struct imap_range t = *a;
	*a = *b;
	*b = t;
}

static void sift(struct imap_range *r, size_t at, size_t n)
{
	for (size_t child; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && r[child + 1].first > r[child].first)
			child++;
		if (r[at].first >= r[child].first)
			return;
		swap(&r[at], &r[child]);
	}
}

/* Heap sort: no memory, and no order of input that makes it slow. */
static void sort(struct imap_range *r, size_t n)
{
	size_t i = 1;
	while (i < n && r[i - 1].first <= r[i].first)
		i++;
	if (i >= n)
		return;
	for (i = n / 2; i > 0; i--)
		sift(r, i - 1, n);
	for (i = n - 1; i > 0; i--) {
		swap(&r[0], &r[i]);
		sift(r, 0, i);
	}
}

static bool settle(struct imap_range *r, uint32_t max)
{
	if (max == 0 && (r->first == IMAP_STAR || r->last == IMAP_STAR))
		return false;
	if (r->first == IMAP_STAR)
		r->first = max;
	if (r->last == IMAP_STAR)
		r->last = max;
	if (r->first > r->last)
		*r = (struct imap_range){r->last, r->first};
	return true;
}

static void merge(struct imap_set *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct imap_range *last = n ? &s->r[n - 1] : NULL;
		if (!last || (last->last < UINT32_MAX && s->r[i].first > last->last + 1))
			s->r[n++] = s->r[i];
		else if (s->r[i].last > last->last)
			last->last = s->r[i].last;
	}
	s->n = n;
}

void imap_set_resolve(struct imap_set *s, uint32_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++)
		if (settle(&s->r[i], max))
			s->r[n++] = s->r[i];
	s->n = n;
	sort(s->r, s->n);
	merge(s);
	s->resolved = true;
}

/* The first range that ends at n or later; s->n when none does. */
static size_t find(const struct imap_set *s, uint32_t n)
{
	size_t low = 0, high = s->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (s->r[middle].last < n)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool imap_set_has(const struct imap_set *s, uint32_t n)
{
	must(s->resolved);
	size_t i = find(s, n);
	return i < s->n && s->r[i].first <= n;
}

uint64_t imap_set_count(const struct imap_set *s)
{
	must(s->resolved);
	uint64_t count = 0;
	for (size_t i = 0; i < s->n; i++)
		count += (uint64_t)s->r[i].last - s->r[i].first + 1;
	return count;
}

static void put_member(buf *out, uint32_t n)
{
	if (n == IMAP_STAR)
		buf_putc(out, '*');
	else
		buf_put_u64(out, n);
}

void imap_put_set(buf *out, const struct imap_set *s)
{
	if (s->saved)
		buf_putc(out, '$');
	for (size_t i = 0; i < s->n; i++) {
		if (i > 0)
			buf_putc(out, ',');
		put_member(out, s->r[i].first);
		if (s->r[i].last != s->r[i].first) {
			buf_putc(out, ':');
			put_member(out, s->r[i].last);
		}
	}
}

static void flush(struct imap_set_writer *w)
{
	struct imap_range r = {w->first, w->last};
	if (w->any)
		buf_putc(w->out, ',');
	imap_put_set(w->out, &(struct imap_set){.r = &r, .n = 1});
	w->any = true;
}

void imap_set_add(struct imap_set_writer *w, uint32_t n)
{
	must(n > 0);
	if (w->first && w->last < UINT32_MAX && n == w->last + 1) {
		w->last = n;
		return;
	}
	if (w->first)
		flush(w);
	w->first = w->last = n;
}

bool imap_set_end(struct imap_set_writer *w)
{
	if (!w->first)
		return w->any;
	flush(w);
	w->first = 0;
	return true;
}
