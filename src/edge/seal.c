#include "edge/seal.h"
#include "run/clock.h"
#include "run/secret.h"
#include "talk/body.h"
#include "talk/principal_vault.h"

/* The wrapping is in the arena, or valid until the next call. */
static result get_key(const struct sealing *s, arena *a, struct principal_vault_wrapped_key *key)
{
	struct channel *vault;
	const struct principal_vault_wrap_for q = {.account = s->account};
	const struct asking ask = {.trace = s->id, .arena = a, .timeout_ms = s->wait_ms};
	if (s->account == 0 && item_keys_newest(&s->edge->relay_keys, key->key, &key->wrapped))
		return OK;
	TRY(neighbour(NEIGHBOUR_VAULT, &vault));
	result r = principal_vault_wrap_for_call_within(vault, &ask, &q, key);
	if (failed(r)) /* the refusal's sentence ends with the arena */
		return failure(r.kind, "the vault gives no key to seal a message with");
	if (s->account == 0)
		item_keys_keep(&s->edge->relay_keys, key->wrapped, key->key);
	return OK;
}

result seal_item(const struct sealing *s, buf *out, struct sealed *views)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct principal_vault_wrapped_key key;
	TRY(get_key(s, &a, &key));
	result r = item_seal(s->item, s->id, key.key, out);
	secret_wipe(key.key, sizeof key.key);
	if (!failed(r)) {
		buf_put(out, key.wrapped);
		r = buf_result(out);
	}
	TRY(r);
	views->bytes = str_sub(buf_str(out), 0, out->n - key.wrapped.n);
	views->wrapped = str_skip(buf_str(out), out->n - key.wrapped.n);
	return OK;
}

result seal_enter(struct edge *e, uint64_t size, uint64_t wait_ms)
{
	uint64_t until = clock_mono_ms() + wait_ms;
	if (size <= TALK_INLINE_MAX)
		return OK;
	while (e->sealing)
		TRY(gate_wait(&e->sealed, clock_left(until)));
	e->sealing = true;
	return OK;
}

void seal_leave(struct edge *e, uint64_t size)
{
	if (size <= TALK_INLINE_MAX)
		return;
	e->sealing = false;
	gate_wake_one(&e->sealed);
}
