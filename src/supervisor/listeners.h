/* The listening sockets: bound once by the supervisor, lent to the rooms.
 *
 * Every worker of a room has a socket of its own for each address
 * (SO_REUSEPORT), and its replacement after a crash gets the same ones, so that
 * connections that wait in them are not lost. The administration socket is
 * DIR/admin.sock. Owned by the caller of listeners_open. Nothing suspends. */
#ifndef SUPERVISOR_LISTENERS_H
#define SUPERVISOR_LISTENERS_H

#include "base/buf.h"
#include "supervisor/policy.h"

struct listener {
	const char *protocol;
	enum role role;
	uint64_t worker;
	char address[64];
	int fd;
};

struct listeners {
	struct listener *p;
	size_t n;
	uint64_t until; /* a port that is taken is waited for: TAKEOVER_MS for all together */
};

enum { LISTENERS_MAX = 4096 };

/* How many processes of a role the options ask for. */
uint64_t workers_of(const struct options *o, enum role role);

/* Each problem is a line in `problems`: option, address, reason, remedy. The
 * current directory is the data directory (admin.sock is made there). */
result listeners_open(struct listeners *l, const struct options *o, buf *problems) NODISCARD;
void listeners_close(struct listeners *l);

#endif
