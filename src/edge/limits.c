#include "edge/limits.h"
#include "base/mem.h"

struct network {
	unsigned char key[16];
	uint64_t n;
};

void limits_init(struct limits *l, uint64_t most, uint64_t most_each)
{
	*l = (struct limits){.most = most, .most_each = most_each, .networks = hash_new(most + 1)};
}

void limits_free(struct limits *l)
{
	hash_free_values(&l->networks);
}

/* A single IPv6 customer has a /64, so that is what counts as one. */
static struct network network_of(const net_addr *a)
{
	struct network n = {.n = 0};
	memcpy(n.key, a->ip, net_is_v4(a) ? 16 : 8);
	return n;
}

static str key_of(const struct network *n)
{
	return str_of((const char *)n->key, sizeof n->key);
}

static result add_network(struct limits *l, const struct network *like, struct network **out)
{
	struct network *n = mem_alloc(sizeof *n);
	if (!n)
		return failure(FAIL_MEMORY, "the server is out of memory; try again later");
	*n = *like;
	result r = hash_put(&l->networks, key_of(n), n);
	if (failed(r))
		mem_free(n);
	else
		*out = n;
	return r;
}

result limits_enter(struct limits *l, const net_addr *a, bool exempt)
{
	if (l->now >= l->most)
		return failure(FAIL_LIMIT, "the server has as many connections as it takes; try again later");
	if (!exempt) {
		struct network like = network_of(a), *n = hash_get(&l->networks, key_of(&like));
		if (!n)
			TRY(add_network(l, &like, &n));
		if (n->n >= l->most_each)
			return failure(FAIL_LIMIT, "your network has too many connections here; close some, or try again later");
		n->n++;
	}
	l->now++;
	return OK;
}

void limits_leave(struct limits *l, const net_addr *a, bool exempt)
{
	must(l->now > 0);
	l->now--;
	if (exempt)
		return;
	struct network like = network_of(a), *n = hash_get(&l->networks, key_of(&like));
	must(n && n->n > 0);
	if (--n->n > 0)
		return;
	hash_remove(&l->networks, key_of(n));
	mem_free(n);
}
