/* room_test PROGRAM: starts room_sample as the supervisor would. */
#include "talk/room_watch.h"
#include "talk/supervisor_room.h"
#include "talk/test/channel_kit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log_read.h"

static const char *program;

static struct {
	pid_t pid;
	struct channel *room, *watch, *other;
	bool ready, idle, blamed;
	int events[LOG_EVENTS];
	int connects;
	bool strict;
	bool break_visitor;
} t;

static result echo(struct arrival *in, struct asker_teller_ping *m, struct asker_teller_pong *answer)
{
	(void)in;
	answer->payload = m->payload;
	return OK;
}

static void on_events(struct arrival *in, struct room_watch_events *m)
{
	cursor c = cursor_on(m->records);
	struct log_record r;
	(void)in;
	while (!cursor_done(&c)) {
		assert_true(log_read(cursor_take(&c, cursor_u16(&c)), &r));
		t.events[r.event]++;
	}
	assert_false(c.bad);
}

static const struct room_watch_as_watch watch_handlers = {.events = on_events};
static const struct asker_teller_as_teller other_handlers = {.ping = echo};

static void sockets(int fd[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
}

static result on_connect(struct arrival *in, struct supervisor_room_connect *m,
			 struct supervisor_room_connected *answer)
{
	int fd[2];
	(void)in;
	t.connects++;
	if (str_eq(m->role, STR("forbidden")))
		return failure(FAIL_DENIED, "not you");
	sockets(fd);
	struct channel_options o = {.fd = fd[0], .peer = "sample 3"};
	if (str_eq(m->role, STR("watch"))) {
		assert_str(m->pair, STR("room-watch"));
		assert_ok(room_watch_open_as_watch(&o, &watch_handlers, &t.watch));
	} else {
		assert_str(m->role, STR("other"));
		assert_int_equal(m->number, 5);
		assert_ok(asker_teller_open_as_teller(&o, &other_handlers, &t.other));
	}
	answer->socket = fd[1];
	return OK;
}

static void on_ready(struct arrival *in, struct supervisor_room_ready *m)
{
	(void)in;
	assert_str(m->jail, STR("everything"));
	t.ready = true;
}

static void on_idle(struct arrival *in, struct supervisor_room_idle *m)
{
	(void)in;
	(void)m;
	t.idle = true;
}

static void on_nonsense(struct arrival *in, struct supervisor_room_nonsense *m)
{
	(void)in;
	assert_str(m->role, STR("visitor"));
	assert_int_equal(m->number, 9);
	t.blamed = true;
}

static void start_room(const char *greeting)
{
	static const struct supervisor_room_as_supervisor handlers = {
		.connect = on_connect, .ready = on_ready, .idle = on_idle, .nonsense = on_nonsense};
	struct supervisor_room_setting setting = {STR("greeting"), str_from(greeting)};
	struct supervisor_room_begin b = {.role = STR("sample"), .number = 3, .settings = {&setting, greeting ? 1 : 0},
					  .private_key = STR("key")};
	int fd[2];
	if (!t.strict)
		b.jail = SUPERVISOR_ROOM_JAIL_POLICY_BEST_EFFORT;
	sockets(fd);
	t.pid = fork();
	if (t.pid == 0) {
		int high = fcntl(fd[1], F_DUPFD, 10);
		dup2(high, 3);
		close(high);
		if (greeting == NULL || t.strict)
			dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2);
		execl(program, program, NULL);
		_exit(99);
	}
	close(fd[1]);
	struct channel_options o = {.fd = fd[0], .peer = "sample 3"};
	assert_ok(supervisor_room_open_as_supervisor(&o, &handlers, &t.room));
	assert_ok(supervisor_room_begin_send(t.room, NULL, &b));
}

