#include "load.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "grammar/text/base64.h"

enum { IN_MAX = 1 << 16, OUT_MAX = 1 << 20, EVENTS = 256 };

static void advance(struct load *load, struct session *s);

static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

static bool work_left(const struct load *load)
{
	return load->next < load->plan.messages && load->errors < load->plan.messages
		&& (!load->first || now_ns() - load->first < load->plan.seconds * 1000000000u);
}

/* Connections. */

static void watch(struct load *load, struct session *s, int operation)
{
	bool writing = s->stage == CONNECTING || s->stage == HANDSHAKE || s->out.n > 0 || s->body.n > 0;
	struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = s};
	if (operation == EPOLL_CTL_MOD && event.events == s->watched)
		return;
	s->watched = event.events;
	if (epoll_ctl(load->poll, operation, s->fd, &event) != 0)
		give_up("epoll_ctl");
}

static void connect_to(struct load *load, struct session *s)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load->plan.port)};
	if (inet_pton(AF_INET, load->plan.host.p, &to.sin_addr) != 1)
		give_up("--host");
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		give_up("socket");
	int on = 1;
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(s->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
		give_up("connect");
	s->stage = CONNECTING;
	s->secured = false;
	s->pipelining = false;
	s->sent_here = 0;
	watch(load, s, EPOLL_CTL_ADD);
}

static void hang_up(struct session *s)
{
	SSL_free(s->tls);
	s->tls = NULL;
	close(s->fd);
	buf_clear(&s->in);
	buf_clear(&s->out);
	buf_clear(&s->held);
	s->body = (str){0};
}

/* A new connection when there is work, the end when there is none. */
static void start_over(struct load *load, struct session *s)
{
	hang_up(s);
	if (work_left(load)) {
		connect_to(load, s);
		return;
	}
	s->stage = ENDED;
	load->alive--;
}

static bool fit_for_json(char c)
{
	return isprint((unsigned char)c) && c != '"' && c != '\\';
}

static void note_error(struct load *load, struct session *s, str reply)
{
	load->errors++;
	if (!load->first_error[0])
		for (size_t i = 0; i < reply.n && i < sizeof load->first_error - 1; i++)
			load->first_error[i] = fit_for_json(reply.p[i]) ? reply.p[i] : ' ';
	start_over(load, s);
}

/* What is said. */

/* All that is held, or where the server wants to answer each line, the next. */
static void let_go(struct session *s)
{
	size_t end = s->pipelining ? s->held.n : str_find(buf_str(&s->held), STR("\n")) + 1;
	if (s->held.n == 0)
		return;
	buf_put(&s->out, str_of(s->held.p, end));
	buf_drop(&s->held, end);
}

static void say_message(struct load *load, struct session *s)
{
	s->number = load->next++;
	s->began = now_ns();
	if (!load->first)
		load->first = s->began;
	if (load->plan.login.n)
		buf_printf(&s->held, "MAIL FROM:<%.*s>\r\n", STR_ARG(load->plan.login));
	else
		buf_printf(&s->held, "MAIL FROM:<m%lu@load.example>\r\n", s->number);
	for (uint64_t i = 0; i < load->plan.recipients; i++) {
		uint64_t user = (s->number * load->plan.recipients + i) % load->plan.users + 1;
		buf_printf(&s->held, "RCPT TO:<user%lu@%.*s>\r\n", user, STR_ARG(load->plan.domain));
	}
	buf_put(&s->held, STR("DATA\r\n"));
	let_go(s);
	s->replies_due = load->plan.recipients + 2;
	s->stage = ENVELOPE;
}

static void say_body(struct load *load, struct session *s)
{
	if (load->plan.login.n)
		buf_printf(&s->out, "From: <%.*s>\r\n", STR_ARG(load->plan.login));
	else
		buf_printf(&s->out, "From: <m%lu@load.example>\r\n", s->number);
	buf_printf(&s->out, "To: somebody@%.*s\r\nSubject: message %lu\r\n"
		"Date: Tue, 3 Mar 2026 10:00:00 +0000\r\nMessage-ID: <%lu.%lu@load.example>\r\n\r\n",
		STR_ARG(load->plan.domain), s->number, s->number, s->began);
	s->body = buf_str(&load->text);
	s->stage = BODY;
}

