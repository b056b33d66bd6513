#include "talk/room_core.h"

#include <stdio.h>

#include "base/mem.h"
#include "run/clock.h"

enum { ROLE_MAX = 33 };

static struct {
	const struct room *room;
	struct list all;
	size_t n;
} visits;

struct visit {
	struct room_visitor v;
	char role[ROLE_MAX];
};

void room_visit_open(const struct room *r)
{
	visits.room = r;
	list_init(&visits.all);
}

size_t room_visitors(void)
{
	return visits.n;
}

static void forget(struct room_visitor *v)
{
	if (v->door->left)
		v->door->left(v);
	channel_close(&v->channel);
	list_remove(&v->node);
	visits.n--;
	mem_free(LIST_OWNER(v, struct visit, v));
}

static void see_off(void *arg)
{
	struct room_visitor *v = arg;
	if (!failed(channel_drain(v->channel, FIBER_FOREVER)))
		forget(v); /* otherwise the process ends, and room_visit_close does it */
}

static void on_ended(void *ctx, struct channel *c, result why)
{
	struct room_visitor *v = ctx;
	(void)c;
	if (why.kind == FAIL_PEER)
		room_blame(v->role, v->number);
	result r = fiber_start(see_off, v, "farewell", NULL);
	(void)r; /* when the process is ending, room_visit_close sees to it */
}

static const struct room_door *door_for(str pair)
{
	for (size_t i = 0; i < visits.room->doors_n; i++)
		if (str_eq(str_from(visits.room->doors[i].kind->pair->name), pair))
			return &visits.room->doors[i];
	return NULL;
}

static result welcome(struct visit *w, int fd)
{
	char peer[ROLE_MAX + 24];
	snprintf(peer, sizeof peer, "%s %llu", w->role, (unsigned long long)w->v.number);
	struct channel_options o = {.fd = fd, .peer = peer, .ctx = &w->v, .ended = on_ended,
				    .gathers = w->v.door->gathers};
	return channel_open(&o, w->v.door->kind, w->v.door->handlers, &w->v.channel);
}

void room_visit(struct supervisor_room_channel *m)
{
	const struct room_door *door = door_for(m->pair);
	struct visit *w = door ? mem_alloc(sizeof *w) : NULL;
	if (!w) {
		log_event(EV_ROOM_NONSENSE, NULL, F_STR("peer", STR("supervisor")), F_STR("pair", m->pair),
			  F_STR("why", door ? STR("out of memory") : STR("this room does not speak that pair")));
		return; /* the descriptor is closed with the message */
	}
	snprintf(w->role, sizeof w->role, "%.*s", STR_ARG(m->role));
	w->v = (struct room_visitor){.role = w->role, .number = m->number, .door = door};
	if (failed(welcome(w, talk_take_fd(&m->socket)))) {
		mem_free(w);
		return;
	}
	list_insert(&visits.all, &w->v.node);
	visits.n++;
}

void room_visit_drain(void)
{
	uint64_t until = clock_mono_ms() + ROOM_DRAIN_MS;
	struct list seen;
	list_init(&seen);
	while (!list_empty(&visits.all)) {
		/* A visitor may leave while this waits for it; the list is looked at afresh. */
		struct room_visitor *v = LIST_OWNER(visits.all.next, struct room_visitor, node);
		list_remove(&v->node);
		list_insert(&seen, &v->node);
		if (failed(channel_drain(v->channel, clock_left(until))))
			break;
	}
	while (!list_empty(&seen)) {
		struct list *node = seen.next;
		list_remove(node);
		list_insert(&visits.all, node);
	}
}

void room_visit_close(void)
{
	while (!list_empty(&visits.all))
		forget(LIST_OWNER(visits.all.next, struct room_visitor, node));
}
