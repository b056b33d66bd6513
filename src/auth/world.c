#include "auth/auth.h"

#include "talk/auth_account.h"
#include "talk/principal_vault.h"
#include "talk/room.h"

enum { ANSWER_MS = 30000 };

/* The sentence of a refusal lives in the call's arena; these live on. */
static result lasting(result r, const char *text)
{
	return failed(r) ? failure(r.kind, text) : OK;
}

static result make_folder(uint64_t account)
{
	AUTO_ARENA arena a = arena_new(4096);
	struct supervisor_room_account_make m = {.account = account};
	struct supervisor_room_account_done done;
	const struct asking how = {.arena = &a, .timeout_ms = ANSWER_MS};
	return lasting(supervisor_room_account_make_call_within(room_supervisor(), &how, &m, &done),
		       "the account's folder cannot be made; look at the supervisor's lines in the log");
}

static result remove_folder(uint64_t account)
{
	AUTO_ARENA arena a = arena_new(4096);
	struct supervisor_room_account_unmake m = {.account = account};
	struct supervisor_room_account_done done;
	const struct asking how = {.arena = &a, .timeout_ms = ANSWER_MS};
	return lasting(supervisor_room_account_unmake_call_within(room_supervisor(), &how, &m, &done),
		       "the account's folder cannot be removed; look at the supervisor's lines in the log");
}

static result erase_key(uint64_t account)
{
	AUTO_ARENA arena a = arena_new(4096);
	struct channel *vault;
	struct principal_vault_erase m = {.account = account};
	struct principal_vault_erased done;
	const struct asking how = {.arena = &a, .timeout_ms = ANSWER_MS};
	TRY(room_connect(&principal_vault_as_principal_kind, "vault", 0, &vault));
	return lasting(principal_vault_erase_call_within(vault, &how, &m, &done),
		       "the account's key cannot be erased; look at the vault's lines in the log");
}

static result account(uint64_t number, struct channel **out)
{
	return room_connect(&auth_account_as_auth_kind, "account", number, out);
}

const struct auth_world auth_world_of_rooms = {
	.make_folder = make_folder, .remove_folder = remove_folder, .erase_key = erase_key, .account = account,
	.give_up = room_give_up};
