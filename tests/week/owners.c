/* The owners' sessions: one act of one program of an account at a time, beside the letters that come in. */
#include "house.h"

#include <stdio.h>

enum { CHOSEN_MOST = 40, LETTERS_MOST = 3, POP_MOST = 5 };

/* ---- what became of a change ---- */

static bool may_be_full(const struct account *a, const struct effect *e)
{
	uint64_t more = 0;
	for (size_t i = 0; i < e->n && e->deed == COPY; i++)
		more += letter_octets(model_find(&a->boxes[e->box], e->uids[i])->letter);
	for (size_t i = 0; i < e->n && e->deed == APPEND; i++)
		more += letter_octets(e->letter + (uint32_t)i);
	return a->full || (a->quota && more && a->octets + more > a->quota);
}

/* Did the quota stop what it must? Letters that come in at the same time count either way. */
static void expect_within_quota(const struct account *a, const struct effect *e, uint64_t before)
{
	uint64_t more = 0;
	if (!a->quota || (e->deed != COPY && e->deed != APPEND))
		return;
	for (size_t i = 0; i < e->n; i++)
		more += letter_octets(e->deed == APPEND ? e->letter + (uint32_t)i
			: model_find(&a->boxes[e->box], e->uids[i])->letter);
	expect(!more || before + more <= a->quota, "account %u took %llu octets over its quota", a->number,
		(unsigned long long)(before + more - a->quota));
}

/* Changed or not: the model follows; unknown: it is found out when the account is up again. */
static bool conclude(struct account *a, const struct effect *e, result r)
{
	static const char *const deeds[] = {"arrive", "append", "flag", "remove", "copy", "move", "create", "delete",
		"rename"};
	say("%u: %s %s %zu: %s", a->number, deeds[e->deed], box_names[e->box], e->n, fail_name(r.kind));
	a->touched = true;
	if (!failed(r)) {
		model_apply(a, e);
		return true;
	}
	if (r.kind == FAIL_FULL)
		expect(may_be_full(a, e), "account %u has room, and says: %s", a->number, r.text);
	else if (a->ending || sim_dead(a->sim))
		model_doubt(a, e);
	else if (a->flaky && e->deed == APPEND)
		say("%u: goes on", a->number); /* a body file was not written: nothing is changed */
	else
		wrong("account %u does not %s: %s", a->number, deeds[e->deed], r.text);
	return false;
}

static uint32_t *numbers(size_t n)
{
	uint32_t *v = arena_array(&week.turn, n ? n : 1, sizeof *v);
	must(v);
	return v;
}

/* Some of what the program sees that is still there; never none of them for want of luck alone. */
static struct effect choose(const struct program *p, enum deed deed)
{
	struct effect e = {.deed = deed, .box = p->box, .uids = numbers(CHOSEN_MOST), .fresh = numbers(CHOSEN_MOST)};
	uint64_t one_in = 1 + below(8), from = p->n ? below(p->n) : 0;
	for (size_t i = from; i < p->n && e.n < CHOSEN_MOST; i++)
		if (chance(one_in) && model_find(&p->account->boxes[p->box], p->uids[i]))
			e.uids[e.n++] = p->uids[i];
	return e;
}

static unsigned some_box(const struct account *a)
{
	unsigned i;
	do {
		i = (unsigned)below(NAMES);
	} while (!a->boxes[i].exists);
	return i;
}

/* ---- acts ---- */

static void flag(struct program *p)
{
	struct effect e = choose(p, FLAG);
	str words[KEYWORDS];
	struct uids which = {e.uids, e.n}, not;
	struct flag_change f = {.how = e.how = (enum flag_how)below(3), .flags = {.keywords = words}};
	f.flags.system = e.flags = chance(2) ? STORE_SEEN : below(STORE_SYSTEM + 1);
	for (unsigned i = 0; i < KEYWORDS; i++) {
		if (!chance(6))
			continue;
		words[f.flags.keywords_n++] = str_from(keyword_names[i]);
		e.flags |= UINT64_C(1) << (KEYWORD + i);
	}
	conclude(p->account, &e, message_flags(p->view, &which, &f, &week.turn, &not));
}

static void move_or_copy(struct program *p)
{
	static const unsigned usual[] = {4, 4, 5, 3}; /* Trash, Archive, Junk */
	struct effect e = choose(p, chance(3) ? COPY : MOVE);
	struct uids which = {e.uids, e.n};
	struct copied done;
	e.to = chance(2) ? usual[below(4)] : some_box(p->account);
	if (e.to == e.box || e.n == 0)
		return;
	uint64_t before = p->account->octets;
	struct copy_order order = {&which, str_from(box_names[e.to]), false};
	result r = (e.deed == MOVE ? message_move : message_copy)(p->view, &order, &week.turn, &done);
	if (!failed(r)) {
		expect(done.n == e.n, "%zu of %zu messages were copied", done.n, e.n);
		memcpy(e.fresh, done.to, done.n * sizeof *e.fresh);
		expect_within_quota(p->account, &e, before);
	}
	conclude(p->account, &e, r);
}

