#include "account/store/core.h"
#include "account/store/message.h"
#include "run/clock.h"

enum { NAMES_MAX = 16 << 20, FILES_GONE_MAX = 64 << 20 };

struct work work_new(struct store *s, result (*body)(struct work *, void *), void *arg)
{
	return (struct work){
		.store = s,
		.body = body,
		.arg = arg,
		.effects = {.names = arena_new(NAMES_MAX)},
		.files_gone = buf_new(FILES_GONE_MAX),
	};
}

static bool same_box(const struct box_row *a, const struct box_row *b)
{
	return a->modseq == b->modseq && a->recent == b->recent && a->uidvalidity == b->uidvalidity &&
		a->uidnext == b->uidnext && a->messages == b->messages;
}

static bool same_account(const struct account_row *a, const struct account_row *b)
{
	return a->modseq == b->modseq && a->uidvalidity == b->uidvalidity && a->content == b->content &&
		a->octets == b->octets && a->messages == b->messages && a->quota == b->quota;
}

/* All that changes messages raises the mailbox's modseq. */
static result write_back(struct work *w)
{
	for (size_t i = 0; i < w->boxes_n; i++) {
		if (same_box(&w->boxes[i].now, &w->boxes[i].was))
			continue;
		if (!w->unlisted)
			TRY(box_put(w->db, &w->boxes[i].now));
		w->boxes[i].was = w->boxes[i].now;
		TRY(effect_box(&w->effects, BOX_COUNTED, &w->boxes[i].now, STR("")));
	}
	return OK;
}

result work_write_back(struct work *w)
{
	TRY(lists_settle(&w->store->lists, w->db));
	TRY(write_back(w));
	return account_put(w->db, &w->account);
}

result work_settle(struct work *w)
{
	w->unlisted = false;
	return unlisted_settle(&w->store->lists, w->db);
}

/* May come twice, so it starts from nothing. */
static result begin(struct work *w, struct db *db)
{
	effects_free(&w->effects);
	buf_clear(&w->files_gone);
	w->boxes_n = 0;
	w->modseq = 0;
	w->over_quota = false;
	w->db = db;
	w->now = clock_wall_s();
	TRY(lists_begin(&w->store->lists, db));
	w->listed = 0;
	w->unlisted = w->one_new && known_holds(w) && w->store->known.above && !kept_any(w->store, db) &&
		w->store->lists.unlisted.n < UNLISTED_MAX;
	if (!w->unlisted && !w->looks)
		TRY(work_settle(w));
	return known_account(w);
}

/* What can't be put in for a reason that stays stops no other work. */
static result put_in_kept(struct work *w)
{
	w->taken = (struct kept_taken){.stuck = w->leaves};
	if (w->looks || w->leaves)
		return OK;
	result r = kept_put_in(w);
	if (!failed(r) || !db_in_transaction(w->db) || r.kind == FAIL_MEMORY || r.kind == FAIL_DISK)
		return r;
	w->taken.stuck = true;
	return begin(w, w->db);
}

static result work_run(struct db *db, void *arg)
{
	struct work *w = arg;
	TRY(begin(w, db));
	struct account_row was = w->account;
	TRY(put_in_kept(w));
	TRY(w->body(w, w->arg));
	TRY(lists_settle(&w->store->lists, db));
	TRY(write_back(w));
	TRY(buf_result(&w->files_gone));
	w->effects.account = w->account;
	if (!w->unlisted && !same_account(&was, &w->account))
		TRY(account_put(db, &w->account));
	known_keep(w);
	lists_keep(&w->store->lists, db);
	return OK;
}

static void work_kept(void *arg)
{
	struct work *w = arg;
	effects_apply(w->store, &w->effects);
	if (!w->looks)
		kept_were_taken(w->store, &w->taken);
}

/* The rows are gone for good. */
static result remove_files(struct db *db, void *arg)
{
	struct work *w = arg;
	(void)db;
	result first = OK;
	for (size_t at = 0; at < w->files_gone.n; at += sizeof(struct blob_key)) {
		struct blob_key key;
		memcpy(&key, w->files_gone.p + at, sizeof key);
		result r = engine_delete_body(w->store->engine, &key);
		if (!failed(first))
			first = r;
	}
	return first;
}

