#include "auth/lock_door.h"

#include "auth/app_door.h"
#include "auth/app_secret.h"
#include "auth/doors.h"
#include "auth/login.h"
#include "auth/unlock.h"
#include "run/secret.h"

static enum lock_state state_of(uint64_t account)
{
	const struct book_account *who = book_account(&auth.directory->book, account);
	return who ? who->lock : LOCK_NONE;
}

/* ---- the policy ---- */

/* A recovery key is drawn, and the account is to be locked. */
static result want(arena *a, uint64_t account, str *recovery)
{
	char letters[APP_SECRET_LETTERS], text[APP_SECRET_TEXT];
	struct opener o = {.kind = OPENER_RECOVERY};
	app_secret_make(letters);
	app_secret_group(letters, text);
	struct opener_seed seed = unlock_recovery_seed(letters);
	o.public = opener_public(&seed);
	secret_wipe(&seed, sizeof seed);
	secret_wipe(letters, sizeof letters);
	const struct lock_change c = {
		.account = account, .from = state_of(account), .state = LOCK_WANTED, .v = &o, .n = 1};
	result r = lock_put(auth.directory, &c);
	if (!failed(r))
		*recovery = arena_dup(a, str_of(text, sizeof text));
	secret_wipe(text, sizeof text);
	return failed(r) ? r : arena_result(a);
}

static result put_state(uint64_t account, enum lock_state from, enum lock_state state)
{
	AUTO_ARENA arena m = arena_new(UNLOCK_ARENA);
	struct account_lock l;
	TRY(lock_read(auth.directory, account, &m, &l));
	const struct lock_change c = {.account = account, .from = from, .state = state, .public = l.public};
	return lock_put(auth.directory, &c);
}

static result lock(arena *a, uint64_t account, const struct web_auth_account_policy *m, str *recovery)
{
	enum lock_state state = state_of(account);
	if (state == LOCK_RELEASING) /* it may have been released just now: the next login looks */
		return put_state(account, state, LOCK_SEALING);
	if (lock_holds(state))
		return OK;
	if (m->password.n)
		TRY(unlock_check(&auth, account, m->password, NULL));
	TRY(want(a, account, recovery));
	return m->password.n ? unlock_lock(&auth, account, m->password) : OK;
}

static result release(uint64_t account)
{
	enum lock_state state = state_of(account);
	if (state == LOCK_NONE)
		return OK;
	if (state == LOCK_WANTED)
		return lock_drop(auth.directory, account);
	if (state != LOCK_RELEASING)
		TRY(put_state(account, state, LOCK_RELEASING));
	result r = unlock_release(&auth, account, NULL);
	return r.kind == FAIL_BUSY ? OK : r;
}

static result policy(arena *a, const struct web_auth_account_policy *m, struct web_auth_account_policy_is *answer)
{
	struct book_account *who;
	TRY(directory_find_account(auth.directory, m->account, &who));
	uint64_t account = who->id;
	answer->policy = m->policy;
	if (m->policy == WEB_AUTH_POLICY_LOCKED)
		TRY(lock(a, account, m, &answer->recovery_key));
	else
		TRY(release(account));
	enum lock_state now = state_of(account);
	answer->waits = now != LOCK_NONE && now != LOCK_LOCKED;
	return OK;
}

result lock_door_policy(struct arrival *in, struct web_auth_account_policy *m,
	struct web_auth_account_policy_is *answer)
{
	bool locked = m->policy == WEB_AUTH_POLICY_LOCKED;
	return web_report(in, locked ? "account policy locked" : "account policy server", m->account,
		policy(in->arena, m, answer));
}

/* ---- another password ---- */

static result keep_with_opener(struct auth *a, const struct new_password *n, const struct account_lock *l,
	const struct opener *o)
{
	const struct lock_change c = {.account = n->account, .from = l->state, .state = l->state, .public = l->public,
		.v = o, .n = 1, .hash = n->hash};
	return lock_put(a->directory, &c);
}

static result set_locked(struct auth *a, const struct new_password *n)
{
	AUTO_ARENA arena m = arena_new(UNLOCK_ARENA);
	struct account_lock l;
	struct opener o;
	if (!n->password.n)
		return failure(FAIL_CONFLICT, "this account is locked: a hash alone cannot open its mail; give the password");
	TRY(lock_read(a->directory, n->account, &m, &l));
	TRY(unlock_password_opener(a, n->password, &o));
	result r = unlock_seal_for(a, n->account, &o);
	if (r.kind == FAIL_BUSY)
		return failure(FAIL_CONFLICT, "this account is locked and its owner is away: a new password would not open its "
			"mail. `postern account recover` sets one by the recovery key; without that key the mail is lost, and the "
			"account can only be deleted and made anew");
	return failed(r) ? r : keep_with_opener(a, n, &l, &o);
}

result lock_door_set_hash(struct auth *a, const struct new_password *n)
{
	const struct book_account *who = book_account(&a->directory->book, n->account);
	if (who && lock_holds(who->lock))
		return set_locked(a, n);
	return directory_set_hash(a->directory, n->account, n->hash);
}

/* ---- recovery ---- */

static result open_by_recovery(const struct account_lock *l, str typed, struct owner_key *out)
{
	char letters[APP_SECRET_LETTERS];
	bool good = false;
	if (!app_secret_read(typed, letters))
		return failure(FAIL_INPUT, "a recovery key is seven groups of four letters");
	struct opener_seed seed = unlock_recovery_seed(letters);
	for (size_t i = 0; i < l->n && !good; i++)
		good = l->v[i].kind == OPENER_RECOVERY && l->v[i].sealed && owner_key_open(l->v[i].box, &seed, out);
	secret_wipe(&seed, sizeof seed);
	secret_wipe(letters, sizeof letters);
	return good ? OK : failure(FAIL_DENIED, "this is not the account's recovery key");
}

static result recover_by(const struct web_auth_account_recover *m, const struct new_password *n,
	const struct account_lock *l)
{
	struct owner_key owner;
	struct opener o;
	TRY(unlock_password_opener(&auth, m->password, &o));
	TRY(open_by_recovery(l, m->recovery_key, &owner));
	owner_key_seal(&owner, &o.public, o.box);
	o.sealed = true;
	secret_wipe(&owner, sizeof owner);
	return keep_with_opener(&auth, n, l, &o);
}

static result recover(const struct web_auth_account_recover *m)
{
	AUTO_ARENA arena a = arena_new(UNLOCK_ARENA);
	char text[PASSWORD_HASH_MAX];
	struct book_account *who;
	struct account_lock l;
	TRY(directory_find_account(auth.directory, m->account, &who));
	struct new_password n = {.account = who->id, .password = m->password};
	TRY(lock_read(auth.directory, n.account, &a, &l));
	if (!lock_holds(l.state))
		return failure(FAIL_CONFLICT, "the account is not locked; `postern account password` sets a new password");
	TRY(password_acceptable(m->password, m->account));
	TRY(checker_hash(auth.checker, m->password, text));
	n.hash = str_from(text);
	result r = recover_by(m, &n, &l);
	secret_wipe(text, sizeof text);
	TRY(r);
	login_forget(&auth, n.account);
	login_end_sessions(&auth, n.account, 0, false);
	return OK;
}

result lock_door_recover(struct arrival *in, struct web_auth_account_recover *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "account recover", m->account, recover(m));
}
