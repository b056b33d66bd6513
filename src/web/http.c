#include "web/http.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"
#include "run/clock.h"
#include "run/fiber.h"
#include "run/secret.h"

enum { LOOK_MS = 500 }; /* between two looks at who is late */

enum request_state { READING, WORKING, ANSWERED };

/* A visitor's connection, as long as the library has it. */
struct visitor {
	struct list node;
	int fd;
	uint64_t until; /* what is under way has to be done */
	bool heard;     /* a whole request came */
	bool trusted;
	size_t text_n;
	char text[NET_TEXT_MAX];
};

/* What the library keeps as a visitor's address: octets to it, which it copies. */
struct label {
	struct sockaddr_in6 at; /* first */
	bool trusted;
};

struct request {
	struct http_request asked; /* first */
	struct MHD_Connection *connection;
	struct visitor *visitor; /* NULL: a process of this machine */
	enum request_state state;
	bool too_large;
	char token[HTTP_TOKEN_MAX];
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
	struct list visitors;
	size_t visitors_n;
	bool closing, ended;
	struct gate changed;
} http;

static void kick(void)
{
	uint64_t one = 1;
	(void)!write(http.kick, &one, sizeof one); /* when it is full it is readable already */
}

static uint64_t from_now(uint64_t ms)
{
	return clock_mono_ms() + ms;
}

/* ---- visitors ---- */

static const union MHD_ConnectionInfo *info_of(struct MHD_Connection *c, enum MHD_ConnectionInfoType what)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, what);
	must(info);
	return info;
}

