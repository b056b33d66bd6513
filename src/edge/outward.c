#include "edge/outward.h"

#include <stdlib.h>

#include "base/mem.h"
#include "edge/deliver.h"
#include "edge/seal.h"
#include "run/clock.h"
#include "talk/edge_auth.h"
#include "talk/edge_queue.h"
#include "talk/mail_flags.h"
#include "run/random.h"

/* ---- the list ---- */

void outward_init(struct outward *o)
{
	*o = (struct outward){.seen = hash_new(SMTP_TARGETS_MAX)};
}

void outward_clear(struct outward *o)
{
	hash_free(&o->seen);
	mem_free(o->p);
	outward_init(o);
}

static result make_room(struct outward *o)
{
	if (o->n < o->cap)
		return OK;
	size_t cap = o->cap ? o->cap * 2 : 4;
	struct outward_recipient *p = mem_grow(o->p, cap * sizeof *p);
	if (!p)
		return failure(FAIL_MEMORY, "out of memory");
	o->p = p;
	o->cap = cap;
	return OK;
}

result outward_add(struct outward *o, const struct outward_recipient *r)
{
	if (hash_get(&o->seen, r->address))
		return OK;
	TRY(make_room(o));
	TRY(hash_put(&o->seen, r->address, o));
	o->p[o->n] = *r;
	o->p[o->n].place = o->n;
	o->n++;
	o->foreign = o->foreign || r->kind == OUTWARD_FORWARDED || r->kind == OUTWARD_RELAYED;
	return OK;
}

void outward_drop(struct outward *o, size_t keep)
{
	while (o->n > keep)
		hash_remove(&o->seen, o->p[--o->n].address);
}

/* ---- parcels ---- */

/* What a login wrote leaves as its own, by alias or not. */
static enum outward_kind way_of(const struct outward_recipient *r)
{
	return r->kind == OUTWARD_ALIASED ? OUTWARD_WRITTEN : r->kind;
}

static int by_way(const void *one, const void *other)
{
	const struct outward_recipient *a = one, *b = other;
	if (way_of(a) != way_of(b))
		return way_of(a) < way_of(b) ? -1 : 1;
	return a->place < b->place ? -1 : 1;
}

struct parcel {
	struct smtp_session *s;
	const struct outward_letter *letter;
	const struct outward_recipient *to;
	size_t n;
	trace_id id;
	str sender;
	struct edge_queue_recipient *rows;
};

static size_t octets_of(const struct outward_recipient *r)
{
	enum { ROW = 24 }; /* lengths and numbers of one row on the wire, amply */
	return ROW + r->address.n + (r->asked ? r->asked->orcpt.n : 0);
}

/* How many from the front go together. */
static size_t run_of(const struct outward_recipient *p, size_t n)
{
	size_t octets = 0, i = 0;
	for (; i < n && i < OUTWARD_PARCEL; i++) {
		octets += octets_of(&p[i]);
		if (way_of(&p[i]) != way_of(p) || octets > OUTWARD_PARCEL_OCTETS)
			break;
	}
	return i;
}

static void fill_rows(struct parcel *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct smtp_asked *asked = p->to[i].asked;
		p->rows[i] = (struct edge_queue_recipient){.address = p->to[i].address, .route = p->to[i].route,
			.delivered = p->to[i].kind == OUTWARD_DELIVERED};
		if (asked) {
			p->rows[i].notify = (uint8_t)asked->notify;
			p->rows[i].orcpt = asked->orcpt;
		}
	}
}

/* The ways that auth said at RCPT hold as long as it has told of no change. */
static bool ways_hold(const struct parcel *p)
{
	struct channel *auth;
	for (size_t i = 0; i < p->n; i++)
		if (!p->to[i].routed || p->to[i].changes != recipients_time(&p->s->client->edge->recipients))
			return false;
	return !failed(neighbour(NEIGHBOUR_AUTH, &auth)) && !channel_has_news(auth);
}

static uint64_t left_of(const struct outward_letter *l, uint64_t most)
{
	uint64_t left = clock_left(l->until);
	return left < most ? left : most;
}

