#include "watch/bans_store.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/clock.h"
#include "watch/keeper.h"

struct ban {
	struct ban_facts facts;
	bool counted; /* refusals that are not written down yet */
};

struct bans {
	struct ledger *ledger;
	struct ban_page *page;
	struct networks never;
	hash rows;             /* network and bits -> struct ban */
	struct list pending;   /* struct ban_change */
	size_t pending_n;
	uint64_t made, written; /* changes */
	uint64_t refusals;     /* of the disk */
	result refusal;        /* the last */
	uint64_t count_due, sweep_due;
	struct keeper keeper;
};

static struct ban *find(const struct bans *b, const net_cidr *network)
{
	return hash_get(&b->rows, net_cidr_key(network));
}

static bool is_over(const struct ban *n, int64_t now)
{
	return n->facts.row.until && n->facts.row.until <= now;
}

/* ---- what goes to the disk ---- */

static result note(struct bans *b, enum ban_act act, const struct ban_facts *f, const struct ban_wish *w)
{
	str why = w ? str_clip(w->why, WEB_WATCH_BAN_ROW_REASON_MAX) : STR("");
	str by = w ? str_sub(w->by, 0, WEB_WATCH_BAN_ROW_BY_MAX) : STR("");
	struct ban_change *c = b->pending_n < BANS_PENDING ? mem_alloc(sizeof *c + why.n + by.n + 1) : NULL;
	if (!c)
		return failure(FAIL_LIMIT, "too many changes of bans wait for the disk");
	c->act = act;
	c->facts = *f;
	c->why = str_of(c->text, why.n);
	c->by = str_of(c->text + why.n, by.n);
	if (why.n)
		memcpy(c->text, why.p, why.n);
	if (by.n)
		memcpy(c->text + why.n, by.p, by.n);
	list_insert(&b->pending, &c->node);
	b->pending_n++;
	b->made++;
	gate_wake_all(&b->keeper.changed);
	return OK;
}

static void free_changes(struct list *changes)
{
	LIST_EACH_SAFE(n, changes)
	{
		list_remove(n);
		mem_free(LIST_OWNER(n, struct ban_change, node));
	}
}

static result write_pending(struct bans *b)
{
	struct list leaving;
	size_t n = b->pending_n;
	list_init(&leaving);
	list_join(&leaving, &b->pending);
	const struct commit_job job = {.run = bans_write, .arg = &leaving, .writes = true};
	result r = ledger_do(b->ledger, &job);
	if (failed(r)) {
		list_join(b->pending.next, &leaving); /* before those that came meanwhile */
		b->refusal = r;
		b->refusals++;
	} else {
		b->pending_n -= n;
		b->written += n;
	}
	free_changes(&leaving);
	gate_wake_all(&b->keeper.changed);
	return r;
}

result bans_settle(struct bans *b)
{
	uint64_t want = b->made, refusals = b->refusals;
	while (b->written < want && b->refusals == refusals)
		TRY(gate_wait(&b->keeper.changed, FIBER_FOREVER));
	return b->written >= want ? OK : b->refusal;
}

/* ---- rows ---- */

static bool is_never(const struct bans *b, const net_cidr *network)
{
	for (size_t i = 0; i < b->never.n; i++)
		if (net_cidr_in(network, &b->never.p[i]))
			return true;
	return false;
}

static void forget(struct bans *b, struct ban *n)
{
	if (b->page)
		ban_page_remove(b->page, &n->facts.row.network);
	hash_remove(&b->rows, net_cidr_key(&n->facts.row.network));
	mem_free(n);
}

/* Where the disk's turn finds no room the row ends there by its time, or at the next sweep. */
static void drop(struct bans *b, struct ban *n)
{
	result r = note(b, BAN_DROP, &n->facts, NULL);
	(void)r;
	forget(b, n);
}

static void tell_removed(const net_cidr *network, str by)
{
	AUTO_BUF buf text = buf_new(NET_TEXT_MAX + 4);
	net_put_cidr(&text, network);
	log_event(EV_BAN_REMOVED, NULL, F_STR("network", buf_str(&text)), F_STR("by", by));
}

