/* The web room: the administration API on the local socket. Who may use it is
 * decided by the peer's user id before anything it sent is looked at. */
#include <jansson.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "run/clock.h"
#include "run/net.h"
#include "run/random.h"
#include "talk/room.h"
#include "talk/settings.h"
#include "web/api.h"
#include "web/own.h"
#include "web/people.h"

enum { REFUSED_READ_MAX = HTTP_BODY_MAX * 2, REFUSED_MS = 2000 };

/* ---- connections ---- */

static const char refusal_body[] =
	"{\"error\":\"this user may not administrate the server; use root, or have the user id added to "
	"`administrators` in the configuration\",\"kind\":\"denied\"}\n";

/* Takes what the client is still sending, unread, so that it can read the answer. */
static void drain(int fd)
{
	struct fd_watch *w;
	char bin[4096];
	uint64_t until = clock_mono_ms() + REFUSED_MS;
	if (failed(fd_watch_open(fd, &w)))
		return;
	for (size_t taken = 0; taken < REFUSED_READ_MAX;) {
		uint64_t now = clock_mono_ms();
		if (now >= until || failed(fd_wait(w, FD_READ, until - now)))
			break;
		ssize_t n = recv(fd, bin, sizeof bin, 0);
		if (n <= 0)
			break;
		taken += (size_t)n;
	}
	fd_watch_close(&w);
}

struct client {
	int fd;
	uid_t uid;
	pid_t pid;
};

static void refuse(const struct client *c)
{
	AUTO_BUF buf out = buf_new(2048);
	log_event(EV_ADMIN_REFUSED, NULL, F_U64("uid", c->uid), F_I64("pid", c->pid));
	buf_printf(&out,
		   "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
		   "Connection: close\r\n\r\n%s",
		   sizeof refusal_body - 1, refusal_body);
	if (send(c->fd, out.p, out.n, MSG_NOSIGNAL) == (ssize_t)out.n && shutdown(c->fd, SHUT_WR) == 0)
		drain(c->fd);
	close(c->fd);
}

static void serve(int fd)
{
	result r = http_add(fd);
	if (failed(r))
		log_event(EV_LIMITED, NULL, F_STR("why", str_from(r.text)));
}

/* Nothing that a user sent is read before it is known that he has an account here. */
static void meet_user(void *arg)
{
	struct client c = *(struct client *)arg;
	uint64_t account = 0;
	mem_free(arg);
	result r = people_account(&(struct person){.uid = c.uid}, &account);
	if (failed(r) || account == 0)
		refuse(&c);
	else
		serve(c.fd);
}

static void take_client(int fd)
{
	struct client c = {.fd = fd, .uid = (uid_t)-1};
	result r = net_peer_user(fd, &c.pid, &c.uid);
	if (!failed(r) && people_may_administrate(c.uid)) {
		serve(fd);
		return;
	}
	struct client *own = mem_alloc(sizeof c);
	if (own)
		*own = c;
	if (!own || failed(fiber_start(meet_user, own, "user", NULL))) {
		close(fd);
		mem_free(own);
	}
}

static void accept_clients(void *arg)
{
	int fd = (int)(intptr_t)arg, client;
	struct fd_watch *w;
	result r = fd_watch_open(fd, &w);
	while (!failed(r) && !room_stopping()) {
		r = net_accept(fd, w, &client);
		if (!failed(r))
			take_client(client);
		else if (r.kind == FAIL_LIMIT)
			r = fiber_sleep(100); /* out of descriptors: others will end */
	}
	fd_watch_close(&w);
	close(fd);
}

/* ---- life ---- */

static result prepare(const struct supervisor_room_begin *b)
{
	struct options o;
	TRY(settings_read(b, &o));
	own_set_demo(options_yes(&o, OPT_DEMO));
	result r = people_read(&o);
	options_free(&o);
	TRY(r);
	json_object_seed(random_u64() | 1); /* else jansson reads /dev/urandom at its first object, in the jail */
	return http_open(api_answer);
}

static void on_listener(str protocol, str address, int fd)
{
	(void)address;
	if (!str_eq(protocol, STR("admin")) || failed(fiber_start(accept_clients, (void *)(intptr_t)fd, "accept", NULL)))
		close(fd);
}

static const struct sandbox_call *const tables[] = {sandbox_accept, NULL};
static const struct sandbox sandbox = {.room = "web", .tables = tables};
static const struct room room = {
	.prepare = prepare, .sandbox = &sandbox, .start = http_start, .listener = on_listener, .stop = http_close};

int main(void)
{
	return room_main(&room);
}
