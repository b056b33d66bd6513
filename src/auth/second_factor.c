#include "auth/second_factor.h"

#include <liboath/oath.h>
#include <sodium.h>

#include "auth/app_secret.h"
#include "auth/directory_core.h"
#include "run/clock.h"
#include "run/random.h"
#include "run/secret.h"

enum { DIGEST = 32 };

result second_factor_start(void)
{
	return oath_init() == OATH_OK ? OK : failure(FAIL_MEMORY, "the library of codes by time cannot be started");
}

void second_factor_code(const unsigned char secret[TOTP_SECRET], int64_t at, char out[TOTP_DIGITS + 1])
{
	int r = oath_totp_generate((const char *)secret, TOTP_SECRET, at, TOTP_STEP_S, OATH_TOTP_DEFAULT_START_TIME,
		TOTP_DIGITS, out);
	must(r == OATH_OK);
}

/* ---- recovery codes ---- */

/* As it was typed: letters alone, in lower case. */
static bool letters_of(str typed, char out[RECOVERY_LETTERS])
{
	size_t n = 0;
	for (size_t i = 0; i < typed.n; i++) {
		char c = (char)ascii_lower(str_at(typed, i));
		if (c == '-' || c == ' ')
			continue;
		if (n == RECOVERY_LETTERS || !ascii_alpha((unsigned char)c))
			return false;
		out[n++] = c;
	}
	return n == RECOVERY_LETTERS;
}

static void digest_of(const struct auth *a, uint64_t account, const char letters[RECOVERY_LETTERS],
	unsigned char out[DIGEST])
{
	crypto_generichash_state s;
	crypto_generichash_init(&s, a->salts.key, sizeof a->salts.key, DIGEST);
	crypto_generichash_update(&s, (const unsigned char *)&account, sizeof account);
	crypto_generichash_update(&s, (const unsigned char *)letters, RECOVERY_LETTERS);
	crypto_generichash_final(&s, out, DIGEST);
	sodium_memzero(&s, sizeof s);
}

static void make_code(char letters[RECOVERY_LETTERS], char text[RECOVERY_TEXT])
{
	char many[APP_SECRET_LETTERS];
	app_secret_make(many);
	for (size_t i = 0, at = 0; i < RECOVERY_LETTERS; i++) {
		if (i > 0 && i % APP_SECRET_GROUP == 0)
			text[at++] = '-';
		text[at++] = letters[i] = many[i];
	}
	secret_wipe(many, sizeof many);
}

/* ---- turning it on and off ---- */

struct set_job {
	struct directory *d;
	uint64_t account;
	unsigned char secret[TOTP_SECRET];
	unsigned char digests[RECOVERY_CODES][DIGEST];
	int64_t now;
	bool on;
};

static str bytes(const unsigned char *p, size_t n)
{
	return str_of((const char *)p, n);
}

static result run_set(struct db *db, void *arg)
{
	const struct set_job *j = arg;
	TRY(db_run(db, "INSERT OR REPLACE INTO second_factor (account, secret, step, since)"
		" SELECT id, ?2, 0, ?3 FROM account WHERE id = ?1 AND state = 1",
		DB_INT(j->account), DB_BLOB(bytes(j->secret, sizeof j->secret)), DB_INT(j->now)));
	if (db_changed(db) != 1)
		return failure(FAIL_ABSENT, "there is no such account any more");
	TRY(db_run(db, "DELETE FROM recovery_code WHERE account = ?1", DB_INT(j->account)));
	for (size_t i = 0; i < RECOVERY_CODES; i++)
		TRY(db_run(db, "INSERT INTO recovery_code (account, digest) VALUES (?1, ?2)", DB_INT(j->account),
			DB_BLOB(bytes(j->digests[i], DIGEST))));
	return OK;
}

static result run_off(struct db *db, void *arg)
{
	const struct set_job *j = arg;
	TRY(db_run(db, "DELETE FROM recovery_code WHERE account = ?1", DB_INT(j->account)));
	TRY(db_run(db, "DELETE FROM second_factor WHERE account = ?1", DB_INT(j->account)));
	return db_changed(db) == 1 ? OK : failure(FAIL_ABSENT, "the account has no second factor");
}

static void kept_set(void *arg)
{
	const struct set_job *j = arg;
	struct book_account *who = book_account(&j->d->book, j->account);
	if (who)
		who->second_factor = j->on;
}

result second_factor_set(struct auth *a, uint64_t account, struct second_factor_new *out)
{
	struct set_job j = {.d = a->directory, .account = account, .now = clock_wall_s(), .on = true};
	random_fill(j.secret, sizeof j.secret);
	memcpy(out->secret, j.secret, sizeof j.secret);
	for (size_t i = 0; i < RECOVERY_CODES; i++) {
		char letters[RECOVERY_LETTERS];
		make_code(letters, out->codes[i]);
		digest_of(a, account, letters, j.digests[i]);
		secret_wipe(letters, sizeof letters);
	}
	result r = edit_commit(a->directory, run_set, kept_set, &j);
	secret_wipe(&j, sizeof j);
	return r;
}

