#include "auth/prove.h"

#include "auth/app_secret.h"
#include "run/clock.h"
#include "run/secret.h"

enum { PROOF_ARENA = 256 << 10 }; /* the rows of an account's app passwords */

void prove_begin(struct proof *p, const struct login_try *t)
{
	*p = (struct proof){.r = failure(FAIL_DENIED, "the secret is wrong"), .arena = arena_new(PROOF_ARENA)};
	if (t->claimed) {
		p->account = t->claimed->id;
		p->round = t->claimed->round;
	}
}

void prove_end(struct proof *p)
{
	secret_wipe(&p->client, sizeof p->client);
	arena_free(&p->arena);
}

/* ---- app passwords ---- */

static const char *bars(const struct app_password *row, const struct login_try *t)
{
	bool certificate = row->fingerprint.n > 0;
	if (row->expires && clock_wall_s() >= row->expires)
		return certificate ? "This certificate has expired; have a new one made"
				   : "This app password has expired; make a new one";
	if (!scope_has_protocol(&row->scope, t->protocol))
		return certificate ? "This certificate is not for this protocol; have another one made for it"
				   : "This app password is not for this protocol; make another one for it";
	if (!scope_has_client(&row->scope, t->client))
		return certificate ? "This certificate is not for the network you are in"
				   : "This app password is not for the network you are in";
	return NULL;
}

void prove_found(struct proof *p, const struct login_try *t, const struct app_password *row)
{
	p->r = OK;
	p->app_password = row->id;
	p->certificate = row->fingerprint.n > 0;
	p->name = row->name;
	p->barred = bars(row, t);
}

result prove_rows(struct auth *a, struct proof *p, struct app_passwords *out)
{
	return app_passwords_read(a->directory, p->account, &p->arena, out);
}

static result salted(struct auth *a, const struct login_try *t, str letters, struct scram_key *out)
{
	unsigned char salt[SCRAM_SALT];
	struct turn turn;
	app_salt_of(&a->salts, t->claimed ? t->claimed->entry->key : t->user, salt);
	TRY(turn_take(&a->turns, t->client, &turn));
	result r = checker_salted(a->checker, letters, str_of((const char *)salt, sizeof salt), out);
	turn_give(&a->turns, &turn);
	return r;
}

/* All rows are looked at, so that the time does not tell which it was. */
static void compare(struct proof *p, const struct login_try *t, const struct app_passwords *rows)
{
	const struct app_password *found = NULL;
	for (size_t i = 0; i < rows->n; i++)
		if (scram_opens(&rows->v[i].plain, &p->client) && (rows->v[i].clear || !t->clear))
			found = &rows->v[i];
	if (found)
		prove_found(p, t, found);
}

/* OK also when it is none of the account's. */
static result by_app_password(struct auth *a, const struct login_try *t, str letters, struct proof *p)
{
	struct scram_key key;
	struct app_passwords rows;
	TRY(salted(a, t, letters, &key));
	p->client = scram_client_key(&key);
	secret_wipe(&key, sizeof key);
	result r = prove_rows(a, p, &rows);
	if (!failed(r))
		compare(p, t, &rows);
	app_passwords_wipe(&rows);
	return r;
}

/* ---- people's passwords ---- */

static result stored_hash(struct auth *a, uint64_t account, struct account_record *out)
{
	result r = directory_read_account(a->directory, account, out);
	return r.kind == FAIL_ABSENT ? OK : r; /* an empty hash is checked as long as another */
}

/* With today's parameters. It only has to be done once, some day: what goes wrong is left for the next login. */
static void raise_hash(struct auth *a, uint64_t account, str old, str password)
{
	char text[PASSWORD_HASH_MAX];
	if (!password_is_weak(old, options_number(&a->options, OPT_PASSWORD_MEMORY)))
		return;
	result r = checker_hash(a->checker, password, text);
	if (!failed(r))
		r = directory_raise_hash(a->directory, account, old, str_from(text));
	secret_wipe(text, sizeof text);
	log_event(EV_PASSWORD_RAISED, NULL, F_U64("account", account), F_STR("why", str_from(r.text)));
}

static result verified(struct auth *a, str client, str stored, str password)
{
	struct turn turn;
	TRY(turn_take(&a->turns, client, &turn));
	result r = checker_verify(a->checker, stored, password);
	turn_give(&a->turns, &turn);
	return r;
}

static result by_password(struct auth *a, uint64_t account, str client, str password)
{
	struct account_record record = {0}, now = {0};
	if (account && recent_knows(&a->recent, account, password, clock_mono_ms()))
		return OK;
	TRY(stored_hash(a, account, &record));
	result r = verified(a, client, str_from(record.hash), password);
	/* The password may have been changed meanwhile: then this one is not kept. */
	if (!failed(r) && !failed(stored_hash(a, account, &now)) && memcmp(record.hash, now.hash, sizeof now.hash) == 0)
		recent_keep(&a->recent, account, password, clock_mono_ms());
	if (!failed(r) && account)
		raise_hash(a, account, str_from(record.hash), password);
	secret_wipe(&record, sizeof record);
	secret_wipe(&now, sizeof now);
	return r;
}

/* ---- wrong ones ---- */

/* A number for a name, apart from those of accounts and from 0. */
static uint64_t number_of(str name)
{
	char low[ADDRESS_MAX];
	name = str_sub(name, 0, sizeof low);
	for (size_t i = 0; i < name.n; i++)
		low[i] = (char)ascii_lower(str_at(name, i));
	return hash_bytes(str_of(low, name.n)) | 1;
}

/* Under 0 it is counted with how many names the secret was tried. */
static void count_wrong(struct auth *a, const struct login_try *t, str password, struct proof *p)
{
	uint64_t now = clock_mono_ms();
	p->repeat = recent_again(&a->wrong, number_of(t->user), password, now) > 0;
	p->names = p->repeat ? recent_times(&a->wrong, 0, password, now) : recent_again(&a->wrong, 0, password, now) + 1;
}

void prove_password(struct auth *a, const struct login_try *t, str password, struct proof *p)
{
	char letters[APP_SECRET_LETTERS];
	result r = OK;
	if (app_secret_read(password, letters))
		r = by_app_password(a, t, str_of(letters, sizeof letters), p);
	secret_wipe(letters, sizeof letters);
	if (failed(r))
		p->r = r;
	else if (!p->app_password && !t->clear) /* a person's password may have that form too */
		p->r = by_password(a, p->account, t->client, password);
	if (p->r.kind == FAIL_DENIED)
		count_wrong(a, t, password, p);
	p->password = !p->app_password && !failed(p->r) ? password : (str){NULL, 0};
}
