#include "auth/profile_core.h"

#include <sodium.h>

#include "base/mem.h"
#include "grammar/mime/date.h"
#include "run/clock.h"

_Static_assert((int)PROFILE_KEY == (int)crypto_shorthash_KEYBYTES, "the marks' key is a key of SipHash");

/* ---- marks ---- */

static uint64_t mark_of(const struct profiles *p, uint64_t account, str key)
{
	unsigned char text[sizeof account + ADDRESS_MAX], out[crypto_shorthash_BYTES];
	uint64_t mark;
	size_t n = key.n < ADDRESS_MAX ? key.n : ADDRESS_MAX;
	memcpy(text, &account, sizeof account);
	memcpy(text + sizeof account, key.p, n);
	crypto_shorthash(out, text, sizeof account + n, p->key);
	memcpy(&mark, out, sizeof mark);
	return mark;
}

static bool grow_ring(struct profile *f)
{
	size_t cap = f->ring_cap ? f->ring_cap * 2 : 64;
	if (cap > PROFILE_KNOWN)
		cap = PROFILE_KNOWN;
	uint64_t *ring = mem_grow(f->ring, cap * sizeof *ring);
	if (!ring)
		return false;
	f->ring = ring; /* it grows only while the oldest is at 0 */
	f->ring_cap = cap;
	return true;
}

void profile_learn(struct profile *f, uint64_t mark, bool fresh)
{
	if (hash_get_u64(&f->known, mark))
		return;
	if (f->ring_n == PROFILE_KNOWN) {
		hash_remove_u64(&f->known, f->ring[f->ring_at]);
		f->ring_at = (f->ring_at + 1) % PROFILE_KNOWN;
		f->ring_n--;
	}
	if (f->ring_n == f->ring_cap && !grow_ring(f))
		return;
	if (failed(hash_put_u64(&f->known, mark, f)))
		return;
	f->ring[(f->ring_at + f->ring_n++) % f->ring_cap] = mark;
	if (fresh && f->fresh < f->ring_n)
		f->fresh++;
}

/* ---- counting ---- */

static int64_t slot_now(void)
{
	return clock_wall_s() / PROFILE_BUCKET_S;
}

static struct profile_bucket *bucket_now(struct profile *f)
{
	int64_t slot = slot_now();
	struct profile_bucket *b = &f->day[slot % PROFILE_DAY];
	if (b->slot != slot)
		*b = (struct profile_bucket){.slot = slot};
	return b;
}

struct sums {
	uint64_t sent, first;
};

/* Of the last `n` buckets before the end of `slot`. */
static struct sums sum_up(const struct profile *f, int64_t slot, int64_t n)
{
	struct sums s = {0};
	for (size_t i = 0; i < PROFILE_DAY; i++) {
		const struct profile_bucket *b = &f->day[i];
		if (b->slot > slot - n && b->slot <= slot) {
			s.sent += b->sent;
			s.first += b->first;
		}
	}
	return s;
}

/* ---- limits ---- */

struct limit {
	enum option_id option;
	const char *what, *span;
	int64_t buckets;
	bool first;
};

static const struct limit limits[] = {
	{OPT_SEND_HOUR, "messages", "an hour", PROFILE_HOUR, false},
	{OPT_SEND_DAY, "messages", "a day", PROFILE_DAY, false},
	{OPT_FIRST_HOUR, "first messages to somebody", "an hour", PROFILE_HOUR, true},
	{OPT_FIRST_DAY, "first messages to somebody", "a day", PROFILE_DAY, true},
};

static uint64_t used(const struct profile *f, const struct limit *l, int64_t slot)
{
	struct sums s = sum_up(f, slot, l->buckets);
	return l->first ? s.first + f->held_first : s.sent + f->held_sent;
}

/* When the first of what fills it falls out of the window. */
static int64_t opens(const struct profile *f, const struct limit *l, uint64_t most)
{
	int64_t slot = slot_now();
	for (int64_t i = 1; i < l->buckets; i++)
		if (used(f, l, slot + i) < most)
			return (slot + i) * PROFILE_BUCKET_S;
	return (slot + l->buckets) * PROFILE_BUCKET_S;
}

static void explain(const struct profile *f, const struct limit *l, uint64_t most, buf *why)
{
	int64_t at = opens(f, l, most);
	struct date d = date_of_days(at / 86400);
	unsigned minute = (unsigned)(at % 86400 / 60);
	str month = date_month_name(d.month - 1u);
	buf_printf(why, "This account may send %llu %s %s to other servers (%s); it may again at %02u:%02u UTC on %u %.*s. "
		   "If that was not you, change your password", (unsigned long long)most, l->what, l->span,
		   option_row_of(l->option)->name, minute / 60, minute % 60, d.day, STR_ARG(month));
}

