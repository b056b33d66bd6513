#include "auth/forward_keys.h"

#include "auth/directory_core.h"
#include "run/random.h"
#include "run/secret.h"

result forward_keys_load(struct db *db, struct forward_keys *out)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	*out = (struct forward_keys){.n = 0};
	TRY(db_ask(db, &q, "SELECT key, made FROM forward_key ORDER BY id DESC LIMIT 2"));
	while (out->n < FORWARD_KEYS) {
		TRY(query_next(q, &row));
		if (!row)
			break;
		str key = query_bytes(q, 0);
		if (key.n != FORWARD_KEY)
			return failure(FAIL_DAMAGE, "a key of rewritten senders in the directory is none");
		memcpy(out->key[out->n], key.p, FORWARD_KEY);
		if (out->n++ == 0)
			out->made = query_int(q, 1);
	}
	return OK;
}

/* ---- a new key ---- */

struct key_edit {
	struct directory *d;
	unsigned char key[FORWARD_KEY];
	int64_t today;
};

static result run_key(struct db *db, void *arg)
{
	struct key_edit *e = arg;
	TRY(db_run(db, "INSERT INTO forward_key (key, made) VALUES (?1, ?2)",
		DB_BLOB(str_of((const char *)e->key, sizeof e->key)), DB_INT(e->today)));
	return db_run(db, "DELETE FROM forward_key WHERE id <= (SELECT max(id) FROM forward_key) - 2");
}

static void kept_key(void *arg)
{
	struct key_edit *e = arg;
	struct forward_keys *k = &e->d->forward;
	memcpy(k->key[1], k->key[0], FORWARD_KEY);
	memcpy(k->key[0], e->key, FORWARD_KEY);
	k->made = e->today;
	if (k->n < FORWARD_KEYS)
		k->n++;
}

static bool due(const struct forward_keys *k, int64_t today)
{
	return k->n == 0 || today - k->made >= FORWARD_KEY_DAYS;
}

result forward_keys_refresh(struct directory *d, int64_t today)
{
	struct key_edit e = {.d = d, .today = today};
	if (!due(&d->forward, today))
		return OK;
	TRY(edit_begin(d));
	result r = OK;
	if (due(&d->forward, today)) { /* another may have been quicker */
		random_fill(e.key, sizeof e.key);
		r = edit_commit(d, run_key, kept_key, &e);
		secret_wipe(e.key, sizeof e.key);
	}
	edit_end(d);
	return r;
}

/* ---- long senders ---- */

struct long_edit {
	str sender;
	int64_t today;
	uint64_t number;
	buf *out;
};

static result run_known(struct db *db, void *arg)
{
	struct long_edit *e = arg;
	int64_t n;
	TRY(db_get(db, &n, "SELECT id FROM long_sender WHERE sender = ?1 AND day = ?2", DB_TEXT(e->sender),
		DB_INT(e->today)));
	e->number = (uint64_t)n;
	return OK;
}

static result run_keep(struct db *db, void *arg)
{
	struct long_edit *e = arg;
	int64_t n;
	TRY(db_run(db, "DELETE FROM long_sender WHERE day < ?1", DB_INT(e->today - FORWARD_DAYS - 1)));
	TRY(db_get(db, &n, "SELECT count(*) FROM (SELECT 1 FROM long_sender LIMIT ?1)", DB_INT(FORWARD_LONG_MAX)));
	if (n >= FORWARD_LONG_MAX)
		return failure(FAIL_LIMIT, "too many long senders were forwarded these days");
	TRY(db_run(db, "INSERT INTO long_sender (sender, day) VALUES (?1, ?2)"
		" ON CONFLICT (sender) DO UPDATE SET day = ?2", DB_TEXT(e->sender), DB_INT(e->today)));
	TRY(db_get(db, &n, "SELECT id FROM long_sender WHERE sender = ?1", DB_TEXT(e->sender)));
	e->number = (uint64_t)n;
	return OK;
}

result forward_long_keep(struct directory *d, str sender, int64_t today, uint64_t *number)
{
	struct long_edit e = {.sender = sender, .today = today};
	result r = directory_read(d, run_known, &e);
	if (r.kind == FAIL_ABSENT) {
		TRY(edit_begin(d));
		r = edit_commit(d, run_keep, NULL, &e);
		edit_end(d);
	}
	TRY(r);
	*number = e.number;
	return OK;
}

static result run_find(struct db *db, void *arg)
{
	struct long_edit *e = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT sender FROM long_sender WHERE id = ?1", DB_INT(e->number)));
	TRY(query_next(q, &row));
	if (!row)
		return failure(FAIL_ABSENT, "that sender was forgotten");
	buf_clear(e->out);
	buf_put(e->out, query_bytes(q, 0));
	return buf_result(e->out);
}

result forward_long_find(struct directory *d, uint64_t number, buf *sender)
{
	struct long_edit e = {.number = number, .out = sender};
	return directory_read(d, run_find, &e);
}
