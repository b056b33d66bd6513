/* The jail a room enters before its first thread and its first byte of work.
 *
 * no_new_privs, not dumpable, no core files, Landlock (paths by directory
 * descriptor, TCP ports, signals) and seccomp (a declared list of system calls
 * with conditions on arguments). The lists are data: the filter, and the list in
 * the room's ROOM.md, come from them. Nothing can be opened or loaded later, so
 * what libraries read lazily is read before.
 *
 * A call that is not listed ends the process: the line
 *   postern: room NAME: system call 41 (socket) is not allowed; the room ends
 * goes to standard error and the exit status is SANDBOX_STATUS. Calls that
 * libraries only try (sandbox_answered) get an errno instead. Landlock's floor
 * is ABI 2; newer rights are used where the kernel has them. */
#ifndef RUN_SANDBOX_H
#define RUN_SANDBOX_H

#include <stdint.h>

#include "base/buf.h"

enum { SANDBOX_STATUS = 159, SANDBOX_ABI_FLOOR = 2, SANDBOX_NAME_MAX = 32 };

/* One permitted call. Rows of the same name add up. `value` 0 of a
 * SANDBOX_OWN_PID row is filled in. A row with name NULL ends a table. */
enum sandbox_test { SANDBOX_ALWAYS, SANDBOX_EQUALS, SANDBOX_NOT, SANDBOX_MASKED, SANDBOX_OWN_PID };
struct sandbox_call {
	const char *name;
	enum sandbox_test test;
	unsigned arg;
	uint64_t value;
	uint64_t mask; /* SANDBOX_MASKED: (arg & mask) == value */
	int answer;    /* an errno instead of permission; in sandbox_answered only */
};

extern const struct sandbox_call sandbox_base[];     /* memory, threads, the loop, channels: every room */
extern const struct sandbox_call sandbox_files[];    /* open, read, write, sync, rename, delete below the given paths */
extern const struct sandbox_call sandbox_accept[];   /* serve sockets it was given */
extern const struct sandbox_call sandbox_connect[];  /* make Internet sockets and connect them */
extern const struct sandbox_call sandbox_answered[]; /* answered with an errno where no table permits them */

enum { SANDBOX_READ = 1, SANDBOX_WRITE = 2, SANDBOX_MAKE = 4 }; /* MAKE: create, delete, rename */
struct sandbox_path {
	int fd; /* a directory, or one file */
	int rights;
};
struct sandbox_port {
	uint16_t port;
	bool bind; /* else connect; counts with Landlock ABI 4 */
};

struct sandbox {
	const char *room;
	const struct sandbox_call *const *tables; /* beside sandbox_base; ends with NULL; NULL: none */
	const struct sandbox_path *paths;
	size_t path_count;
	const struct sandbox_port *ports;
	size_t port_count;
	bool every_port; /* may connect to every TCP port, for servers that others name; bind only as `ports` say */
	int abi_max; /* tests: use no more than this Landlock ABI; 0: all. So does POSTERN_LANDLOCK_ABI */
};

struct sandbox_state {
	int landlock_abi; /* 0: not in force */
	bool seccomp;
};

/* Applies all that the machine has and tells in *state what that was. ABSENT,
 * with the missing thing named, when it was not everything: the caller refuses
 * to work, or says so loudly and goes on. */
result sandbox_enter(const struct sandbox *s, struct sandbox_state *state) NODISCARD;
/* What there is, without entering anything; for doctor and for start-up. */
void sandbox_probe(struct sandbox_state *state);

/* The permitted calls, sorted, one space between; what ROOM.md must list.
 * Calls with conditions are followed by '*'. */
result sandbox_list(const struct sandbox *s, buf *out) NODISCARD;

/* For the supervisor: whether this wait status is a jail's doing, and what the
 * last words on standard error say. */
bool sandbox_ended(int wait_status);
struct sandbox_report {
	str room;
	uint32_t number;
	str call;
};
bool sandbox_read_report(str line, struct sandbox_report *out);

#endif
