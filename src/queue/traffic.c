#include "queue/traffic.h"

#include "base/mem.h"

enum { KEY_MAX = 16 + TRAFFIC_NAME };

void traffic_init(struct traffic *t, const struct backoff *b, unsigned most)
{
	*t = (struct traffic){.turns = hash_new(TRAFFIC_TURNS), .destinations = hash_new(TRAFFIC_TURNS),
		.senders = hash_new(TRAFFIC_TURNS), .backoff = *b, .most = most > 0 ? most : 1};
	list_init(&t->ready);
}

void traffic_free(struct traffic *t)
{
	hash_free_values(&t->turns);
	hash_free_values(&t->destinations);
	hash_free_values(&t->senders);
	heap_free(&t->due);
	heap_free(&t->off);
}

str destination_name(const struct destination *d)
{
	return str_of(d->name, d->name_n);
}

/* ---- who there is ---- */

/* Sender, route, name: a destination's key is the part after the sender. */
static str key_of(const struct way *w, char out[KEY_MAX])
{
	str name = str_sub(w->destination, 0, TRAFFIC_NAME);
	memcpy(out, &w->sender, 8);
	memcpy(out + 8, &w->route, 8);
	if (name.n)
		memcpy(out + 16, name.p, name.n);
	return str_of(out, 16 + name.n);
}

static result make_destination(struct traffic *t, str key, uint64_t route, struct destination **out)
{
	str name = str_skip(key, 8);
	struct destination *d = mem_alloc(sizeof *d + name.n + 1);
	if (!d)
		return failure(FAIL_MEMORY, "out of memory");
	d->route = route;
	d->window = t->most < TRAFFIC_FIRST ? t->most : TRAFFIC_FIRST;
	d->name_n = (unsigned char)name.n;
	if (name.n)
		memcpy(d->name, name.p, name.n);
	list_init(&d->blocked);
	result r = heap_add(&t->off, &d->due, DUE_NEVER);
	if (!failed(r)) {
		r = hash_put(&t->destinations, key, d);
		if (failed(r))
			heap_remove(&t->off, &d->due);
	}
	if (failed(r))
		mem_free(d);
	else
		*out = d;
	return r;
}

static result make_sender(struct traffic *t, int64_t key, struct sender **out)
{
	struct sender *s = mem_alloc(sizeof *s);
	if (!s)
		return failure(FAIL_MEMORY, "out of memory");
	s->key = key;
	list_init(&s->ready);
	list_init(&s->node);
	result r = hash_put_u64(&t->senders, (uint64_t)key, s);
	if (failed(r))
		mem_free(s);
	else
		*out = s;
	return r;
}

static void let_go(struct traffic *t, struct destination *d, struct sender *s)
{
	if (d && d->turns == 0 && d->running == 0) {
		char key[KEY_MAX];
		const struct way w = {.route = d->route, .destination = destination_name(d)};
		hash_remove(&t->destinations, str_skip(key_of(&w, key), 8));
		heap_remove(&t->off, &d->due);
		mem_free(d);
	}
	if (s && s->turns == 0) {
		list_remove(&s->node);
		hash_remove_u64(&t->senders, (uint64_t)s->key);
		mem_free(s);
	}
}

static result make_turn(struct traffic *t, str key, struct turn *turn)
{
	TRY(heap_add(&t->due, &turn->due, DUE_NEVER));
	result r = hash_put(&t->turns, key, turn);
	if (failed(r))
		heap_remove(&t->due, &turn->due);
	return r;
}

static result turn_of(struct traffic *t, const struct way *w, struct turn **out)
{
	char bytes[KEY_MAX];
	str key = key_of(w, bytes);
	*out = hash_get(&t->turns, key);
	if (*out)
		return OK;
	struct destination *d = hash_get(&t->destinations, str_skip(key, 8));
	struct sender *s = hash_get_u64(&t->senders, (uint64_t)w->sender);
	struct turn *turn = mem_alloc(sizeof *turn);
	result r = turn ? OK : failure(FAIL_MEMORY, "out of memory");
	if (!failed(r) && !d)
		r = make_destination(t, str_skip(key, 8), w->route, &d);
	if (!failed(r) && !s)
		r = make_sender(t, w->sender, &s);
	if (!failed(r))
		r = make_turn(t, key, turn);
	if (failed(r)) {
		mem_free(turn);
		let_go(t, d, s);
		return r;
	}
	list_init(&turn->node);
	list_init(&turn->fresh);
	turn->to = d;
	turn->from = s;
	d->turns++;
	s->turns++;
	*out = turn;
	return OK;
}

static void end_turn(struct traffic *t, struct turn *turn)
{
	char key[KEY_MAX];
	struct destination *d = turn->to;
	struct sender *s = turn->from;
	const struct way w = {.route = d->route, .destination = destination_name(d), .sender = s->key};
	must(list_empty(&turn->fresh));
	hash_remove(&t->turns, key_of(&w, key));
	heap_remove(&t->due, &turn->due);
	mem_free(turn);
	d->turns--;
	s->turns--;
	let_go(t, d, s);
}

/* ---- whose turn it is ---- */

static void hasten(struct heap *h, struct due *d, uint64_t at)
{
	if (at < d->at)
		heap_set(h, d, at);
}

void turn_changed(struct turn *turn)
{
	turn->all_fresh = false;
	turn->look = true;
}

