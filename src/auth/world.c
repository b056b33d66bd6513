#include "auth/auth.h"

#include "talk/auth_account.h"
#include "talk/auth_queue.h"
#include "talk/principal_vault.h"
#include "talk/room.h"
#include "talk/room_watch.h"

enum { ANSWER_MS = 30000, HABIT_MS = 1000, TYPE_TXT = 16 };

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

static result make_key(const struct signing_wanted *w, buf *public)
{
	AUTO_ARENA arena a = arena_new(4096);
	struct channel *vault;
	const struct principal_vault_signing_key_make m = {.key = w->name, .domain = w->domain,
		.algorithm = w->algorithm == DKIM_RSA_SHA256 ? PRINCIPAL_VAULT_ALGORITHM_RSA_SHA256
							     : PRINCIPAL_VAULT_ALGORITHM_ED25519_SHA256};
	struct principal_vault_signing_key_is is;
	const struct asking how = {.arena = &a, .timeout_ms = ANSWER_MS};
	TRY(room_connect(&principal_vault_as_principal_kind, "vault", 0, &vault));
	TRY(lasting(principal_vault_signing_key_make_call_within(vault, &how, &m, &is),
		    "a signing key cannot be made; look at the vault's lines in the log"));
	buf_put(public, is.public);
	return buf_result(public);
}

static result drop_key(str name)
{
	AUTO_ARENA arena a = arena_new(4096);
	struct channel *vault;
	const struct principal_vault_signing_key_drop m = {.key = name};
	struct principal_vault_erased done;
	const struct asking how = {.arena = &a, .timeout_ms = ANSWER_MS};
	TRY(room_connect(&principal_vault_as_principal_kind, "vault", 0, &vault));
	return lasting(principal_vault_signing_key_drop_call_within(vault, &how, &m, &done),
		       "a signing key cannot be destroyed; look at the vault's lines in the log");
}

static result certify(const struct certificate_wish *w, arena *a, struct certificate_made *out)
{
	struct channel *vault;
	struct principal_vault_certify m = {.account = w->account, .subject = w->subject, .public = w->public,
		.until = w->until};
	struct principal_vault_certified made;
	const struct asking how = {.arena = a, .timeout_ms = ANSWER_MS};
	memcpy(m.serial, w->serial, sizeof m.serial);
	TRY(room_connect(&principal_vault_as_principal_kind, "vault", 0, &vault));
	TRY(principal_vault_certify_call_within(vault, &how, &m, &made)); /* why not lives as long as the caller's arena */
	*out = (struct certificate_made){made.certificate, made.authority};
	return OK;
}

static result text_records(str name, arena *a, struct asker_resolve_looked_up *out)
{
	struct channel *resolve;
	const struct asker_resolve_look_up m = {.name = name, .type = TYPE_TXT};
	const struct asking how = {.arena = a, .timeout_ms = ANSWER_MS};
	TRY(room_connect(&asker_resolve_as_asker_kind, "resolve", 0, &resolve));
	return lasting(asker_resolve_look_up_call_within(resolve, &how, &m, out), "DNS cannot be asked now");
}

static result account(uint64_t number, struct channel **out)
{
	return room_connect(&auth_account_as_auth_kind, "account", number, out);
}

static bool comes_from(uint64_t account, str client)
{
	AUTO_ARENA arena a = arena_new(4096);
	struct channel *watch;
	const struct room_watch_habit m = {.account = account, .client = client};
	struct room_watch_habit_is is = {.usual = false};
	const struct asking how = {.arena = &a, .timeout_ms = HABIT_MS};
	result r = room_connect(&room_watch_as_room_kind, "watch", ROOM_ANY, &watch);
	if (!failed(r))
		r = room_watch_habit_call_within(watch, &how, &m, &is);
	return !failed(r) && is.usual;
}

static result queue(struct channel **out)
{
	return room_connect(&auth_queue_as_auth_kind, "queue", 0, out);
}

const struct auth_world auth_world_of_rooms = {
	.make_folder = make_folder, .remove_folder = remove_folder, .erase_key = erase_key, .make_key = make_key,
	.drop_key = drop_key, .certify = certify, .text_records = text_records, .account = account,
	.comes_from = comes_from, .queue = queue,
	.give_up = room_give_up};
