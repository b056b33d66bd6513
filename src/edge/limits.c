#include "edge/limits.h"
#include "base/mem.h"
#include "run/clock.h"

/* Octets of an address that make one; IPv4 is ::ffff:a.b.c.d. */
enum { ADDRESS_4 = 16, ADDRESS_6 = 8, NETWORK_4 = 15, NETWORK_6 = 6 };

struct row {
	unsigned char key[17]; /* the first octets, and how many they are */
	uint64_t n;
	double level;          /* of the bucket, at `since` */
	uint64_t since;
	struct limits_telling telling; /* of networks */
	struct list node;
};

/* The two rows that count a client. */
enum { BY_ADDRESS, BY_NETWORK, KINDS };

void limits_init(struct limits *l, const struct limits_most *most)
{
	*l = (struct limits){.most = *most, .networks = hash_new(KINDS * most->all + LIMITS_IDLE + KINDS)};
	list_init(&l->idle);
}

void limits_free(struct limits *l)
{
	hash_free_values(&l->networks);
	list_init(&l->idle);
	l->idle_n = 0;
}

static struct row row_like(const net_addr *a, int kind)
{
	static const size_t octets[KINDS][2] = {
		[BY_ADDRESS] = {ADDRESS_6, ADDRESS_4}, [BY_NETWORK] = {NETWORK_6, NETWORK_4}};
	struct row r = {.n = 0};
	size_t n = octets[kind][net_is_v4(a)];
	memcpy(r.key, a->ip, n);
	r.key[sizeof r.key - 1] = (unsigned char)n;
	return r;
}

static str key_of(const struct row *r)
{
	return str_of((const char *)r->key, sizeof r->key);
}

static struct row *find(const struct limits *l, const net_addr *a, int kind)
{
	struct row like = row_like(a, kind);
	return hash_get(&l->networks, key_of(&like));
}

/* ---- rows without a connection ---- */

static void drop(struct limits *l, struct row *r)
{
	list_remove(&r->node);
	l->idle_n--;
	hash_remove(&l->networks, key_of(r));
	mem_free(r);
}

/* A bucket that nobody filled for a minute is empty. Two for each that comes: the list does not grow for ever. */
static void drop_old(struct limits *l, uint64_t now)
{
	for (int i = 0; i < 2 && !list_empty(&l->idle); i++) {
		struct row *r = LIST_OWNER(l->idle.next, struct row, node);
		if (l->idle_n < LIMITS_IDLE && now - r->since < LIMITS_MINUTE_MS)
			return;
		drop(l, r);
	}
}

static result add(struct limits *l, const struct row *like, struct row **out)
{
	struct row *r = mem_alloc(sizeof *r);
	if (!r)
		return failure(FAIL_MEMORY, "the server is out of memory; try again later");
	*r = *like;
	result put = hash_put(&l->networks, key_of(r), r);
	if (failed(put)) {
		mem_free(r);
		return put;
	}
	list_insert(&l->idle, &r->node);
	l->idle_n++;
	*out = r;
	return OK;
}

static result find_or_add(struct limits *l, const net_addr *a, int kind, struct row **out)
{
	struct row like = row_like(a, kind);
	*out = hash_get(&l->networks, key_of(&like));
	return *out ? OK : add(l, &like, out);
}

/* ---- coming and going ---- */

static void drain(struct row *r, uint64_t minute, uint64_t now)
{
	r->level -= (double)minute * (double)(now - r->since) / LIMITS_MINUTE_MS;
	r->level = r->level > 0 ? r->level : 0;
	r->since = now;
}

static bool is_full(struct row *r, uint64_t minute, uint64_t now)
{
	drain(r, minute, now);
	return minute > 0 && r->level + 1 > (double)minute;
}

static result check(const struct limits *l, struct row *const rows[KINDS], uint64_t now)
{
	if (rows[BY_ADDRESS]->n >= l->most.address)
		return failure(FAIL_LIMIT, "your address has too many connections here; close some, or try again later");
	if (rows[BY_NETWORK]->n >= l->most.network)
		return failure(FAIL_LIMIT, "your network has too many connections here; close some, or try again later");
	if (is_full(rows[BY_ADDRESS], l->most.address_minute, now))
		return failure(FAIL_LIMIT, "your address connects too often; try again in a minute");
	if (is_full(rows[BY_NETWORK], l->most.network_minute, now))
		return failure(FAIL_LIMIT, "your network connects too often; try again in a minute");
	return OK;
}

static void count(struct limits *l, struct row *r)
{
	if (r->n++ == 0) {
		list_remove(&r->node);
		l->idle_n--;
	}
	r->level++;
}

/* Those without a connection are the youngest now. */
static void renew(struct limits *l, struct row *const rows[KINDS])
{
	for (int i = 0; i < KINDS; i++) {
		if (rows[i]->n > 0)
			continue;
		list_remove(&rows[i]->node);
		list_insert(&l->idle, &rows[i]->node);
	}
}

static result enter_rows(struct limits *l, const net_addr *a)
{
	uint64_t now = clock_mono_ms();
	struct row *rows[KINDS] = {NULL};
	drop_old(l, now);
	for (int i = 0; i < KINDS; i++)
		TRY(find_or_add(l, a, i, &rows[i]));
	result r = check(l, rows, now);
	if (failed(r)) {
		renew(l, rows);
		return r;
	}
	for (int i = 0; i < KINDS; i++)
		count(l, rows[i]);
	return OK;
}

static result enter(struct limits *l, const net_addr *a, bool exempt)
{
	if (l->now >= l->most.all)
		return failure(FAIL_LIMIT, "the server has as many connections as it takes; try again later");
	return exempt ? OK : enter_rows(l, a);
}

/* A full server makes no rows: networks without one are told of together. */
static struct limits_telling *telling_of(struct limits *l, const net_addr *a)
{
	struct row *r = find(l, a, BY_NETWORK);
	return r ? &r->telling : &l->others;
}

result limits_enter(struct limits *l, const net_addr *a, bool exempt)
{
	result r = enter(l, a, exempt);
	if (failed(r))
		telling_of(l, a)->refused++;
	else
		l->now++;
	return r;
}

void limits_leave(struct limits *l, const net_addr *a, bool exempt)
{
	must(l->now > 0);
	l->now--;
	for (int i = 0; i < KINDS && !exempt; i++) {
		struct row *r = find(l, a, i);
		must(r && r->n > 0);
		if (--r->n > 0)
			continue;
		list_insert(&l->idle, &r->node);
		l->idle_n++;
	}
}

/* ---- under pressure ---- */

bool limits_tell(struct limits *l, const net_addr *a, uint64_t *times)
{
	uint64_t now = clock_mono_ms();
	struct limits_telling *t = telling_of(l, a);
	*times = t->refused;
	if (t->told && now - t->told < LIMITS_TELL_MS)
		return false;
	*t = (struct limits_telling){.told = now};
	return true;
}

uint64_t limits_patience(const struct limits *l, uint64_t ms)
{
	bool pressed = l->now > l->most.all / 2;
	return pressed && ms > LIMITS_HURRY_MS ? LIMITS_HURRY_MS : ms;
}
