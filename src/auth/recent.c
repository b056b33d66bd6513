#include "auth/recent.h"

#include <sodium.h>

#include "base/mem.h"
#include "run/secret.h"

enum { DIGEST = 32, RECENT_KEY = 32 };

struct entry {
	struct list node;
	uint64_t account;
	uint64_t until;
	uint32_t times;
	unsigned char digest[DIGEST];
};

result recent_open(struct recent *r, uint64_t lasts)
{
	r->table = hash_new(RECENT_MAX);
	r->lasts = lasts;
	list_init(&r->oldest);
	return secret_random(RECENT_KEY, &r->key);
}

static str name_of(const struct entry *e)
{
	return str_of((const char *)e->digest, DIGEST);
}

static void drop(struct recent *r, struct entry *e)
{
	hash_remove(&r->table, name_of(e));
	list_remove(&e->node);
	mem_free(e);
}

void recent_close(struct recent *r)
{
	while (r->key && !list_empty(&r->oldest))
		drop(r, LIST_OWNER(r->oldest.next, struct entry, node));
	hash_free(&r->table);
	secret_free(&r->key);
}

static void digest_of(const struct recent *r, uint64_t account, str password, unsigned char out[DIGEST])
{
	crypto_generichash_state s;
	str key = secret_open(r->key);
	crypto_generichash_init(&s, (const unsigned char *)key.p, key.n, DIGEST);
	crypto_generichash_update(&s, (const unsigned char *)&account, sizeof account);
	crypto_generichash_update(&s, (const unsigned char *)password.p, password.n);
	crypto_generichash_final(&s, out, DIGEST);
	sodium_memzero(&s, sizeof s);
}

static void drop_expired(struct recent *r, uint64_t now)
{
	while (!list_empty(&r->oldest)) {
		struct entry *e = LIST_OWNER(r->oldest.next, struct entry, node);
		if (e->until > now && r->table.n < RECENT_MAX)
			return;
		drop(r, e);
	}
}

uint32_t recent_again(struct recent *r, uint64_t account, str password, uint64_t now)
{
	uint32_t before = recent_times(r, account, password, now);
	drop_expired(r, now);
	struct entry *e = mem_alloc(sizeof *e);
	if (!e)
		return before;
	e->account = account;
	e->until = now + r->lasts;
	e->times = before < UINT32_MAX ? before + 1 : before;
	digest_of(r, account, password, e->digest);
	struct entry *old = hash_get(&r->table, name_of(e));
	if (old)
		drop(r, old);
	if (failed(hash_put(&r->table, name_of(e), e))) {
		mem_free(e);
		return before;
	}
	list_insert(&r->oldest, &e->node);
	return before;
}

void recent_keep(struct recent *r, uint64_t account, str password, uint64_t now)
{
	(void)recent_again(r, account, password, now);
}

uint32_t recent_times(const struct recent *r, uint64_t account, str password, uint64_t now)
{
	unsigned char digest[DIGEST];
	digest_of(r, account, password, digest);
	const struct entry *e = hash_get(&r->table, str_of((const char *)digest, DIGEST));
	return e && e->until > now ? e->times : 0;
}

bool recent_knows(const struct recent *r, uint64_t account, str password, uint64_t now)
{
	return recent_times(r, account, password, now) > 0;
}

void recent_forget(struct recent *r, uint64_t account)
{
	LIST_EACH_SAFE(n, &r->oldest) {
		struct entry *e = LIST_OWNER(n, struct entry, node);
		if (e->account == account)
			drop(r, e);
	}
}
