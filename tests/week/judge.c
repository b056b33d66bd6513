/* Are the stores what the model says? */
#include "world.h"

#include "base/mem.h"

/* ---- what a mailbox holds ---- */

struct seen {
	uint32_t uid, letter;
	uint64_t flags;
};

struct sight {
	arena m;
	struct seen *v;
	size_t n;
};

uint64_t flags_of(const struct view *v, uint64_t flags)
{
	uint64_t out = flags & STORE_SYSTEM;
	for (unsigned i = 0; i < KEYWORDS; i++) {
		unsigned bit = view_keyword_bit(v, str_from(keyword_names[i]));
		if (bit && flags >> bit & 1)
			out |= UINT64_C(1) << (KEYWORD + i);
	}
	return out;
}

static uint32_t letter_named(str envelope)
{
	uint64_t number = 0;
	expect(str_starts(envelope, STR("letter ")) && str_to_u64(str_skip(envelope, 7), &number) &&
		number < week.letters_n, "a message is no letter that anybody sent");
	return (uint32_t)number;
}

static void read_letters(struct view *v, struct sight *s)
{
	AUTO_ARENA arena m = arena_new(16 << 20);
	uint32_t *uids = arena_array(&m, s->n + 1, sizeof *uids);
	for (size_t i = 0; i < s->n; i++)
		uids[i] = s->v[i].uid;
	for (size_t at = 0; at < s->n;) {
		struct fetched f;
		expect_ok(fetch_rows(v, &(struct uids){uids + at, s->n - at}, FETCH_ENVELOPE, &m, &f));
		for (size_t i = 0; i < f.n; i++) {
			expect(f.rows[i].present, "uid %u is gone by itself", s->v[at + i].uid);
			s->v[at + i].letter = letter_named(f.rows[i].envelope);
		}
		at += f.n;
	}
}

/* From a uid on. Empty where there is no such mailbox. */
static struct sight look(struct account *a, unsigned box, uint32_t from)
{
	struct sight s = {.m = arena_new(16 << 20)};
	struct view *v = NULL;
	result r = view_open(&a->owner, str_from(box_names[box]), false, &v);
	if (r.kind == FAIL_ABSENT)
		return s;
	expect_ok(r);
	s.v = arena_array(&s.m, view_exists(v) + 1, sizeof *s.v);
	for (uint32_t i = 1; i <= view_exists(v); i++) {
		struct view_message m;
		expect_ok(view_at(v, i, &m));
		if (m.uid >= from)
			s.v[s.n++] = (struct seen){.uid = m.uid, .flags = flags_of(v, m.flags)};
	}
	read_letters(v, &s);
	view_close(&v);
	return s;
}

/* ---- what has come in ---- */

static bool was_expected(struct account *a, uint32_t letter)
{
	for (size_t i = 0; i < a->news_n; i++) {
		if (a->news[i] != letter)
			continue;
		a->news[i] = a->news[--a->news_n];
		return true;
	}
	return false;
}

/* What a full disk keeps is seen when it has room. */
static bool was_doubted(struct account *a, uint32_t letter)
{
	for (size_t i = 0; i < a->doubts_n; i++) {
		const struct effect e = a->doubts[i];
		if (e.deed != ARRIVE || e.letter != letter)
			continue;
		a->doubts[i] = a->doubts[--a->doubts_n];
		week.letters[letter].owed = true;
		model_apply(a, &e);
		return was_expected(a, letter);
	}
	return false;
}

/* Every uid from the last uidnext on went to a letter that was acknowledged, or to what an owner put there. */
static void learn_news(struct account *a)
{
	struct folder *b = &a->boxes[INBOX];
	if (!a->news_n && !a->doubts_n)
		return;
	struct sight s = look(a, INBOX, 0);
	for (size_t i = 0; i < s.n; i++) {
		if (model_find(b, s.v[i].uid))
			continue;
		expect(was_expected(a, s.v[i].letter) || was_doubted(a, s.v[i].letter),
			"account %u holds letter %u as uid %u, which nobody acknowledged", a->number, s.v[i].letter, s.v[i].uid);
		expect(!s.v[i].flags, "letter %u came in with flags", s.v[i].letter);
		model_insert(b, (struct post){s.v[i].uid, s.v[i].letter, 0});
		say("%u: letter %u is uid %u", a->number, s.v[i].letter, s.v[i].uid);
	}
	arena_free(&s.m);
	expect(a->news_n == 0 || a->full, "account %u acknowledged letter %u and does not show it", a->number, a->news[0]);
}

/* ---- counters ---- */

static void judge_validity(struct account *a, unsigned i, uint32_t validity)
{
	struct folder *b = &a->boxes[i];
	if (b->validity == 0)
		expect(validity > a->highest, "UIDVALIDITY %u of %s was given before", validity, box_names[i]);
	else if (b->renamed)
		expect(validity >= b->validity && validity > a->former[i], "%s came back with UIDVALIDITY %u", box_names[i],
			validity);
	else
		expect(validity == b->validity, "UIDVALIDITY of %s was %u and is %u", box_names[i], b->validity, validity);
	b->validity = validity;
	b->renamed = false;
	if (validity > a->highest)
		a->highest = validity;
	if (validity > a->former[i])
		a->former[i] = validity;
}

