#include "relay/sealed.h"

#include "relay/limits.h"
#include "relay/relay.h"
#include "run/secret.h"
#include "talk/principal_vault.h"

enum { ARENA = 64 * 1024 };

static result unwrap(const struct sealed_item *s, struct principal_vault_own_key_is *key)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	struct channel *vault;
	const struct principal_vault_unwrap q = {.wrapped = s->wrapped};
	const struct asking how = {s->delivery, &a, RELAY_NEIGHBOUR_MS};
	if (item_keys_find(&relay.keys, s->wrapped, key->key))
		return OK;
	TRY(relay.world->room(NEIGHBOUR_VAULT, &vault));
	result r = principal_vault_unwrap_call_within(vault, &how, &q, key);
	if (failed(r)) /* the refusal's sentence ends with the arena */
		return failure(r.kind, "the vault does not open the message's key; its own lines in the log say why");
	item_keys_keep(&relay.keys, s->wrapped, key->key);
	return OK;
}

result sealed_open(const struct sealed_item *s, buf *plain, struct item *out)
{
	struct principal_vault_own_key_is key;
	TRY(unwrap(s, &key));
	result r = item_open(s->sealed, s->delivery, key.key, plain, out);
	secret_wipe(key.key, sizeof key.key);
	return r;
}

result sealed_make(const struct sealed_for *f, const struct item *i, str *wrapped, buf *out)
{
	struct channel *vault;
	struct principal_vault_wrapped_key key;
	struct principal_vault_wrap_for q = {.account = f->account};
	const struct asking how = {f->delivery, f->arena, RELAY_NEIGHBOUR_MS};
	TRY(relay.world->room(NEIGHBOUR_VAULT, &vault));
	TRY(principal_vault_wrap_for_call_within(vault, &how, &q, &key));
	result r = item_seal(i, f->delivery, key.key, out);
	secret_wipe(key.key, sizeof key.key);
	if (!failed(r))
		*wrapped = key.wrapped; /* in the arena already */
	return r;
}