/* Every row is looked at: at most BANS_ROWS of them, some hundred microseconds every ten seconds. */
static void sweep(struct bans *b, int64_t before, const char *why)
{
	AUTO_BUF buf over = buf_new(SIZE_MAX);
	size_t at = 0;
	str key;
	void *value;
	while (hash_each(&b->rows, &at, &key, &value)) {
		const struct ban *n = value;
		if (is_over(n, before) && (!n->facts.by_hand || before <= clock_wall_ms()))
			buf_put(&over, str_of((const char *)&value, sizeof value));
	}
	for (size_t i = 0; i + sizeof value <= over.n; i += sizeof value) {
		memcpy(&value, over.p + i, sizeof value);
		struct ban *n = value;
		tell_removed(&n->facts.row.network, str_from(why));
		drop(b, n);
	}
}

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* Of detectors' bans those go that would end first. */
static void make_room(struct bans *b)
{
	sweep(b, clock_wall_ms(), "its time");
	if (b->rows.n < BANS_ROWS)
		return;
	int64_t *ends = mem_array(b->rows.n, sizeof *ends);
	size_t at = 0, n = 0;
	str key;
	void *value;
	while (ends && hash_each(&b->rows, &at, &key, &value)) {
		const struct ban_facts *f = &((const struct ban *)value)->facts;
		if (!f->by_hand && f->row.until)
			ends[n++] = f->row.until;
	}
	if (n > 0) {
		qsort(ends, n, sizeof *ends, by_value);
		sweep(b, ends[n < BANS_ROOM ? n - 1 : BANS_ROOM - 1], "the room that others need");
	}
	mem_free(ends);
}

static result add(struct bans *b, const net_cidr *network, struct ban **out)
{
	if (b->rows.n >= BANS_ROWS)
		make_room(b);
	struct ban *n = mem_alloc(sizeof *n);
	if (!n)
		return failure(FAIL_MEMORY, "out of memory");
	n->facts.row.network = *network;
	result r = hash_put(&b->rows, net_cidr_key(network), n);
	if (failed(r)) {
		mem_free(n);
		return r.kind == FAIL_LIMIT
			? failure(FAIL_LIMIT, "there are as many bans as the server holds; remove some") : r;
	}
	*out = n;
	return OK;
}

static void tell_added(const struct ban_wish *w)
{
	static const char *const names[BAN_GRADES] = {"", "delay", "tarpit", "banned"};
	AUTO_BUF buf text = buf_new(NET_TEXT_MAX + 4);
	net_put_cidr(&text, &w->row.network);
	log_event(EV_BAN_ADDED, NULL, F_STR("network", buf_str(&text)), F_STR("grade", str_from(names[w->row.grade])),
		  F_I64("until", w->row.until / 1000), F_STR("by", w->by), F_STR("why", w->why));
}

static bool is_same(const struct ban_facts *f, const struct ban_wish *w)
{
	return f->row.grade == w->row.grade && f->row.until == w->row.until && f->by_hand == w->by_hand;
}

static bool is_weaker(const struct ban_row *wish, const struct ban_row *stands)
{
	if (wish->grade != stands->grade)
		return wish->grade < stands->grade;
	return wish->until && (!stands->until || wish->until < stands->until);
}

/* What stands against a detector's word. A detector that lost its count (its watch began anew, its table was full) asks
 * for a first step again. */
static result stands_against(const struct ban *n, const struct ban_wish *w)
{
	if (n->facts.by_hand)
		return failure(FAIL_EXISTS, "an administrator decided about this network");
	if (is_weaker(&w->row, &n->facts.row))
		return failure(FAIL_EXISTS, "a stricter or longer ban of this network is in force");
	return OK;
}

