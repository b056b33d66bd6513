#include "account/store/core.h"
#include "base/mem.h"

static bool in_inbox(str name)
{
	return str_starts(name, STR("INBOX")) && (name.n == 5 || name.p[5] == '/');
}

/* A parent's inferiors come right behind it: no name holds a byte below '/'
 * that would sort between, once '/' counts as the lowest. */
int name_cmp(str a, str b)
{
	bool ia = in_inbox(a), ib = in_inbox(b);
	if (ia != ib)
		return ia ? -1 : 1;
	size_t n = a.n < b.n ? a.n : b.n;
	for (size_t i = 0; i < n; i++) {
		unsigned char x = str_at(a, i), y = str_at(b, i);
		if (x != y)
			return (x == '/' ? 0 : x) < (y == '/' ? 0 : y) ? -1 : 1;
	}
	return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

bool name_below(str name, str parent)
{
	return name.n > parent.n && name.p[parent.n] == '/' && str_starts(name, parent);
}

size_t catalog_from(const struct catalog *c, str name)
{
	size_t low = 0, high = c->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (name_cmp(c->v[mid]->name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct mbox *catalog_find(const struct catalog *c, str name)
{
	size_t at = catalog_from(c, name);
	return at < c->n && str_eq(c->v[at]->name, name) ? c->v[at] : NULL;
}

struct mbox *catalog_by_id(const struct catalog *c, uint64_t id)
{
	return hash_get_u64(&c->by_id, id);
}

static result copy(str s, str *out)
{
	char *p = mem_alloc(s.n ? s.n : 1);
	if (!p)
		return failure(FAIL_MEMORY, "out of memory");
	if (s.n)
		memcpy(p, s.p, s.n);
	*out = str_of(p, s.n);
	return OK;
}

static void free_str(str *s)
{
	mem_free((void *)(uintptr_t)s->p);
	*s = (str){0};
}

static result grow(void **v, size_t *cap, size_t n, size_t size)
{
	if (n < *cap)
		return OK;
	size_t want = *cap ? *cap * 2 : 16;
	void *p = mem_grow(*v, want * size);
	if (!p)
		return failure(FAIL_MEMORY, "out of memory");
	*v = p;
	*cap = want;
	return OK;
}

static result room_for_one(struct catalog *c)
{
	void *v = c->v;
	result r = grow(&v, &c->cap, c->n, sizeof *c->v);
	c->v = v;
	return r;
}

static void insert(struct catalog *c, struct mbox *b)
{
	size_t at = catalog_from(c, b->name);
	memmove(c->v + at + 1, c->v + at, (c->n - at) * sizeof *c->v);
	c->v[at] = b;
	c->n++;
}

static void take_out(struct catalog *c, const struct mbox *b)
{
	size_t at = catalog_from(c, b->name);
	must(at < c->n && c->v[at] == b);
	c->n--;
	memmove(c->v + at, c->v + at + 1, (c->n - at) * sizeof *c->v);
}

result catalog_add(struct catalog *c, const struct box_row *row, str name)
{
	TRY(room_for_one(c));
	struct mbox *b = mem_alloc(sizeof *b);
	if (!b)
		return failure(FAIL_MEMORY, "out of memory");
	b->row = *row;
	result r = copy(name, &b->name);
	if (!failed(r))
		r = hash_put_u64(&c->by_id, row->id, b);
	if (failed(r)) {
		free_str(&b->name);
		mem_free(b);
		return r;
	}
	insert(c, b);
	return OK;
}

void catalog_remove(struct catalog *c, struct mbox *b)
{
	take_out(c, b);
	hash_remove_u64(&c->by_id, b->row.id);
	b->gone = true;
	if (b->holds == 0)
		box_free(b);
}

void box_free(struct mbox *b)
{
	loaded_free(b);
	free_str(&b->name);
	mem_free(b);
}

result catalog_rename(struct catalog *c, struct mbox *b, str name)
{
	str fresh;
	TRY(copy(name, &fresh));
	take_out(c, b);
	free_str(&b->name);
	b->name = fresh;
	insert(c, b);
	return OK;
}

bool catalog_subscribed(const struct catalog *c, str name, size_t *at)
{
	size_t low = 0, high = c->subscribed_n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (name_cmp(c->subscribed[mid], name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (at)
		*at = low;
	return low < c->subscribed_n && str_eq(c->subscribed[low], name);
}

result catalog_subscribe(struct catalog *c, str name, bool on)
{
	size_t at;
	if (catalog_subscribed(c, name, &at) == on)
		return OK;
	if (!on) {
		free_str(&c->subscribed[at]);
		c->subscribed_n--;
		memmove(c->subscribed + at, c->subscribed + at + 1, (c->subscribed_n - at) * sizeof(str));
		return OK;
	}
	void *v = c->subscribed;
	result r = grow(&v, &c->subscribed_cap, c->subscribed_n, sizeof(str));
	c->subscribed = v;
	TRY(r);
	str fresh;
	TRY(copy(name, &fresh));
	memmove(c->subscribed + at + 1, c->subscribed + at, (c->subscribed_n - at) * sizeof(str));
	c->subscribed[at] = fresh;
	c->subscribed_n++;
	return OK;
}

static result load_subscriptions(struct catalog *c, struct db *db)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT name FROM subscription"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		TRY(catalog_subscribe(c, query_bytes(q, 0), true));
	}
}

result catalog_load(struct catalog *c, struct db *db)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	c->by_id = hash_new(STORE_MAILBOXES_MAX + 1);
	TRY(db_ask(db, &q, "SELECT " BOX_COLUMNS));
	for (;;) {
		struct box_row b;
		TRY(query_next(q, &row));
		if (!row)
			return load_subscriptions(c, db);
		box_from_query(q, &b);
		TRY(catalog_add(c, &b, query_bytes(q, BOX_NAME)));
	}
}

void catalog_free(struct catalog *c)
{
	for (size_t i = 0; i < c->n; i++)
		box_free(c->v[i]);
	for (size_t i = 0; i < c->subscribed_n; i++)
		free_str(&c->subscribed[i]);
	mem_free(c->v);
	mem_free(c->subscribed);
	hash_free(&c->by_id);
	*c = (struct catalog){0};
}

result find_box(const struct actor *a, str name, struct mbox **out)
{
	*out = catalog_find(&a->store->catalog, name);
	return *out ? OK : failure(FAIL_ABSENT, "there is no mailbox of that name; create it first");
}
