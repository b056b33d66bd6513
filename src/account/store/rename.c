#include "account/store/core.h"
#include "account/store/message.h"

/* RENAME (RFC 9051 6.3.6). */
struct renaming {
	str from, to;
};

/* A name must never show a lower UIDVALIDITY than it did before. */
static result rename_one(struct work *w, const struct box_row *old, str from, str to)
{
	struct box_row row = *old;
	int64_t former;
	TRY(work_name_free(w, to));
	TRY(work_former(w, from, row.uidvalidity));
	result r = db_get(w->db, &former, "SELECT uidvalidity FROM former WHERE name=?1", DB_TEXT(to));
	if (failed(r) && r.kind != FAIL_ABSENT)
		return r;
	row.modseq = work_modseq(w);
	if (!failed(r) && former >= row.uidvalidity)
		row.uidvalidity = work_uidvalidity(w);
	TRY(box_put(w->db, &row));
	TRY(db_run(w->db, "UPDATE mailbox SET name=?2 WHERE id=?1", DB_INT(row.id), DB_TEXT(to)));
	TRY(effect_box(&w->effects, BOX_COUNTED, &row, STR("")));
	return effect_box(&w->effects, BOX_NAMED, &row, to);
}

struct found {
	struct box_row row;
	str name; /* in the arena */
};

/* All that lie below a name; the range "a/" .. "a0" holds just them, since '0' follows '/'. */
static result find_below(struct work *w, str name, arena *m, buf *out)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	AUTO_BUF buf low = buf_new(STORE_NAME_MAX + 1), high = buf_new(STORE_NAME_MAX + 1);
	buf_put(&low, name);
	buf_putc(&low, '/');
	buf_put(&high, name);
	buf_putc(&high, '0');
	TRY(buf_result(&low));
	TRY(buf_result(&high));
	TRY(db_ask(w->db, &q, "SELECT " BOX_COLUMNS " WHERE m.name > ?1 AND m.name < ?2",
		DB_TEXT(buf_str(&low)), DB_TEXT(buf_str(&high))));
	for (;;) {
		struct found f;
		TRY(query_next(q, &row));
		if (!row)
			return buf_result(out);
		box_from_query(q, &f.row);
		f.name = arena_dup(m, query_bytes(q, BOX_NAME));
		buf_put(out, str_of((const char *)&f, sizeof f));
	}
}

static result rename_below(struct work *w, const struct renaming *n, size_t *count)
{
	AUTO_ARENA arena m = arena_new((size_t)STORE_MAILBOXES_MAX * (STORE_NAME_MAX + 16));
	AUTO_BUF buf found = buf_new((STORE_MAILBOXES_MAX + 1) * sizeof(struct found));
	TRY(find_below(w, n->from, &m, &found));
	TRY(arena_result(&m));
	for (size_t at = 0; at < found.n; at += sizeof(struct found)) {
		struct found f;
		AUTO_BUF buf to = buf_new(STORE_NAME_MAX);
		memcpy(&f, found.p + at, sizeof f);
		buf_put(&to, n->to);
		buf_put(&to, str_skip(f.name, n->from.n));
		result fits = buf_result(&to);
		if (fits.kind == FAIL_LIMIT)
			fits.text = "the name of a mailbox below would become too long";
		TRY(fits);
		TRY(rename_one(w, &f.row, f.name, buf_str(&to)));
	}
	*count = found.n / sizeof(struct found);
	return OK;
}

/* A name without a mailbox of its own is renamed for the sake of what lies below. */
static result rename_body(struct work *w, void *arg)
{
	struct renaming *n = arg;
	struct box_row row;
	size_t below;
	TRY(work_name_free(w, n->to));
	TRY(rename_below(w, n, &below));
	result r = box_find(w->db, n->from, &row);
	if (r.kind == FAIL_ABSENT && below)
		return OK;
	TRY(r);
	return rename_one(w, &row, n->from, n->to);
}

static result rename_inbox_body(struct work *w, void *arg)
{
	struct renaming *n = arg;
	struct box_row row, *from, *to;
	TRY(work_name_free(w, n->to));
	TRY(work_make_box(w, n->to, 0, &row));
	TRY(work_find(w, n->from, &from));
	TRY(work_find(w, n->to, &to));
	return work_move_all(w, from, to);
}

result mailbox_rename(const struct actor *a, str from, str to)
{
	TRY(store_may(a, OP_RENAME));
	AUTO_ARENA arena m = arena_new(STORE_NAME_MAX * 3);
	struct renaming n;
	TRY(mailbox_name(&m, from, &n.from));
	TRY(mailbox_name(&m, to, &n.to));
	if (name_below(n.to, n.from) && !str_eq(n.from, STR("INBOX")))
		return failure(FAIL_INPUT, "a mailbox cannot be moved below itself");
	bool inbox = str_eq(n.from, STR("INBOX"));
	struct work w = work_new(a->store, inbox ? rename_inbox_body : rename_body, &n);
	return work_do(&w);
}
