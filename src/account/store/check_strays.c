/* What belongs to a mailbox and has none, or has no name. */
#include "account/store/check_parts.h"

enum { NAME_TRIES = 100, TAKEN_TEXT = 64 };

/* ---- rows of mailboxes that are not there ---- */

/* "Recovered 7", or "Recovered 7-2" where that is taken. */
static result free_name(struct checking *c, uint64_t id, char out[TAKEN_TEXT])
{
	for (unsigned i = 1; i <= NAME_TRIES; i++) {
		int n = i == 1 ? snprintf(out, TAKEN_TEXT, "Recovered %llu", (unsigned long long)id)
			       : snprintf(out, TAKEN_TEXT, "Recovered %llu-%u", (unsigned long long)id, i);
		must(n > 0 && n < TAKEN_TEXT);
		result r = work_name_free(c->w, str_from(out));
		if (r.kind != FAIL_EXISTS)
			return r;
	}
	return failure(FAIL_EXISTS, "every name for a recovered mailbox is taken");
}

/* A new mailbox gets all that the lost one had; its numbers are counted afterwards. */
static result recover(struct checking *c, uint64_t id)
{
	char name[TAKEN_TEXT];
	struct box_row row;
	TRY(free_name(c, id, name));
	TRY(work_make_box(c->w, str_from(name), 0, &row));
	const struct place lost = work_place(c->w, id);
	TRY(list_give_box(&lost, row.id));
	TRY(db_run(c->w->db, "UPDATE message SET mailbox=?2 WHERE mailbox=?1", DB_INT(id), DB_INT(row.id)));
	TRY(db_run(c->w->db, "UPDATE keyword SET mailbox=?2 WHERE mailbox=?1", DB_INT(id), DB_INT(row.id)));
	return db_run(c->w->db, "UPDATE vanished SET mailbox=?2 WHERE mailbox=?1", DB_INT(id), DB_INT(row.id));
}

static result check_lost_boxes(struct checking *c)
{
	for (int64_t last = 0;;) {
		int64_t id, n;
		TRY(db_get(c->w->db, &id,
			"SELECT ifnull(min(mailbox),0) FROM message WHERE mailbox>?1 AND mailbox NOT IN (SELECT id FROM mailbox)",
			DB_INT(last)));
		if (id == 0)
			return OK;
		TRY(db_get(c->w->db, &n, "SELECT count(*) FROM message WHERE mailbox=?1", DB_INT(id)));
		check_say(c, c->mend, "The mailbox number %lld of %lld messages is missing; they are given a new one.",
			(long long)id, (long long)n);
		if (c->mend)
			TRY(recover(c, (uint64_t)id));
		last = id;
	}
}

static result check_leftovers(struct checking *c)
{
#define ROWS(FROM) "SELECT count(*) " FROM, "DELETE " FROM
	static const struct {
		const char *count, *drop, *what, *why;
	} kinds[] = {
		{ROWS("FROM keyword WHERE mailbox NOT IN (SELECT id FROM mailbox)"), "keywords", "no mailbox"},
		{ROWS("FROM vanished WHERE mailbox NOT IN (SELECT id FROM mailbox)"), "records of removed messages",
			"no mailbox"},
		{ROWS("FROM counts WHERE id<>0 AND id NOT IN (SELECT id FROM mailbox)"), "rows of counts", "no mailbox"},
		{ROWS("FROM vanished WHERE first<1 OR last<first"), "records of removed messages",
			"no message there can be"},
	};
#undef ROWS
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		int64_t n;
		TRY(db_get(c->w->db, &n, kinds[i].count));
		if (n == 0)
			continue;
		check_say(c, c->mend, "%lld %s belong to %s.", (long long)n, kinds[i].what, kinds[i].why);
		if (c->mend)
			TRY(db_run(c->w->db, kinds[i].drop));
	}
	return OK;
}

/* They are counted afterwards. */
static result check_uncounted(struct checking *c)
{
	int64_t n;
	TRY(db_get(c->w->db, &n, "SELECT count(*) FROM mailbox WHERE id NOT IN (SELECT id FROM counts)"));
	if (n == 0)
		return OK;
	check_say(c, c->mend, "%lld mailboxes have no row of counts.", (long long)n);
	if (!c->mend)
		return OK;
	return db_run(c->w->db,
		"INSERT INTO counts SELECT id,?1,?2,1,0,0,0,0,0,1,0 FROM mailbox WHERE id NOT IN (SELECT id FROM counts)",
		DB_INT(work_modseq(c->w)), DB_INT(work_uidvalidity(c->w)));
}

static result check_inbox(struct checking *c)
{
	struct box_row row;
	result r = box_find(c->w->db, STR("INBOX"), &row);
	if (r.kind != FAIL_ABSENT)
		return r;
	check_say(c, c->mend, "There is no INBOX.");
	return c->mend ? work_make_box(c->w, STR("INBOX"), 0, &row) : OK;
}

result check_strays(struct checking *c)
{
	TRY(check_lost_boxes(c));
	TRY(check_leftovers(c));
	TRY(check_uncounted(c));
	return check_inbox(c);
}

/* ---- keywords without names ---- */

static result name_keyword(struct checking *c, const struct box_row *b, unsigned bit)
{
	char name[TAKEN_TEXT];
	struct box_row row = {.id = b->id, .use = bit};
	snprintf(name, sizeof name, "Unnamed-%u", bit);
	TRY(db_run(c->w->db, "INSERT INTO keyword(mailbox,bit,name) VALUES(?1,?2,?3)", DB_INT(b->id), DB_INT(bit),
		DB_TEXT(str_from(name))));
	return effect_box(&c->w->effects, BOX_KEYWORD, &row, str_from(name));
}

/* Names are given from the lowest bit on, without a gap. */
result check_keywords(struct checking *c, const struct box_row *b, uint64_t flags, const char *name)
{
	struct query AUTO_QUERY *q = NULL;
	uint64_t named = 0;
	unsigned top = 0;
	bool row;
	TRY(db_ask(c->w->db, &q, "SELECT bit FROM keyword WHERE mailbox=?1", DB_INT(b->id)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			break;
		named |= UINT64_C(1) << (query_int(q, 0) & 63);
	}
	query_end(&q);
	for (unsigned bit = STORE_KEYWORD_BIT; bit < 64; bit++)
		if ((flags | named) >> bit & 1)
			top = bit;
	for (unsigned bit = STORE_KEYWORD_BIT; bit <= top; bit++) {
		if (named >> bit & 1)
			continue;
		check_say(c, c->mend, "Mailbox %s has a keyword without a name.", name);
		if (c->mend)
			TRY(name_keyword(c, b, bit));
	}
	return OK;
}

/* ---- names that had another mailbox before ---- */

result check_former(struct checking *c, struct box_row *b, str box, const char *name)
{
	int64_t former;
	result r = db_get(c->w->db, &former, "SELECT uidvalidity FROM former WHERE name=?1", DB_TEXT(box));
	if (r.kind == FAIL_ABSENT)
		return OK;
	TRY(r);
	if ((uint64_t)former > c->w->account.uidvalidity) {
		check_say(c, c->mend, "Mailbox %s had a UIDVALIDITY the account has not given out yet.", name);
		if (c->mend)
			c->w->account.uidvalidity = (uint32_t)former;
	}
	if (former >= b->uidvalidity) {
		check_say(c, c->mend, "Mailbox %s shows a UIDVALIDITY its name had before.", name);
		if (c->mend)
			b->uidvalidity = work_uidvalidity(c->w);
	}
	return OK;
}