static void judge_box(struct account *a, unsigned i)
{
	struct folder *b = &a->boxes[i];
	struct mailbox_status s;
	const char *name = box_names[i];
	uint32_t unseen = 0, deleted = 0;
	result r = mailbox_status_of(&a->owner, str_from(name), &s);
	expect(failed(r) == !b->exists, "%s of account %u: %s", name, a->number, failed(r) ? r.text : "it is there");
	if (!b->exists)
		return;
	for (size_t k = 0; k < b->n; k++) {
		unseen += !(b->v[k].flags & STORE_SEEN);
		deleted += !!(b->v[k].flags & STORE_DELETED);
	}
	judge_validity(a, i, s.uidvalidity);
	expect(s.messages == b->n, "%s counts %u messages, there are %zu", name, s.messages, b->n);
	expect(s.unseen == unseen && s.deleted == deleted, "%s counts %u unseen and %u deleted, there are %u and %u", name,
		s.unseen, s.deleted, unseen, deleted);
	expect(s.uidnext == b->uidnext, "uidnext of %s is %u, the next one is %u", name, s.uidnext, b->uidnext);
	expect(s.modseq >= b->modseq && (s.modseq > b->modseq || !b->changed),
		"the modification sequence of %s was %llu and is %llu", name, (unsigned long long)b->modseq,
		(unsigned long long)s.modseq);
	b->modseq = s.modseq;
	b->given = s.uidnext;
	b->changed = false;
}

static void judge_usage(struct account *a)
{
	struct store_usage u;
	uint64_t messages = a->news_n; /* on a full disk they may be kept ahead of their commit */
	expect_ok(store_usage_of(&a->administrator, &u));
	for (unsigned i = 0; i < NAMES; i++)
		messages += a->boxes[i].n;
	if (a->doubts_n == 0 || u.messages > messages + a->doubts_n)
		expect(u.messages == messages, "account %u counts %llu messages", a->number, (unsigned long long)u.messages);
	expect(u.octets == a->octets || u.messages > messages, "account %u counts %llu octets, there are %llu", a->number,
		(unsigned long long)u.octets, (unsigned long long)a->octets);
	expect(u.quota == a->quota, "account %u has another quota", a->number);
}

static void judge_program(struct program *p)
{
	if (!p->view)
		return;
	if (!p->account->boxes[p->box].exists) {
		if (!p->gone)
			program_pull(p, true);
		expect(p->gone, "a program goes on in a mailbox that was deleted");
		program_leave(p);
		return;
	}
	expect(!p->gone, "a program was told that %s is gone", box_names[p->box]);
	if (p->pulled && !p->idle)
		program_pull(p, true);
	if (p->pulled || p->idle)
		program_expect(p);
}

void judge_turn(struct account *a)
{
	learn_news(a);
	for (unsigned i = 0; i < NAMES; i++)
		judge_box(a, i);
	judge_usage(a);
	for (size_t i = 0; i < PROGRAMS; i++)
		judge_program(&a->programs[i]);
	a->touched = a->mailed = false;
}

/* ---- doubts ---- */

static bool exists(struct account *a, unsigned box)
{
	struct mailbox_status s;
	return !failed(mailbox_status_of(&a->owner, str_from(box_names[box]), &s));
}

static const struct seen *find(const struct sight *s, uint32_t uid)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].uid == uid)
			return &s->v[i];
	return NULL;
}

/* The i-th source's letter, or the i-th appended. */
static uint32_t letter_meant(struct account *a, const struct effect *e, size_t i)
{
	return e->deed == APPEND ? e->letter + (uint32_t)i : model_find(&a->boxes[e->box], e->uids[i])->letter;
}

/* All or none of them are there, in order. */
static bool came_to(struct account *a, struct effect *e)
{
	unsigned to = e->deed == APPEND ? e->box : e->to;
	struct sight s = look(a, to, a->boxes[to].uidnext);
	size_t got = 0;
	for (size_t i = 0; i < s.n && got < e->n; i++)
		if (s.v[i].letter == letter_meant(a, e, got))
			e->fresh[got++] = s.v[i].uid;
	arena_free(&s.m);
	expect(got == 0 || got == e->n, "%zu of %zu messages came to %s", got, e->n, box_names[to]);
	return got > 0;
}

static bool has_arrived(struct account *a, uint32_t letter)
{
	struct sight s = look(a, INBOX, 0);
	bool there = false;
	for (size_t i = 0; i < s.n; i++)
		there |= s.v[i].letter == letter && !model_find(&a->boxes[INBOX], s.v[i].uid);
	arena_free(&s.m);
	for (size_t i = 0; i < a->news_n; i++)
		there &= a->news[i] != letter;
	return there;
}

