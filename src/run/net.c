#include "run/net.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A full table of descriptors must not make the accepting fiber spin. */
enum { ACCEPT_PAUSE_MS = 100 };

union any_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage storage;
};

static socklen_t to_system(const net_addr *a, union any_addr *out)
{
	*out = (union any_addr){0};
	if (net_is_v4(a)) {
		out->in.sin_family = AF_INET;
		out->in.sin_port = htons(a->port);
		memcpy(&out->in.sin_addr, a->ip + 12, 4);
		return sizeof(out->in);
	}
	out->in6.sin6_family = AF_INET6;
	out->in6.sin6_port = htons(a->port);
	memcpy(&out->in6.sin6_addr, a->ip, 16);
	return sizeof(out->in6);
}

static result from_system(const union any_addr *from, net_addr *out)
{
	net_addr a = {.ip = {[10] = 0xff, [11] = 0xff}};
	if (from->sa.sa_family == AF_INET) {
		memcpy(a.ip + 12, &from->in.sin_addr, 4);
		a.port = ntohs(from->in.sin_port);
	} else if (from->sa.sa_family == AF_INET6) {
		memcpy(a.ip, &from->in6.sin6_addr, 16);
		a.port = ntohs(from->in6.sin6_port);
	} else {
		return failure(FAIL_ABSENT, "This socket has no Internet address.");
	}
	*out = a;
	return OK;
}

uint32_t net_to_system(const net_addr *a, struct sockaddr_storage *out)
{
	union any_addr sys;
	socklen_t n = to_system(a, &sys);
	*out = sys.storage;
	return n;
}

result net_from_system(const struct sockaddr *from, size_t n, net_addr *out)
{
	union any_addr sys = {0};
	memcpy(&sys, from, n < sizeof sys ? n : sizeof sys);
	return from_system(&sys, out);
}

static result net_failure(int error)
{
	switch (error) {
	case EADDRINUSE:
		return failure(FAIL_EXISTS, "Another program listens on this address and port.");
	case EACCES:
	case EPERM:
		return failure(FAIL_DENIED, "This user may not use this address or port.");
	case EMFILE:
	case ENFILE:
		return failure(FAIL_LIMIT, "Too many descriptors are open.");
	case ENOBUFS:
	case ENOMEM:
		return failure(FAIL_LIMIT, "The machine has no memory for another connection.");
	case ENOENT:
		return failure(FAIL_ABSENT, "Nothing listens there.");
	case ECONNREFUSED:
		return failure(FAIL_NETWORK, "The other side refused the connection.");
	case ETIMEDOUT:
		return failure(FAIL_TIMEOUT, "The other side does not answer.");
	default:
		return failure(FAIL_NETWORK, "A network operation failed.");
	}
}

static result failed_on(int fd)
{
	result r = net_failure(errno);
	close(fd);
	return r;
}

static result new_socket(int family, int kind, int *fd)
{
	int got = socket(family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (got < 0)
		return net_failure(errno);
	*fd = got;
	return OK;
}

static bool set_on(int fd, int level, int option)
{
	return setsockopt(fd, level, option, &(int){1}, sizeof(int)) == 0;
}

/* REUSEPORT lets each edge worker accept from a queue of its own. The first one
 * sets it after bind, which then fails when another program has the address,
 * though it be a second server of ours. V6ONLY so that the two families never
 * fight for a port. */
static bool bind_and_listen(int fd, const net_addr *a, bool first)
{
	union any_addr sys;
	socklen_t n = to_system(a, &sys);
	return set_on(fd, SOL_SOCKET, SO_REUSEADDR) && (net_is_v4(a) || set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY))
		&& (first || set_on(fd, SOL_SOCKET, SO_REUSEPORT)) && bind(fd, &sys.sa, n) == 0
		&& (!first || set_on(fd, SOL_SOCKET, SO_REUSEPORT)) && listen(fd, NET_BACKLOG) == 0;
}

static result listen_on(const net_addr *a, bool first, int *out)
{
	int fd = -1;
	TRY(new_socket(net_is_v4(a) ? AF_INET : AF_INET6, SOCK_STREAM, &fd));
	if (!bind_and_listen(fd, a, first))
		return failed_on(fd);
	*out = fd;
	return OK;
}

result net_listen(const net_addr *a, int *out)
{
	return listen_on(a, true, out);
}

result net_listen_beside(const net_addr *a, int *out)
{
	return listen_on(a, false, out);
}

