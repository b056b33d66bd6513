#include "auth/visitors.h"

#include <sodium.h>

#include "base/log.h"
#include "base/mem.h"
#include "run/random.h"

struct session {
	struct list node;
	struct visitor who;
	unsigned char digest[VISITOR_TOKEN];
};

static const char outnumbered[] = "newer sessions took its place";

static str name_of(const unsigned char digest[VISITOR_TOKEN])
{
	return str_of((const char *)digest, VISITOR_TOKEN);
}

static struct session *owner_of(struct list *n)
{
	return LIST_OWNER(n, struct session, node);
}

static void digest_of(str token, unsigned char out[VISITOR_TOKEN])
{
	crypto_generichash(out, VISITOR_TOKEN, (const unsigned char *)token.p, token.n, NULL, 0);
}

static void drop(struct visitors *v, struct session *s)
{
	hash_remove(&v->table, name_of(s->digest));
	list_remove(&s->node);
	mem_free(s);
}

static void end(struct visitors *v, struct session *s, const char *why)
{
	log_event(EV_LOGOUT, NULL, F_U64("account", s->who.account), F_STR("protocol", STR("admin")),
		  F_STR("why", str_from(why)));
	drop(v, s);
}

void visitors_init(struct visitors *v)
{
	v->table = hash_new(VISITORS_MAX);
	list_init(&v->idle);
}

void visitors_free(struct visitors *v)
{
	LIST_EACH_SAFE(n, &v->idle)
		drop(v, owner_of(n));
	hash_free(&v->table);
}

static bool is_over(const struct session *s, uint64_t now)
{
	return now - s->who.used >= VISITOR_IDLE_MS || now - s->who.began >= VISITOR_LONGEST_MS;
}

/* The rest is found when it is shown, or when it has been idle for long. */
static void end_idle(struct visitors *v, uint64_t now)
{
	while (!list_empty(&v->idle) && is_over(owner_of(v->idle.next), now))
		end(v, owner_of(v->idle.next), "its time is over");
}

static void make_room(struct visitors *v, uint64_t account)
{
	struct session *first = NULL;
	size_t n = 0;
	LIST_EACH(node, &v->idle) {
		struct session *s = owner_of(node);
		if (s->who.account == account && n++ == 0)
			first = s;
	}
	if (n >= VISITORS_EACH)
		end(v, first, outnumbered);
	else if (v->table.n >= VISITORS_MAX)
		end(v, owner_of(v->idle.next), outnumbered);
}

result visitors_give(struct visitors *v, struct visitor who, uint64_t now, unsigned char token[VISITOR_TOKEN])
{
	end_idle(v, now);
	make_room(v, who.account);
	struct session *s = mem_alloc(sizeof *s);
	if (!s)
		return failure(FAIL_MEMORY, "out of memory");
	s->who = who;
	s->who.began = s->who.used = now;
	random_fill(token, VISITOR_TOKEN);
	digest_of(name_of(token), s->digest);
	result r = hash_put(&v->table, name_of(s->digest), s);
	if (failed(r)) {
		mem_free(s);
		return r;
	}
	list_insert(&v->idle, &s->node);
	return OK;
}

static struct session *find(const struct visitors *v, str token)
{
	unsigned char digest[VISITOR_TOKEN];
	digest_of(token, digest);
	return hash_get(&v->table, name_of(digest));
}

const struct visitor *visitors_use(struct visitors *v, str token, uint64_t now)
{
	end_idle(v, now);
	struct session *s = find(v, token);
	if (s && is_over(s, now)) {
		end(v, s, "its time is over");
		s = NULL;
	}
	if (!s)
		return NULL;
	s->who.used = now;
	list_remove(&s->node);
	list_insert(&v->idle, &s->node);
	return &s->who;
}

void visitors_end(struct visitors *v, str token, const char *why)
{
	struct session *s = find(v, token);
	if (s)
		end(v, s, why);
}

void visitors_end_account(struct visitors *v, uint64_t account, const char *why)
{
	LIST_EACH_SAFE(n, &v->idle)
		if (owner_of(n)->who.account == account)
			end(v, owner_of(n), why);
}