void traffic_changed(struct traffic *t)
{
	size_t at = 0;
	str key;
	void *turn;
	while (hash_each(&t->turns, &at, &key, &turn))
		turn_changed(turn);
}

static bool is_new(const struct turn *turn)
{
	return turn->due.at == DUE_NEVER && turn->running == 0 && !turn->queued;
}

result traffic_arrived(struct traffic *t, const struct way *w, uint64_t at, struct turn **out)
{
	TRY(turn_of(t, w, out));
	(*out)->all_fresh |= is_new(*out);
	hasten(&t->due, &(*out)->due, at);
	return OK;
}

result traffic_wait(struct traffic *t, const struct way *w, uint64_t at)
{
	struct turn *turn;
	TRY(turn_of(t, w, &turn));
	turn_changed(turn);
	hasten(&t->due, &turn->due, at);
	return OK;
}

static void make_ready(struct traffic *t, struct turn *turn)
{
	struct sender *s = turn->from;
	turn->queued = true;
	list_insert(&s->ready, &turn->node);
	if (list_empty(&s->node))
		list_insert(&t->ready, &s->node);
}

/* As many of those that wait for the destination as it takes now. */
static void unblock(struct traffic *t, struct destination *d, uint64_t now)
{
	if (now < d->not_before)
		return;
	for (unsigned n = d->running; n < d->window && !list_empty(&d->blocked); n++) {
		struct turn *turn = LIST_OWNER(d->blocked.next, struct turn, node);
		list_remove(&turn->node);
		make_ready(t, turn);
	}
}

static void wake_due(struct traffic *t, uint64_t now)
{
	for (struct due *d = heap_first(&t->off); d && d->at <= now; d = heap_first(&t->off)) {
		struct destination *to = LIST_OWNER(d, struct destination, due);
		heap_set(&t->off, d, DUE_NEVER);
		unblock(t, to, now);
	}
	for (struct due *d = heap_first(&t->due); d && d->at <= now; d = heap_first(&t->due)) {
		struct turn *turn = LIST_OWNER(d, struct turn, due);
		heap_set(&t->due, d, DUE_NEVER);
		if (!turn->queued)
			make_ready(t, turn);
	}
}

static struct turn *pop(struct traffic *t)
{
	struct sender *s = LIST_OWNER(t->ready.next, struct sender, node);
	struct turn *turn = LIST_OWNER(s->ready.next, struct turn, node);
	list_remove(&turn->node);
	list_remove(&s->node);
	if (!list_empty(&s->ready))
		list_insert(&t->ready, &s->node);
	return turn;
}

static bool takes(struct traffic *t, struct turn *turn, uint64_t now)
{
	struct destination *d = turn->to;
	if (now >= d->not_before && d->running < d->window)
		return true;
	list_insert(&d->blocked, &turn->node);
	if (now < d->not_before)
		hasten(&t->off, &d->due, d->not_before);
	return false;
}

struct turn *traffic_next(struct traffic *t, uint64_t now, uint64_t *wait)
{
	wake_due(t, now);
	while (!list_empty(&t->ready)) {
		struct turn *turn = pop(t);
		if (!takes(t, turn, now))
			continue;
		turn->queued = false;
		turn->running++;
		turn->to->running++;
		return turn;
	}
	const struct due *a = heap_first(&t->due), *b = heap_first(&t->off);
	uint64_t at = a ? a->at : DUE_NEVER;
	if (b && b->at < at)
		at = b->at;
	*wait = at == DUE_NEVER ? UINT64_MAX : at - now;
	return NULL;
}

void traffic_taken(struct traffic *t, struct turn *turn, uint64_t at)
{
	hasten(&t->due, &turn->due, at);
}

void traffic_retry(struct traffic *t, uint64_t now)
{
	size_t at = 0;
	str key;
	void *value;
	while (hash_each(&t->destinations, &at, &key, &value)) {
		struct destination *d = value;
		d->not_before = 0;
		d->fails = 0;
		unblock(t, d, now);
	}
}

/* ---- what the answers teach ---- */

static void learn(struct traffic *t, struct destination *d, const struct traffic_end *e)
{
	if (e->answer == TRAFFIC_WELL) {
		d->fails = 0;
		if (d->window < t->most)
			d->window++;
	} else if (e->answer == TRAFFIC_SLOWER) {
		d->window = d->window > 1 ? d->window / 2 : 1;
		d->not_before = e->now + TRAFFIC_RESPITE_MS;
	} else if (e->answer == TRAFFIC_UNREACHED) {
		d->window = 1;
		if (e->now >= d->not_before) /* of several under way, one counts */
			d->not_before = e->now + schedule_backoff(&t->backoff, ++d->fails, e->random);
	}
	if (d->not_before > e->now && !list_empty(&d->blocked))
		hasten(&t->off, &d->due, d->not_before);
}

void traffic_ended(struct traffic *t, struct turn *turn, const struct traffic_end *e)
{
	struct destination *d = turn->to;
	turn->running--;
	d->running--;
	turn->unsettled |= e->unsettled;
	learn(t, d, e);
	unblock(t, d, e->now);
	if (turn->unsettled)
		return;
	if (turn->running == 0 && turn->seen_id > 0) {
		turn->seen_id = 0;
		if (turn->look) { /* a last look, from the first row on */
			turn->all_fresh = false;
			hasten(&t->due, &turn->due, e->now);
		}
	}
	if (turn->running == 0 && !turn->queued && turn->due.at == DUE_NEVER)
		end_turn(t, turn);
}
