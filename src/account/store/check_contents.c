#include "account/store/check_parts.h"
#include "base/mem.h"

#include <stdlib.h>

/* ---- every uid below uidnext is there or has vanished ---- */

struct runs {
	const char *name; /* of the mailbox, to people */
	struct imap_range *v;
	size_t n, cap;
	size_t at; /* all before end below the uid looked at */
};

static int by_first(const void *a, const void *b)
{
	const struct imap_range *x = a, *y = b;
	return (x->first > y->first) - (x->first < y->first);
}

static result add_run(struct runs *r, struct imap_range run)
{
	if (r->n == r->cap) {
		size_t want = r->cap ? r->cap * 2 : 64;
		struct imap_range *v = mem_grow(r->v, want * sizeof *v);
		if (!v)
			return failure(FAIL_MEMORY, "out of memory");
		r->v = v;
		r->cap = want;
	}
	r->v[r->n++] = run;
	return OK;
}

static result read_runs(struct checking *c, uint64_t box, struct runs *out)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(c->w->db, &q, "SELECT first,last FROM vanished WHERE mailbox=?1", DB_INT(box)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			break;
		TRY(add_run(out, (struct imap_range){(uint32_t)query_int(q, 0), (uint32_t)query_int(q, 1)}));
	}
	if (out->n > 1)
		qsort(out->v, out->n, sizeof *out->v, by_first);
	return OK;
}

/* The run that holds uid, or NULL; asked with ascending uids. */
static const struct imap_range *run_of(struct runs *r, uint32_t uid)
{
	while (r->at < r->n && r->v[r->at].last < uid)
		r->at++;
	return r->at < r->n && r->v[r->at].first <= uid ? &r->v[r->at] : NULL;
}

static result mend_gap(struct checking *c, const struct box_row *b, uint32_t first, uint32_t last)
{
	if (!c->mend)
		return OK;
	return db_run(c->w->db, "INSERT OR REPLACE INTO vanished(mailbox,modseq,first,last) VALUES(?1,?2,?3,?4)",
		DB_INT(b->id), DB_INT(b->modseq), DB_INT(first), DB_INT(last));
}

/* The uids from `first` to `last` are not there: each must lie in a run. */
static result check_gap(struct checking *c, const struct box_row *b, struct runs *r, struct imap_range gap)
{
	uint64_t at = gap.first;
	while (at <= gap.last) {
		const struct imap_range *run = run_of(r, (uint32_t)at);
		if (run) {
			at = (uint64_t)run->last + 1;
			continue;
		}
		uint32_t end = r->at < r->n && r->v[r->at].first <= gap.last ? r->v[r->at].first - 1 : gap.last;
		check_say(c, c->mend, "UIDs %u to %u of mailbox %s are gone without a record.", (unsigned)at, end,
			r->name);
		TRY(mend_gap(c, b, (uint32_t)at, end));
		at = (uint64_t)end + 1;
	}
	return OK;
}

/* A record that names a uid that is there falls into what lies before it and after it. */
static result mend_record(struct checking *c, uint64_t box, uint32_t uid)
{
	if (!c->mend)
		return OK;
	TRY(db_run(c->w->db,
		"INSERT OR IGNORE INTO vanished(mailbox,modseq,first,last) SELECT mailbox,modseq,?2+1,last FROM vanished"
		" WHERE mailbox=?1 AND first<=?2 AND last>?2", DB_INT(box), DB_INT(uid)));
	TRY(db_run(c->w->db, "UPDATE vanished SET last=?2-1 WHERE mailbox=?1 AND first<?2 AND last>=?2", DB_INT(box),
		DB_INT(uid)));
	return db_run(c->w->db, "DELETE FROM vanished WHERE mailbox=?1 AND first=?2", DB_INT(box), DB_INT(uid));
}

static result walk(struct checking *c, const struct box_row *b, struct runs *r)
{
	struct query AUTO_QUERY *q = NULL;
	uint32_t next = 1;
	bool row;
	TRY(db_ask(c->w->db, &q, "SELECT uid FROM message WHERE mailbox=?1 ORDER BY uid", DB_INT(b->id)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			break;
		uint32_t uid = (uint32_t)query_int(q, 0);
		if (uid > next)
			TRY(check_gap(c, b, r, (struct imap_range){next, uid - 1}));
		if (run_of(r, uid)) {
			check_say(c, c->mend, "UID %u of mailbox %s is there and recorded as removed.", uid, r->name);
			TRY(mend_record(c, b->id, uid));
		}
		next = uid + 1;
	}
	return next < b->uidnext ? check_gap(c, b, r, (struct imap_range){next, b->uidnext - 1}) : OK;
}

result check_vanished(struct checking *c, const struct box_row *b, const char *name)
{
	struct runs r = {.name = name};
	result got = read_runs(c, b->id, &r);
	if (!failed(got))
		got = walk(c, b, &r);
	mem_free(r.v);
	return got;
}

/* ---- references ---- */

static result tell_lost(struct checking *c)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(c->w->db, &q,
		"SELECT mailbox,uid FROM message WHERE NOT EXISTS(SELECT 1 FROM content WHERE id=message.content)"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		check_say(c, false, "The message UID %llu of mailbox number %llu has no content any more; restore it.",
			(unsigned long long)query_int(q, 1), (unsigned long long)query_int(q, 0));
	}
}

