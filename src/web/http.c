#include "web/http.h"

#include <microhttpd.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/fiber.h"
#include "run/net.h"
#include "run/secret.h"

enum request_state { READING, WORKING, ANSWERED };

struct request {
	struct http_request asked; /* first */
	struct MHD_Connection *connection;
	enum request_state state;
	bool too_large;
	buf body;
	buf names; /* method and path */
	size_t method_n;
};

/* One process, one HTTP server. */
static struct {
	struct MHD_Daemon *daemon;
	struct fd_watch *events; /* the library's epoll set */
	int kick;                /* an eventfd: the library's set does not tell of resumed connections */
	struct fd_watch *kicked;
	void (*answer)(struct http_request *q);
	size_t working;
	bool closing, ended;
	struct gate changed;
} http;

static void kick(void)
{
	uint64_t one = 1;
	(void)!write(http.kick, &one, sizeof one); /* when it is full it is readable already */
}

/* ---- one request ---- */

static void request_free(struct request *q)
{
	if (q->body.p)
		secret_wipe(q->body.p, q->body.cap);
	buf_free(&q->body);
	buf_free(&q->names);
	secret_buf_free(&q->asked.answer);
	mem_free(q);
}

static uid_t uid_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	pid_t pid;
	uid_t uid;
	return info && !failed(net_peer_user(info->connect_fd, &pid, &uid)) ? uid : (uid_t)-1;
}

static struct request *request_new(struct MHD_Connection *c, const char *method, const char *url)
{
	struct request *q = mem_alloc(sizeof *q);
	if (!q)
		return NULL;
	*q = (struct request){.connection = c, .body = buf_new(HTTP_BODY_MAX), .names = buf_new(2 * HTTP_PATH_MAX)};
	q->asked = (struct http_request){.uid = uid_of(c), .status = 200, .answer = buf_new(HTTP_ANSWER_MAX)};
	str m = str_sub(str_from(method), 0, HTTP_PATH_MAX), path = str_sub(str_from(url), 0, HTTP_PATH_MAX);
	buf_put(&q->names, m);
	buf_put(&q->names, path);
	q->method_n = m.n;
	/* Room for the whole at once: a body that grew would leave copies behind that nobody wipes. */
	if (q->names.broken || !buf_reserve(&q->body, HTTP_BODY_MAX)) {
		request_free(q);
		return NULL;
	}
	return q;
}

static void work(void *arg)
{
	struct request *q = arg;
	q->asked.method = str_sub(buf_str(&q->names), 0, q->method_n);
	q->asked.path = str_skip(buf_str(&q->names), q->method_n);
	q->asked.body = buf_str(&q->body);
	if (q->too_large) {
		q->asked.status = 413;
		buf_put(&q->asked.answer, STR("{\"error\":\"the request is larger than 64 KiB\",\"kind\":\"limit\"}"));
	} else {
		http.answer(&q->asked);
	}
	q->state = ANSWERED;
	http.working--;
	MHD_resume_connection(q->connection);
	kick();
	gate_wake_all(&http.changed);
}

static enum MHD_Result begin_work(struct request *q)
{
	q->state = WORKING;
	http.working++;
	MHD_suspend_connection(q->connection);
	if (!http.closing && !failed(fiber_start(work, q, "request", NULL)))
		return MHD_YES;
	q->state = ANSWERED;
	q->asked.status = 503;
	buf_put(&q->asked.answer, STR("{\"error\":\"the server is busy or stopping; try again\",\"kind\":\"busy\"}"));
	http.working--;
	MHD_resume_connection(q->connection);
	return MHD_YES;
}

static enum MHD_Result send_answer(struct request *q)
{
	buf *a = &q->asked.answer;
	buf_putc(a, '\n');
	/* It lives until the library is done with the request (on_completed). */
	struct MHD_Response *r = MHD_create_response_from_buffer(a->n, a->p, MHD_RESPMEM_PERSISTENT);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	enum MHD_Result done = MHD_queue_response(q->connection, q->asked.status, r);
	MHD_destroy_response(r);
	return done;
}

/* The library calls this with a fresh *state, for each piece of the body, at
 * its end, and again after the connection was resumed. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
				  const char *version, const char *piece, size_t *piece_n, void **state)
{
	struct request *q = *state;
	(void)ctx;
	(void)version;
	if (!q) {
		*state = request_new(c, method, url);
		return *state ? MHD_YES : MHD_NO;
	}
	if (*piece_n > 0) {
		buf_put(&q->body, str_of(piece, *piece_n));
		q->too_large = q->too_large || q->body.broken;
		*piece_n = 0;
		return MHD_YES;
	}
	return q->state == ANSWERED ? send_answer(q) : begin_work(q);
}

static void on_completed(void *ctx, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
	(void)ctx;
	(void)c;
	(void)why;
	if (*state)
		request_free(*state);
	*state = NULL;
}

/* ---- the server ---- */

result http_open(void (*answer)(struct http_request *q))
{
	http.answer = answer;
	gate_init(&http.changed);
	http.kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (http.kick < 0)
		return failure(FAIL_LIMIT, "there are no descriptors left");
	tzset(); /* else the first Date looks for the time zone, in the jail */
	http.daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
				       on_request, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS,
				       MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S, MHD_OPTION_NOTIFY_COMPLETED,
				       on_completed, NULL, MHD_OPTION_END);
	return http.daemon ? OK : failure(FAIL_MEMORY, "the HTTP server cannot be started");
}

/* The library's frames are not measured against a fiber's small stack. */
static void run_library(void *arg)
{
	(void)arg;
	MHD_run(http.daemon);
}

static void serve(void *arg)
{
	(void)arg;
	const struct fd_pair both = {http.events, FD_READ, http.kicked, FD_READ};
	while (!http.closing || http.working > 0) {
		MHD_UNSIGNED_LONG_LONG ms;
		uint64_t kicks, wait = MHD_get_timeout(http.daemon, &ms) == MHD_YES ? ms : FIBER_FOREVER;
		int which = 0;
		result r = fd_wait_pair(&both, wait, &which);
		if (failed(r) && r.kind != FAIL_TIMEOUT)
			break;
		if (which & FD_B)
			(void)!read(http.kick, &kicks, sizeof kicks);
		fiber_on_loop_stack(run_library, NULL);
	}
	http.ended = true;
	gate_wake_all(&http.changed);
}

result http_start(void)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(http.daemon, MHD_DAEMON_INFO_EPOLL_FD);
	must(info);
	TRY(fd_watch_open(info->epoll_fd, &http.events));
	TRY(fd_watch_open(http.kick, &http.kicked));
	return fiber_start(serve, NULL, "http", NULL);
}

result http_add(int fd)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	if (http.closing) {
		close(fd);
		return failure(FAIL_BUSY, "the server is stopping");
	}
	/* The library closes the socket when it refuses. */
	if (MHD_add_connection(http.daemon, fd, (const struct sockaddr *)&a, sizeof a) != MHD_YES)
		return failure(FAIL_LIMIT, "there are too many connections to the administration socket");
	return OK;
}

void http_close(void)
{
	http.closing = true;
	kick();
	while (!http.ended)
		if (failed(gate_wait(&http.changed, FIBER_FOREVER)))
			break;
	must(http.ended && http.working == 0); /* the room stops before its fibers are cancelled */
	fiber_on_loop_stack(run_library, NULL); /* the last answers go out */
	fd_watch_close(&http.events);
	fd_watch_close(&http.kicked);
	MHD_stop_daemon(http.daemon);
	close(http.kick);
}
