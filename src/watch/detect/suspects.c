#include "watch/detect/suspects.h"

#include "base/mem.h"
#include "watch/detect/limits.h"

enum { V4_BITS = 96 };

static const size_t most[GRAINS] = {SUSPECT_ADDRESSES, SUSPECT_NETWORKS, SUSPECT_ASNS};

net_cidr suspect_network(const net_addr *a, enum grain grain)
{
	static const unsigned bits[GRAIN_ASN][2] = {
		[GRAIN_ADDRESS] = {64, V4_BITS + 32}, [GRAIN_NETWORK] = {48, V4_BITS + 24}};
	return net_around(a, bits[grain][net_is_v4(a)]);
}

net_cidr suspect_system(uint32_t asn)
{
	net_cidr c = {.bits = 32};
	memcpy(c.ip, &asn, sizeof asn);
	return c;
}

void suspects_init(struct suspects *t)
{
	for (unsigned g = 0; g < GRAINS; g++) {
		t->table[g] = hash_new(most[g]);
		list_init(&t->clean[g]);
		list_init(&t->marked[g]);
	}
}

static void take_out(struct suspects *t, struct suspect *s)
{
	list_remove(&s->node);
	t->marked_n[s->grain] -= s->marked;
}

static void drop(struct suspects *t, struct suspect *s)
{
	hash_remove(&t->table[s->grain], net_cidr_key(&s->network));
	take_out(t, s);
	mem_free(s);
}

void suspects_free(struct suspects *t)
{
	for (unsigned g = 0; g < GRAINS; g++) {
		LIST_EACH_SAFE(n, &t->clean[g])
			drop(t, LIST_OWNER(n, struct suspect, node));
		LIST_EACH_SAFE(n, &t->marked[g])
			drop(t, LIST_OWNER(n, struct suspect, node));
		hash_free(&t->table[g]);
	}
}

static void place(struct suspects *t, struct suspect *s)
{
	take_out(t, s);
	s->marked = s->step > STEP_NONE;
	t->marked_n[s->grain] += s->marked;
	list_insert(s->marked ? &t->marked[s->grain] : &t->clean[s->grain], &s->node);
}

void suspects_set_step(struct suspects *t, struct suspect *s, enum step step, int64_t until)
{
	s->step = step;
	s->step_until = until;
	place(t, s);
}

struct suspect *suspects_find(struct suspects *t, enum grain grain, const net_cidr *network)
{
	return hash_get(&t->table[grain], net_cidr_key(network));
}

/* Whoever brings half a table to a step must not leave the others too little of it to be counted in. */
static void make_room(struct suspects *t, enum grain grain)
{
	if (t->table[grain].n < most[grain])
		return;
	bool many = t->marked_n[grain] > most[grain] / 2;
	struct list *from = many || list_empty(&t->clean[grain]) ? &t->marked[grain] : &t->clean[grain];
	drop(t, LIST_OWNER(from->next, struct suspect, node));
}

static struct suspect *make(struct suspects *t, enum grain grain, const net_cidr *network)
{
	make_room(t, grain);
	struct suspect *s = mem_alloc(sizeof *s);
	if (!s)
		return NULL;
	s->grain = grain;
	s->network = *network;
	list_init(&s->node);
	if (failed(hash_put(&t->table[grain], net_cidr_key(network), s))) {
		mem_free(s);
		return NULL;
	}
	return s;
}

struct suspect *suspects_get(struct suspects *t, enum grain grain, const net_cidr *network)
{
	struct suspect *s = suspects_find(t, grain, network);
	if (!s)
		s = make(t, grain, network);
	if (s)
		place(t, s);
	return s;
}
