#include "talk/room_core.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { LIST_MAX = 8192 };

static result enter(const struct room *r, int folder, struct sandbox_state *state)
{
	const struct sandbox_path own = {.fd = folder, .rights = SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE};
	struct sandbox s = *r->sandbox;
	s.paths = &own;
	s.path_count = r->own_folder ? 1 : 0;
	return sandbox_enter(&s, state);
}

result room_jail(const struct room *r, bool best_effort, buf *lacks)
{
	struct sandbox_state state = {0};
	int folder = -1;
	if (r->own_folder) {
		folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (folder < 0)
			return failure(FAIL_DISK, "the room's own folder cannot be opened");
	}
	result entered = enter(r, folder, &state);
	if (folder >= 0)
		close(folder);
	if (failed(entered) && best_effort) {
		buf_put(lacks, str_from(entered.text));
		return OK;
	}
	return entered;
}

void room_jail_print(const struct room *r)
{
	AUTO_BUF buf list = buf_new(LIST_MAX);
	if (r->sandbox && !failed(sandbox_list(r->sandbox, &list)))
		printf("%.*s\n", STR_ARG(buf_str(&list)));
}
