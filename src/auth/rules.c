#include "auth/rules.h"

#include "auth/directory_core.h"

/* ---- rows ---- */

struct read_job {
	uint64_t account;
	arena *arena;
	struct rules *out;
};

static result run_read(struct db *db, void *arg)
{
	const struct read_job *j = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	j->out->n = 0;
	TRY(db_ask(db, &q, "SELECT id, protocols, networks, hours FROM rule WHERE account = ?1 ORDER BY id",
		DB_INT(j->account)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return arena_result(j->arena);
		if (j->out->n == RULES_MAX)
			return failure(FAIL_DAMAGE, "an account in the directory has more rules than there may be");
		j->out->v[j->out->n++] = (struct rule){.id = (uint64_t)query_int(q, 0),
			.scope = {.protocols = (unsigned)query_int(q, 1), .networks = arena_dup(j->arena, query_bytes(q, 2))},
			.hours = arena_dup(j->arena, query_bytes(q, 3))};
	}
}

result rules_read(struct directory *d, uint64_t account, arena *a, struct rules *out)
{
	struct read_job j = {account, a, out};
	*out = (struct rules){.v = arena_array(a, RULES_MAX, sizeof *out->v)};
	return out->v ? directory_read(d, run_read, &j) : arena_result(a);
}

struct edit_job {
	struct directory *d;
	uint64_t account;
	struct rule *rule;
	int64_t count; /* of the account's rules, afterwards */
};

static result count(struct db *db, struct edit_job *j)
{
	return db_get(db, &j->count, "SELECT count(*) FROM rule WHERE account = ?1", DB_INT(j->account));
}

static result run_keep(struct db *db, void *arg)
{
	struct edit_job *j = arg;
	TRY(count(db, j));
	if (j->count >= RULES_MAX)
		return failure(FAIL_LIMIT, "the account has 20 rules; delete some, or join them");
	TRY(db_run(db, "INSERT INTO rule (account, protocols, networks, hours)"
		" SELECT id, ?2, ?3, ?4 FROM account WHERE id = ?1 AND state = 1", DB_INT(j->account),
		DB_INT(j->rule->scope.protocols), DB_TEXT(j->rule->scope.networks), DB_TEXT(j->rule->hours)));
	j->rule->id = (uint64_t)db_last_row(db);
	if (db_changed(db) != 1)
		return failure(FAIL_ABSENT, "there is no such account any more");
	return count(db, j);
}

static result run_drop(struct db *db, void *arg)
{
	struct edit_job *j = arg;
	TRY(db_run(db, "DELETE FROM rule WHERE account = ?1 AND id = ?2", DB_INT(j->account), DB_INT(j->rule->id)));
	if (db_changed(db) != 1)
		return failure(FAIL_ABSENT, "the account has no rule of that number; account rule list shows them");
	return count(db, j);
}

static void kept(void *arg)
{
	const struct edit_job *j = arg;
	struct book_account *who = book_account(&j->d->book, j->account);
	if (who)
		who->rules = (size_t)j->count;
}

result rule_keep(struct directory *d, uint64_t account, struct rule *r)
{
	struct edit_job j = {.d = d, .account = account, .rule = r};
	return edit_commit(d, run_keep, kept, &j);
}

result rule_drop(struct directory *d, uint64_t account, uint64_t id)
{
	struct rule r = {.id = id};
	struct edit_job j = {.d = d, .account = account, .rule = &r};
	return edit_commit(d, run_drop, kept, &j);
}

/* ---- what they say ---- */

static bool minute_of(str text, unsigned *out)
{
	uint32_t hour, minute;
	if (text.n != 5 || text.p[2] != ':' || !str_to_u32(str_sub(text, 0, 2), &hour) ||
	    !str_to_u32(str_sub(text, 3, 2), &minute) || hour > 24 || minute > 59 || (hour == 24 && minute > 0))
		return false;
	*out = hour * 60 + minute;
	return true;
}

bool rules_hours_of(str text, struct rule_hours *out)
{
	return text.n == RULE_HOURS && text.p[5] == '-' && minute_of(str_sub(text, 0, 5), &out->from) &&
	       minute_of(str_skip(text, 6), &out->until) && out->from != out->until;
}

static bool fits_hours(str text, unsigned minute)
{
	struct rule_hours h;
	if (text.n == 0)
		return true;
	if (!rules_hours_of(text, &h))
		return false;
	return h.from < h.until ? minute >= h.from && minute < h.until : minute >= h.from || minute < h.until;
}

const char *rules_bar(const struct rules *r, const struct rule_visit *v)
{
	const char *why = NULL;
	for (size_t i = 0; i < r->n; i++) {
		const struct rule *rule = &r->v[i];
		if (!scope_has_protocol(&rule->scope, v->protocol))
			continue;
		if (!scope_has_client(&rule->scope, v->client))
			why = "A rule of this account does not let it be used from your network; ask the administrator";
		else if (!fits_hours(rule->hours, v->minute))
			why = "A rule of this account does not let it be used at this hour; ask the administrator";
		else
			return NULL;
	}
	return why;
}
