#include "talk/room_core.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "run/loop.h"
#include "run/random.h"

enum { SUPERVISOR_FD = 3, LACKS_MAX = 200, BEGIN_MAX = 4 << 20 };

/* One process is one room. */
static struct {
	const struct room *room;
	struct channel *supervisor;
	uint64_t number;
	bool best_effort;
	bool places_due; /* before start */
	bool started;  /* start returned */
	bool ready;    /* and the supervisor knows */
	bool stopping;
	struct gate changed;
	buf lacks;
	int status;
} self;

struct channel *room_supervisor(void)
{
	return self.supervisor;
}

uint64_t room_number(void)
{
	return self.number;
}

bool room_stopping(void)
{
	return self.stopping;
}

static int give_up(const char *what, result r)
{
	fprintf(stderr, "postern: %s: %s\n", what, r.text);
	self.status = 1;
	return 1;
}

/* ---- what the supervisor says ---- */

static void begin_stopping(void)
{
	self.stopping = true;
	gate_wake_all(&self.changed);
}

void room_give_up(result why)
{
	if (!self.stopping)
		give_up("the room cannot go on", why);
	begin_stopping();
}

static bool await_start(void)
{
	while (!self.started && !self.stopping)
		if (failed(gate_wait(&self.changed, FIBER_FOREVER)))
			return false;
	return self.started && !self.stopping;
}

static void on_listener(struct arrival *in, struct supervisor_room_listener *m)
{
	(void)in;
	if (await_start() && self.room->listener)
		self.room->listener(m->protocol, m->address, talk_take_fd(&m->socket));
}

/* Who is asked about places with a file that is none goes on with the one before, or with none. */
static void on_places(struct arrival *in, struct supervisor_room_places *m)
{
	(void)in;
	result r = self.room->places ? self.room->places(m->countries, m->networks) : OK;
	log_event(failed(r) ? EV_PLACES_REFUSED : EV_PLACES, NULL, F_STR("why", str_from(failed(r) ? r.text : "")));
	self.places_due = false;
	gate_wake_all(&self.changed);
}

static void on_bans(struct arrival *in, struct supervisor_room_bans *m)
{
	(void)in;
	if (self.room->bans)
		self.room->bans(talk_take_fd(&m->page));
}

static void on_channel(struct arrival *in, struct supervisor_room_channel *m)
{
	(void)in;
	if (await_start())
		room_visit(m);
}

static void on_ping(struct arrival *in, struct supervisor_room_ping *m)
{
	struct supervisor_room_pong pong = {0};
	(void)in;
	(void)m;
	result r = supervisor_room_pong_send(self.supervisor, NULL, &pong);
	(void)r; /* a supervisor that has gone ends this room by itself */
}

static void on_stop(struct arrival *in, struct supervisor_room_stop *m)
{
	(void)in;
	(void)m;
	begin_stopping();
}

static void on_supervisor_ended(void *ctx, struct channel *c, result why)
{
	(void)ctx;
	(void)c;
	(void)why;
	begin_stopping();
}

void room_blame(const char *role, uint64_t number)
{
	struct supervisor_room_nonsense m = {.role = str_from(role), .number = number};
	result r = supervisor_room_nonsense_offer(self.supervisor, NULL, &m);
	(void)r; /* a supervisor that is gone or behind needs no such news */
}

void room_ready(void)
{
	struct supervisor_room_ready m = {.jail = str_sub(buf_str(&self.lacks), 0, LACKS_MAX)};
	if (self.ready)
		return;
	self.ready = true;
	result r = supervisor_room_ready_send(self.supervisor, NULL, &m);
	(void)r; /* a supervisor that has gone ends this room by itself */
}

void room_idle(void)
{
	struct supervisor_room_idle m = {0};
	result r = supervisor_room_idle_offer(self.supervisor, NULL, &m);
	(void)r; /* asked again when the room is idle again */
}

/* ---- life ---- */

