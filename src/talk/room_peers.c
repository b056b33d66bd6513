#include "talk/room_core.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/mem.h"

enum { KEY_MAX = 160, LAST_WORDS_POLLS = 1000 };

/* A channel that this room asked for, from the first asking on. */
struct peer {
	struct channel *channel; /* NULL while connecting, and after it has ended */
	bool connecting;
	bool listed;
	const struct room_ear *ear; /* NULL: it says nothing by itself */
	result outcome;  /* of connecting */
	struct gate done;
	unsigned held;   /* fibers that use this struct */
	uint64_t number; /* which one the supervisor chose */
	char role[33];
	char key[KEY_MAX];
};

static hash peers;
static const struct room *room;

void room_peers_open(const struct room *r)
{
	peers = hash_new(ROOM_PEERS);
	room = r;
}

static const struct room_ear *ear_for(const struct channel_kind *kind)
{
	for (size_t i = 0; i < room->ears_n; i++)
		if (room->ears[i].kind == kind)
			return &room->ears[i];
	return NULL;
}

static void release(struct peer *p)
{
	if (--p->held == 0 && !p->listed) {
		channel_close(&p->channel);
		mem_free(p);
	}
}

static void unlist(struct peer *p)
{
	if (p->listed)
		hash_remove(&peers, str_from(p->key));
	p->listed = false;
}

static void on_ended(void *ctx, struct channel *c, result why)
{
	struct peer *p = ctx;
	(void)c;
	p->held++;
	if (why.kind == FAIL_PEER)
		room_blame(p->role, p->number);
	if (p->ear && p->ear->ended)
		p->ear->ended();
	unlist(p);
	channel_close(&p->channel);
	release(p);
}

static result broker(struct peer *p, const struct channel_kind *kind, uint64_t number)
{
	AUTO_ARENA arena a = arena_new(4096);
	struct supervisor_room_connect q = {
		.role = str_from(p->role), .number = number, .pair = str_from(kind->pair->name)};
	struct supervisor_room_connected is;
	const struct asking ask = {.arena = &a, .timeout_ms = ROOM_CONNECT_MS};
	result r = supervisor_room_connect_call_within(room_supervisor(), &ask, &q, &is);
	if (failed(r)) /* the refusal's sentence ends with the arena */
		return failure(r.kind, "the supervisor gives no channel to that room now");
	p->number = is.number;
	char peer[64];
	snprintf(peer, sizeof peer, "%s %llu", p->role, (unsigned long long)is.number);
	struct channel_options o = {.fd = talk_take_fd(&is.socket), .peer = peer, .ctx = p, .ended = on_ended};
	p->ear = ear_for(kind);
	return channel_open(&o, kind, p->ear ? p->ear->handlers : NULL, &p->channel);
}

static result list_new(const char *role, const char *key, struct peer **out)
{
	struct peer *p = mem_alloc(sizeof *p);
	if (!p)
		return failure(FAIL_MEMORY, "out of memory");
	gate_init(&p->done);
	snprintf(p->role, sizeof p->role, "%s", role);
	snprintf(p->key, sizeof p->key, "%s", key);
	result r = hash_put(&peers, str_from(p->key), p);
	if (failed(r)) {
		mem_free(p);
		return r;
	}
	p->listed = true;
	*out = p;
	return OK;
}

static void connect_now(struct peer *p, const struct channel_kind *kind, uint64_t number)
{
	p->connecting = true;
	p->outcome = broker(p, kind, number);
	p->connecting = false;
	if (failed(p->outcome))
		unlist(p);
	gate_wake_all(&p->done);
}

static result await_connection(struct peer *p)
{
	while (p->connecting)
		TRY(gate_wait(&p->done, FIBER_FOREVER));
	/* It was the fiber that asked for us that was cancelled; this one may ask again. */
	if (p->outcome.kind == FAIL_CANCELLED && !fiber_cancelled())
		return failure(FAIL_CLOSED, "the connection to the other room was not made");
	if (failed(p->outcome))
		return p->outcome;
	return p->channel ? OK : failure(FAIL_CLOSED, "the other room has gone");
}

/* A channel whose peer has gone is still there until its last words are read,
 * which is the next poll's; whoever asks again at once must not get it again. */
static struct peer *find(str key)
{
	struct peer *p = hash_get(&peers, key);
	for (int i = 0; i < LAST_WORDS_POLLS && p && channel_is_ending(p->channel); i++) {
		fiber_yield();
		p = hash_get(&peers, key);
	}
	return p;
}

result room_connect(const struct channel_kind *kind, const char *role, uint64_t number, struct channel **out)
{
	char key[KEY_MAX];
	int n = snprintf(key, sizeof key, "%s %llu %s", role, (unsigned long long)number, kind->pair->name);
	must(n > 0 && (size_t)n < sizeof key);
	struct peer *p = find(str_of(key, (size_t)n));
	bool first = !p;
	if (first)
		TRY(list_new(role, key, &p));
	p->held++;
	if (first)
		connect_now(p, kind, number);
	result r = await_connection(p);
	if (!failed(r))
		*out = p->channel;
	release(p);
	return r;
}

bool room_ask_again(result r, unsigned tried)
{
	uint64_t pause = ROOM_PAUSE_MS;
	if ((r.kind != FAIL_CLOSED && r.kind != FAIL_BUSY) || tried >= ROOM_TRIES)
		return false;
	for (unsigned i = 1; i < tried; i++)
		pause *= 3;
	return !failed(fiber_sleep(pause));
}

void room_peers_close(void)
{
	size_t at = 0;
	str key;
	void *value;
	while (hash_each(&peers, &at, &key, &value)) {
		struct peer *p = value;
		channel_close(&p->channel);
		mem_free(p);
	}
	hash_free(&peers);
}
