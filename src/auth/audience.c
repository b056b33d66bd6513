#include "auth/audience.h"

#include "talk/edge_auth.h"

void audience_init(struct audience *a)
{
	a->edges = hash_new(AUDIENCE_MAX);
}

void audience_free(struct audience *a)
{
	hash_free(&a->edges);
}

result audience_add(struct audience *a, const void *visitor, struct channel *c)
{
	return hash_put_u64(&a->edges, (uintptr_t)visitor, c);
}

void audience_left(struct audience *a, const void *visitor)
{
	hash_remove_u64(&a->edges, (uintptr_t)visitor);
}

static void tell(struct channel *c)
{
	struct edge_auth_directory_changed m = {0};
	result r = edge_auth_directory_changed_offer(c, NULL, &m);
	if (failed(r))
		channel_shut(c, failure(FAIL_CLOSED, "an edge does not read what it is told"));
}

void audience_tell(struct audience *a)
{
	size_t at = 0;
	str key;
	void *c;
	while (hash_each(&a->edges, &at, &key, &c))
		tell(c);
	hash_free(&a->edges);
}
