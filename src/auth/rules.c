#include "auth/rules.h"

#include <time.h>

#include "auth/directory_core.h"
#include "run/clock.h"

enum { RULES_ARENA = 64 << 10 };

_Static_assert(RULE_ADMIN == 1u << SCOPE_PROTOCOLS, "a rule's bits: those of the mail protocols, then admin");

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
	TRY(db_ask(db, &q, "SELECT id, protocols, networks, hours, countries, others FROM rule WHERE account = ?1"
		" ORDER BY id", DB_INT(j->account)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return arena_result(j->arena);
		if (j->out->n == RULES_MAX)
			return failure(FAIL_DAMAGE, "an account in the directory has more rules than there may be");
		j->out->v[j->out->n++] = (struct rule){.id = (uint64_t)query_int(q, 0),
			.scope = {.protocols = (unsigned)query_int(q, 1), .networks = arena_dup(j->arena, query_bytes(q, 2))},
			.hours = arena_dup(j->arena, query_bytes(q, 3)), .countries = arena_dup(j->arena, query_bytes(q, 4)),
			.others = query_int(q, 5) != 0};
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
	TRY(db_run(db, "INSERT INTO rule (account, protocols, networks, hours, countries, others)"
		" SELECT id, ?2, ?3, ?4, ?5, ?6 FROM account WHERE id = ?1 AND state = 1", DB_INT(j->account),
		DB_INT(j->rule->scope.protocols), DB_TEXT(j->rule->scope.networks), DB_TEXT(j->rule->hours),
		DB_TEXT(j->rule->countries), DB_INT(j->rule->others)));
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

/* ---- countries ---- */

result rules_countries(const str *words, size_t n, arena *a, str *out)
{
	AUTO_BUF buf text = buf_new(RULE_COUNTRIES * (PLACES_COUNTRY + 1));
	char code[PLACES_COUNTRY + 1];
	if (n > RULE_COUNTRIES)
		return failure(FAIL_LIMIT, "at most 60 countries may be named; name the others as exceptions instead");
	for (size_t i = 0; i < n; i++) {
		if (!places_country_of(words[i], code))
			return failure(FAIL_INPUT, "a country is written with its two letters (ISO 3166): DE, CH; ZZ is an address "
				"whose country is not known");
		buf_put(&text, i ? STR(" ") : STR(""));
		buf_put(&text, str_from(code));
	}
	TRY(buf_result(&text));
	*out = arena_dup(a, buf_str(&text));
	return arena_result(a);
}

static bool next_country(str *rest, str *code)
{
	*code = str_sub(*rest, 0, PLACES_COUNTRY);
	*rest = str_skip(*rest, PLACES_COUNTRY + 1);
	return code->n == PLACES_COUNTRY;
}

result rules_country_words(str countries, arena *a, str **out, size_t *n)
{
	str code, *v = arena_array(a, RULE_COUNTRIES, sizeof *v);
	*n = 0;
	while (v && *n < RULE_COUNTRIES && next_country(&countries, &code))
		v[(*n)++] = code;
	*out = v;
	return arena_result(a);
}

static str country_of(const struct rule_visit *v, struct place *at)
{
	net_addr client;
	if (failed(net_parse_ip(v->client, &client)) || !places_find(v->places, &client, at) || !at->country[0])
		return STR("ZZ");
	return str_from(at->country);
}

static bool fits_country(const struct rule *r, const struct rule_visit *v)
{
	str rest = r->countries, code;
	struct place at;
	if (rest.n == 0)
		return true;
	str country = country_of(v, &at);
	while (next_country(&rest, &code))
		if (str_eq(code, country))
			return !r->others;
	return r->others;
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
		else if (!fits_country(rule, v))
			why = "A rule of this account does not let it be used from your country; ask the administrator";
		else if (!fits_hours(rule->hours, v->minute))
			why = "A rule of this account does not let it be used at this hour; ask the administrator";
		else
			return NULL;
	}
	return why;
}

static unsigned minute_of_day(void)
{
	time_t now = (time_t)clock_wall_s();
	struct tm tm;
	localtime_r(&now, &tm);
	return (unsigned)(tm.tm_hour * 60 + tm.tm_min);
}

result rules_ask(struct directory *d, uint64_t account, struct rule_visit *v, const char **why)
{
	AUTO_ARENA arena a = arena_new(RULES_ARENA);
	struct rules rules;
	v->minute = minute_of_day();
	TRY(rules_read(d, account, &a, &rules));
	*why = rules_bar(&rules, v);
	return OK;
}
