#include "base/fail.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const names[] = {
	[FAIL_NONE] = "none",         [FAIL_LIMIT] = "limit",       [FAIL_MEMORY] = "memory",
	[FAIL_INPUT] = "input",       [FAIL_DENIED] = "denied",     [FAIL_ABSENT] = "absent",
	[FAIL_EXISTS] = "exists",     [FAIL_CONFLICT] = "conflict", [FAIL_DISK] = "disk",
	[FAIL_FULL] = "full",         [FAIL_DAMAGE] = "damage",     [FAIL_NETWORK] = "network",
	[FAIL_CLOSED] = "closed",     [FAIL_TIMEOUT] = "timeout",   [FAIL_CANCELLED] = "cancelled",
	[FAIL_BUSY] = "busy",         [FAIL_PEER] = "peer",
};

const char *fail_name(enum fail_kind kind)
{
	if ((size_t)kind >= sizeof names / sizeof names[0])
		return "unknown";
	return names[kind];
}

void must_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "postern: broken invariant: %s (%s:%d); this process ends, its supervisor starts a new one\n",
		what, file, line);
	abort();
}
