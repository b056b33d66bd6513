#include "auth/app_certificates.h"

#include "auth/directory_core.h"
#include "auth/openers.h"
#include "run/clock.h"
#include "run/secret.h"

/* ---- reading ---- */

#define COLUMNS "id, name, protocols, networks, expires, created, used, used_protocol, used_from, plain, grouped," \
	" clear, coalesce(serial, x''), coalesce(fingerprint, x'')"

static result read_verifier(const struct query *q, int column, struct scram_verifier *out)
{
	str b = query_bytes(q, column);
	if (b.n != sizeof *out)
		return failure(FAIL_DAMAGE, "an app password in the directory has keys of another length");
	memcpy(out, b.p, sizeof *out);
	return OK;
}

static result read_row(const struct query *q, arena *a, struct app_password *p)
{
	*p = (struct app_password){.id = (uint64_t)query_int(q, 0), .name = arena_dup(a, query_bytes(q, 1)),
		.scope = {.protocols = (unsigned)query_int(q, 2), .networks = arena_dup(a, query_bytes(q, 3))},
		.expires = query_int(q, 4), .created = query_int(q, 5),
		.used = {.at = query_int(q, 6), .protocol = (enum edge_auth_protocol)query_int(q, 7),
			 .client = arena_dup(a, query_bytes(q, 8))},
		.clear = query_int(q, 11) != 0, .serial = arena_dup(a, query_bytes(q, 12)),
		.fingerprint = arena_dup(a, query_bytes(q, 13))};
	TRY(arena_result(a));
	if ((unsigned)p->used.protocol >= SCOPE_PROTOCOLS)
		return failure(FAIL_DAMAGE, "an app password in the directory was used by an unknown protocol");
	if (p->fingerprint.n > 0)
		return OK;
	TRY(read_verifier(q, 9, &p->plain));
	return read_verifier(q, 10, &p->grouped);
}

struct read_job {
	uint64_t account;
	bool certificates;
	arena *arena;
	struct app_passwords *out;
};

static result run_read(struct db *db, void *arg)
{
	const struct read_job *j = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	j->out->n = 0;
	TRY(db_ask(db, &q, "SELECT " COLUMNS " FROM app_password WHERE account = ?1 AND (fingerprint IS NOT NULL) = ?2"
		" ORDER BY id", DB_INT(j->account), DB_INT(j->certificates)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		if (j->out->n == APP_PASSWORDS_MAX)
			return failure(FAIL_DAMAGE, "an account in the directory has more app passwords than there may be");
		TRY(read_row(q, j->arena, &j->out->v[j->out->n]));
		j->out->n++;
	}
}

static result read_rows(struct directory *d, struct read_job *j)
{
	*j->out = (struct app_passwords){.v = arena_array(j->arena, APP_PASSWORDS_MAX, sizeof *j->out->v)};
	return j->out->v ? directory_read(d, run_read, j) : arena_result(j->arena);
}

result app_passwords_read(struct directory *d, uint64_t account, arena *a, struct app_passwords *out)
{
	return read_rows(d, &(struct read_job){account, false, a, out});
}

result app_certificates_read(struct directory *d, uint64_t account, arena *a, struct app_passwords *out)
{
	return read_rows(d, &(struct read_job){account, true, a, out});
}

struct find_job {
	str fingerprint;
	arena *arena;
	struct app_certificate *out;
};

static result run_find(struct db *db, void *arg)
{
	struct find_job *j = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT " COLUMNS ", account FROM app_password WHERE fingerprint = ?1",
		DB_BLOB(j->fingerprint)));
	TRY(query_next(q, &row));
	if (!row)
		return failure(FAIL_ABSENT, "there is no such certificate");
	j->out->account = (uint64_t)query_int(q, 14);
	return read_row(q, j->arena, &j->out->row);
}

result app_certificate_find(struct directory *d, str fingerprint, arena *a, struct app_certificate *out)
{
	return directory_read(d, run_find, &(struct find_job){.fingerprint = fingerprint, .arena = a, .out = out});
}

