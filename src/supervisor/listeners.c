#include "supervisor/listeners.h"
#include "base/mem.h"
#include "run/clock.h"
#include "run/net.h"
#include "supervisor/folders.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct source {
	const char *protocol;
	enum option_id option;
};

static const struct source sources[] = {
	{"smtp", OPT_LISTEN_SMTP},
	{"submission", OPT_LISTEN_SUBMISSION},
	{"submissions", OPT_LISTEN_SUBMISSIONS},
	{"imap", OPT_LISTEN_IMAP},
	{"imaps", OPT_LISTEN_IMAPS},
	{"pop3", OPT_LISTEN_POP3},
	{"pop3s", OPT_LISTEN_POP3S},
	{"https", OPT_LISTEN_HTTPS},
};

uint64_t workers_of(const struct options *o, enum role role)
{
	int how = role_row_of(role)->workers;
	if (how == WORKERS_ONE)
		return 1;
	if (how == WORKERS_ON_DEMAND)
		return 0;
	return options_number(o, (enum option_id)how);
}

static result add(struct listeners *l, struct listener one)
{
	if (l->n >= LISTENERS_MAX)
		return failure(FAIL_LIMIT, "there are too many addresses to listen on");
	struct listener *p = mem_grow(l->p, (l->n + 1) * sizeof *p);
	if (!p)
		return failure(FAIL_MEMORY, "out of memory");
	l->p = p;
	l->p[l->n++] = one;
	return OK;
}

/* As with the lock on the data directory: a killed server's last processes may hold the port for a moment. */
static result listen_at(const net_addr *a, uint64_t until, int *fd)
{
	const struct timespec pause = {.tv_nsec = TAKEOVER_LOOK_MS * 1000000};
	result r;
	while ((r = net_listen(a, fd)).kind == FAIL_EXISTS && clock_left(until))
		nanosleep(&pause, NULL);
	return r;
}

static result bind_one(struct listeners *l, const struct source *s, str address, uint64_t worker)
{
	net_addr a;
	struct listener one = {.protocol = s->protocol, .worker = worker, .fd = -1};
	must(listener_role(str_from(s->protocol), &one.role));
	TRY(net_parse(address, &a));
	TRY(worker == 0 ? listen_at(&a, l->until, &one.fd) : net_listen_beside(&a, &one.fd));
	snprintf(one.address, sizeof one.address, "%.*s", STR_ARG(address));
	result r = add(l, one);
	if (failed(r))
		close(one.fd);
	return r;
}

static result bind_source(struct listeners *l, const struct options *o, const struct source *s, buf *problems)
{
	enum role role;
	str rest = options_text(o, s->option), address;
	result all = OK;
	must(listener_role(str_from(s->protocol), &role));
	while (options_next(&rest, &address)) {
		result r = OK;
		for (uint64_t w = 0; w < workers_of(o, role) && !failed(r); w++)
			r = bind_one(l, s, address, w);
		if (!failed(r))
			continue;
		buf_printf(problems, "%s: %.*s: %s\n", option_row_of(s->option)->name, STR_ARG(address), r.text);
		all = failure(FAIL_NETWORK, "not every address can be listened on");
	}
	return all;
}

static result bind_admin(struct listeners *l, buf *problems)
{
	struct listener one = {.protocol = "admin", .role = ROLE_WEB, .address = "admin.sock", .fd = -1};
	unlink("admin.sock"); /* of a server that was killed; the lock on the folder keeps a living one away */
	result r = net_listen_unix("admin.sock", &one.fd);
	/* Everybody may connect: web checks who it is. */
	if (!failed(r) && chmod("admin.sock", 0666) < 0)
		r = failure(FAIL_DISK, "the administration socket's mode cannot be set");
	if (!failed(r))
		r = add(l, one);
	if (failed(r)) {
		buf_printf(problems, "admin.sock: %s\n", r.text);
		if (one.fd >= 0)
			close(one.fd);
	}
	return r;
}

/* One socket, which all workers accept from. */
static result lend_local(struct listeners *l, const struct options *o, int fd)
{
	for (uint64_t w = 0; w < workers_of(o, ROLE_EDGE_CLIENT); w++) {
		struct listener one = {.protocol = "local", .role = ROLE_EDGE_CLIENT, .worker = w, .address = "local",
				       .fd = w == 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 0)};
		if (one.fd < 0)
			return failure(FAIL_LIMIT, "there are too many descriptors open");
		result r = add(l, one);
		if (failed(r)) {
			close(one.fd);
			return r;
		}
	}
	return OK;
}

static result bind_local(struct listeners *l, const struct options *o, buf *problems)
{
	str path = options_text(o, OPT_LISTEN_LOCAL);
	int fd = -1;
	if (!path.n)
		return OK;
	unlink(path.p); /* as with admin.sock */
	result r = net_listen_unix(path.p, &fd);
	/* Everybody may connect: auth knows who of them has an account. */
	if (!failed(r) && chmod(path.p, 0666) < 0)
		r = failure(FAIL_DISK, "the local socket's mode cannot be set");
	if (!failed(r))
		r = lend_local(l, o, fd);
	if (failed(r)) {
		buf_put(problems, STR("listen-local: "));
		buf_put(problems, path);
		buf_printf(problems, ": %s\n", r.text);
	}
	return r;
}

result listeners_open(struct listeners *l, const struct options *o, buf *problems)
{
	*l = (struct listeners){.until = clock_mono_ms() + TAKEOVER_MS};
	result r = bind_admin(l, problems);
	result local = bind_local(l, o, problems);
	if (failed(local))
		r = local;
	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
		result one = bind_source(l, o, &sources[i], problems);
		if (failed(one))
			r = one;
	}
	if (failed(r))
		listeners_close(l);
	return r;
}

void listeners_close(struct listeners *l)
{
	for (size_t i = 0; i < l->n; i++)
		close(l->p[i].fd);
	mem_free(l->p);
	*l = (struct listeners){0};
}
