/* What the accounts must hold, in arrays. */
#include "world.h"

#include <stdio.h>

#include "base/mem.h"

const char *const box_names[NAMES] = {"INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive", "work", "work/a", "work/b",
	"old", "old/a", "old/b"};
const char *const keyword_names[KEYWORDS] = {"$work", "later"};

/* ---- letters: all of one follows from its number ---- */

uint32_t letter_new(unsigned account)
{
	week.letters = array_more(week.letters, week.letters_n, &week.letters_cap, sizeof *week.letters);
	week.letters[week.letters_n] = (struct letter_row){.account = account, .at = week_now()};
	return (uint32_t)week.letters_n++;
}

static uint64_t dice_of(uint32_t letter)
{
	uint64_t state = week.seed * 1000003 + letter;
	return sim_random(&state);
}

/* Mostly small; some that the loop does not keep by itself, a few that become files. */
size_t letter_size(uint32_t letter)
{
	uint64_t dice = dice_of(letter), rest = dice >> 16;
	switch (dice % 64) {
	case 0:
		return 800000 + rest % 700000;
	case 1:
	case 2:
	case 3:
		return 60000 + rest % 60000;
	case 4:
	case 5:
	case 6:
	case 7:
		return 10000 + rest % 10000;
	default:
		return 200 + rest % 4000;
	}
}

static const char trace_block[] = "Return-Path: <a@example.test>\r\n";

/* What a letter takes of the quota. */
size_t letter_octets(uint32_t letter)
{
	return sizeof trace_block - 1 + letter_size(letter);
}

/* Lines that compress somewhat, as letters do. */
static void fill(char *p, size_t n, uint64_t state)
{
	static const char line[] = "and so on, as it was said before ";
	for (size_t i = 0; i < n;) {
		uint64_t dice = sim_random(&state);
		for (size_t k = 0; k < sizeof dice && i < n; k++, dice >>= 8)
			p[i++] = (char)('!' + dice % 64);
		for (size_t k = 0; k < sizeof line - 1 && i < n; k++)
			p[i++] = line[k];
		for (size_t k = 0; k < 2 && i < n; k++)
			p[i++] = "\r\n"[k];
	}
}

struct letter letter_make(uint32_t letter, arena *m)
{
	char name[32], header[128];
	snprintf(name, sizeof name, "letter %u", letter);
	size_t n = (size_t)snprintf(header, sizeof header, "From: a@example.test\r\nSubject: %s\r\n\r\n", name);
	size_t size = letter_size(letter);
	char *body = arena_array(m, size, 1);
	must(body && n <= size);
	memcpy(body, header, n);
	fill(body + n, size - n, dice_of(letter));
	return (struct letter){
		.trace = STR(trace_block),
		.body = str_of(body, size),
		.header_size = n,
		.envelope = arena_dup(m, str_from(name)),
		.structure = STR("(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1 NIL NIL NIL NIL)"),
		.basic = STR("(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1)"),
		.parts = STR("parts"),
		.search = arena_dup(m, str_from(name)),
	};
}

/* ---- mailboxes ---- */

