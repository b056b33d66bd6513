#include "watch/detect/habits.h"

#include "base/mem.h"
#include "watch/detect/limits.h"
#include "watch/detect/suspects.h"

enum { DAY = 86400, WRITE_EVERY = 3600, ACCOUNT = 8, IP = 16, SPOT_KEY = 1 + ACCOUNT + IP, SPOTS_PER_PAIR = 3 };

struct pair {
	struct memo_habit is;
	struct list age;   /* in habits.oldest */
	struct list owner; /* in its account's */
	int64_t written;   /* `last` as it was written down */
};

struct owner {
	struct list pairs; /* the longest unused first */
	size_t n;
};

struct spot {
	size_t pairs;
	int64_t first, last;
};

/* ---- keys ---- */

struct key {
	char p[SPOT_KEY];
	size_t n;
};

static str text_of(const struct key *k)
{
	return str_of(k->p, k->n);
}

/* kind 'p': the pair; 'a': the address; 'n': its network; 'k': the account in that network. */
static struct key key_of(char kind, uint64_t account, const net_addr *a)
{
	net_cidr c = suspect_network(a, kind == 'p' || kind == 'a' ? GRAIN_ADDRESS : GRAIN_NETWORK);
	struct key k = {.p = {kind}, .n = SPOT_KEY};
	if (kind == 'a' || kind == 'n')
		account = 0;
	memcpy(k.p + 1, &account, ACCOUNT);
	memcpy(k.p + 1 + ACCOUNT, c.ip, IP);
	return k;
}

/* ---- spots ---- */

static const char spot_kinds[SPOTS_PER_PAIR] = {'a', 'n', 'k'};

static void widen(struct habits *h, char kind, const struct pair *p)
{
	struct key k = key_of(kind, p->is.account, &p->is.address);
	struct spot *s = hash_get(&h->spots, text_of(&k));
	if (!s) {
		s = mem_alloc(sizeof *s);
		if (!s || failed(hash_put(&h->spots, text_of(&k), s))) {
			mem_free(s);
			return;
		}
		s->first = p->is.first;
	}
	s->pairs++;
	s->first = p->is.first < s->first ? p->is.first : s->first;
	s->last = p->is.last > s->last ? p->is.last : s->last;
}

static void narrow(struct habits *h, char kind, const struct pair *p)
{
	struct key k = key_of(kind, p->is.account, &p->is.address);
	struct spot *s = hash_get(&h->spots, text_of(&k));
	if (!s || --s->pairs > 0)
		return;
	hash_remove(&h->spots, text_of(&k));
	mem_free(s);
}

static void refresh(struct habits *h, const struct pair *p)
{
	for (unsigned i = 0; i < SPOTS_PER_PAIR; i++) {
		struct key k = key_of(spot_kinds[i], p->is.account, &p->is.address);
		struct spot *s = hash_get(&h->spots, text_of(&k));
		if (s && p->is.last > s->last)
			s->last = p->is.last;
	}
}

static const struct spot *spot_of(const struct habits *h, char kind, uint64_t account, const net_addr *a)
{
	struct key k = key_of(kind, account, a);
	return hash_get(&h->spots, text_of(&k));
}

/* ---- pairs ---- */

static void drop(struct habits *h, struct pair *p)
{
	struct key k = key_of('p', p->is.account, &p->is.address);
	struct owner *o = hash_get_u64(&h->accounts, p->is.account);
	for (unsigned i = 0; i < SPOTS_PER_PAIR; i++)
		narrow(h, spot_kinds[i], p);
	hash_remove(&h->pairs, text_of(&k));
	list_remove(&p->age);
	list_remove(&p->owner);
	if (o && --o->n == 0) {
		hash_remove_u64(&h->accounts, p->is.account);
		mem_free(o);
	}
	mem_free(p);
}

static void forget(struct habits *h, struct pair *p)
{
	memo_drop_habit(h->memo, &p->is);
	drop(h, p);
}

static struct owner *owner_of(struct habits *h, uint64_t account)
{
	struct owner *o = hash_get_u64(&h->accounts, account);
	if (o)
		return o;
	o = mem_alloc(sizeof *o);
	if (!o || failed(hash_put_u64(&h->accounts, account, o))) {
		mem_free(o);
		return NULL;
	}
	list_init(&o->pairs);
	return o;
}

