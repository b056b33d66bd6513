#include "talk/own_key.h"

#include <sodium.h>

#include "talk/principal_vault.h"
#include "talk/room.h"

static result ask(bool make, bool next, unsigned char key[OWN_KEY])
{
	AUTO_ARENA arena a = arena_new(4096);
	struct channel *vault;
	struct principal_vault_own_key q = {.make = make, .next = next};
	struct principal_vault_own_key_is is;
	const struct asking how = {.arena = &a, .timeout_ms = OWN_KEY_MS};
	TRY(room_connect(&principal_vault_as_principal_kind, "vault", 0, &vault));
	result r = principal_vault_own_key_call_within(vault, &how, &q, &is);
	if (failed(r)) /* the refusal's sentence ends with the arena */
		return failure(r.kind, "the vault does not give this room its key; look at the vault's lines in the log");
	memcpy(key, is.key, OWN_KEY);
	sodium_memzero(is.key, sizeof is.key);
	return OK;
}

result own_key(bool fresh, unsigned char key[OWN_KEY])
{
	result r = ask(false, false, key);
	return r.kind == FAIL_ABSENT && fresh ? ask(true, false, key) : r;
}

result own_key_next(bool make, unsigned char key[OWN_KEY])
{
	return ask(make, true, key);
}

result own_key_follow(void)
{
	AUTO_ARENA arena a = arena_new(4096);
	struct channel *vault;
	struct principal_vault_follow q = {0};
	struct principal_vault_erased done;
	const struct asking how = {.arena = &a, .timeout_ms = OWN_KEY_MS};
	TRY(room_connect(&principal_vault_as_principal_kind, "vault", 0, &vault));
	result r = principal_vault_follow_call_within(vault, &how, &q, &done);
	return failed(r) ? failure(r.kind, "the vault does not replace this room's key; look at its lines in the log") : OK;
}