result bans_set(struct bans *b, const struct ban_wish *w)
{
	int64_t now = clock_wall_ms();
	struct ban *n = find(b, &w->row.network);
	if (is_never(b, &w->row.network))
		return failure(FAIL_DENIED, "this network is never banned (option never-ban)");
	if (n && !w->by_hand && !is_over(n, now))
		TRY(stands_against(n, w));
	if (n && is_same(&n->facts, w) && !w->by_hand)
		return OK;
	if (!n)
		TRY(add(b, &w->row.network, &n));
	n->facts = (struct ban_facts){.row = w->row, .by_hand = w->by_hand, .since = n->facts.since ? n->facts.since : now,
		.refused = n->facts.refused, .last = n->facts.last};
	result r = b->page ? ban_page_put(b->page, &w->row) : OK;
	if (failed(r)) {
		forget(b, n);
		return r;
	}
	tell_added(w);
	return note(b, BAN_PUT, &n->facts, w);
}

result bans_remove(struct bans *b, const net_cidr *network, str by)
{
	struct ban *n = find(b, network);
	if (!n || is_over(n, clock_wall_ms()))
		return failure(FAIL_ABSENT, "there is no ban of exactly this network; `postern ban list` shows them");
	TRY(note(b, BAN_DROP, &n->facts, NULL)); /* else it would come back with the next watch */
	tell_removed(network, by);
	forget(b, n);
	return OK;
}

/* ---- what edges did ---- */

void bans_refused(struct bans *b, str network, uint64_t connections)
{
	net_cidr c;
	struct ban *n = failed(net_parse_cidr(network, &c)) ? NULL : find(b, &c);
	if (!n)
		return;
	n->facts.refused += connections;
	n->facts.last = clock_wall_ms();
	n->counted = true;
	if (b->count_due == UINT64_MAX) {
		b->count_due = clock_mono_ms() + BANS_COUNT_MS;
		gate_wake_all(&b->keeper.changed);
	}
}

static void note_counts(struct bans *b)
{
	size_t at = 0;
	str key;
	void *value;
	b->count_due = UINT64_MAX;
	while (hash_each(&b->rows, &at, &key, &value)) {
		struct ban *n = value;
		if (n->counted)
			n->counted = failed(note(b, BAN_COUNT, &n->facts, NULL));
	}
}

/* ---- looking ---- */

/* The next that holds for the address, from `bits` on; 129 and NULL at the end. */
static const struct ban *next_of(const struct bans *b, const net_addr *a, unsigned *bits)
{
	int64_t now = clock_wall_ms();
	for (; *bits <= 128; (*bits)++) {
		const net_cidr c = net_around(a, *bits);
		const struct ban *n = find(b, &c);
		if (n && !is_over(n, now))
			return n;
	}
	return NULL;
}

static unsigned least_bits(const net_addr *a)
{
	return net_is_v4(a) ? 96 : 0;
}

size_t bans_count(const struct bans *b)
{
	return b->rows.n;
}

static result read_page(struct bans *b, struct bans_page *p)
{
	const struct commit_job job = {.run = bans_read_page, .arg = p};
	p->before = p->n;
	return ledger_do(b->ledger, &job);
}

static result settle_counts(struct bans *b)
{
	note_counts(b);
	return bans_settle(b);
}

result bans_list(struct bans *b, str after, arena *a, struct web_watch_bans *out)
{
	net_cidr last;
	struct bans_page p = {.now = clock_wall_ms(), .a = a, .after = after.n > 0 ? &last : NULL,
		.rows = arena_array(a, WEB_WATCH_BANS_ROWS_MAX, sizeof *p.rows)};
	if (!p.rows)
		return arena_result(a);
	if (after.n > 0)
		TRY(net_parse_cidr(after, &last));
	TRY(settle_counts(b));
	TRY(read_page(b, &p));
	out->rows.p = p.rows;
	out->rows.n = p.n;
	return OK;
}

result bans_why(struct bans *b, str address, arena *a, struct web_watch_ban_is *out)
{
	net_addr who;
	struct bans_page p = {.a = a, .rows = arena_array(a, WEB_WATCH_BANS_ROWS_MAX, sizeof *p.rows)};
	if (!p.rows)
		return arena_result(a);
	TRY(net_parse_ip(address, &who));
	TRY(settle_counts(b));
	for (unsigned bits = least_bits(&who); p.n < WEB_WATCH_BAN_IS_ROWS_MAX && next_of(b, &who, &bits); bits++) {
		const net_cidr network = net_around(&who, bits);
		p.only = &network;
		TRY(read_page(b, &p));
	}
	out->never = net_in_any(&who, b->never.p, b->never.n);
	out->rows.p = p.rows;
	out->rows.n = p.n;
	return OK;
}

