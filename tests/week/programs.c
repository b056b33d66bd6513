/* Mail programs: each believes only what its view tells it. */
#include "house.h"

#include "base/mem.h"

static void learn(struct program *p, size_t i)
{
	struct view_message got;
	if (failed(view_at(p->view, (uint32_t)i + 1, &got)))
		return; /* gone meanwhile: told at the next pull */
	expect(got.uid == p->uids[i], "message %zu is uid %u, the program knows %u", i + 1, got.uid, p->uids[i]);
	p->flags[i] = flags_of(p->view, got.flags);
}

static void make_room(struct program *p, size_t n)
{
	if (n <= p->cap)
		return;
	p->cap = 2 * n;
	p->uids = mem_grow(p->uids, p->cap * sizeof *p->uids);
	p->flags = mem_grow(p->flags, p->cap * sizeof *p->flags);
	must(p->uids && p->flags);
}

static void learn_from(struct program *p, size_t n, size_t exists)
{
	make_room(p, exists);
	for (size_t i = n; i < exists; i++) {
		p->uids[i] = view_uid(p->view, (uint32_t)i + 1);
		p->flags[i] = 0;
		expect(i == 0 || p->uids[i] > p->uids[i - 1], "uid %u comes behind uid %u", p->uids[i], p->uids[i - 1]);
	}
	p->n = exists;
	for (size_t i = n; i < exists; i++)
		learn(p, i);
}

static void forget(struct program *p, const struct view_gone *g)
{
	size_t at = g->number - 1;
	expect(at < p->n && p->uids[at] == g->uid, "uid %u is told as gone under number %u", g->uid, g->number);
	p->n--;
	memmove(p->uids + at, p->uids + at + 1, (p->n - at) * sizeof *p->uids);
	memmove(p->flags + at, p->flags + at + 1, (p->n - at) * sizeof *p->flags);
}

void program_pull(struct program *p, bool expunge)
{
	AUTO_ARENA arena m = arena_new(4 << 20);
	struct view_changes v;
	result r = view_pull(p->view, expunge, &m, &v);
	p->gone = r.kind == FAIL_ABSENT;
	if (p->gone || (failed(r) && p->account->ending))
		return;
	expect_ok(r);
	for (size_t i = 0; i < v.gone_n; i++)
		forget(p, &v.gone[i]);
	expect(v.exists >= p->n, "%u messages, the program knows %zu", v.exists, p->n);
	learn_from(p, p->n, v.exists);
	for (size_t i = 0; i < v.flagged_n; i++)
		learn(p, v.flagged[i].number - 1);
	p->pulled = true;
}

void program_expect(struct program *p)
{
	const struct folder *b = &p->account->boxes[p->box];
	const char *name = box_names[p->box];
	expect(p->n == b->n, "a program sees %zu messages in %s, there are %zu", p->n, name, b->n);
	for (size_t i = 0; i < b->n; i++)
		expect(p->uids[i] == b->v[i].uid && p->flags[i] == b->v[i].flags,
			"a program sees uid %u flags %llx in %s, there is uid %u flags %llx", p->uids[i],
			(unsigned long long)p->flags[i], name, b->v[i].uid, (unsigned long long)b->v[i].flags);
	p->pulled = false;
	week.count.checked++;
}

void program_enter(struct program *p, unsigned box)
{
	program_leave(p);
	result r = view_open(&p->account->owner, str_from(box_names[box]), true, &p->view);
	if (failed(r)) {
		expect(p->account->ending || p->account->full || sim_dead(p->account->sim), "%s does not open: %s",
			box_names[box], r.text);
		p->view = NULL;
		return;
	}
	p->box = box;
	learn_from(p, 0, view_exists(p->view));
	p->pulled = true;
}

/* ---- IDLE ---- */

static void listen_on(void *arg)
{
	struct program *p = arg;
	for (;;) {
		result r = view_wait(p->view, 29 * MINUTE);
		if (failed(r) && r.kind != FAIL_TIMEOUT)
			break;
		program_pull(p, true);
		if (p->gone || p->account->ending)
			break;
	}
	p->fiber = NULL;
}

void program_idle(struct program *p)
{
	p->idle = true;
	expect_ok(fiber_start(listen_on, p, "idle", &p->fiber));
}

void program_leave(struct program *p)
{
	if (p->fiber)
		fiber_cancel(p->fiber);
	while (p->fiber)
		fiber_yield();
	view_close(&p->view);
	p->n = 0;
	p->idle = p->pulled = p->gone = false;
}
