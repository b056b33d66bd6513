#include "edge/door.h"
#include "edge/web.h"
#include "base/mem.h"
#include "grammar/smtp/proxy.h"
#include "run/clock.h"
#include "run/random.h"

#include <errno.h>
#include <unistd.h>

struct door {
	struct edge *edge;
	struct list node;
	int fd;
	struct fd_watch *watch;
	enum client_protocol protocol;
	bool tls_first;
	struct fiber *fiber;
};

struct guest {
	struct client client;
	struct list node;
	struct fiber *fiber;
	int fd;
	bool tls_first;
	bool counted; /* in the limits table, before its fiber began */
};

/* One edge a process: its doors and guests, for the end. */
static struct list doors = {&doors, &doors}, guests = {&guests, &guests};

struct kind {
	const char *name;
	enum client_protocol protocol;
	bool tls_first;
};

static const struct kind kinds[] = {
	{"smtp", CLIENT_SMTP, false},
	{"submission", CLIENT_SUBMISSION, false},
	{"submissions", CLIENT_SUBMISSION, true},
	{"imap", CLIENT_IMAP, false},
	{"imaps", CLIENT_IMAP, true},
	{"pop3", CLIENT_POP3, false},
	{"pop3s", CLIENT_POP3, true},
	{"https", CLIENT_WEB, true},
	{"local", CLIENT_LOCAL, false},
};

static void from_ip(net_addr *a, const struct ip *ip, uint16_t port)
{
	memset(a, 0, sizeof *a);
	a->port = port;
	if (ip->n == 4) {
		a->ip[10] = a->ip[11] = 0xff;
		memcpy(a->ip + 12, ip->b, 4);
	} else {
		memcpy(a->ip, ip->b, sizeof a->ip);
	}
}

/* The header comes first, before TLS, whose first octets may come with it. Nothing of it is believed from others. */
static result read_proxy_header(struct client *c)
{
	struct proxy_header h;
	size_t need = 0;
	stream_set_deadline(c->stream, DOOR_PROXY_MS);
	do {
		TRY(stream_fill_most(c->stream, need ? need : PROXY_FIXED));
		TRY(proxy_parse(stream_peek(c->stream), &h, &need));
	} while (need);
	stream_consume(c->stream, h.size);
	stream_set_deadline(c->stream, FIBER_FOREVER);
	if (h.kind == PROXY_TCP4 || h.kind == PROXY_TCP6) {
		net_addr a;
		from_ip(&a, &h.source, h.source_port);
		client_set_address(c, &a, true);
	}
	return OK;
}

static bool speaks_proxy(const struct client *c)
{
	const struct edge *e = c->edge;
	if (c->protocol == CLIENT_LOCAL)
		return false;
	if (e->demo && options_yes(&e->options, OPT_DEMO_PROXY))
		return true;
	return net_in_any(&c->address, e->proxies.p, e->proxies.n);
}

static const char *busy_line(enum client_protocol protocol)
{
	static const char *const lines[] = {
		[CLIENT_SMTP] = "421 4.7.0 ",
		[CLIENT_SUBMISSION] = "421 4.7.0 ",
		[CLIENT_LOCAL] = "421 4.7.0 ",
		[CLIENT_IMAP] = "* BYE [UNAVAILABLE] ",
		[CLIENT_POP3] = "-ERR [SYS/TEMP] ",
		[CLIENT_WEB] = WEB_BUSY,
	};
	return lines[protocol];
}

enum { FAREWELL_MAX = 300 };

/* With or without that line. Who comes through a proxy has a stream already. */
static void see_off(struct guest *g, str line)
{
	struct client *c = &g->client;
	if (!c->stream) {
		net_send_off(g->fd, line);
		g->fd = -1;
		return;
	}
	result r = stream_write(c->stream, line);
	if (!failed(r))
		r = stream_flush(c->stream);
	(void)r;
}