static bool refuse(const struct profiles *p, const struct profile *f, bool first, buf *why)
{
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		uint64_t most = options_number(p->options, limits[i].option);
		if (!most || (limits[i].first && !first) || used(f, &limits[i], slot_now()) < most)
			continue;
		explain(f, &limits[i], most, why);
		return true;
	}
	return false;
}

/* ---- the profiles ---- */

static void forget(struct profiles *p, struct profile *f)
{
	hash_remove_u64(&p->accounts, f->account);
	list_remove(&f->node);
	hash_free(&f->known);
	mem_free(f->ring);
	mem_free(f);
}

void profiles_close(struct profiles *p)
{
	p->closed = true;
	if (!p->directory)
		return;
	LIST_EACH_SAFE(n, &p->oldest)
		forget(p, LIST_OWNER(n, struct profile, node));
	hash_free(&p->accounts);
	sodium_memzero(p->key, sizeof p->key);
	p->directory = NULL;
}

static struct profile *find(struct profiles *p, uint64_t account)
{
	struct profile *f = p->directory ? hash_get_u64(&p->accounts, account) : NULL;
	if (f) {
		list_remove(&f->node);
		list_insert(&p->oldest, &f->node);
	}
	return f;
}

static void make_room(struct profiles *p)
{
	LIST_EACH_SAFE(n, &p->oldest) {
		struct profile *f = LIST_OWNER(n, struct profile, node);
		if (p->accounts.n < PROFILE_MOST)
			return;
		if (!f->changed && !f->fresh && !f->held_sent)
			forget(p, f);
	}
}

/* Nothing is shared until it is whole: another that waits for the same reads it too. */
result profile_ready(struct profiles *p, uint64_t account)
{
	if (find(p, account))
		return OK;
	struct profile *f = mem_alloc(sizeof *f);
	if (!f)
		return failure(FAIL_MEMORY, "out of memory");
	f->account = account;
	f->known = hash_new(PROFILE_KNOWN);
	list_init(&f->node);
	result r = profile_load(p, f);
	if (!failed(r) && !find(p, account)) {
		make_room(p);
		r = hash_put_u64(&p->accounts, account, f);
		if (!failed(r)) {
			list_insert(&p->oldest, &f->node);
			return OK;
		}
	}
	hash_free(&f->known);
	mem_free(f->ring);
	mem_free(f);
	return r;
}

void profile_release(struct profiles *p, uint64_t account, struct sending *s)
{
	struct profile *f = find(p, account);
	if (f) {
		f->held_sent -= s->sent < f->held_sent ? s->sent : f->held_sent;
		f->held_first -= s->first < f->held_first ? s->first : f->held_first;
	}
	*s = (struct sending){0};
}

void profile_ask(struct profiles *p, const struct profile_question *q, buf *why)
{
	struct profile *f = find(p, q->account);
	uint64_t now = clock_mono_ms();
	if (!f) /* erased meanwhile */
		return;
	if (q->login->sent && now - q->login->since > PROFILE_HOLD_MS)
		profile_release(p, q->account, q->login);
	bool first = !hash_get_u64(&f->known, mark_of(p, q->account, q->address));
	if (refuse(p, f, first, why))
		return;
	if (!q->login->sent)
		q->login->since = now;
	q->login->sent++;
	q->login->first += first;
	f->held_sent++;
	f->held_first += first;
}

uint64_t profile_wrote(struct profiles *p, uint64_t account, const str *keys, size_t n)
{
	struct profile *f = find(p, account);
	uint64_t first = 0;
	if (!f)
		return 0;
	struct profile_bucket *b = bucket_now(f);
	for (size_t i = 0; i < n; i++) {
		uint64_t mark = mark_of(p, account, keys[i]);
		b->sent++;
		first += !hash_get_u64(&f->known, mark);
		profile_learn(f, mark, true);
	}
	b->first += (uint32_t)first;
	b->changed = f->changed = true;
	profile_flush_later(p);
	return first;
}

void profile_forget(struct profiles *p, uint64_t account)
{
	struct profile *f = find(p, account);
	if (f)
		forget(p, f);
}

result profile_counts(struct profiles *p, uint64_t account, struct profile_counts *out)
{
	TRY(profile_ready(p, account));
	const struct profile *f = find(p, account);
	if (!f)
		return failure(FAIL_ABSENT, "the account has gone");
	struct sums hour = sum_up(f, slot_now(), PROFILE_HOUR), day = sum_up(f, slot_now(), PROFILE_DAY);
	*out = (struct profile_counts){.sent_hour = hour.sent, .sent_day = day.sent, .first_hour = hour.first,
		.first_day = day.first, .known = f->known.n};
	return OK;
}