/* By \Deleted and EXPUNGE, in two steps. */
static void expunge(struct program *p)
{
	struct effect e = choose(p, FLAG), gone = {.deed = REMOVE, .box = p->box};
	const struct folder *b = &p->account->boxes[p->box];
	struct flag_change f = {FLAGS_ADD, {.system = STORE_DELETED}, false, 0};
	struct uids which = {e.uids, e.n}, not;
	e.flags = STORE_DELETED;
	e.how = FLAGS_ADD;
	if (!conclude(p->account, &e, message_flags(p->view, &which, &f, &week.turn, &not)))
		return;
	gone.uids = numbers(b->n);
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].flags & STORE_DELETED)
			gone.uids[gone.n++] = b->v[i].uid;
	conclude(p->account, &gone, message_expunge(p->view, NULL));
}

static void append(struct program *p)
{
	struct account *a = p->account;
	struct append_item items[LETTERS_MOST];
	struct letter letters[LETTERS_MOST];
	struct effect e = {.deed = APPEND, .fresh = numbers(LETTERS_MOST)};
	e.box = some_box(a); /* one after the other: chance has one order, whatever the compiler */
	e.n = 1 + below(LETTERS_MOST);
	e.flags = below(STORE_SYSTEM + 1);
	for (size_t i = 0; i < e.n; i++) {
		uint32_t letter = letter_new(a->number);
		week.letters[letter].drafted = true;
		letters[i] = letter_make(letter, &week.turn);
		items[i] = (struct append_item){&letters[i], {.system = e.flags}, 1700000000, 60, NULL};
		e.letter = letter - (uint32_t)i;
	}
	struct append what = {str_from(box_names[e.box]), items, e.n};
	struct appended done;
	uint64_t before = a->octets;
	result r = message_append(&a->owner, &what, &done);
	for (size_t i = 0; i < e.n && !failed(r); i++)
		e.fresh[i] = done.first_uid + (uint32_t)i;
	if (!failed(r))
		expect_within_quota(a, &e, before);
	conclude(a, &e, r);
}

/* Work's folders come and go; at times the whole tree gets another name. */
static void arrange(struct program *p)
{
	struct account *a = p->account;
	struct mailbox_status s;
	struct effect e = {.box = 6 + (unsigned)below(6)};
	bool old = a->boxes[9].exists || a->boxes[10].exists || a->boxes[11].exists;
	if (chance(4) && a->boxes[6].exists && !old) {
		e = (struct effect){.deed = RENAME, .box = 6, .to = 9};
		conclude(a, &e, mailbox_rename(&a->owner, STR("work"), STR("old")));
		return;
	}
	e.deed = a->boxes[e.box].exists ? DELETE : CREATE;
	if (e.deed == DELETE && !chance(3))
		return;
	str name = str_from(box_names[e.box]);
	conclude(a, &e, e.deed == CREATE ? mailbox_create(&a->owner, name, 0, &s) : mailbox_delete(&a->owner, name));
}

static void look(struct program *p)
{
	program_pull(p, chance(2));
}

static void change_box(struct program *p)
{
	program_enter(p, chance(2) ? INBOX : some_box(p->account));
	if (p->view && chance(3))
		program_idle(p);
}

/* What it has read, whole, and then removed: as POP3 does. */
static void fetch_away(struct program *p)
{
	struct account *a = p->account;
	struct effect e = {.deed = REMOVE, .box = INBOX, .uids = numbers(POP_MOST)};
	struct view *v = NULL;
	if (failed(view_open(&a->owner, STR("INBOX"), true, &v)))
		return;
	for (uint32_t i = 1; i <= view_exists(v) && e.n < POP_MOST; i++)
		if (model_find(&a->boxes[INBOX], view_uid(v, i)))
			e.uids[e.n++] = view_uid(v, i);
	conclude(a, &e, message_remove(v, &(struct uids){e.uids, e.n}));
	view_close(&v);
}

static void lull(struct program *p)
{
	struct account *a = p->account;
	result r = store_trim(&a->administrator);
	say("%u: trim: %s", a->number, fail_name(r.kind));
	if (r.kind == FAIL_DISK && !sim_dead(a->sim))
		account_ends(a); /* as its room does */
}

static void act(void *arg)
{
	static void (*const acts[])(struct program *) = {look, look, look, flag, flag, flag, move_or_copy, move_or_copy,
		expunge, append, arrange, change_box, change_box, fetch_away, lull};
	struct account *a = arg;
	struct program *p = &a->programs[below(PROGRAMS)];
	if (!p->view)
		program_enter(p, INBOX);
	if (p->view && p->idle)
		program_leave(p); /* DONE, and on it goes */
	else if (p->view)
		acts[below(sizeof acts / sizeof *acts)](p);
	week.count.acts++;
	a->acting = false;
}

/* ---- when ---- */

static void plan(struct account *a);

static void begin(void *arg)
{
	struct account *a = arg;
	if (a->store && !a->ending && !a->acting) {
		a->acting = true;
		a->touched = true;
		task_start(act, a);
	}
	plan(a);
}

/* Some minutes between one act and the next, and at times hours. */
static void plan(struct account *a)
{
	uint64_t often = (uint64_t)(12 + 5 * a->number) * MINUTE / week.pace;
	agenda_in(chance(12) ? below(8 * often) : below(2 * often), begin, a);
}

void owners_begin(void)
{
	for (size_t i = 0; i < ACCOUNTS; i++)
		plan(&week.accounts[i]);
}
