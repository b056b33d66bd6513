#include "auth/exchanges.h"

#include "base/mem.h"
#include "run/clock.h"
#include "run/random.h"

static str name_of(const trace_id *id)
{
	return str_of((const char *)id->b, sizeof id->b);
}

struct exchange *exchange_new(void)
{
	struct exchange *e = mem_alloc(sizeof *e);
	if (e)
		e->user = e->client = e->nonce = e->binding = e->said = buf_new(EXCHANGE_TEXT);
	return e;
}

void exchange_free(struct exchange **at)
{
	struct exchange *e = *at;
	*at = NULL;
	if (!e)
		return;
	buf_free(&e->user);
	buf_free(&e->client);
	buf_free(&e->nonce);
	buf_free(&e->binding);
	buf_free(&e->said);
	mem_free(e);
}

void exchanges_init(struct exchanges *x)
{
	x->table = hash_new(EXCHANGES_MAX);
	list_init(&x->oldest);
}

static void leave(struct exchanges *x, struct exchange *e)
{
	hash_remove(&x->table, name_of(&e->id));
	list_remove(&e->node);
}

static void drop(struct exchanges *x, struct exchange *e)
{
	leave(x, e);
	exchange_free(&e);
}

void exchanges_free(struct exchanges *x)
{
	LIST_EACH_SAFE(n, &x->oldest)
		drop(x, LIST_OWNER(n, struct exchange, node));
	hash_free(&x->table);
}

static void drop_old(struct exchanges *x, uint64_t now)
{
	while (!list_empty(&x->oldest)) {
		struct exchange *e = LIST_OWNER(x->oldest.next, struct exchange, node);
		if (now - e->since < EXCHANGE_MS && x->table.n < EXCHANGES_MAX)
			return;
		drop(x, e);
	}
}

result exchanges_keep(struct exchanges *x, struct exchange **at, trace_id *id)
{
	struct exchange *e = *at;
	e->since = clock_mono_ms();
	drop_old(x, e->since);
	random_fill(e->id.b, sizeof e->id.b);
	result r = hash_put(&x->table, name_of(&e->id), e);
	if (failed(r)) {
		exchange_free(at);
		return r;
	}
	list_insert(&x->oldest, &e->node);
	*id = e->id;
	*at = NULL;
	return OK;
}

struct exchange *exchanges_take(struct exchanges *x, const void *channel, const trace_id *id)
{
	struct exchange *e = hash_get(&x->table, name_of(id));
	if (!e || e->channel != channel)
		return NULL;
	leave(x, e);
	if (clock_mono_ms() - e->since >= EXCHANGE_MS)
		exchange_free(&e);
	return e;
}

void exchanges_drop_channel(struct exchanges *x, const void *channel)
{
	LIST_EACH_SAFE(n, &x->oldest) {
		struct exchange *e = LIST_OWNER(n, struct exchange, node);
		if (e->channel == channel)
			drop(x, e);
	}
}