static void make_room(struct habits *h, uint64_t account)
{
	struct owner *o = hash_get_u64(&h->accounts, account);
	if (o && o->n >= HABITS_EACH)
		forget(h, LIST_OWNER(o->pairs.next, struct pair, owner));
	else if (h->pairs.n >= HABITS)
		forget(h, LIST_OWNER(h->oldest.next, struct pair, age));
}

static struct pair *add(struct habits *h, const struct memo_habit *from)
{
	struct key k = key_of('p', from->account, &from->address);
	make_room(h, from->account);
	struct pair *p = mem_alloc(sizeof *p);
	struct owner *o = p ? owner_of(h, from->account) : NULL;
	if (!o || failed(hash_put(&h->pairs, text_of(&k), p))) {
		if (o && o->n == 0) {
			hash_remove_u64(&h->accounts, from->account);
			mem_free(o);
		}
		mem_free(p);
		return NULL;
	}
	p->is = *from;
	net_cidr c = suspect_network(&from->address, GRAIN_ADDRESS);
	memcpy(p->is.address.ip, c.ip, IP);
	o->n++;
	list_insert(&o->pairs, &p->owner);
	list_insert(&h->oldest, &p->age);
	for (unsigned i = 0; i < SPOTS_PER_PAIR; i++)
		widen(h, spot_kinds[i], p);
	return p;
}

static void write_down(struct habits *h, struct pair *p)
{
	p->written = p->is.last;
	memo_put_habit(h->memo, &p->is);
}

void habits_learn(struct habits *h, uint64_t account, const net_addr *a, int64_t now)
{
	struct key k = key_of('p', account, a);
	struct pair *p = hash_get(&h->pairs, text_of(&k));
	if (!p) {
		const struct memo_habit fresh = {.account = account, .address = *a, .first = now, .last = now};
		p = add(h, &fresh);
		if (p)
			write_down(h, p);
		return;
	}
	list_remove(&p->age);
	list_insert(&h->oldest, &p->age);
	list_remove(&p->owner);
	list_insert(&owner_of(h, account)->pairs, &p->owner);
	if (now <= p->is.last)
		return;
	p->is.last = now;
	refresh(h, p);
	if (now - p->written >= WRITE_EVERY)
		write_down(h, p);
}

void habits_restore(struct habits *h, const struct memo_habit *from)
{
	struct pair *p = add(h, from);
	if (p)
		p->written = p->is.last;
}

void habits_forget(struct habits *h, uint64_t account)
{
	for (struct owner *o; (o = hash_get_u64(&h->accounts, account));)
		forget(h, LIST_OWNER(o->pairs.next, struct pair, owner));
}

/* ---- questions ---- */

static bool is_fresh(const struct spot *s, int64_t now)
{
	return s && now - s->last <= (int64_t)HABIT_STALE_DAYS * DAY;
}

static bool is_ripe(const struct spot *s, int64_t now)
{
	return is_fresh(s, now) && now - s->first >= (int64_t)HABIT_RIPE_DAYS * DAY;
}

bool habits_comes_from(const struct habits *h, uint64_t account, const net_addr *a, int64_t now)
{
	return is_fresh(spot_of(h, 'k', account, a), now);
}

bool habits_is_ripe(const struct habits *h, const net_addr *a, int64_t now)
{
	return is_ripe(spot_of(h, 'a', 0, a), now);
}

bool habits_has_ripe(const struct habits *h, const net_addr *a, int64_t now)
{
	return is_ripe(spot_of(h, 'n', 0, a), now);
}

bool habits_has_any(const struct habits *h, uint64_t account)
{
	return hash_get_u64(&h->accounts, account) != NULL;
}

/* ---- life ---- */

void habits_init(struct habits *h, struct memo *memo)
{
	*h = (struct habits){.pairs = hash_new(HABITS), .spots = hash_new(SPOTS_PER_PAIR * HABITS),
			     .accounts = hash_new(HABITS), .memo = memo};
	list_init(&h->oldest);
}

void habits_free(struct habits *h)
{
	LIST_EACH_SAFE(n, &h->oldest)
		drop(h, LIST_OWNER(n, struct pair, age));
	hash_free(&h->pairs);
	hash_free(&h->spots);
	hash_free(&h->accounts);
}
