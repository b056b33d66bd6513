#include "relay/kept.h"

#include "base/mem.h"
#include "relay/session.h"
#include "run/clock.h"

enum { SWEEP_MS = RELAY_KEPT_MS / 4 };

void kept_open(struct kept *k)
{
	*k = (struct kept){.by_key = hash_new(RELAY_KEPT_MAX), .open = true};
	list_init(&k->all);
	gate_init(&k->closing);
}

static str key_of(const struct session *s)
{
	return str_of(s->key, s->key_n);
}

static void unlink_session(struct kept *k, struct session *s)
{
	bool first = hash_get(&k->by_key, key_of(s)) == s;
	if (first && list_empty(&s->same))
		hash_remove(&k->by_key, key_of(s));
	else if (first) /* replacing takes no memory */
		must(!failed(hash_put(&k->by_key, key_of(s), LIST_OWNER(s->same.next, struct session, same))));
	list_remove(&s->same);
	list_remove(&s->node);
	k->n--;
}

struct session *kept_take(struct kept *k, str key)
{
	struct session *s;
	while ((s = hash_get(&k->by_key, key))) {
		unlink_session(k, s);
		if (!stream_has_news(s->stream)) /* who says something unasked says goodbye */
			return s;
		session_free(&s);
	}
	return NULL;
}

static void end_oldest(struct kept *k)
{
	struct session *s = LIST_OWNER(k->all.next, struct session, node);
	unlink_session(k, s);
	session_quit(&s);
}

static void sweep(void *arg)
{
	struct kept *k = arg;
	while (k->n > 0 && gate_wait(&k->closing, SWEEP_MS).kind == FAIL_TIMEOUT)
		while (k->n > 0 && LIST_OWNER(k->all.next, struct session,
			node)->kept_at + RELAY_KEPT_MS <= clock_mono_ms())
			end_oldest(k);
	k->sweeping = false;
}

static result remember(struct kept *k, str key, struct session *s)
{
	if (!s->key || !str_eq(key_of(s), key)) {
		char *copy = mem_alloc(key.n + 1);
		if (!copy)
			return failure(FAIL_MEMORY, "out of memory");
		memcpy(copy, key.p, key.n);
		mem_free(s->key);
		s->key = copy;
		s->key_n = key.n;
	}
	struct session *other = hash_get(&k->by_key, key);
	TRY(hash_put(&k->by_key, key, s));
	if (other)
		list_insert(&other->same, &s->same);
	return OK;
}

void kept_put(struct kept *k, str key, struct session **sp)
{
	struct session *s = *sp;
	bool spent = s->broken || s->messages >= RELAY_MESSAGES_MAX
		|| (s->offer.mail_max > 0 && s->messages >= s->offer.mail_max);
	while (k->open && !spent && k->n >= RELAY_KEPT_MAX)
		end_oldest(k);
	if (!k->open || spent || (!k->sweeping && failed(fiber_start(sweep, k, "kept sessions", NULL)))
		|| failed(remember(k, key, s))) {
		session_quit(sp);
		return;
	}
	k->sweeping = true;
	s->kept_at = clock_mono_ms();
	list_insert(&k->all, &s->node);
	k->n++;
	*sp = NULL;
}

void kept_close(struct kept *k)
{
	k->open = false;
	gate_wake_all(&k->closing);
	while (k->n > 0)
		end_oldest(k);
	hash_free(&k->by_key);
}