static size_t place_of(const struct folder *b, uint32_t uid)
{
	size_t low = 0, high = b->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (b->v[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct post *model_find(const struct folder *b, uint32_t uid)
{
	size_t i = place_of(b, uid);
	return i < b->n && b->v[i].uid == uid ? &b->v[i] : NULL;
}

void model_insert(struct folder *b, struct post p)
{
	b->v = array_more(b->v, b->n, &b->cap, sizeof *b->v);
	size_t i = place_of(b, p.uid);
	expect(p.uid >= b->given && !model_find(b, p.uid), "uid %u was given a second time", p.uid);
	memmove(b->v + i + 1, b->v + i, (b->n - i) * sizeof *b->v);
	b->v[i] = p;
	b->n++;
	b->changed = true;
	if (p.uid >= b->uidnext)
		b->uidnext = p.uid + 1;
}

static void drop(struct account *a, struct folder *b, uint32_t uid)
{
	struct post *p = model_find(b, uid);
	if (!p)
		return;
	b->changed = true;
	a->octets -= letter_octets(p->letter);
	memmove(p, p + 1, (size_t)(b->v + b->n - p - 1) * sizeof *p);
	b->n--;
}

static void put(struct account *a, struct folder *b, struct post p)
{
	a->octets += letter_octets(p.letter);
	model_insert(b, p);
}

uint64_t flags_after(const struct effect *e, uint64_t flags)
{
	if (e->how == FLAGS_REPLACE)
		return e->flags;
	return e->how == FLAGS_ADD ? flags | e->flags : flags & ~e->flags;
}

static void apply_arrival(struct account *a, const struct effect *e)
{
	week.letters[e->letter].arrived = true;
	world_told(e->letter);
	a->octets += letter_octets(e->letter);
	a->news = array_more(a->news, a->news_n, &a->news_cap, sizeof *a->news);
	a->news[a->news_n++] = e->letter;
}

static void apply_copies(struct account *a, const struct effect *e)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct post *from = model_find(&a->boxes[e->box], e->uids[i]);
		struct post copy = {e->fresh[i], from->letter, from->flags};
		if (e->deed == MOVE)
			drop(a, &a->boxes[e->box], e->uids[i]);
		put(a, &a->boxes[e->to], copy);
	}
}

static void apply_flags(struct folder *b, const struct effect *e)
{
	for (size_t i = 0; i < e->n; i++) {
		struct post *p = model_find(b, e->uids[i]);
		b->changed |= p->flags != flags_after(e, p->flags);
		p->flags = flags_after(e, p->flags);
	}
}

static void apply_rename(struct account *a, const struct effect *e)
{
	size_t from_n = strlen(box_names[e->box]);
	for (unsigned i = 0; i < NAMES; i++) {
		if (!a->boxes[i].exists || strncmp(box_names[i], box_names[e->box], from_n) != 0)
			continue;
		unsigned to = e->to + (i - e->box); /* the table has both trees in one order */
		mem_free(a->boxes[to].v);
		a->boxes[to] = a->boxes[i];
		a->boxes[i] = (struct folder){0};
		a->boxes[to].renamed = true;
		for (size_t k = 0; k < PROGRAMS; k++)
			if (a->programs[k].view && a->programs[k].box == i)
				a->programs[k].box = to;
	}
}

void model_apply(struct account *a, const struct effect *e)
{
	struct folder *b = &a->boxes[e->box];
	if (e->deed == ARRIVE)
		a->mailed = true;
	else
		a->touched = true;
	switch (e->deed) {
	case ARRIVE:
		apply_arrival(a, e);
		break;
	case APPEND:
		for (size_t i = 0; i < e->n; i++)
			put(a, b, (struct post){e->fresh[i], e->letter + (uint32_t)i, e->flags});
		break;
	case FLAG:
		apply_flags(b, e);
		break;
	case REMOVE:
		for (size_t i = 0; i < e->n; i++)
			drop(a, b, e->uids[i]);
		break;
	case COPY:
	case MOVE:
		apply_copies(a, e);
		break;
	case CREATE:
		b->exists = true;
		b->uidnext = b->given = 1;
		b->modseq = b->validity = 0; /* learned */
		break;
	case DELETE:
		while (b->n)
			drop(a, b, b->v[b->n - 1].uid);
		b->exists = false;
		break;
	case RENAME:
		apply_rename(a, e);
		break;
	}
}

void model_doubt(struct account *a, const struct effect *e)
{
	a->doubts = array_more(a->doubts, a->doubts_n, &a->doubts_cap, sizeof *a->doubts);
	a->doubts[a->doubts_n++] = *e;
	a->touched = true;
	week.count.doubts++;
}

/* ---- life ---- */

void model_begin(struct account *a)
{
	for (unsigned i = 0; i < NAMES; i++) {
		struct mailbox_status s;
		if (failed(mailbox_status_of(&a->owner, str_from(box_names[i]), &s)))
			continue;
		a->boxes[i] = (struct folder){.exists = true, .uidnext = 1, .given = 1, .validity = s.uidvalidity,
			.modseq = s.modseq};
		if (s.uidvalidity > a->highest)
			a->highest = s.uidvalidity;
	}
}

void model_free(struct account *a)
{
	for (unsigned i = 0; i < NAMES; i++)
		mem_free(a->boxes[i].v);
	mem_free(a->news);
	mem_free(a->doubts);
}
