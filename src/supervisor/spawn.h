/* Starting one room's process: user, folder, limits, descriptors, exec.
 *
 * A room starts with an empty environment (but for the sanitizers' options),
 * descriptor 0 on /dev/null, 1 and 2 inherited, 3 its channel to the
 * supervisor, and nothing else open. It is killed when the supervisor dies.
 * Programs are opened once, before the first start, so that every process of a
 * running server is of one version. Errors carry a sentence; nothing suspends. */
#ifndef SUPERVISOR_SPAWN_H
#define SUPERVISOR_SPAWN_H

#include <sys/types.h>

#include "supervisor/folders.h"

struct programs {
	int fd[ROLES];
};

/* Looks below `folder` (where posternd itself is, or its libexec folder). */
result programs_open(struct programs *p, const char *folder) NODISCARD;
void programs_close(struct programs *p);

struct spawn {
	enum role role;
	uint64_t number;
	int program;
	int folder;   /* to start in, -1: "/" */
	int channel;  /* becomes descriptor 3; stays the caller's too */
	bool change_user;
	uint32_t uid;
};

result spawn_room(const struct spawn *s, pid_t *out) NODISCARD;

#endif
