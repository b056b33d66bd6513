#include "auth/unlock.h"

#include <sodium.h>

#include "auth/app_secret.h"
#include "run/random.h"
#include "run/secret.h"
#include "talk/auth_account.h"

/* ---- openers ---- */

static result seed_of_password(struct auth *a, str password, const struct opener_cost *cost, struct opener_seed *out)
{
	const struct password_cost c = {.salt = cost->salt, .passes = cost->passes, .memory = cost->memory};
	return checker_seed(a->checker, password, &c, out->b);
}

result unlock_password_opener(struct auth *a, str password, struct opener *out)
{
	struct opener_seed seed;
	*out = (struct opener){.kind = OPENER_PASSWORD,
		.cost = {.passes = PASSWORD_PASSES, .memory = options_number(&a->options, OPT_PASSWORD_MEMORY)}};
	random_fill(out->cost.salt, sizeof out->cost.salt);
	TRY(seed_of_password(a, password, &out->cost, &seed));
	out->public = opener_public(&seed);
	secret_wipe(&seed, sizeof seed);
	return OK;
}

static struct opener_seed app_seed(const struct scram_key *client)
{
	struct opener_seed seed;
	_Static_assert(sizeof seed.b == sizeof client->b, "a ClientKey is a seed");
	memcpy(seed.b, client->b, sizeof seed.b);
	return seed;
}

struct opener unlock_app_opener(const struct scram_key *client)
{
	struct opener_seed seed = app_seed(client);
	const struct opener o = {.kind = OPENER_APP, .public = opener_public(&seed)};
	secret_wipe(&seed, sizeof seed);
	return o;
}

struct opener_seed unlock_recovery_seed(const char *letters)
{
	static const unsigned char purpose[] = "postern recovery key 1";
	struct opener_seed seed;
	crypto_generichash(
		seed.b, sizeof seed.b, (const unsigned char *)letters, APP_SECRET_LETTERS, purpose, sizeof purpose);
	return seed;
}

/* ---- opening ---- */

static result seed_of(struct auth *a, const struct proof *p, const struct opener *o, struct opener_seed *out)
{
	if (o->kind == OPENER_PASSWORD)
		return seed_of_password(a, p->password, &o->cost, out);
	*out = app_seed(&p->client);
	return OK;
}

static bool belongs(const struct opener *o, const struct proof *p)
{
	return p->app_password ? o->kind == OPENER_APP && o->app_password == p->app_password : o->kind == OPENER_PASSWORD;
}

/* Of an app password's two openers the one whose text was used opens. */
static result try_openers(struct auth *a, const struct proof *p, const struct account_lock *l, struct owner_key *out)
{
	struct opener_seed seed;
	for (size_t i = 0; i < l->n; i++) {
		const struct opener *o = &l->v[i];
		if (!belongs(o, p) || !o->sealed)
			continue;
		TRY(seed_of(a, p, o, &seed));
		bool good = owner_key_open(o->box, &seed, out);
		secret_wipe(&seed, sizeof seed);
		if (!good)
			continue;
		const struct owner_public public = owner_key_public(out);
		if (memcmp(public.b, l->public.b, sizeof public.b) == 0)
			return OK;
		secret_wipe(out, sizeof *out); /* of a lock before this one */
	}
	if (p->app_password)
		return failure(FAIL_DENIED, "This account is locked, and this app password does not open it yet: log in once "
			"with your own password, then try again");
	return failure(FAIL_DENIED, "This account is locked, and this password does not open it; its recovery key does");
}

static bool is_certificate(const struct proof *p)
{
	return !p->password.n && sodium_is_zero(p->client.b, sizeof p->client.b);
}

result unlock_by(struct auth *a, const struct proof *p, struct owner_key *out)
{
	AUTO_ARENA arena m = arena_new(UNLOCK_ARENA);
	struct account_lock l;
	if (is_certificate(p))
		return failure(FAIL_DENIED, "This account is locked: its owner's password or an app password opens its mail, a "
			"client certificate cannot");
	TRY(lock_read(a->directory, p->account, &m, &l));
	if (!lock_holds(l.state))
		return failure(FAIL_BUSY, "the account's lock is being changed");
	return try_openers(a, p, &l, out);
}

/* ---- asking the account ---- */

result unlock_seal_for(struct auth *a, uint64_t account, struct opener *o)
{
	AUTO_ARENA arena m = arena_new(4096);
	struct channel *c;
	struct auth_account_seal_for q;
	struct auth_account_sealed_for is;
	const struct asking how = {.arena = &m, .timeout_ms = UNLOCK_ASK_MS};
	memcpy(q.public, o->public.b, sizeof q.public);
	TRY(a->world->account(account, &c));
	result r = auth_account_seal_for_call_within(c, &how, &q, &is);
	if (failed(r))
		return failure(r.kind, "the account's process does not answer");
	if (is.shut || is.sealed.n != sizeof o->box)
		return failure(FAIL_BUSY, "the account is locked and its owner is away");
	memcpy(o->box, is.sealed.p, sizeof o->box);
	o->sealed = true;
	return OK;
}

static result ask_change(struct auth *a, uint64_t account, const struct owner_key *owner, bool lock, bool *shut)
{
	AUTO_ARENA arena m = arena_new(4096);
	struct channel *c;
	struct auth_account_lock q = {.lock = lock, .opens = owner != NULL};
	struct auth_account_lock_set is;
	const struct asking how = {.arena = &m, .timeout_ms = UNLOCK_CHANGE_MS};
	if (owner)
		memcpy(q.owner, owner->b, sizeof q.owner);
	result r = a->world->account(account, &c);
	if (!failed(r))
		r = auth_account_lock_call_within(c, &how, &q, &is);
	secret_wipe(q.owner, sizeof q.owner);
	*shut = !failed(r) && is.shut;
	if (failed(r))
		return failure(r.kind, "the account's process could not seal its mail anew; its lines in the log say why");
	return OK;
}

