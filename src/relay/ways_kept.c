#include "relay/ways_kept.h"

#include "base/mem.h"
#include "run/clock.h"

enum { TEXTS = 2048 };

struct kept_way {
	uint64_t until;
	struct relay_auth_way_is is;
	arena texts;
};

static void forget(struct kept_way *k)
{
	if (k)
		arena_free(&k->texts);
	mem_free(k);
}

void ways_open(struct ways *w)
{
	w->by_route = hash_new(WAYS_KEPT);
}

void ways_close(struct ways *w)
{
	size_t at = 0;
	str key;
	void *value;
	while (hash_each(&w->by_route, &at, &key, &value))
		forget(value);
	hash_free(&w->by_route);
}

static struct relay_auth_way_is copy(const struct relay_auth_way_is *from, arena *a)
{
	struct relay_auth_way_is to = *from;
	to.host = arena_dup(a, from->host);
	to.user = to.password = (str){0};
	return to;
}

bool ways_known(const struct ways *w, uint64_t route, arena *a, struct relay_auth_way_is *out)
{
	const struct kept_way *k = hash_get_u64(&w->by_route, route);
	if (!k || k->until <= clock_mono_ms())
		return false;
	*out = copy(&k->is, a);
	return !failed(arena_result(a));
}

void ways_keep(struct ways *w, uint64_t route, const struct relay_auth_way_is *is)
{
	if (!is->known || is->user.n > 0)
		return;
	if (w->by_route.n == WAYS_KEPT && !hash_get_u64(&w->by_route, route)) {
		ways_close(w);
		ways_open(w);
	}
	forget(hash_remove_u64(&w->by_route, route));
	struct kept_way *k = mem_alloc(sizeof *k);
	if (!k)
		return;
	*k = (struct kept_way){.until = clock_mono_ms() + WAYS_MS, .texts = arena_new(TEXTS)};
	k->is = copy(is, &k->texts);
	if (failed(arena_result(&k->texts)) || failed(hash_put_u64(&w->by_route, route, k)))
		forget(k);
}
