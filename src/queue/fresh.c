#include "queue/fresh.h"

#include "base/mem.h"
#include "run/clock.h"

static bool fits(const struct queue *q, const struct posting *p)
{
	return p->n == 1 && !p->in_file && q->out.fresh_n < FRESH_LETTERS &&
	       p->m->sealed.bytes.n <= FRESH_OCTETS - q->out.fresh_octets && p->m->wrapped.n <= ITEM_WRAPPED;
}

static result fill(struct parcel *f, const struct posting *p)
{
	const struct edge_queue_post *m = p->m;
	const struct entry *e = &p->entries[0];
	f->message = p->id;
	f->account = m->account;
	f->octets = m->sealed.bytes.n;
	f->delivery = m->delivery;
	f->sender = arena_dup(&f->arena, m->sender);
	f->envid = arena_dup(&f->arena, m->envid);
	f->ret = m->ret;
	f->flags = m->flags;
	f->deliver_by = items_ms_of(m->deliver_by) / 1000;
	f->by_return = m->by_return;
	f->arrived = f->began = p->now;
	f->to[0] = (struct addressee){.id = e->number, .notify = e->to->notify,
		.address = arena_dup(&f->arena, e->to->address), .orcpt = arena_dup(&f->arena, e->to->orcpt)};
	f->n = 1;
	memcpy(f->content.wrapped, m->wrapped.p, m->wrapped.n);
	f->content.wrapped_n = m->wrapped.n;
	buf_put(&f->content.bytes, m->sealed.bytes);
	TRY(buf_result(&f->content.bytes));
	return arena_result(&f->arena);
}

static void forget(struct queue *q, struct parcel *f)
{
	q->out.fresh_n--;
	q->out.fresh_octets -= f->octets;
	list_remove(&f->node);
}

void fresh_drop(struct queue *q, struct turn *turn)
{
	LIST_EACH_SAFE(node, &turn->fresh) {
		struct parcel *f = LIST_OWNER(node, struct parcel, node);
		forget(q, f);
		parcel_free(f);
		mem_free(f);
	}
}

void fresh_keep(struct queue *q, const struct posting *p, struct turn *turn)
{
	struct parcel *f = turn->all_fresh && fits(q, p) ? mem_alloc(sizeof *f) : NULL;
	if (f) {
		parcel_new(f);
		if (failed(fill(f, p))) {
			parcel_free(f);
			mem_free(f);
			f = NULL;
		}
	}
	if (!f) {
		turn_changed(turn);
		return;
	}
	q->out.fresh_n++;
	q->out.fresh_octets += f->octets;
	list_insert(&turn->fresh, &f->node);
}

static bool is_later(const struct turn *turn, const struct parcel *p)
{
	return p->arrived > turn->seen_next || (p->arrived == turn->seen_next && p->to[0].id > turn->seen_id);
}

void fresh_take(struct queue *q, struct turn *turn, struct parcel *out, uint64_t *at)
{
	*at = DUE_NEVER;
	if (list_empty(&turn->fresh))
		return;
	struct parcel *f = LIST_OWNER(turn->fresh.next, struct parcel, node);
	forget(q, f);
	*out = *f;
	list_init(&out->node);
	mem_free(f);
	if (turn->seen_id == 0 || is_later(turn, out)) {
		turn->seen_next = out->arrived;
		turn->seen_id = out->to[0].id;
	}
	if (!list_empty(&turn->fresh))
		*at = clock_mono_ms();
}

void fresh_free(struct queue *q)
{
	size_t at = 0;
	str key;
	void *turn;
	while (hash_each(&q->out.traffic.turns, &at, &key, &turn))
		fresh_drop(q, turn);
}