static result unix_address(const char *path, struct sockaddr_un *out)
{
	str s = str_from(path);
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (s.n >= sizeof(out->sun_path))
		return failure(FAIL_LIMIT, "The path of a local socket may have 107 bytes; choose a shorter directory.");
	memcpy(out->sun_path, s.p, s.n);
	return OK;
}

result net_listen_unix(const char *path, int *out)
{
	struct sockaddr_un sys;
	TRY(unix_address(path, &sys));
	int fd = -1;
	TRY(new_socket(AF_UNIX, SOCK_STREAM, &fd));
	unlinkat(AT_FDCWD, path, 0); /* every room has this code, and none may call unlink */
	if (bind(fd, (struct sockaddr *)&sys, sizeof(sys)) != 0 || listen(fd, NET_BACKLOG) != 0)
		return failed_on(fd);
	*out = fd;
	return OK;
}

result net_accept(int fd, struct fd_watch *w, int *client)
{
	for (;;) {
		int got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (got >= 0) {
			/* Replies are whole when they are written: never wait for more. Fails on a local socket. */
			set_on(got, IPPROTO_TCP, TCP_NODELAY);
			*client = got;
			return OK;
		}
		if (errno == EAGAIN) {
			TRY(fd_wait(w, FD_READ, FIBER_FOREVER));
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			result r = net_failure(errno);
			TRY(fiber_sleep(ACCEPT_PAUSE_MS));
			return r;
		} else if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK) {
			return net_failure(errno);
		}
		/* anything else is the failure of one connection that ended early */
	}
}

void net_send_off(int fd, str line)
{
	if (line.n > 0)
		(void)!send(fd, line.p, line.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static result finish_connect(int fd, uint64_t timeout_ms)
{
	struct fd_watch *w = NULL;
	TRY(fd_watch_open(fd, &w));
	result r = fd_wait(w, FD_WRITE, timeout_ms);
	fd_watch_close(&w);
	TRY(r);
	int error = 0;
	socklen_t n = sizeof(error);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
		error = errno;
	return error ? net_failure(error) : OK;
}

/* The port is chosen at connect, when the whole connection is known, so that ports do not run out. */
static bool bind_to(int fd, const net_addr *from)
{
	union any_addr sys;
	net_addr any_port = *from;
	any_port.port = 0;
	socklen_t n = to_system(&any_port, &sys);
	return set_on(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT) && bind(fd, &sys.sa, n) == 0;
}

result net_connect(const net_addr *a, uint64_t timeout_ms, int *out)
{
	return net_connect_from(a, NULL, timeout_ms, out);
}

result net_connect_from(const net_addr *a, const net_addr *from, uint64_t timeout_ms, int *out)
{
	union any_addr sys;
	socklen_t n = to_system(a, &sys);
	int fd = -1;
	TRY(new_socket(sys.sa.sa_family, SOCK_STREAM, &fd));
	set_on(fd, IPPROTO_TCP, TCP_NODELAY);
	if (from && !bind_to(fd, from))
		return failed_on(fd);
	if (connect(fd, &sys.sa, n) != 0) {
		if (errno != EINPROGRESS)
			return failed_on(fd);
		result r = finish_connect(fd, timeout_ms);
		if (failed(r)) {
			close(fd);
			return r;
		}
	}
	*out = fd;
	return OK;
}

result net_connect_unix(const char *path, int *out)
{
	struct sockaddr_un sys;
	TRY(unix_address(path, &sys));
	int fd = -1;
	TRY(new_socket(AF_UNIX, SOCK_STREAM, &fd));
	if (connect(fd, (struct sockaddr *)&sys, sizeof(sys)) != 0)
		return failed_on(fd);
	*out = fd;
	return OK;
}

result net_local(int fd, net_addr *out)
{
	union any_addr sys;
	socklen_t n = sizeof(sys);
	if (getsockname(fd, &sys.sa, &n) != 0)
		return net_failure(errno);
	return from_system(&sys, out);
}

result net_peer(int fd, net_addr *out)
{
	union any_addr sys;
	socklen_t n = sizeof(sys);
	if (getpeername(fd, &sys.sa, &n) != 0)
		return net_failure(errno);
	return from_system(&sys, out);
}

result net_peer_user(int fd, pid_t *pid, uid_t *uid)
{
	struct ucred cred;
	socklen_t n = sizeof(cred);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0 || n != sizeof(cred))
		return failure(FAIL_ABSENT, "This socket does not tell who is at its other end.");
	*pid = cred.pid;
	*uid = cred.uid;
	return OK;
}

result net_pair(int kind, int out[2])
{
	int pair[2];
	if (socketpair(AF_UNIX, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		return net_failure(errno);
	out[0] = pair[0];
	out[1] = pair[1];
	return OK;
}