static void finish(void)
{
	if (self.room->stop && self.started)
		self.room->stop();
	room_visit_drain();
	room_log_finish();
	loop_end();
}

static result await_places(void)
{
	while (self.places_due && !self.stopping)
		TRY(gate_wait(&self.changed, FIBER_FOREVER));
	return OK;
}

static void live(void *arg)
{
	(void)arg;
	result r = await_places();
	if (!failed(r) && self.room->start)
		r = self.room->start();
	if (failed(r)) {
		give_up("the room could not start its work", r);
		begin_stopping();
	} else {
		self.started = true;
		gate_wake_all(&self.changed);
		room_ready();
	}
	while (!self.stopping)
		if (failed(gate_wait(&self.changed, FIBER_FOREVER)))
			break;
	finish();
}

static result hear_begin(void)
{
	AUTO_ARENA arena a = arena_new(BEGIN_MAX);
	struct supervisor_room_begin b;
	const struct hearing h = {.arena = &a, .answer = &b};
	TRY(channel_first(SUPERVISOR_FD, &supervisor_room_pair, SUPERVISOR_ROOM_BEGIN, &h));
	self.number = b.number;
	self.places_due = b.places;
	self.best_effort = b.jail == SUPERVISOR_ROOM_JAIL_POLICY_BEST_EFFORT;
	result r = self.room->prepare ? self.room->prepare(&b) : OK;
	if (self.room->bans && b.bans >= 0)
		self.room->bans(talk_take_fd(&b.bans));
	supervisor_room_begin_release(&b);
	if (b.private_key.n > 0)
		explicit_bzero((void *)(uintptr_t)b.private_key.p, b.private_key.n);
	return r;
}

static result open_house_channel(void)
{
	static const struct supervisor_room_as_room handlers = {
		.listener = on_listener, .places = on_places, .bans = on_bans, .channel = on_channel, .ping = on_ping,
		.stop = on_stop};
	struct channel_options o = {.fd = SUPERVISOR_FD, .peer = "supervisor", .ended = on_supervisor_ended,
				    .first = SUPERVISOR_ROOM_BEGIN};
	return supervisor_room_open_as_room(&o, &handlers, &self.supervisor);
}

static result enter(void)
{
	TRY(loop_open());
	gate_init(&self.changed);
	room_peers_open(self.room);
	room_visit_open(self.room);
	TRY(open_house_channel());
	if (!self.room->keeps_log)
		room_log_open();
	self.lacks = buf_new(4096);
	if (self.room->sandbox)
		TRY(room_jail(self.room, self.best_effort, &self.lacks));
	else if (self.room->jail)
		TRY(self.room->jail(self.best_effort, &self.lacks));
	return fiber_start(live, NULL, "life", NULL);
}

static void leave(void)
{
	if (self.room->close)
		self.room->close();
	room_visit_close();
	room_peers_close();
	channel_close(&self.supervisor);
	if (!self.room->keeps_log)
		room_log_close();
	loop_close();
	channel_trim();
	buf_free(&self.lacks);
}

static bool was_started_by_the_supervisor(void)
{
	int type = 0;
	socklen_t n = sizeof type;
	return getsockopt(SUPERVISOR_FD, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_SEQPACKET;
}

int room_main(const struct room *r)
{
	self.room = r;
	if (!was_started_by_the_supervisor()) {
		fprintf(stderr, "postern: this program is a room of posternd, which starts it; run posternd instead\n");
		room_jail_print(r);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	fcntl(SUPERVISOR_FD, F_SETFD, FD_CLOEXEC);
	result begun = random_open(); /* first: it gives the hash tables their key */
	if (!failed(begun))
		begun = hear_begin();
	if (failed(begun))
		return give_up("the room could not be prepared", begun);
	result entered = enter();
	if (failed(entered))
		return give_up("the room could not enter its jail and loop", entered);
	loop_run();
	leave();
	return self.status;
}