/* Said in clear on a TLS port too: a client that can't read it loses nothing. */
static void turn_away(struct guest *g, const char *why)
{
	struct client *c = &g->client;
	AUTO_BUF buf line = buf_new(FAREWELL_MAX);
	uint64_t times;
	if (limits_tell(&c->edge->limits, &c->address, &times))
		log_event(EV_LIMITED, c->stream ? &c->session : NULL, F_STR("client", str_from(c->text)),
			  F_STR("why", str_from(why)), F_U64("times", times));
	buf_put(&line, str_from(busy_line(c->protocol)));
	buf_put(&line, str_from(why));
	buf_put(&line, STR("\r\n"));
	see_off(g, buf_str(&line));
}

static bool is_counted(struct guest *g)
{
	struct client *c = &g->client;
	result r = limits_enter(&c->edge->limits, &c->address, client_is_exempt(c));
	g->counted = !failed(r);
	if (!g->counted)
		turn_away(g, r.text);
	return g->counted;
}

static void forget(struct guest *g)
{
	if (g->counted && !g->client.uncounted)
		limits_leave(&g->client.edge->limits, &g->client.address, client_is_exempt(&g->client));
	g->counted = false;
}

/* 421 and not 554: the ban will end, and a letter that is tried again then is not lost. Where TLS
 * comes first a line in clear is of no use to programs, so nothing is said. */
static str farewell(const struct guest *g, const struct ban_row *row, buf *line)
{
	if (g->tls_first)
		return (str){NULL, 0};
	buf_put(line, str_from(busy_line(g->client.protocol)));
	bans_put_sentence(line, row);
	buf_put(line, STR("\r\n"));
	return buf_str(line);
}

/* Whose connection it is is known from the start, or from a proxy. */
static bool is_banned(struct guest *g)
{
	struct client *c = &g->client;
	struct ban_row row;
	if (client_grade(c, &row) != BAN_FULL)
		return false;
	AUTO_BUF buf line = buf_new(FAREWELL_MAX);
	bans_count(&c->edge->bans, &row);
	see_off(g, farewell(g, &row, &line));
	return true;
}

/* Counted already, so that who is slowed does not open more connections than others. */
static result slow_down(const struct client *c)
{
	struct ban_row row;
	uint64_t pause = bans_pause(client_grade(c, &row));
	return pause ? fiber_sleep(pause) : OK;
}

static void serve_counted(struct guest *g)
{
	struct client *c = &g->client;
	log_event(EV_CONNECT, &c->session, F_STR("client", str_from(c->text)), F_U64("port", c->address.port));
	if (failed(slow_down(c)))
		return;
	if (g->tls_first && failed(client_start_tls(c)))
		return;
	client_session(c);
	log_event(EV_DISCONNECT, &c->session, F_STR("client", str_from(c->text)), F_U64("in", stream_bytes_in(c->stream)),
		  F_U64("out", stream_bytes_out(c->stream)), F_STR("end", c->stalled ? STR("timeout") : STR("")));
}

static void serve(struct guest *g)
{
	struct client *c = &g->client;
	if (speaks_proxy(c) && (failed(read_proxy_header(c)) || is_banned(g)))
		return;
	if (!g->counted && !is_counted(g))
		return;
	serve_counted(g);
	forget(g);
}

/* Who it is: an address, or on the local socket a user. */
static result meet(struct guest *g)
{
	net_addr peer;
	pid_t pid;
	uid_t uid;
	if (g->client.protocol == CLIENT_LOCAL) {
		TRY(net_peer_user(g->fd, &pid, &uid));
		client_set_user(&g->client, uid);
		return OK;
	}
	TRY(net_peer(g->fd, &peer));
	g->client.from_loopback = net_is_loopback(&peer);
	client_set_address(&g->client, &peer, false);
	return OK;
}

