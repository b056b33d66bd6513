#include "web/jail.h"

#include "run/sandbox.h"

/* No files, no sockets of its own: it serves the one it was given. */
result web_jail(bool best_effort, buf *lacks)
{
	static const struct sandbox_call *const tables[] = {sandbox_accept, NULL};
	struct sandbox s = {.room = "web", .tables = tables};
	struct sandbox_state state;
	result r = sandbox_enter(&s, &state);
	if (r.kind != FAIL_ABSENT || !best_effort)
		return r;
	buf_put(lacks, str_from(r.text));
	return OK;
}
