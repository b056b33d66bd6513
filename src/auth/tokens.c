#include "auth/tokens.h"

#include "base/mem.h"
#include "run/random.h"

struct login {
	struct list node;
	const void *channel;
	struct token_owner owner;
	trace_id token;
	struct sending sending;
};

static str name_of(const trace_id *token)
{
	return str_of((const char *)token->b, sizeof token->b);
}

void tokens_init(struct tokens *t)
{
	t->ended = NULL;
	t->table = hash_new(TOKENS_MAX);
	list_init(&t->oldest);
}

static void drop(struct tokens *t, struct login *l)
{
	hash_remove(&t->table, name_of(&l->token));
	list_remove(&l->node);
	if (l->sending.sent && t->ended)
		t->ended(l->owner.account, &l->sending);
	mem_free(l);
}

void tokens_free(struct tokens *t)
{
	LIST_EACH_SAFE(n, &t->oldest)
		drop(t, LIST_OWNER(n, struct login, node));
	hash_free(&t->table);
}

result tokens_give(struct tokens *t, const void *channel, struct token_owner o, trace_id *out)
{
	if (t->table.n >= TOKENS_MAX)
		drop(t, LIST_OWNER(t->oldest.next, struct login, node));
	struct login *l = mem_alloc(sizeof *l);
	if (!l)
		return failure(FAIL_MEMORY, "out of memory");
	l->channel = channel;
	l->owner = o;
	random_fill(l->token.b, sizeof l->token.b);
	result r = hash_put(&t->table, name_of(&l->token), l);
	if (failed(r)) {
		mem_free(l);
		return r;
	}
	list_insert(&t->oldest, &l->node);
	*out = l->token;
	return OK;
}

static struct login *find(const struct tokens *t, const void *channel, const trace_id *token)
{
	struct login *l = hash_get(&t->table, name_of(token));
	return l && l->channel == channel ? l : NULL;
}

uint64_t tokens_account(const struct tokens *t, const void *channel, const trace_id *token)
{
	const struct login *l = find(t, channel, token);
	return l ? l->owner.account : 0;
}

struct sending *tokens_sending(const struct tokens *t, const void *channel, const trace_id *token)
{
	struct login *l = find(t, channel, token);
	return l ? &l->sending : NULL;
}

void tokens_drop(struct tokens *t, const void *channel, const trace_id *token)
{
	struct login *l = find(t, channel, token);
	if (l)
		drop(t, l);
}

void tokens_drop_channel(struct tokens *t, const void *channel)
{
	LIST_EACH_SAFE(n, &t->oldest) {
		struct login *l = LIST_OWNER(n, struct login, node);
		if (l->channel == channel)
			drop(t, l);
	}
}

void tokens_drop_account(struct tokens *t, uint64_t account)
{
	LIST_EACH_SAFE(n, &t->oldest) {
		struct login *l = LIST_OWNER(n, struct login, node);
		if (l->owner.account == account)
			drop(t, l);
	}
}

void tokens_drop_credential(struct tokens *t, struct token_owner o)
{
	LIST_EACH_SAFE(n, &t->oldest) {
		struct login *l = LIST_OWNER(n, struct login, node);
		if (l->owner.account == o.account && l->owner.credential == o.credential)
			drop(t, l);
	}
}