struct sized {
	uint64_t box, size;
	uint32_t uid;
};

static result find_sizes(struct checking *c, buf *out)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(c->w->db, &q,
		"SELECT m.mailbox,m.uid,length(c.trace)+c.head_size+c.rest_size FROM message m JOIN content c"
		" ON c.id=m.content WHERE m.size<>length(c.trace)+c.head_size+c.rest_size"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return buf_result(out);
		struct sized s = {(uint64_t)query_int(q, 0), (uint64_t)query_int(q, 2), (uint32_t)query_int(q, 1)};
		buf_put(out, str_of((const char *)&s, sizeof s));
	}
}

static result mend_size(struct checking *c, const struct sized *s)
{
	struct entry e;
	const struct place p = work_place(c->w, s->box);
	if (!c->mend)
		return OK;
	TRY(list_get(&p, s->uid, &e));
	e.row.size = (uint32_t)s->size;
	TRY(list_put(&p, &e));
	TRY(db_run(c->w->db, "UPDATE message SET size=?3 WHERE mailbox=?1 AND uid=?2", DB_INT(s->box), DB_INT(s->uid),
		DB_INT(s->size)));
	return effect_message(&c->w->effects, s->box, &e.row, false);
}

result check_sizes(struct checking *c)
{
	AUTO_BUF buf found = buf_new(CHECK_FOUND_MAX);
	TRY(find_sizes(c, &found));
	for (size_t at = 0; at < found.n; at += sizeof(struct sized)) {
		struct sized s;
		memcpy(&s, found.p + at, sizeof s);
		check_say(c, c->mend, "The message UID %u in mailbox number %llu does not have the size it says.", s.uid,
			(unsigned long long)s.box);
		TRY(mend_size(c, &s));
	}
	return OK;
}

static result mend_share(struct checking *c, int64_t content, int64_t messages)
{
	if (!c->mend)
		return OK;
	if (messages < 2)
		return db_run(c->w->db, "DELETE FROM shared WHERE content=?1", DB_INT(content));
	return db_run(c->w->db, "INSERT OR REPLACE INTO shared(content,messages) VALUES(?1,?2)", DB_INT(content),
		DB_INT(messages));
}

struct share {
	int64_t content, messages, counted;
};

/* First found, then mended: a statement does not run over what it changes. */
static result find_shares(struct checking *c, const char *sql, buf *out)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(c->w->db, &q, sql));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return buf_result(out);
		struct share s = {query_int(q, 0), query_int(q, 1), query_int(q, 2)};
		buf_put(out, str_of((const char *)&s, sizeof s));
	}
}

static result check_shares(struct checking *c)
{
	AUTO_BUF buf found = buf_new(CHECK_FOUND_MAX);
	TRY(find_shares(c,
		"SELECT m.content,m.n,ifnull(s.messages,1)"
		" FROM (SELECT content,count(*) AS n FROM message GROUP BY content) m"
		" LEFT JOIN shared s ON s.content=m.content WHERE ifnull(s.messages,1)<>m.n"
		" UNION ALL SELECT content,0,messages FROM shared WHERE content NOT IN (SELECT content FROM message)",
		&found));
	for (size_t at = 0; at < found.n; at += sizeof(struct share)) {
		struct share s;
		memcpy(&s, found.p + at, sizeof s);
		check_say(c, c->mend, "Content %lld belongs to %lld messages and counts %lld.", (long long)s.content,
			(long long)s.messages, (long long)s.counted);
		TRY(mend_share(c, s.content, s.messages));
	}
	return OK;
}

static result check_orphans(struct checking *c)
{
	AUTO_BUF buf found = buf_new(CHECK_FOUND_MAX);
	const uint64_t given = c->w->account.content; /* what is unlisted is above the row's */
	TRY(find_shares(c,
		"SELECT id,0,0 FROM content WHERE id NOT IN (SELECT content FROM message)"
		" UNION ALL SELECT id,1,0 FROM content WHERE id > (SELECT next FROM counts WHERE id=0)", &found));
	for (size_t at = 0; at < found.n; at += sizeof(struct share)) {
		struct share s;
		memcpy(&s, found.p + at, sizeof s);
		if (s.messages && (uint64_t)s.content <= given)
			continue;
		if (s.messages) {
			check_say(c, c->mend, "Content number %lld could be given out again.", (long long)s.content);
			if (c->mend && (uint64_t)s.content > c->w->account.content)
				c->w->account.content = (uint64_t)s.content;
			continue;
		}
		check_say(c, c->mend, "Content %lld belongs to no message.", (long long)s.content);
		if (c->mend)
			TRY(work_release(c->w, (uint64_t)s.content));
	}
	return OK;
}

result check_contents(struct checking *c)
{
	TRY(tell_lost(c));
	TRY(check_shares(c));
	TRY(check_delivered(c));
	return check_orphans(c);
}
