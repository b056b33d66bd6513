#include "account/store/core.h"
#include "base/mem.h"
#include "grammar/imap/imap_name.h"

#include <stdlib.h>

_Static_assert((int)STORE_NAME_MAX == (int)IMAP_NAME_MAX, "one limit for names");

result mailbox_name(arena *m, str given, str *out)
{
	str name = str_ends(given, STR("/")) ? str_sub(given, 0, given.n - 1) : given;
	TRY(imap_name_check(name));
	bool inbox = str_istarts(name, STR("INBOX")) && (name.n == 5 || name.p[5] == '/');
	if (!inbox || str_starts(name, STR("INBOX"))) {
		*out = name;
		return OK;
	}
	char *p = arena_alloc(m, name.n);
	if (!p)
		return arena_result(m);
	memcpy(p, name.p, name.n);
	memcpy(p, "INBOX", 5);
	*out = str_of(p, name.n);
	return OK;
}

/* ---- the list: three sorted lists merged ---- */

struct listing {
	const struct catalog *c;
	arena *m;
	struct mailbox_entry *v;
	size_t n, cap;
};

static struct mailbox_entry *add(struct listing *l, str name)
{
	if (l->n == l->cap) {
		size_t want = l->cap ? l->cap * 2 : 32;
		struct mailbox_entry *v = mem_grow(l->v, want * sizeof *v);
		if (!v)
			return NULL;
		l->v = v;
		l->cap = want;
	}
	l->v[l->n] = (struct mailbox_entry){.name = name};
	return &l->v[l->n++];
}

static int by_name(const void *a, const void *b)
{
	const struct mailbox_entry *x = a, *y = b;
	return name_cmp(x->name, y->name);
}

/* The levels above a name, unless the one before it in the list has them too. */
static bool add_parents(struct listing *l, str name, str before)
{
	for (size_t i = 1; i < name.n; i++) {
		if (name.p[i] != '/')
			continue;
		str parent = str_sub(name, 0, i);
		if (str_eq(before, parent) || name_below(before, parent))
			continue;
		if (!add(l, parent))
			return false;
	}
	return true;
}

static result gather(struct listing *l)
{
	str before = STR("");
	for (size_t i = 0; i < l->c->n; i++) {
		const struct mbox *b = l->c->v[i];
		if (!add_parents(l, b->name, before))
			return failure(FAIL_MEMORY, "out of memory");
		struct mailbox_entry *e = add(l, b->name);
		if (!e)
			return failure(FAIL_MEMORY, "out of memory");
		e->exists = true;
		e->use = b->row.use;
		before = b->name;
	}
	before = STR("");
	for (size_t i = 0; i < l->c->subscribed_n; i++) {
		str name = l->c->subscribed[i];
		struct mailbox_entry *e = add_parents(l, name, before) ? add(l, name) : NULL;
		if (!e)
			return failure(FAIL_MEMORY, "out of memory");
		e->subscribed = true;
		before = name;
	}
	return OK;
}

static void merge_twins(struct listing *l)
{
	size_t to = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (to == 0 || !str_eq(l->v[to - 1].name, l->v[i].name)) {
			l->v[to++] = l->v[i];
			continue;
		}
		struct mailbox_entry *e = &l->v[to - 1];
		e->exists |= l->v[i].exists;
		e->subscribed |= l->v[i].subscribed;
		e->use |= l->v[i].use;
	}
	l->n = to;
}

/* Backwards, each entry tells the nearest one above it that is listed. */
static void tell_parents(struct listing *l)
{
	for (size_t i = l->n; i-- > 1;) {
		const struct mailbox_entry *e = &l->v[i];
		size_t slash = str_rchr(e->name, '/');
		if (slash == STR_NONE)
			continue;
		struct mailbox_entry key = {.name = str_sub(e->name, 0, slash)};
		struct mailbox_entry *up = bsearch(&key, l->v, i, sizeof *l->v, by_name);
		if (!up)
			continue;
		up->children |= e->exists || e->children;
		up->subscribed_below |= e->subscribed || e->subscribed_below;
		up->special_below |= e->use || e->special_below;
	}
}

static result hand_out(const struct listing *l, struct mailbox_entries *out)
{
	struct mailbox_entry *v = arena_array(l->m, l->n, sizeof *v);
	if (!v)
		return arena_result(l->m);
	for (size_t i = 0; i < l->n; i++) {
		v[i] = l->v[i];
		v[i].name = arena_dup(l->m, l->v[i].name);
	}
	TRY(arena_result(l->m));
	*out = (struct mailbox_entries){v, l->n};
	return OK;
}

result mailbox_list(const struct actor *a, arena *m, struct mailbox_entries *out)
{
	TRY(store_may(a, OP_LIST));
	struct listing l = {.c = &a->store->catalog, .m = m};
	result r = gather(&l);
	if (!failed(r)) {
		qsort(l.v, l.n, sizeof *l.v, by_name);
		merge_twins(&l);
		tell_parents(&l);
		r = hand_out(&l, out);
	}
	mem_free(l.v);
	return r;
}