/* ---- locking ---- */

/* Done once everything of the account is sealed by the key that the openers have; that it has it already is as good. */
static result finish(struct auth *a, uint64_t account, const struct owner_key *owner)
{
	bool had_it;
	const struct lock_change c = {.account = account, .from = LOCK_SEALING, .state = LOCK_LOCKED,
		.public = owner_key_public(owner)};
	TRY(ask_change(a, account, owner, true, &had_it));
	result r = lock_put(a->directory, &c);
	return r.kind == FAIL_CONFLICT ? OK : r; /* another login did it */
}

struct account_password {
	uint64_t account;
	str hash;
};

static void seal_all(struct account_lock *l, const struct owner_key *owner)
{
	for (size_t i = 0; i < l->n; i++) {
		owner_key_seal(owner, &l->v[i].public, l->v[i].box);
		l->v[i].sealed = true;
	}
}

result unlock_check(struct auth *a, uint64_t account, str password, struct account_record *record)
{
	struct account_record own;
	TRY(directory_read_account(a->directory, account, &own));
	result r = checker_verify(a->checker, str_from(own.hash), password);
	if (record && !failed(r))
		*record = own;
	secret_wipe(&own, sizeof own);
	return r.kind == FAIL_DENIED ? failure(FAIL_DENIED, "this is not the owner's password; nothing was changed") : r;
}

/* The key is drawn and sealed for all openers, in one transaction, unless the password was changed meanwhile. */
static result draw(struct auth *a, const struct account_password *which, const struct opener *password,
	struct owner_key *owner)
{
	AUTO_ARENA arena m = arena_new(UNLOCK_ARENA);
	struct account_lock l;
	TRY(lock_read(a->directory, which->account, &m, &l));
	struct opener *all = arena_array(&m, l.n + 1, sizeof *all);
	if (!all)
		return arena_result(&m);
	memcpy(all, l.v, l.n * sizeof *all);
	all[l.n] = *password;
	struct account_lock more = {.v = all, .n = l.n + 1};
	*owner = owner_key_new();
	seal_all(&more, owner);
	const struct lock_change c = {.account = which->account, .from = LOCK_WANTED, .state = LOCK_SEALING,
		.public = owner_key_public(owner), .v = all, .n = more.n, .had = which->hash};
	return lock_put(a->directory, &c);
}

result unlock_lock(struct auth *a, uint64_t account, str password)
{
	struct account_record record;
	struct opener opener;
	struct owner_key owner;
	TRY(unlock_check(a, account, password, &record));
	const struct account_password which = {account, str_from(record.hash)};
	result r = unlock_password_opener(a, password, &opener);
	if (!failed(r))
		r = draw(a, &which, &opener, &owner);
	secret_wipe(&record, sizeof record);
	if (!failed(r))
		r = finish(a, account, &owner);
	secret_wipe(&owner, sizeof owner);
	return r;
}

result unlock_release(struct auth *a, uint64_t account, const struct owner_key *owner)
{
	bool shut;
	TRY(ask_change(a, account, owner, false, &shut));
	if (shut)
		return failure(FAIL_BUSY, "the account is locked and its owner is away");
	return lock_drop(a->directory, account);
}

/* ---- at a login ---- */

static result settle(struct auth *a, const struct proof *p, enum lock_state state)
{
	struct owner_key owner;
	if (state == LOCK_WANTED)
		return p->password.n && !p->app_password ? unlock_lock(a, p->account, p->password) : OK;
	result r = unlock_by(a, p, &owner);
	if (r.kind == FAIL_DENIED)
		return OK; /* told when the account does not open */
	if (!failed(r))
		r = state == LOCK_SEALING ? finish(a, p->account, &owner) : unlock_release(a, p->account, &owner);
	secret_wipe(&owner, sizeof owner);
	return r;
}

void unlock_settle(struct auth *a, const struct proof *p)
{
	const struct book_account *who = book_account(&a->directory->book, p->account);
	enum lock_state state = who ? who->lock : LOCK_NONE;
	if (state == LOCK_NONE || state == LOCK_LOCKED)
		return;
	result r = settle(a, p, state);
	if (failed(r))
		log_event(EV_ADMIN_REFUSED, NULL, F_STR("act", STR("account policy")), F_U64("account", p->account),
			F_STR("why", str_from(r.text)));
}

void unlock_spread(struct auth *a, uint64_t account, const struct owner_key *owner)
{
	AUTO_ARENA arena m = arena_new(UNLOCK_ARENA);
	struct account_lock l;
	size_t n = 0;
	if (failed(lock_read(a->directory, account, &m, &l)) || l.state != LOCK_LOCKED)
		return;
	for (size_t i = 0; i < l.n; i++)
		if (!l.v[i].sealed)
			l.v[n++] = l.v[i];
	l.n = n;
	seal_all(&l, owner);
	const struct lock_change c = {.account = account, .from = LOCK_LOCKED, .state = LOCK_LOCKED, .public = l.public,
		.v = l.v, .n = n};
	result r = n ? lock_put(a->directory, &c) : OK;
	(void)r; /* the next login does it */
}