result second_factor_off(struct auth *a, uint64_t account)
{
	struct set_job j = {.d = a->directory, .account = account, .on = false};
	return edit_commit(a->directory, run_off, kept_set, &j);
}

/* ---- checking ---- */

struct check_job {
	uint64_t account;
	str code;
	int64_t now;
	unsigned char digest[DIGEST];
	bool recovery; /* it has the form of a recovery code */
};

/* The step whose code it is, later than the last one taken; 0: none. */
static int64_t step_of(const struct check_job *j, const unsigned char *secret, int64_t last)
{
	int64_t now = j->now / TOTP_STEP_S, found = 0;
	for (int64_t step = now - TOTP_WINDOW; step <= now + TOTP_WINDOW; step++) {
		char code[TOTP_DIGITS + 1];
		second_factor_code(secret, step * TOTP_STEP_S, code);
		if (j->code.n == TOTP_DIGITS && sodium_memcmp(code, j->code.p, TOTP_DIGITS) == 0 && step > last)
			found = step;
	}
	return found;
}

static const result wrong = {FAIL_DENIED, "that is no code of now, and no recovery code that is left"};

static result take_step(struct db *db, const struct check_job *j)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT secret, step FROM second_factor WHERE account = ?1", DB_INT(j->account)));
	TRY(query_next(q, &row));
	if (!row)
		return failure(FAIL_ABSENT, "the account has no second factor");
	str secret = query_bytes(q, 0);
	if (secret.n != TOTP_SECRET)
		return failure(FAIL_DAMAGE, "a second factor in the directory has a secret of another length");
	int64_t step = step_of(j, (const unsigned char *)secret.p, query_int(q, 1));
	if (!step)
		return wrong;
	query_end(&q);
	return db_run(db, "UPDATE second_factor SET step = ?2 WHERE account = ?1", DB_INT(j->account), DB_INT(step));
}

static result run_check(struct db *db, void *arg)
{
	const struct check_job *j = arg;
	if (!j->recovery)
		return take_step(db, j);
	TRY(db_run(db, "DELETE FROM recovery_code WHERE account = ?1 AND digest = ?2", DB_INT(j->account),
		DB_BLOB(bytes(j->digest, DIGEST))));
	return db_changed(db) == 1 ? OK : wrong;
}

/* As logins are slowed down, by the account alone: who asks has no address here. */
static str throttle_name(char out[32], uint64_t account)
{
	buf b = buf_new(32);
	buf_printf(&b, "2 %llu", (unsigned long long)account);
	memcpy(out, b.p ? b.p : "2", b.p ? b.n : 1);
	size_t n = b.p ? b.n : 1;
	buf_free(&b);
	return str_of(out, n);
}

static result check_now(struct auth *a, uint64_t account, str code)
{
	char name[32], letters[RECOVERY_LETTERS];
	struct check_job j = {.account = account, .code = str_trim(code)};
	str key = throttle_name(name, account);
	j.recovery = letters_of(code, letters);
	if (j.recovery)
		digest_of(a, account, letters, j.digest);
	secret_wipe(letters, sizeof letters);
	uint32_t wait = throttle_wait(&a->throttle, key, clock_mono_ms());
	if (wait)
		TRY(fiber_sleep(wait));
	j.now = clock_wall_s();
	result r = edit_commit(a->directory, run_check, NULL, &j);
	if (r.kind == FAIL_DENIED)
		throttle_failed(&a->throttle, key, clock_mono_ms());
	return r;
}

/* One at a time: else the wait would cost those nothing who guess in parallel. */
result second_factor_check(struct auth *a, uint64_t account, str code)
{
	struct book_account *who = book_account(&a->directory->book, account);
	if (!who)
		return failure(FAIL_ABSENT, "there is no such account any more");
	if (who->coding)
		return failure(FAIL_BUSY, "another code of this account is being checked; try again in a moment");
	who->coding = true;
	result r = check_now(a, account, code);
	who = book_account(&a->directory->book, account);
	if (who)
		who->coding = false;
	return r;
}

/* ---- showing ---- */

struct facts_job {
	uint64_t account;
	struct second_factor_facts *out;
};

static result run_facts(struct db *db, void *arg)
{
	const struct facts_job *j = arg;
	int64_t n;
	result r = db_get(db, &j->out->since, "SELECT since FROM second_factor WHERE account = ?1", DB_INT(j->account));
	j->out->on = !failed(r);
	if (failed(r) && r.kind != FAIL_ABSENT)
		return r;
	TRY(db_get(db, &n, "SELECT count(*) FROM recovery_code WHERE account = ?1", DB_INT(j->account)));
	j->out->codes = (uint32_t)n;
	return OK;
}

result second_factor_facts(struct auth *a, uint64_t account, struct second_factor_facts *out)
{
	struct facts_job j = {account, out};
	*out = (struct second_factor_facts){.on = false};
	return directory_read(a->directory, run_facts, &j);
}
