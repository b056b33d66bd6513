#include "watch/detect/persons.h"

#include "base/cursor.h"
#include "base/mem.h"

enum { DAY_MS = 24 * DETECT_HOUR, VERSION = 1, E4 = 10000 };

/* ---- packing ---- */

static void put_le(buf *out, uint64_t v, size_t n)
{
	char le[8];
	for (size_t i = 0; i < n; i++)
		le[i] = (char)(v >> (8 * i) & 0xff);
	buf_put(out, str_of(le, n));
}

static void pack(const struct conduct *c, buf *out)
{
	buf_putc(out, VERSION);
	put_le(out, (uint64_t)c->login, 8);
	buf_put(out, str_of(c->place.country, PLACES_COUNTRY));
	put_le(out, c->place.asn, 4);
	buf_putc(out, c->place.located);
	put_le(out, (uint32_t)(int32_t)(c->place.latitude * E4), 4);
	put_le(out, (uint32_t)(int32_t)(c->place.longitude * E4), 4);
	buf_put(out, str_of(c->countries[0], sizeof c->countries));
	for (size_t i = 0; i < DEVICES_EACH; i++)
		put_le(out, c->devices[i], 8);
	put_le(out, (uint64_t)c->day, 8);
	put_le(out, c->usual_copies, 4);
	put_le(out, c->usual_first, 4);
	put_le(out, c->today_copies, 4);
	put_le(out, c->today_first, 4);
	put_le(out, c->days, 4);
}

static void take(cursor *c, void *to, size_t n)
{
	str s = cursor_take(c, n);
	if (!c->bad)
		memcpy(to, s.p, n);
}

static bool unpack(str packed, struct conduct *out)
{
	cursor c = cursor_on(packed);
	struct conduct k = {0};
	if (cursor_u8(&c) != VERSION)
		return false;
	k.login = (int64_t)cursor_u64(&c);
	take(&c, k.place.country, PLACES_COUNTRY);
	k.place.asn = cursor_u32(&c);
	k.place.located = cursor_u8(&c) != 0;
	k.place.latitude = (double)(int32_t)cursor_u32(&c) / E4;
	k.place.longitude = (double)(int32_t)cursor_u32(&c) / E4;
	take(&c, k.countries[0], sizeof k.countries);
	for (size_t i = 0; i < DEVICES_EACH; i++)
		k.devices[i] = cursor_u64(&c);
	k.day = (int64_t)cursor_u64(&c);
	k.usual_copies = cursor_u32(&c);
	k.usual_first = cursor_u32(&c);
	k.today_copies = cursor_u32(&c);
	k.today_first = cursor_u32(&c);
	k.days = cursor_u32(&c);
	if (!c.bad)
		*out = k;
	return !c.bad;
}

/* ---- the table ---- */

static void drop(struct persons *t, struct person *p)
{
	hash_remove_u64(&t->table, p->account);
	list_remove(&p->node);
	mem_free(p);
}

void persons_init(struct persons *t, struct memo *memo)
{
	*t = (struct persons){.table = hash_new(PERSONS), .memo = memo};
	list_init(&t->oldest);
}

void persons_free(struct persons *t)
{
	LIST_EACH_SAFE(n, &t->oldest)
		drop(t, LIST_OWNER(n, struct person, node));
	hash_free(&t->table);
}

static struct person *make(struct persons *t, uint64_t account)
{
	if (t->table.n >= PERSONS)
		persons_forget(t, LIST_OWNER(t->oldest.next, struct person, node)->account);
	struct person *p = mem_alloc(sizeof *p);
	if (!p || failed(hash_put_u64(&t->table, account, p))) {
		mem_free(p);
		return NULL;
	}
	p->account = account;
	p->copies.half_life = p->firsts.half_life = PER_HOUR;
	p->bounced.half_life = PER_DAY;
	list_init(&p->node);
	return p;
}

struct person *persons_get(struct persons *t, uint64_t account)
{
	struct person *p = account ? hash_get_u64(&t->table, account) : NULL;
	if (!p && account)
		p = make(t, account);
	if (!p)
		return NULL;
	list_remove(&p->node);
	list_insert(&t->oldest, &p->node);
	return p;
}

void persons_restore(struct persons *t, uint64_t account, str packed)
{
	struct conduct c;
	struct person *p = unpack(packed, &c) ? persons_get(t, account) : NULL;
	if (!p)
		return;
	p->conduct = c;
	p->placed = c.login;
}

void persons_forget(struct persons *t, uint64_t account)
{
	struct person *p = hash_get_u64(&t->table, account);
	memo_drop_conduct(t->memo, account);
	if (p)
		drop(t, p);
}

void person_touch(struct person *p)
{
	if (p->state == SAME)
		p->state = TOUCHED;
}

void persons_write(struct persons *t, int64_t now, bool all)
{
	AUTO_BUF buf packed = buf_new(CONDUCT_MAX);
	LIST_EACH(n, &t->oldest) {
		struct person *p = LIST_OWNER(n, struct person, node);
		if (p->state == SAME || (p->state == TOUCHED && !all && now - p->written < DETECT_HOUR))
			continue;
		buf_clear(&packed);
		pack(&p->conduct, &packed);
		if (packed.broken)
			return; /* no memory now: it stays changed */
		memo_put_conduct(t->memo, p->account, buf_str(&packed));
		p->state = SAME;
		p->written = now;
	}
}

/* ---- conduct ---- */

bool conduct_meets_country(struct conduct *c, const char country[PLACES_COUNTRY])
{
	size_t i = 0;
	while (i < COUNTRIES_EACH - 1 && memcmp(c->countries[i], country, PLACES_COUNTRY) != 0)
		i++;
	bool fresh = memcmp(c->countries[i], country, PLACES_COUNTRY) != 0;
	memmove(c->countries[1], c->countries[0], i * PLACES_COUNTRY);
	memcpy(c->countries[0], country, PLACES_COUNTRY);
	return fresh;
}

bool conduct_meets_device(struct conduct *c, uint64_t mark)
{
	size_t i = 0;
	while (i < DEVICES_EACH - 1 && c->devices[i] != mark)
		i++;
	bool fresh = c->devices[i] != mark;
	memmove(&c->devices[1], &c->devices[0], i * sizeof c->devices[0]);
	c->devices[0] = mark;
	return fresh;
}

/* A peak is forgotten by a tenth a day: who writes much on Mondays is not unusual on the next. */
static uint32_t blend(uint32_t usual, uint32_t busiest)
{
	uint32_t faded = usual - usual / 10;
	return busiest > faded ? busiest : faded;
}

void conduct_sends(struct conduct *c, int64_t now, uint32_t copies, uint32_t first)
{
	int64_t day = now / DAY_MS;
	if (day > c->day) {
		c->usual_copies = blend(c->usual_copies, c->today_copies);
		c->usual_first = blend(c->usual_first, c->today_first);
		c->days += c->day > 0;
		c->today_copies = c->today_first = 0;
		c->day = day;
	}
	c->today_copies = copies > c->today_copies ? copies : c->today_copies;
	c->today_first = first > c->today_first ? first : c->today_first;
}