/* ---- life ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void do_what_is_due(struct bans *b)
{
	uint64_t now = clock_mono_ms();
	if (now >= b->sweep_due) {
		sweep(b, clock_wall_ms(), "its time");
		b->sweep_due = now + BANS_SWEEP_MS;
	}
	if (now >= b->count_due)
		note_counts(b);
}

static void keep(void *arg)
{
	struct bans *b = arg;
	result r = OK;
	while (!b->keeper.closing && r.kind != FAIL_CANCELLED) {
		do_what_is_due(b);
		uint64_t wait = clock_left(least(b->sweep_due, b->count_due));
		if (b->pending_n == 0)
			r = gate_wait(&b->keeper.changed, wait);
		else if (failed(write_pending(b)))
			r = gate_wait(&b->keeper.changed, BANS_RETRY_MS);
	}
	note_counts(b);
	if (b->pending_n > 0 && failed(write_pending(b)))
		log_event(EV_ROOM_DROPPED, NULL, F_STR("what", STR("changes of bans")), F_U64("events", b->pending_n),
			  F_STR("why", str_from(b->refusal.text)));
	keeper_ends(&b->keeper);
}

struct loading {
	struct bans *bans;
	buf found; /* struct ban_facts */
};

static void take_facts(void *ctx, const struct ban_facts *f)
{
	struct loading *l = ctx;
	buf_put(&l->found, str_of((const char *)f, sizeof *f));
}

/* What never-ban says now holds for bans of before as well. */
static result take_row(struct bans *b, const struct ban_facts *f)
{
	struct ban *n;
	if (is_never(b, &f->row.network))
		return note(b, BAN_DROP, f, NULL);
	TRY(add(b, &f->row.network, &n));
	n->facts = *f;
	return b->page ? ban_page_put(b->page, &f->row) : OK;
}

static result load(struct bans *b)
{
	struct loading l = {.bans = b, .found = buf_new(SIZE_MAX)};
	struct bans_reading reading = {.take = take_facts, .ctx = &l};
	const struct commit_job job = {.run = bans_read_all, .arg = &reading};
	result r = ledger_do(b->ledger, &job);
	if (!failed(r))
		r = buf_result(&l.found);
	for (size_t i = 0; !failed(r) && i + sizeof(struct ban_facts) <= l.found.n; i += sizeof(struct ban_facts)) {
		struct ban_facts f;
		memcpy(&f, l.found.p + i, sizeof f);
		r = take_row(b, &f);
	}
	buf_free(&l.found);
	return r;
}

static void free_bans(struct bans *b)
{
	hash_free_values(&b->rows);
	free_changes(&b->pending);
	ban_page_close(&b->page);
	mem_free(b);
}

static result begin(struct bans *b, int page)
{
	result r = page >= 0 ? ban_page_open(page, &b->page) : OK;
	if (page >= 0)
		close(page);
	TRY(r);
	TRY(load(b));
	return fiber_start(keep, b, "bans", NULL);
}

result bans_open(const struct bans_options *o, struct bans **out)
{
	struct bans *b = mem_alloc(sizeof *b);
	if (!b)
		return failure(FAIL_MEMORY, "out of memory");
	*b = (struct bans){.ledger = o->ledger, .never = o->never, .rows = hash_new(BANS_ROWS), .count_due = UINT64_MAX};
	list_init(&b->pending);
	keeper_init(&b->keeper);
	result r = begin(b, o->page);
	if (failed(r))
		free_bans(b);
	else
		*out = b;
	return r;
}

void bans_close(struct bans **at)
{
	struct bans *b = *at;
	*at = NULL;
	if (!b)
		return;
	keeper_close(&b->keeper);
	free_bans(b);
}