static bool is_visitors(struct MHD_Connection *c)
{
	return info_of(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr->sa_family == AF_INET6;
}

/* Without memory there is none, and its requests are not served (request_new). */
static struct visitor *visitor_new(struct MHD_Connection *c)
{
	const struct label *l = (const void *)info_of(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
	AUTO_BUF buf text = buf_new(NET_TEXT_MAX);
	net_addr client = {.port = 0};
	memcpy(client.ip, &l->at.sin6_addr, sizeof client.ip);
	net_put_ip(&text, &client);
	struct visitor *v = text.broken ? NULL : mem_alloc(sizeof *v);
	if (!v)
		return NULL;
	v->text_n = text.n;
	memcpy(v->text, text.p, text.n);
	v->trusted = l->trusted;
	v->fd = info_of(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	v->until = from_now(HTTP_REQUEST_MS);
	list_insert(&http.visitors, &v->node);
	http.visitors_n++;
	return v;
}

static void on_connection(void *ctx, struct MHD_Connection *c, void **own, enum MHD_ConnectionNotificationCode what)
{
	struct visitor *v = *own;
	(void)ctx;
	if (what == MHD_CONNECTION_NOTIFY_STARTED && is_visitors(c))
		*own = visitor_new(c);
	if (what != MHD_CONNECTION_NOTIFY_CLOSED || !v)
		return;
	list_remove(&v->node);
	http.visitors_n--;
	mem_free(v);
	*own = NULL;
}

/* One of which nothing was heard is told why; between requests it is enough to end. */
static void end_late(void)
{
	static const char late[] = "HTTP/1.1 408 Request Timeout\r\nContent-Type: application/json\r\nConnection: close\r\n"
		"\r\n{\"error\":\"no whole request came in 20 seconds\",\"kind\":\"timeout\"}\n";
	uint64_t now = clock_mono_ms();
	LIST_EACH(n, &http.visitors) {
		struct visitor *v = LIST_OWNER(n, struct visitor, node);
		if (v->until > now)
			continue;
		if (!v->heard)
			(void)!send(v->fd, late, sizeof late - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		shutdown(v->fd, SHUT_RDWR); /* the library sees the end, and closes */
		v->until = FIBER_FOREVER;
	}
}

/* ---- one request ---- */

static void request_free(struct request *q)
{
	if (q->body.p)
		secret_wipe(q->body.p, q->body.cap);
	buf_free(&q->body);
	buf_free(&q->names);
	secret_buf_free(&q->asked.answer);
	secret_wipe(q->token, sizeof q->token);
	mem_free(q);
}

/* Who it is was said when the connection was added, not by what came on it. */
static bool find_from(struct request *q)
{
	pid_t pid;
	if (!is_visitors(q->connection)) {
		int fd = info_of(q->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		return !failed(net_peer_user(fd, &pid, &q->asked.from.uid));
	}
	q->visitor = info_of(q->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	if (!q->visitor)
		return false;
	q->asked.from = (struct http_from){.visitor = true, .uid = (uid_t)-1,
		.client = str_of(q->visitor->text, q->visitor->text_n), .trusted = q->visitor->trusted};
	return true;
}

static void find_token(struct request *q)
{
	const char *value = MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
	str token = str_from(value ? value : "");
	if (!str_istarts(token, STR("Bearer ")))
		return;
	token = str_sub(str_trim(str_skip(token, 7)), 0, sizeof q->token);
	memcpy(q->token, token.p ? token.p : "", token.n);
	q->asked.token = str_of(q->token, token.n);
}

static struct request *request_new(struct MHD_Connection *c, const char *method, const char *url)
{
	struct request *q = mem_alloc(sizeof *q);
	if (!q)
		return NULL;
	*q = (struct request){.connection = c, .body = buf_new(HTTP_BODY_MAX), .names = buf_new(2 * HTTP_PATH_MAX)};
	q->asked = (struct http_request){.status = 200, .answer = buf_new(HTTP_ANSWER_MAX)};
	str m = str_sub(str_from(method), 0, HTTP_PATH_MAX), path = str_sub(str_from(url), 0, HTTP_PATH_MAX);
	buf_put(&q->names, m);
	buf_put(&q->names, path);
	q->method_n = m.n;
	find_token(q);
	/* Room for the whole at once: a body that grew would leave copies behind that nobody wipes. */
	if (!find_from(q) || q->names.broken || !buf_reserve(&q->body, HTTP_BODY_MAX)) {
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
	if (q->visitor) {
		q->visitor->heard = true;
		q->visitor->until = FIBER_FOREVER;
	}
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

/* No answer is to be kept, guessed at, or shown as a page. */
static void add_headers(const struct request *q, struct MHD_Response *r)
{
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(r, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
	if (q->visitor)
		MHD_add_response_header(r, MHD_HTTP_HEADER_STRICT_TRANSPORT_SECURITY, "max-age=31536000");
	if (q->asked.status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	if (q->asked.status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "POST");
	if (q->asked.last)
		MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
}

static enum MHD_Result send_answer(struct request *q)
{
	buf *a = &q->asked.answer;
	buf_putc(a, '\n');
	/* It lives until the library is done with the request (on_completed). */
	struct MHD_Response *r = MHD_create_response_from_buffer(a->n, a->p, MHD_RESPMEM_PERSISTENT);
	if (!r)
		return MHD_NO;
	add_headers(q, r);
	if (q->visitor)
		q->visitor->until = from_now(HTTP_ANSWER_MS);
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
	struct request *q = *state;
	if (q && q->visitor)
		q->visitor->until = from_now(HTTP_REQUEST_MS);
	if (q)
		request_free(q);
	*state = NULL;
}

/* ---- the server ---- */

result http_open(void (*answer)(struct http_request *q))
{
	http.answer = answer;
	http.closing = http.ended = false;
	gate_init(&http.changed);
	list_init(&http.visitors);
	http.kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (http.kick < 0)
		return failure(FAIL_LIMIT, "there are no descriptors left");
	tzset(); /* else the first Date looks for the time zone, in the jail */
	http.daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
				       on_request, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS,
				       MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S, MHD_OPTION_NOTIFY_COMPLETED,
				       on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL,
				       MHD_OPTION_END);
	return http.daemon ? OK : failure(FAIL_MEMORY, "the HTTP server cannot be started");
}

/* The library's frames are not measured against a fiber's small stack. */
static void run_library(void *arg)
{
	(void)arg;
	MHD_run(http.daemon);
}

static uint64_t wait_of_library(void)
{
	MHD_UNSIGNED_LONG_LONG ms;
	uint64_t wait = MHD_get_timeout(http.daemon, &ms) == MHD_YES ? ms : FIBER_FOREVER;
	return wait > LOOK_MS && http.visitors_n > 0 ? LOOK_MS : wait;
}

static void serve(void *arg)
{
	(void)arg;
	const struct fd_pair both = {http.events, FD_READ, http.kicked, FD_READ};
	while (!http.closing || http.working > 0) {
		uint64_t kicks;
		int which = 0;
		result r = fd_wait_pair(&both, wait_of_library(), &which);
		if (failed(r) && r.kind != FAIL_TIMEOUT)
			break;
		if (which & FD_B)
			(void)!read(http.kick, &kicks, sizeof kicks);
		end_late();
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

static result add(int fd, const void *address, socklen_t n)
{
	if (http.closing) {
		close(fd);
		return failure(FAIL_BUSY, "the server is stopping");
	}
	/* The library closes the socket when it refuses. */
	if (MHD_add_connection(http.daemon, fd, address, n) != MHD_YES)
		return failure(FAIL_LIMIT, "there are too many connections to the administration API");
	return OK;
}

result http_add(int fd)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	return add(fd, &a, sizeof a);
}

result http_add_visitor(const struct http_visit *v)
{
	struct label l = {.at = {.sin6_family = AF_INET6}, .trusted = v->trusted};
	memcpy(&l.at.sin6_addr, v->client.ip, sizeof v->client.ip);
	if (http.visitors_n >= HTTP_VISITORS) {
		close(v->fd);
		return failure(FAIL_LIMIT, "there are too many visitors to the administration API");
	}
	TRY(add(v->fd, &l, sizeof l));
	kick();
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
