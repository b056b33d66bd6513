#include "supervisor/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path, or '@' and an abstract name. False: neither, or too long for a socket's. */
static bool address(str name, struct sockaddr_un *a, socklen_t *size)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (name.n < 2 || name.n > sizeof a->sun_path || (name.p[0] != '/' && name.p[0] != '@'))
		return false;
	memcpy(a->sun_path, name.p, name.n);
	if (name.p[0] == '@')
		a->sun_path[0] = '\0';
	*size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name.n);
	return true;
}

void notify(str state)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a;
	socklen_t size;
	if (!name || !address(str_from(name), &a, &size))
		return;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	ssize_t sent = sendto(fd, state.p, state.n, MSG_NOSIGNAL, (const struct sockaddr *)&a, size);
	(void)sent; /* nobody to tell it to */
	close(fd);
}