static void guest_fiber(void *arg)
{
	struct guest *g = arg;
	list_insert(&guests, &g->node);
	g->fiber = fiber_self();
	if (!failed(stream_open(g->fd, &g->client.stream))) {
		g->fd = -1;
		g->client.session = trace_new();
		serve(g);
	}
	forget(g); /* where there was no memory for its stream */
	stream_free(&g->client.stream);
	if (g->fd >= 0)
		close(g->fd);
	list_remove(&g->node);
	mem_free(g);
}

/* A client that is banned, or one too many, costs a look and no fiber; a proxy is asked for whom it speaks. */
static bool is_served(struct guest *g)
{
	return !failed(meet(g)) && (speaks_proxy(&g->client) || (!is_banned(g) && is_counted(g)));
}

static void let_in(const struct door *d, int fd)
{
	struct guest *g = mem_alloc(sizeof *g);
	if (!g) {
		close(fd); /* no memory to serve anybody: the client tries again */
		return;
	}
	*g = (struct guest){.client = {.edge = d->edge, .protocol = d->protocol}, .fd = fd, .tls_first = d->tls_first};
	if (is_served(g) && !failed(fiber_start(guest_fiber, g, "client", NULL)))
		return;
	forget(g);
	if (g->fd >= 0)
		close(g->fd);
	mem_free(g);
}

static void accept_all(const struct door *d)
{
	for (unsigned n = 1; !d->edge->stopping; n++) {
		int fd;
		result r = net_accept(d->fd, d->watch, &fd);
		if (!failed(r))
			let_in(d, fd);
		else if (r.kind != FAIL_LIMIT) /* of descriptors or memory: it has waited a moment already */
			break;
		if (n % DOOR_BURST == 0) /* whoever is inside is served, however many come */
			fiber_yield();
	}
}

static void door_fiber(void *arg)
{
	struct door *d = arg;
	d->fiber = fiber_self();
	bans_await(&d->edge->bans);
	accept_all(d);
	if (!d->edge->stopping)
		log_event(EV_LIMITED, NULL, F_STR("why", STR("a listening socket broke; nobody is accepted on it any more")));
	fd_watch_close(&d->watch);
	close(d->fd);
	list_remove(&d->node);
	mem_free(d);
}

static const struct kind *kind_of(str protocol)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (str_eq(str_from(kinds[i].name), protocol))
			return &kinds[i];
	return NULL;
}

void door_open(struct edge *e, str protocol, int fd)
{
	const struct kind *k = kind_of(protocol);
	struct door *d = k ? mem_alloc(sizeof *d) : NULL;
	if (!d) {
		close(fd);
		return;
	}
	*d = (struct door){.edge = e, .fd = fd, .protocol = k->protocol, .tls_first = k->tls_first};
	list_insert(&doors, &d->node);
	if (!failed(fd_watch_open(fd, &d->watch)) && !failed(fiber_start(door_fiber, d, "door", NULL)))
		return;
	fd_watch_close(&d->watch);
	close(fd);
	list_remove(&d->node);
	mem_free(d);
}

static void end_guests(bool busy_too)
{
	LIST_EACH(n, &guests)
	{
		struct guest *g = LIST_OWNER(n, struct guest, node);
		if (busy_too || !g->client.busy)
			fiber_cancel(g->fiber);
	}
}

void door_close_all(struct edge *e)
{
	e->stopping = true;
	LIST_EACH(n, &doors)
	{
		struct door *d = LIST_OWNER(n, struct door, node);
		if (d->fiber)
			fiber_cancel(d->fiber);
	}
	/* A letter that has come in whole is kept and answered first; its client
	 * would only send it again. */
	end_guests(false);
	uint64_t until = clock_mono_ms() + DOOR_STOP_MS;
	while (!list_empty(&guests) && clock_left(until) > 0)
		if (failed(fiber_sleep(DOOR_LOOK_MS)))
			break;
	end_guests(true);
}
