/* Preloaded into the Dovecot that lies below build/peers: it looks for its
 * modules in the folder it was compiled for, where nothing is installed. This
 * sends it to the folder PEER_ROOT has in its place. */
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char COMPILED[] = "/usr/lib/dovecot/";

/* The path to use; room is 4096 octets. */
static const char *moved(const char *path, char *room)
{
	const char *root = getenv("PEER_ROOT");
	if (!path || !root || strncmp(path, COMPILED, sizeof COMPILED - 1) != 0)
		return path;
	int n = snprintf(room, 4096, "%s%s", root, path);
	return n > 0 && n < 4096 ? room : path;
}

DIR *opendir(const char *path)
{
	char room[4096];
	DIR *(*real)(const char *) = (DIR * (*)(const char *))dlsym(RTLD_NEXT, "opendir");
	return real(moved(path, room));
}

void *dlopen(const char *path, int flags)
{
	char room[4096];
	void *(*real)(const char *, int) = (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");
	return real(moved(path, room), flags);
}