static void next_message(struct load *load, struct session *s)
{
	bool full = load->plan.per_connection && s->sent_here >= load->plan.per_connection;
	if (full || !work_left(load)) {
		buf_put(&s->out, STR("QUIT\r\n"));
		advance(load, s);
		start_over(load, s);
		return;
	}
	s->sent_here++;
	say_message(load, s);
}

/* What is heard: the last line of a reply. */

/* AUTH PLAIN with the initial response (RFC 4954 4). */
static void say_login(struct load *load, struct session *s)
{
	buf words = buf_new(1024);
	buf_putc(&words, '\0');
	buf_put(&words, load->plan.login);
	buf_putc(&words, '\0');
	buf_put(&words, load->plan.password);
	buf_put(&s->out, STR("AUTH PLAIN "));
	base64_encode(&s->out, buf_str(&words), 0);
	buf_put(&s->out, STR("\r\n"));
	buf_free(&words);
	s->stage = LOGIN;
}

static void after_hello(struct load *load, struct session *s)
{
	if (load->plan.starttls && !s->secured) {
		buf_put(&s->out, STR("STARTTLS\r\n"));
		s->stage = GOING_TLS;
		return;
	}
	if (load->plan.login.n && s->auth) {
		say_login(load, s);
		return;
	}
	next_message(load, s);
}

static void begin_tls(struct load *load, struct session *s)
{
	s->tls = SSL_new(load->tls);
	if (!s->tls || SSL_set_fd(s->tls, s->fd) != 1)
		give_up("SSL_new");
	SSL_set_connect_state(s->tls);
	s->stage = HANDSHAKE;
}

static void message_done(struct load *load, struct session *s)
{
	load->last = now_ns();
	load->latency[load->done++] = load->last - s->began;
	next_message(load, s);
}

static void say_hello(struct session *s)
{
	buf_put(&s->out, STR("EHLO load.example\r\n"));
	s->stage = HELLO;
}

static void hear(struct load *load, struct session *s, str reply)
{
	char wanted = s->stage == ENVELOPE && s->replies_due == 1 ? '3' : '2';
	if (reply.n < 3 || reply.p[0] != wanted) {
		note_error(load, s, reply);
		return;
	}
	switch (s->stage) {
	case GREETING: say_hello(s); break;
	case HELLO: after_hello(load, s); break;
	case GOING_TLS: begin_tls(load, s); break;
	case LOGIN: next_message(load, s); break;
	case ENVELOPE:
		if (--s->replies_due == 0)
			say_body(load, s);
		else
			let_go(s);
		break;
	case BODY: message_done(load, s); break;
	case CONNECTING:
	case HANDSHAKE:
	case ENDED: break;
	}
}

static void hear_lines(struct load *load, struct session *s)
{
	while (s->stage != ENDED && s->stage != CONNECTING) {
		size_t end = str_find(buf_str(&s->in), STR("\r\n"));
		if (end == STR_NONE)
			return;
		char line[512];
		size_t n = end < sizeof line ? end : sizeof line;
		memcpy(line, s->in.p, n);
		buf_drop(&s->in, end + 2);
		if (s->stage == HELLO && str_find(str_of(line, n), STR("PIPELINING")) != STR_NONE)
			s->pipelining = true;
		if (s->stage == HELLO && str_find(str_of(line, n), STR("AUTH")) != STR_NONE)
			s->auth = true;
		if (n < 4 || line[3] != '-')
			hear(load, s, str_of(line, n));
	}
}

/* Bytes in and out. */

static ssize_t write_some(struct session *s)
{
	if (s->tls) {
		str piece = s->out.n ? buf_str(&s->out) : s->body;
		int n = SSL_write(s->tls, piece.p, piece.n > OUT_MAX ? OUT_MAX : (int)piece.n);
		return n > 0 ? n : SSL_get_error(s->tls, n) == SSL_ERROR_WANT_WRITE ? 0 : -1;
	}
	struct iovec pieces[2] = {{s->out.p, s->out.n}, {(void *)(uintptr_t)s->body.p, s->body.n}};
	ssize_t n = writev(s->fd, pieces, 2);
	return n >= 0 ? n : errno == EAGAIN ? 0 : -1;
}