static int room_status(void)
{
	int status = -1;
	for (int i = 0; i < 5000; i++) {
		if (waitpid(t.pid, &status, WNOHANG) == t.pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
		assert_ok(fiber_sleep(1));
	}
	fail_msg("the room does not end");
	return -1;
}

static void await(const bool *what)
{
	for (int i = 0; i < 5000 && !*what; i++)
		assert_ok(fiber_sleep(1));
	assert_true(*what);
}

static void close_all(void)
{
	channel_close(&t.room);
	channel_close(&t.watch);
	channel_close(&t.other);
}

static struct channel *visit(int *raw)
{
	struct channel *visitor = NULL;
	int fd[2];
	sockets(fd);
	struct supervisor_room_channel m = {
		.pair = STR("asker-teller"), .role = STR("visitor"), .number = 9, .socket = fd[1]};
	assert_ok(supervisor_room_channel_send(t.room, NULL, &m));
	close(fd[1]);
	struct channel_options o = {.fd = fd[0], .peer = "sample 3"};
	if (raw)
		*raw = fd[0];
	else
		assert_ok(asker_teller_open_as_asker(&o, NULL, &visitor));
	return visitor;
}

static void whole_life(void)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct asker_teller_pong pong;
	int raw;
	start_room("good day");
	struct channel *visitor = visit(NULL); /* before it is ready: it waits */
	struct supervisor_room_listener l = {.protocol = STR("smtp"), .address = STR("127.0.0.1:25"), .socket = 2};
	assert_ok(supervisor_room_listener_send(t.room, NULL, &l));
	struct asker_teller_ping q = {.payload = STR("idle")};
	assert_ok(asker_teller_ping_call(visitor, NULL, &q, &a, &pong));
	assert_str(pong.payload, STR("good day 3"));
	await(&t.ready);
	await(&t.idle);
	struct asker_teller_pong_back back;
	assert_ok(asker_teller_ask_back_call(t.other, NULL, &(struct asker_teller_ask_back){.depth = 6}, &a, &back));
	assert_int_equal(back.depth, 7);
	channel_close(&t.other);
	visit(&raw);
	struct raw_packet p = {.number = 99};
	raw_send(raw, &p);
	await(&t.blamed);
	close(raw);
	channel_close(&visitor);
	assert_ok(fiber_sleep(30));
	assert_ok(supervisor_room_stop_send(t.room, NULL, &(struct supervisor_room_stop){0}));
	assert_int_equal(room_status(), 0);
	assert_ok(fiber_sleep(5));
	assert_int_equal(t.connects, 3);
	assert_int_equal(t.events[EV_ACCOUNT_OPENED], 1);
	assert_int_equal(t.events[EV_CONNECT], 1);
	assert_int_equal(t.events[EV_DISCONNECT], 2);
	assert_int_equal(t.events[EV_ROOM_NONSENSE], 1);
	assert_int_equal(t.events[EV_ACCOUNT_SHUT], 1);
	assert_int_equal(t.events[EV_TLS_FAILED], 1); /* the sample's word for: the other has gone */
	close_all();
}

static void a_room_lives_from_begin_to_stop(void **state)
{
	(void)state;
	memset(&t, 0, sizeof t);
	on_fiber(whole_life);
}

static void orphan(void)
{
	start_room("good day");
	await(&t.ready);
	channel_close(&t.room);
	assert_int_equal(room_status(), 0);
	close_all();
}

static void a_room_ends_when_its_supervisor_has_gone(void **state)
{
	(void)state;
	memset(&t, 0, sizeof t);
	on_fiber(orphan);
}

static void unprepared(void)
{
	start_room(NULL);
	assert_int_equal(room_status(), 1);
	assert_false(t.ready);
	close_all();
}

static void unjailed(void)
{
	t.strict = true;
	start_room("good day");
	assert_int_equal(room_status(), 1);
	assert_false(t.ready);
	close_all();
}

static void a_room_that_cannot_start_says_so(void **state)
{
	(void)state;
	memset(&t, 0, sizeof t);
	on_fiber(unprepared);
	on_fiber(unjailed);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_room_lives_from_begin_to_stop),
		cmocka_unit_test(a_room_ends_when_its_supervisor_has_gone),
		cmocka_unit_test(a_room_that_cannot_start_says_so),
	};
	if (argc != 2)
		return 2;
	program = argv[1];
	return cmocka_run_group_tests_name("room", tests, NULL, NULL);
}
