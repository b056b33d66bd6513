#include "edge/recipients.h"
#include "base/mem.h"

struct kept {
	size_t n;
	uint64_t accounts[];
};

/* Two halves, so that nothing has to be written down when an entry is used: the
 * younger takes what comes and what is found in the older; when it is full, it
 * becomes the older, and what nobody asked for goes with that. */
enum { HALF_ENTRIES = RECIPIENTS_ENTRIES / 2, HALF_OCTETS = RECIPIENTS_OCTETS / 2 };

void recipients_init(struct recipients *r)
{
	*r = (struct recipients){.young = hash_new(HALF_ENTRIES), .old = hash_new(HALF_ENTRIES)};
}

void recipients_free(struct recipients *r)
{
	hash_free_values(&r->young);
	hash_free_values(&r->old);
	r->octets = 0;
}

uint64_t recipients_time(const struct recipients *r)
{
	return r->time;
}

void recipients_drop(struct recipients *r)
{
	r->time++;
	recipients_free(r);
}

static void grow_old(struct recipients *r)
{
	hash_free_values(&r->old);
	r->old = r->young;
	r->young = hash_new(HALF_ENTRIES);
	r->octets = 0;
}

/* Takes the entry; false when there is no memory for it. */
static bool put(struct recipients *r, str address, struct kept *k)
{
	size_t octets = RECIPIENTS_ENTRY + address.n + k->n * sizeof *k->accounts;
	if (r->young.n == HALF_ENTRIES || octets > HALF_OCTETS - r->octets)
		grow_old(r);
	if (octets > HALF_OCTETS || failed(hash_put(&r->young, address, k))) {
		mem_free(k);
		return false;
	}
	r->octets += octets;
	return true;
}

bool recipients_find(struct recipients *r, str address, struct recipients_accounts *out)
{
	struct kept *k = hash_get(&r->young, address);
	if (!k) {
		k = hash_remove(&r->old, address);
		if (!k || !put(r, address, k))
			return false;
	}
	*out = (struct recipients_accounts){k->accounts, k->n};
	return true;
}

void recipients_keep(struct recipients *r, uint64_t asked, str address, const struct recipients_accounts *to)
{
	if (asked != r->time || hash_get(&r->young, address)) /* another session's answer came first */
		return;
	mem_free(hash_remove(&r->old, address));
	struct kept *k = mem_alloc(sizeof *k + to->n * sizeof *k->accounts);
	if (!k)
		return;
	k->n = to->n;
	memcpy(k->accounts, to->p, to->n * sizeof *k->accounts);
	put(r, address, k);
}