static void work_free(struct work *w)
{
	effects_free(&w->effects);
	buf_free(&w->files_gone);
}

/* For what it adds, and for what is kept, which then stays so. */
static result have_room(struct work *w)
{
	struct store *s = w->store;
	bool puts_in = s->kept.count && !s->kept.no_room && !w->looks;
	if ((!puts_in && !w->adds) || room_is_enough(s, w->adds))
		return OK;
	result r = room_grow(s, w->adds);
	s->kept.no_room |= r.kind == FAIL_FULL;
	return r.kind == FAIL_FULL && w->adds ? r : OK;
}

static bool lacks_room(result r, const struct work *w)
{
	return r.kind == FAIL_FULL && !w->over_quota;
}

static result commit(struct work *w)
{
	struct store *s = w->store;
	struct commit_job job = {work_run, work_kept, w, true, w->brief && s->kept.count <= KEPT_BRIEF};
	TRY(have_room(w));
	w->leaves = s->kept.no_room;
	result r = committer_do(s->committer, &job);
	if (lacks_room(r, w) && s->kept.count && !w->leaves) {
		s->kept.no_room = w->leaves = true;
		r = committer_do(s->committer, &job);
	}
	if (lacks_room(r, w) && w->frees && !failed(room_let_go(s)))
		r = committer_do(s->committer, &job);
	return r;
}

result work_do(struct work *w)
{
	struct store *s = w->store;
	result r = commit(w);
	if (!failed(r) && w->files_gone.n) {
		result removed = store_read(s, remove_files, NULL, w);
		s->sweep_due |= failed(removed);
	}
	s->uncertain |= r.kind == FAIL_DISK;
	if (s->give_up && (r.kind == FAIL_DISK || s->broken))
		s->give_up(failed(r) ? r : failure(FAIL_MEMORY, "memory is behind the database"));
	work_free(w);
	return r;
}

result work_now(struct work *w, struct db *db)
{
	result r = db_begin(db);
	if (!failed(r))
		r = work_run(db, w);
	if (!failed(r))
		r = db_commit(db);
	else
		db_rollback(db);
	work_free(w);
	return r;
}

result store_read(struct store *s, result (*run)(struct db *, void *), void (*kept)(void *), void *arg)
{
	struct commit_job job = {run, kept, arg, false, false};
	return committer_do(s->committer, &job);
}

struct place work_place(struct work *w, uint64_t box)
{
	return (struct place){&w->store->lists, w->db, box};
}

uint64_t work_modseq(struct work *w)
{
	if (!w->modseq)
		w->modseq = ++w->account.modseq;
	return w->modseq;
}

static struct box_row *hold(struct work *w, const struct box_row *row)
{
	must(w->boxes_n < WORK_BOXES);
	w->boxes[w->boxes_n].now = w->boxes[w->boxes_n].was = *row;
	return &w->boxes[w->boxes_n++].now;
}

static struct box_row *held(struct work *w, uint64_t id)
{
	for (size_t i = 0; i < w->boxes_n; i++)
		if (w->boxes[i].now.id == id)
			return &w->boxes[i].now;
	return NULL;
}

result work_box(struct work *w, uint64_t id, struct box_row **out)
{
	struct box_row row;
	*out = held(w, id);
	if (*out)
		return OK;
	if (!known_box(w, id, &row))
		TRY(box_get(w->db, id, &row));
	*out = hold(w, &row);
	return OK;
}

result work_find(struct work *w, str name, struct box_row **out)
{
	struct box_row row;
	bool inbox = str_eq(name, STR("INBOX"));
	if (!inbox || !known_box(w, w->inbox, &row)) {
		TRY(box_find(w->db, name, &row));
		(void)known_box(w, row.id, &row); /* with what is unlisted */
	}
	if (inbox)
		w->inbox = row.id;
	*out = held(w, row.id);
	if (!*out)
		*out = hold(w, &row);
	return OK;
}

/* Everything but the list. */
static result add_to_box(struct work *w, struct box_row *b, struct row *row)
{
	if (b->uidnext == UINT32_MAX)
		return failure(FAIL_LIMIT, "the mailbox has given out all its UIDs; move its messages to a new one");
	row->uid = b->uidnext;
	row->modseq = work_modseq(w);
	count_in_box(b, row);
	count_in_account(&w->account, row);
	return effect_message(&w->effects, b->id, row, true);
}

