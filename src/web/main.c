/* The web room: the administration API, on the local socket and for visitors over the
 * network. Before anything that a client sent is looked at it is decided whether it may
 * come: by the peer's user id, or by the address that the edge says. */
#include <jansson.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "run/clock.h"
#include "run/net.h"
#include "run/random.h"
#include "talk/edge_web.h"
#include "talk/room.h"
#include "talk/settings.h"
#include "web/api.h"
#include "web/own.h"
#include "web/people.h"

enum { REFUSED_READ_MAX = HTTP_BODY_MAX * 2, REFUSED_MS = 2000, REFUSALS_MAX = 64 };

/* ---- connections ---- */

static const char user_refused[] =
	"{\"error\":\"this user may not administrate the server; use root, or have the user id added to "
	"`administrators` in the configuration\",\"kind\":\"denied\"}\n";

static const char visitor_refused[] =
	"{\"error\":\"the server is not administrated from this network; the option `administration-from` names those that "
	"it is\",\"kind\":\"denied\"}\n";

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

/* Nothing that it sends is read; takes fd. */
static void refuse(int fd, const char *body)
{
	AUTO_BUF buf out = buf_new(2048);
	buf_printf(&out,
		   "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
		   "Connection: close\r\n\r\n%s",
		   strlen(body), body);
	if (send(fd, out.p, out.n, MSG_NOSIGNAL) == (ssize_t)out.n && shutdown(fd, SHUT_WR) == 0)
		drain(fd);
	close(fd);
}

static void refuse_user(const struct client *c)
{
	log_event(EV_ADMIN_REFUSED, NULL, F_U64("uid", c->uid), F_I64("pid", c->pid));
	refuse(c->fd, user_refused);
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
		refuse_user(&c);
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

/* ---- visitors, whose bytes an edge carries ---- */

static size_t refusals; /* under way */

static void refuse_visitor(void *arg)
{
	refuse((int)(intptr_t)arg, visitor_refused);
	refusals--;
}

/* Only so many at a time: the descriptors are for who may come. */
static result refuse_apart(int fd)
{
	result r = refusals >= REFUSALS_MAX ? failure(FAIL_LIMIT, "too many are being refused just now") : OK;
	refusals++;
	if (!failed(r))
		r = fiber_start(refuse_visitor, (void *)(intptr_t)fd, "refusal", NULL);
	if (failed(r)) {
		refusals--;
		close(fd);
	}
	return r;
}

static result serve_visitor(const struct arrival *in, const struct http_visit *v)
{
	AUTO_BUF buf text = buf_new(NET_TEXT_MAX);
	if (people_may_come(&v->client))
		return http_add_visitor(v);
	net_put_ip(&text, &v->client);
	log_event(EV_ADMIN_REFUSED, &in->trace, F_STR("client", buf_str(&text)));
	return refuse_apart(v->fd);
}

static result on_visit(struct arrival *in, struct edge_web_visit *m, struct edge_web_visited *answer)
{
	struct http_visit v = {.trusted = m->trusted};
	int ends[2];
	TRY(net_parse_ip(m->client, &v.client));
	TRY(net_pair(SOCK_STREAM, ends));
	v.fd = ends[1];
	result r = serve_visitor(in, &v);
	if (failed(r))
		close(ends[0]);
	else
		answer->socket = ends[0];
	return r;
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

static const struct edge_web_as_web visits = {.visit = on_visit};
static const struct room_door doors[] = {
	{.kind = &edge_web_as_web_kind, .handlers = &visits},
};
/* A fresh stream for each visitor: one end is served, the other goes to the edge that carries it. */
static const struct sandbox_call pairs[] = {
	{"socketpair", SANDBOX_EQUALS, 0, AF_UNIX},
	{0},
};
static const struct sandbox_call *const tables[] = {sandbox_accept, pairs, NULL};
static const struct sandbox sandbox = {.room = "web", .tables = tables};
static const struct room room = {
	.prepare = prepare, .sandbox = &sandbox, .start = http_start, .listener = on_listener, .stop = http_close,
	.close = people_free, .doors = doors, .doors_n = sizeof doors / sizeof *doors};

int main(void)
{
	return room_main(&room);
}
