#include "watch/jail.h"

#include <fcntl.h>
#include <unistd.h>

#include "run/sandbox.h"

/* Its own folder, files below it, nothing else. */
result watch_jail(bool best_effort, buf *lacks)
{
	static const struct sandbox_call *const tables[] = {sandbox_files, NULL};
	struct sandbox_path own = {.fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC),
				   .rights = SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE};
	struct sandbox s = {.room = "watch", .tables = tables, .paths = &own, .path_count = 1};
	struct sandbox_state state;
	if (own.fd < 0)
		return failure(FAIL_DISK, "the ledger folder cannot be opened");
	result r = sandbox_enter(&s, &state);
	close(own.fd);
	if (r.kind != FAIL_ABSENT || !best_effort)
		return r;
	buf_put(lacks, str_from(r.text));
	return OK;
}
