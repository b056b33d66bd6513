#include "account/store/core.h"
#include "account/store/message.h"
#include "base/mem.h"

result view_may(const struct view *v, enum store_op op, bool write)
{
	TRY(store_may(&v->actor, op));
	if (v->box->gone)
		return failure(FAIL_ABSENT, "the mailbox was deleted meanwhile");
	if (v->box->loaded->broken)
		return failure(FAIL_MEMORY, "the mailbox did not fit into memory; open it again");
	if (write && !v->writes)
		return failure(FAIL_DENIED, "the mailbox is open for reading only");
	return OK;
}

static result take_uids(struct view *v)
{
	const struct loaded *l = v->box->loaded;
	if (l->n == 0)
		return OK;
	v->uids = mem_array(l->n, sizeof *v->uids);
	if (!v->uids)
		return failure(FAIL_MEMORY, "out of memory");
	for (size_t i = 0; i < l->n; i++)
		v->uids[i] = l->v[i].uid;
	v->n = v->cap = l->n;
	v->top = l->v[l->n - 1].uid;
	return OK;
}

/* Messages from row.recent on up to `top` are this view's recent ones; a
 * reader sees them so without taking them. Refused memory costs only the mark. */
void view_take_recent(struct view *v)
{
	struct box_row *row = &v->box->row;
	uint32_t first = row->recent, last = v->top;
	if (first == 0 || last < first)
		return;
	struct imap_range *at = v->recent_n ? &v->recent[v->recent_n - 1] : NULL;
	if (at && (at->last + 1 == first || !v->writes)) {
		at->last = last;
	} else {
		struct imap_range *r = mem_grow(v->recent, (v->recent_n + 1) * sizeof *r);
		if (!r)
			return;
		v->recent = r;
		v->recent[v->recent_n++] = (struct imap_range){first, last};
	}
	if (!v->writes)
		return;
	row->recent = last + 1;
	v->box->recent_due = true;
}

static result fill(struct view *v)
{
	const struct loaded *l = v->box->loaded;
	TRY(take_uids(v));
	v->read = l->notes_first + l->notes_n;
	v->modseq = v->whole = v->box->row.modseq;
	v->keywords = l->keywords_n;
	view_take_recent(v);
	return OK;
}

static void put_away(struct view *v)
{
	list_remove(&v->place);
	if (v->box->loaded)
		loaded_forget_notes(v->box->loaded);
	mem_free(v->uids);
	mem_free(v->recent);
	mem_free(v);
}

static uint32_t new_tag(struct store *s)
{
	s->last_view = s->last_view % INT32_MAX + 1;
	return s->last_view;
}

static result open_on(const struct actor *a, struct mbox *b, bool write, struct view **out)
{
	TRY(loaded_get(a->store, b));
	struct view *v = mem_alloc(sizeof *v);
	if (!v)
		return failure(FAIL_MEMORY, "out of memory");
	list_init(&v->place);
	v->actor = *a;
	v->box = b;
	v->writes = write;
	v->tag = new_tag(a->store);
	result r = fill(v);
	if (failed(r)) {
		put_away(v);
		return r;
	}
	list_insert(&b->loaded->views, &v->place);
	*out = v;
	return OK;
}

static result open_box(const struct actor *a, str given, bool write, struct view **out)
{
	AUTO_ARENA arena m = arena_new(STORE_NAME_MAX * 2);
	struct mbox *b;
	str name;
	TRY(mailbox_name(&m, given, &name));
	TRY(find_box(a, name, &b));
	box_hold(a->store, b);
	result r = open_on(a, b, write, out);
	if (failed(r))
		box_let_go(a->store, b);
	return r;
}

result view_open(const struct actor *a, str given, bool write, struct view **out)
{
	TRY(store_may(a, OP_VIEW));
	a->store->kept.views++; /* nothing more is kept, */
	result r = store_catch_up(a->store); /* and nothing is left */
	if (!failed(r))
		r = open_box(a, given, write, out);
	if (failed(r))
		a->store->kept.views--;
	return r;
}

void view_expect(const struct actor *a, str name)
{
	struct mbox *b;
	if (failed(store_may(a, OP_VIEW)) || failed(find_box(a, name, &b)) || b->row.messages > STORE_ROWS_KEPT)
		return;
	box_hold(a->store, b);
	result r = loaded_get(a->store, b);
	(void)r.kind; /* who opens it hears why not */
	box_let_go(a->store, b);
}

void view_close(struct view **at)
{
	struct view *v = *at;
	*at = NULL;
	if (!v)
		return;
	struct store *s = v->actor.store;
	struct mbox *b = v->box;
	put_away(v);
	box_let_go(s, b);
	s->kept.views--;
}