struct authority_job {
	arena *arena;
	str *out;
};

static result run_authority(struct db *db, void *arg)
{
	const struct authority_job *j = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	*j->out = (str){NULL, 0};
	TRY(db_ask(db, &q, "SELECT certificate FROM authority"
		" WHERE EXISTS (SELECT 1 FROM app_password WHERE fingerprint IS NOT NULL)"));
	TRY(query_next(q, &row));
	if (row)
		*j->out = arena_dup(j->arena, query_bytes(q, 0));
	return arena_result(j->arena);
}

result app_authority(struct directory *d, arena *a, str *out)
{
	return directory_read(d, run_authority, &(struct authority_job){a, out});
}

static result run_any(struct db *db, void *arg)
{
	int64_t there;
	TRY(db_get(db, &there, "SELECT EXISTS (SELECT 1 FROM app_password WHERE fingerprint IS NULL)"));
	*(bool *)arg = there != 0;
	return OK;
}

result app_passwords_any(struct directory *d, bool *any)
{
	return directory_read(d, run_any, any);
}

struct clear_job {
	arena *arena;
	str *v;
	size_t n;
};

static result run_clear(struct db *db, void *arg)
{
	struct clear_job *j = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	j->n = 0;
	TRY(db_ask(db, &q, "SELECT DISTINCT networks FROM app_password WHERE clear <> 0 LIMIT ?1", DB_INT(APP_CLEAR_MAX)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return arena_result(j->arena);
		str address = query_bytes(q, 0);
		j->v[j->n++] = arena_dup(j->arena, str_sub(address, 0, str_chr(address, '/')));
	}
}

result app_passwords_clear(struct directory *d, arena *a, str **out, size_t *n)
{
	struct clear_job j = {.arena = a, .v = arena_array(a, APP_CLEAR_MAX, sizeof *j.v)};
	if (!j.v)
		return arena_result(a);
	TRY(directory_read(d, run_clear, &j));
	*out = j.v;
	*n = j.n;
	return OK;
}

void app_passwords_wipe(struct app_passwords *p)
{
	if (p->v)
		secret_wipe(p->v, APP_PASSWORDS_MAX * sizeof *p->v);
	p->n = 0;
}

/* ---- keeping ---- */

/* Nothing of the book changed, but edges keep whether there are any. */
static void tell_edges(void *job)
{
	(void)job;
}

struct keep_job {
	uint64_t account;
	struct app_password *n;
	str authority; /* of a certificate */
};

static str verifier_bytes(const struct scram_verifier *v)
{
	return str_of((const char *)v, sizeof *v);
}

static result check_room(struct db *db, const struct keep_job *j)
{
	int64_t there;
	TRY(db_get(db, &there, "SELECT count(*) FROM app_password WHERE account = ?1", DB_INT(j->account)));
	if (there >= APP_PASSWORDS_MAX)
		return failure(FAIL_LIMIT, "the account has 50 app passwords and certificates; revoke those that nobody uses");
	if (!j->n->clear)
		return OK;
	TRY(db_get(db, &there, "SELECT count(*) FROM app_password WHERE clear <> 0"));
	return there < APP_CLEAR_MAX ? OK :
		failure(FAIL_LIMIT, "200 devices log in without TLS already; revoke those that nobody uses");
}

static result keep_authority(struct db *db, str certificate)
{
	if (certificate.n == 0)
		return OK;
	TRY(db_run(db, "DELETE FROM authority"));
	return db_run(db, "INSERT INTO authority (certificate) VALUES (?1)", DB_BLOB(certificate));
}

static result keep_openers(struct db *db, uint64_t account, const struct app_password *n)
{
	for (size_t i = 0; i < n->openers_n; i++) {
		struct opener o = n->openers[i];
		o.app_password = n->id;
		TRY(opener_insert(db, account, &o));
	}
	return OK;
}

static result run_keep(struct db *db, void *arg)
{
	const struct keep_job *j = arg;
	struct app_password *n = j->n;
	bool certificate = n->fingerprint.n > 0;
	static const str none = STR_INIT("");
	TRY(check_room(db, j));
	TRY(keep_authority(db, j->authority));
	TRY(db_run(db, "INSERT INTO app_password (account, name, protocols, networks, expires, created, plain, grouped,"
		" clear, serial, fingerprint) SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 FROM account"
		" WHERE id = ?1 AND state = 1",
		DB_INT(j->account), DB_TEXT(n->name), DB_INT(n->scope.protocols), DB_TEXT(n->scope.networks),
		DB_INT(n->expires), DB_INT(n->created), DB_BLOB(certificate ? none : verifier_bytes(&n->plain)),
		DB_BLOB(certificate ? none : verifier_bytes(&n->grouped)), DB_INT(n->clear),
		certificate ? DB_BLOB(n->serial) : DB_NULL, certificate ? DB_BLOB(n->fingerprint) : DB_NULL));
	n->id = (uint64_t)db_last_row(db);
	if (db_changed(db) != 1)
		return failure(FAIL_ABSENT, "there is no such account any more");
	return keep_openers(db, j->account, n);
}

static result keep(struct directory *d, struct keep_job *j)
{
	j->n->created = clock_wall_s();
	result r = edit_commit(d, run_keep, tell_edges, j);
	if (r.kind == FAIL_EXISTS)
		return failure(FAIL_EXISTS, "the account has an app password or a certificate of that name; revoke it, or take "
			"another name");
	return r;
}

result app_password_keep(struct directory *d, uint64_t account, struct app_password *n)
{
	return keep(d, &(struct keep_job){.account = account, .n = n});
}

result app_certificate_keep(struct directory *d, uint64_t account, struct app_password *n, str authority)
{
	return keep(d, &(struct keep_job){account, n, authority});
}

/* ---- revoking ---- */

struct revoke_job {
	uint64_t account, id;
	bool certificate;
	str name;
};

static result run_revoke(struct db *db, void *arg)
{
	struct revoke_job *j = arg;
	int64_t id;
	TRY(db_get(db, &id, "SELECT id FROM app_password WHERE account = ?1 AND (fingerprint IS NOT NULL) = ?3"
		" AND (name = ?2 OR hex(serial) = upper(?2) OR hex(fingerprint) = upper(?2)) ORDER BY name <> ?2 LIMIT 1",
		DB_INT(j->account), DB_TEXT(j->name), DB_INT(j->certificate)));
	j->id = (uint64_t)id;
	return db_run(db, "DELETE FROM app_password WHERE id = ?1", DB_INT(id));
}

result app_password_revoke(struct directory *d, uint64_t account, str name, uint64_t *id)
{
	struct revoke_job j = {.account = account, .name = name};
	result r = edit_commit(d, run_revoke, tell_edges, &j);
	if (r.kind == FAIL_ABSENT)
		return failure(FAIL_ABSENT, "the account has no app password of that name; app-password list shows them");
	*id = j.id;
	return r;
}

result app_certificate_revoke(struct directory *d, uint64_t account, str name, uint64_t *id)
{
	struct revoke_job j = {.account = account, .certificate = true, .name = name};
	result r = edit_commit(d, run_revoke, tell_edges, &j);
	if (r.kind == FAIL_ABSENT)
		return failure(FAIL_ABSENT, "the account has no certificate of that name, number or fingerprint; certificate "
			"list shows them");
	*id = j.id;
	return r;
}

static result run_revoke_all(struct db *db, void *arg)
{
	return db_run(db, "DELETE FROM app_password WHERE account = ?1", DB_INT(*(const uint64_t *)arg));
}

result app_passwords_revoke_all(struct directory *d, uint64_t account)
{
	return edit_commit(d, run_revoke_all, tell_edges, &account);
}