static result seal_and_post(struct parcel *p)
{
	const struct outward_letter *l = p->letter;
	AUTO_ARENA arena a = arena_new(65536);
	AUTO_BUF buf out = buf_new(l->message->bytes.n + l->trace.n + 65536);
	struct item item = {.received = l->received, .sender = p->sender, .trace = l->trace, .message = l->message->bytes};
	const struct sealing how = {.edge = p->s->client->edge, .item = &item, .id = &p->id,
		 .wait_ms = left_of(l, NEIGHBOUR_KEY_MS)};
	struct sealed views;
	struct channel *queue;
	struct edge_queue_kept kept;
	struct edge_queue_post m = {
		.delivery = p->id, .sender = p->sender,
		.account = p->s->logged_in && p->to->kind != OUTWARD_FORWARDED ? p->s->account : 0,
		.recipients = {p->rows, p->n}, .size = l->message->bytes.n, .received = l->received,
		.ret = (uint8_t)p->s->mail.ret, .envid = p->s->mail.envid,
		.hold_until = p->s->hold_until, .deliver_by = p->s->deliver_by, .by_return = p->s->mail.by_return,
		.flags = l->flags | (p->to->kind == OUTWARD_FORWARDED ? MAIL_FORWARDED : 0u),
	};
	TRY(seal_item(&how, &out, &views));
	m.routed = ways_hold(p);
	m.wrapped = views.wrapped;
	m.sealed = body_of(views.bytes);
	TRY(neighbour(NEIGHBOUR_QUEUE, &queue));
	const struct asking ask = {.trace = &p->s->trace, .arena = &a, .timeout_ms = left_of(l, NEIGHBOUR_KEEP_MS)};
	result r = edge_queue_post_call_within(queue, &ask, &m, &kept);
	return failed(r) ? failure(r.kind, "the queue takes no message; its own lines in the log say why") : OK;
}

/* auth counts what was written; nothing waits for that. */
static void tell_written(const struct parcel *p, arena *a)
{
	struct channel *auth;
	str *to = arena_array(a, p->n, sizeof *to);
	struct edge_auth_wrote m = {.token = p->s->token, .recipients = {to, 0}};
	for (size_t i = 0; to && i < p->n; i++)
		if (p->to[i].kind == OUTWARD_WRITTEN)
			to[m.recipients.n++] = p->to[i].address;
	if (!m.recipients.n || failed(neighbour(NEIGHBOUR_AUTH, &auth)))
		return;
	result r = edge_auth_wrote_offer(auth, &p->s->trace, &m);
	(void)r; /* an auth that does not keep up has counted the recipients when it was asked about them */
}

static result post_parcel(struct parcel *p)
{
	struct edge *e = p->s->client->edge;
	AUTO_ARENA arena a = arena_new(1 << 20);
	p->rows = arena_array(&a, p->n, sizeof *p->rows);
	if (!p->rows)
		return arena_result(&a);
	fill_rows(p);
	uint64_t size = p->letter->message->bytes.n;
	TRY(seal_enter(e, size, left_of(p->letter, DELIVER_WHOLE_MS)));
	result r = seal_and_post(p);
	seal_leave(e, size);
	if (failed(r)) /* the sentence of a refusal ended with its arena */
		return failure(r.kind, "the queue took no copy; its own lines in the log say why");
	if (p->to->kind == OUTWARD_DELIVERED)
		return OK;
	log_event(EV_POSTED, &p->s->trace, F_STR("from", p->sender), F_STR("to", p->to->address),
		  F_U64("recipients", p->n), F_U64("size", size),
		  F_STR("client", str_from(p->s->client->text)), F_U64("account", p->s->account));
	if (way_of(p->to) == OUTWARD_WRITTEN)
		tell_written(p, &a);
	return OK;
}

/* The sender that reports of a forwarded message come back to (SRS). */
static result forwarding_sender(struct smtp_session *s, str *out)
{
	AUTO_ARENA arena a = arena_new(65536);
	const struct asking ask = {.trace = &s->trace, .arena = &a, .timeout_ms = NEIGHBOUR_LOOKUP_MS};
	const struct edge_auth_forwarder q = {.sender = s->sender};
	struct edge_auth_forwarder_is is;
	struct channel *auth;
	*out = s->sender;
	if (!s->sender.n) /* a report stays one */
		return OK;
	TRY(neighbour(NEIGHBOUR_AUTH, &auth));
	result r = edge_auth_forwarder_call_within(auth, &ask, &q, &is);
	if (failed(r))
		return failure(r.kind, "auth names no sender to forward with");
	*out = arena_dup(&s->transaction, is.address);
	return arena_result(&s->transaction);
}

static result post_all(struct smtp_session *s, const struct outward_letter *l, const struct outward *o)
{
	qsort(o->p, o->n, sizeof *o->p, by_way);
	for (size_t at = 0; at < o->n;) {
		struct parcel p = {.s = s, .letter = l, .to = o->p + at, .n = run_of(o->p + at, o->n - at),
				   .id = at || (o == &s->told && s->outward.n) ? trace_new() : s->trace, .sender = s->sender};
		if (p.to->kind == OUTWARD_FORWARDED)
			TRY(forwarding_sender(s, &p.sender));
		TRY(post_parcel(&p));
		at += p.n;
	}
	return OK;
}

result outward_post(struct smtp_session *s, const struct outward_letter *l)
{
	return post_all(s, l, &s->outward);
}

result outward_tell(struct smtp_session *s, const struct outward_letter *l)
{
	return post_all(s, l, &s->told);
}