result work_add_message(struct work *w, struct box_row *b, struct row *row, const struct message_dates *d)
{
	const struct place p = work_place(w, b->id);
	must(!w->unlisted);
	TRY(add_to_box(w, b, row));
	w->listed = b->id;
	return list_add(&p, &(struct entry){*row, *d});
}

result work_stay_unlisted(struct work *w, const struct box_row *b)
{
	struct box_row known;
	return w->unlisted && !known_box(w, b->id, &known) ? work_settle(w) : OK;
}

result work_add_unlisted(struct work *w, struct box_row *b, struct entry *e)
{
	TRY(add_to_box(w, b, &e->row));
	unlisted_add(&w->store->lists.unlisted, b->id, e);
	return OK;
}

result work_drop_message(struct work *w, struct box_row *b, const struct row *row)
{
	b->messages--;
	b->octets -= row->size;
	count_flags(b, row->flags, row->size, -1);
	w->account.messages--;
	w->account.octets -= row->size;
	const struct place p = work_place(w, b->id);
	TRY(list_drop(&p, row->uid));
	return effect_gone(&w->effects, b->id, row->uid);
}

result work_vanish(struct work *w, struct box_row *b, const uint32_t *uids, size_t n)
{
	b->modseq = work_modseq(w);
	for (size_t i = 0; i < n;) {
		size_t end = i + 1;
		while (end < n && uids[end] == uids[end - 1] + 1)
			end++;
		TRY(db_run(w->db, "INSERT INTO vanished(mailbox,modseq,first,last) VALUES(?1,?2,?3,?4)", DB_INT(b->id),
			DB_INT(b->modseq), DB_INT(uids[i]), DB_INT(uids[end - 1])));
		i = end;
	}
	const struct place p = work_place(w, b->id);
	return list_tidy(&p, uids[0], uids[n - 1]);
}

static result make_keyword(struct work *w, const struct box_row *b, str name, unsigned bit)
{
	if (bit > 63)
		return failure(FAIL_LIMIT, "the mailbox has as many keywords as it can hold");
	TRY(db_run(w->db, "INSERT INTO keyword(mailbox,bit,name) VALUES(?1,?2,?3)", DB_INT(b->id), DB_INT(bit),
		DB_TEXT(name)));
	struct box_row row = {.id = b->id, .use = bit};
	return effect_box(&w->effects, BOX_KEYWORD, &row, name);
}

/* Keywords are never taken away from a mailbox, so their bits have no gaps. */
result work_keyword(struct work *w, const struct box_row *b, str name, bool make, unsigned *bit)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	unsigned next = STORE_KEYWORD_BIT;
	TRY(db_ask(w->db, &q, "SELECT bit,name FROM keyword WHERE mailbox=?1 ORDER BY bit", DB_INT(b->id)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			break;
		next = (unsigned)query_int(q, 0);
		if (str_ieq(query_bytes(q, 1), name)) {
			*bit = next;
			return OK;
		}
		next++;
	}
	*bit = make ? next : 0;
	return make ? make_keyword(w, b, name, next) : OK;
}

result work_flags(struct work *w, const struct box_row *b, const struct flag_names *names, bool make, uint64_t *out)
{
	uint64_t mask = names->system & STORE_SYSTEM;
	for (size_t i = 0; i < names->keywords_n; i++) {
		unsigned bit;
		if (names->keywords[i].n == 0 || names->keywords[i].n > STORE_KEYWORD_MAX)
			return failure(FAIL_LIMIT, "a keyword is too long");
		TRY(work_keyword(w, b, names->keywords[i], make, &bit));
		if (bit)
			mask |= UINT64_C(1) << bit;
	}
	*out = mask;
	return OK;
}

result work_room(struct work *w, uint64_t octets)
{
	const struct account_row *a = &w->account;
	uint64_t used = a->octets + kept_octets_left(w);
	w->over_quota = a->quota && (octets > a->quota || used > a->quota - octets);
	if (w->over_quota)
		return failure(FAIL_FULL, "the mailbox is over its quota; delete messages or ask for more room");
	return OK;
}