/* By the first message that would be another afterwards; if it is so by half, the comparison tells. */
static bool were_changed(struct account *a, const struct effect *e)
{
	struct sight s = look(a, e->box, 0);
	bool changed = false;
	for (size_t i = 0; i < e->n; i++) {
		uint64_t before = model_find(&a->boxes[e->box], e->uids[i])->flags, after = flags_after(e, before);
		const struct seen *now = find(&s, e->uids[i]);
		changed = e->deed == REMOVE ? !now : now && now->flags == after;
		if (e->deed == REMOVE || before != after)
			break;
	}
	arena_free(&s.m);
	return changed;
}

static bool holds(struct account *a, struct effect *e)
{
	switch (e->deed) {
	case ARRIVE:
		return has_arrived(a, e->letter);
	case APPEND:
	case COPY:
	case MOVE:
		return came_to(a, e);
	case FLAG:
	case REMOVE:
		return were_changed(a, e);
	case CREATE:
		return exists(a, e->box);
	case DELETE:
		return !exists(a, e->box);
	case RENAME:
		return !exists(a, e->box);
	}
	return false;
}

void judge_opened(struct account *a)
{
	struct store_usage u;
	size_t left = 0;
	for (size_t i = 0; i < a->doubts_n; i++) {
		struct effect *e = &a->doubts[i];
		bool there = holds(a, e);
		if (!there && a->full && e->deed == ARRIVE) {
			a->doubts[left++] = *e; /* it may be kept, and be seen when there is room */
			continue;
		}
		say("%u: in doubt: %s", a->number, there ? "done" : "not done");
		if (there && e->deed == ARRIVE)
			week.letters[e->letter].owed = true; /* the model counts it as there for good */
		if (there)
			model_apply(a, e);
	}
	a->doubts_n = left;
	expect_ok(store_usage_of(&a->administrator, &u));
	if (u.quota == a->quota_asked)
		a->quota = u.quota;
	a->quota_asked = a->quota;
	judge_turn(a);
	judge_whole(a, false);
}

/* ---- all of it ---- */

static void compare_bytes(struct view *v, const struct post *p)
{
	AUTO_ARENA arena m = arena_new(4 << 20);
	AUTO_BUF buf out = buf_new(4 << 20);
	struct letter_bytes *b = NULL;
	struct letter l = letter_make(p->letter, &m);
	expect_ok(fetch_open(v, p->uid, &b));
	expect_ok(fetch_bytes(b, 0, UINT64_MAX, &out));
	fetch_close(&b);
	expect(out.n == letter_octets(p->letter) && str_starts(buf_str(&out), l.trace) && str_ends(buf_str(&out), l.body),
		"uid %u is not letter %u, octet for octet", p->uid, p->letter);
}

static void compare_box(struct account *a, unsigned i, bool bytes)
{
	const struct folder *b = &a->boxes[i];
	struct sight s = look(a, i, 0);
	expect(s.n == b->n, "%s of account %u holds %zu messages, %zu are meant", box_names[i], a->number, s.n, b->n);
	for (size_t k = 0; k < s.n; k++)
		expect(s.v[k].uid == b->v[k].uid && s.v[k].letter == b->v[k].letter && s.v[k].flags == b->v[k].flags,
			"%s of account %u holds letter %u as uid %u with flags %llx; "
			"meant are letter %u, uid %u, %llx",
			box_names[i], a->number, s.v[k].letter, s.v[k].uid, (unsigned long long)s.v[k].flags, b->v[k].letter,
			b->v[k].uid, (unsigned long long)b->v[k].flags);
	arena_free(&s.m);
	struct view *v = NULL;
	if (bytes && b->n)
		expect_ok(view_open(&a->owner, str_from(box_names[i]), false, &v));
	for (size_t k = 0; v && k < b->n; k++)
		if (chance(4))
			compare_bytes(v, &b->v[k]);
	view_close(&v);
}

/* A body file that the disk did not let go stays for the next lull, and that for room. */
static bool is_excused(const struct account *a, const struct findings *f)
{
	return a->flaky && a->full && f->n == 1 && str_ends(f->v[0].sentence, STR("body files belong to no message."));
}

void judge_whole(struct account *a, bool bytes)
{
	AUTO_ARENA arena m = arena_new(4 << 20);
	struct findings f;
	if (a->flaky && !a->full)
		expect_ok(store_trim(&a->administrator));
	learn_news(a);
	for (unsigned i = 0; i < NAMES; i++)
		compare_box(a, i, bytes);
	expect_ok(store_check(&a->administrator, false, &m, &f));
	expect(f.n == 0 || is_excused(a, &f), "account %u: %.*s", a->number, STR_ARG(f.v[0].sentence));
	week.count.audits++;
}

void judge_promises(bool over)
{
	size_t waiting = holding_audit();
	expect(!over || waiting == 0, "%zu letters never leave the queue", waiting);
	world_judge();
	for (uint32_t i = 0; i < week.letters_n; i++) {
		const struct letter_row *l = &week.letters[i];
		expect(!l->claimed || l->arrived, "account %u calls letter %u a duplicate, and never had it", l->account, i);
		expect(!l->owed || l->arrived || l->dropped || holding_has(i),
			"letter %u for account %u was kept, and is nowhere", i, l->account);
	}
}
