#include "auth/routes.h"

#include "base/mem.h"

enum { PARSE_MAX = 16384 };

void routes_init(struct routes *r)
{
	*r = (struct routes){.ids = hash_new(ROUTES_MAX)};
	for (size_t i = 0; i < ROUTE_KINDS; i++)
		r->of[i] = hash_new(ROUTES_MAX);
	list_init(&r->list);
}

void routes_free(struct routes *r)
{
	LIST_EACH_SAFE(n, &r->list)
		mem_free(LIST_OWNER(n, struct route, node));
	for (size_t i = 0; i < ROUTE_KINDS; i++)
		hash_free(&r->of[i]);
	hash_free(&r->ids);
}

static str keep(char **at, str s)
{
	str kept = str_of(*at, s.n);
	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return kept;
}

/* Routes in any order give the same sum (FNV-1a of each). */
static uint64_t mark_of(const struct route *n)
{
	uint64_t h = 14695981039346656037ull;
	const uint64_t numbers[] = {n->id, n->kind};
	const str parts[] = {str_of((const char *)numbers, sizeof numbers), n->match};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		for (size_t j = 0; j < parts[i].n; j++)
			h = (h ^ (unsigned char)parts[i].p[j]) * 1099511628211ull;
	return h;
}

result routes_add(struct routes *r, const struct route *n)
{
	must(n->kind != ROUTE_RELAYED || n->match.n > 0);
	struct route *copy = mem_alloc(sizeof *copy + n->match.n + n->host.n + n->user.n);
	if (!copy)
		return failure(FAIL_MEMORY, "out of memory");
	char *at = (char *)(copy + 1);
	*copy = *n;
	copy->match = keep(&at, n->match);
	copy->host = keep(&at, n->host);
	copy->user = keep(&at, n->user);
	result done = hash_put_u64(&r->ids, n->id, copy);
	if (!failed(done) && failed(done = hash_put(&r->of[n->kind], copy->match, copy)))
		hash_remove_u64(&r->ids, n->id);
	if (failed(done)) {
		mem_free(copy);
		return done;
	}
	list_insert(&r->list, &copy->node);
	r->table += mark_of(copy);
	return OK;
}

void routes_remove(struct routes *r, struct route *gone)
{
	hash_remove(&r->of[gone->kind], gone->match);
	hash_remove_u64(&r->ids, gone->id);
	list_remove(&gone->node);
	r->table -= mark_of(gone);
	mem_free(gone);
}

struct route *routes_find(const struct routes *r, enum route_kind kind, str match)
{
	return hash_get(&r->of[kind], match);
}

struct route *routes_by_id(const struct routes *r, uint64_t id)
{
	return hash_get_u64(&r->ids, id);
}

static struct route *by_recipient(const struct routes *r, str recipient)
{
	AUTO_ARENA arena a = arena_new(PARSE_MAX);
	struct address to;
	struct route *found = NULL;
	if (failed(address_parse(recipient, &a, &to)))
		return NULL;
	found = routes_find(r, ROUTE_RECIPIENT, to.key);
	if (!found)
		found = routes_find(r, ROUTE_RELAYED, to.domain);
	return found ? found : routes_find(r, ROUTE_DOMAIN, to.domain);
}

static struct route *by_sender(const struct routes *r, str sender)
{
	AUTO_ARENA arena a = arena_new(PARSE_MAX);
	struct address from;
	if (sender.n == 0 || failed(address_parse(sender, &a, &from)))
		return NULL;
	struct route *found = routes_find(r, ROUTE_SENDER, from.key);
	return found ? found : routes_find(r, ROUTE_SENDER, from.domain);
}

struct route *routes_choose(const struct routes *r, str sender, str recipient)
{
	struct route *found = by_recipient(r, recipient);
	if (!found)
		found = by_sender(r, sender);
	return found ? found : routes_find(r, ROUTE_DOMAIN, STR(""));
}