/* Sends what is waiting; what the kernel does not take stays. */
static void advance(struct load *load, struct session *s)
{
	(void)load;
	while (s->out.n || s->body.n) {
		ssize_t n = write_some(s);
		if (n <= 0)
			return;
		size_t head = (size_t)n < s->out.n ? (size_t)n : s->out.n;
		buf_drop(&s->out, head);
		s->body = str_skip(s->body, (size_t)n - head);
	}
}

static ssize_t read_some(struct session *s)
{
	if (!buf_reserve(&s->in, 4096))
		return -1;
	if (!s->tls) {
		ssize_t n = read(s->fd, s->in.p + s->in.n, 4096);
		return n > 0 ? n : n < 0 && errno == EAGAIN ? 0 : -1;
	}
	int n = SSL_read(s->tls, s->in.p + s->in.n, 4096);
	return n > 0 ? n : SSL_get_error(s->tls, n) == SSL_ERROR_WANT_READ ? 0 : -1;
}

static void take_in(struct load *load, struct session *s)
{
	for (;;) {
		ssize_t n = read_some(s);
		if (n == 0)
			return;
		if (n < 0) {
			note_error(load, s, STR("the connection broke"));
			return;
		}
		s->in.n += (size_t)n;
		int fd = s->fd;
		hear_lines(load, s);
		if (s->stage == ENDED || s->stage == CONNECTING || s->fd != fd || (!s->tls && n < 4096))
			return;
	}
}

static void shake_hands(struct load *load, struct session *s)
{
	int n = SSL_do_handshake(s->tls);
	int error = SSL_get_error(s->tls, n);
	if (n == 1) {
		s->secured = true;
		say_hello(s);
	} else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
		note_error(load, s, STR("the TLS handshake failed"));
	}
}

static void serve(struct load *load, struct session *s, uint32_t events)
{
	if (s->stage == ENDED)
		return;
	if (s->stage == CONNECTING) {
		if (events & (EPOLLERR | EPOLLHUP))
			give_up("the server does not accept connections");
		s->stage = GREETING;
	}
	if (s->stage == HANDSHAKE)
		shake_hands(load, s);
	else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		take_in(load, s);
	if (s->stage == ENDED || s->stage == CONNECTING)
		return;
	advance(load, s);
	watch(load, s, EPOLL_CTL_MOD);
}

/* Also when connections are left that some server never accepted. */
static bool finished(const struct load *load)
{
	return load->alive == 0 || load->done + load->errors >= load->plan.messages;
}

static void run(struct load *load)
{
	struct epoll_event events[EVENTS];
	uint64_t overtime = (load->plan.seconds + 5) * 1000000000u, started = now_ns();
	while (!finished(load) && now_ns() - started < overtime) {
		int n = epoll_wait(load->poll, events, EVENTS, 1000);
		for (int i = 0; i < n; i++)
			serve(load, events[i].data.ptr, events[i].events);
	}
}

static struct load prepare(struct plan plan)
{
	struct load load = {.plan = plan, .poll = epoll_create1(EPOLL_CLOEXEC)};
	load.tls = SSL_CTX_new(TLS_client_method());
	load.sessions = mem_array(plan.connections, sizeof *load.sessions);
	load.latency = mem_array(plan.messages, sizeof *load.latency);
	if (!load.tls || load.poll < 0 || !load.sessions || !load.latency)
		give_up("load");
	SSL_CTX_set_mode(load.tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	plan_text(&plan, &load.text);
	load.alive = plan.connections;
	return load;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	struct load load = prepare(plan_from(argc, argv));
	for (uint64_t i = 0; i < load.plan.connections; i++) {
		struct session *s = &load.sessions[i];
		s->in = buf_new(IN_MAX);
		s->out = buf_new(OUT_MAX);
		s->held = buf_new(OUT_MAX);
		connect_to(&load, s);
	}
	run(&load);
	load_report(&load);
	return load.done + load.errors == load.plan.messages || load.plan.seconds ? 0 : 1;
}