bool view_writes(const struct view *v)
{
	return v->writes;
}

result view_status(const struct view *v, struct mailbox_status *out)
{
	TRY(view_may(v, OP_READ, false));
	box_status(v->box, out);
	return OK;
}

str view_name(const struct view *v)
{
	return v->box->name;
}

uint64_t view_modseq(const struct view *v)
{
	return v->whole;
}

bool view_holds_back(const struct view *v)
{
	return v->whole != v->box->row.modseq;
}

uint32_t view_exists(const struct view *v)
{
	return (uint32_t)v->n;
}

static size_t uids_from(const struct view *v, uint32_t uid)
{
	size_t low = 0, high = v->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (v->uids[mid] < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t view_together(const struct view *v, const struct uids *which)
{
	size_t at = uids_from(v, which->v[0]), n = 1;
	while (n < which->n && at + n < v->n && v->uids[at + n] == which->v[n])
		n++;
	return n;
}

uint32_t view_recent(const struct view *v)
{
	size_t n = 0;
	for (size_t i = 0; i < v->recent_n; i++) {
		size_t end = v->recent[i].last == UINT32_MAX ? v->n : uids_from(v, v->recent[i].last + 1);
		n += end - uids_from(v, v->recent[i].first);
	}
	return (uint32_t)n;
}

static bool is_recent(const struct view *v, uint32_t uid)
{
	struct imap_set s = {.r = v->recent, .n = v->recent_n, .resolved = true};
	return v->recent_n && imap_set_has(&s, uid);
}

result view_at(const struct view *v, uint32_t number, struct view_message *out)
{
	must(number >= 1 && number <= v->n);
	uint32_t uid = v->uids[number - 1];
	const struct row *row = v->box->loaded ? loaded_row(v->box->loaded, uid, number - 1) : NULL;
	if (!row || v->box->gone)
		return failure(FAIL_ABSENT, "the message was removed meanwhile");
	*out = (struct view_message){
		.uid = uid,
		.number = number,
		.flags = row->flags | (is_recent(v, uid) ? STORE_RECENT : 0),
		.modseq = row->modseq,
		.size = row->size,
		.content = row->content,
	};
	return OK;
}

uint32_t view_uid(const struct view *v, uint32_t number)
{
	must(number >= 1 && number <= v->n);
	return v->uids[number - 1];
}

uint32_t view_number(const struct view *v, uint32_t uid)
{
	size_t at = uids_from(v, uid);
	return at < v->n && v->uids[at] == uid ? (uint32_t)at + 1 : 0;
}

result view_get(const struct view *v, uint32_t uid, struct view_message *out)
{
	uint32_t number = view_number(v, uid);
	return number ? view_at(v, number, out) : failure(FAIL_ABSENT, "there is no such message");
}

/* Numbers beyond the last one name nothing. */
static size_t span(const struct view *v, const struct imap_range *r, bool by_uid, size_t *from)
{
	size_t end;
	if (by_uid) {
		*from = uids_from(v, r->first);
		end = r->last == UINT32_MAX ? v->n : uids_from(v, r->last + 1);
	} else {
		*from = r->first - 1;
		end = r->last < v->n ? r->last : v->n;
	}
	return end > *from ? end - *from : 0;
}

result view_pick(const struct view *v, struct imap_set *set, bool by_uid, arena *m, struct uids *out)
{
	size_t total = 0, from;
	uint32_t highest = (uint32_t)v->n;
	if (by_uid)
		highest = v->n ? v->uids[v->n - 1] : 0;
	if (!set->resolved)
		imap_set_resolve(set, highest);
	for (size_t i = 0; i < set->n; i++)
		total += span(v, &set->r[i], by_uid, &from);
	uint32_t *uids = arena_array(m, total ? total : 1, sizeof *uids);
	if (!uids)
		return arena_result(m);
	*out = (struct uids){uids, total};
	for (size_t i = 0; i < set->n; i++) {
		size_t n = span(v, &set->r[i], by_uid, &from);
		if (n)
			memcpy(uids, v->uids + from, n * sizeof *uids);
		uids += n;
	}
	return OK;
}

str view_keyword(const struct view *v, unsigned bit)
{
	return v->box->loaded && bit < 64 ? v->box->loaded->keywords[bit] : (str){0};
}

unsigned view_keyword_bit(const struct view *v, str keyword)
{
	for (unsigned bit = STORE_KEYWORD_BIT; bit < 64; bit++) {
		str name = view_keyword(v, bit);
		if (name.p && str_ieq(name, keyword))
			return bit;
	}
	return 0;
}
