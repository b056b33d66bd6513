/* How calls report what went wrong with the world, and how our own bugs end.
 *
 * A function that can fail for a reason outside this program (disk, network,
 * client, input, memory) returns a `result`; the caller has to look at it.
 * `text` is one sentence for a person; it is static and never freed.
 * must() is for our own bugs only: it is on in release builds and ends the
 * process, which its supervisor replaces. Nothing here suspends. */
#ifndef BASE_FAIL_H
#define BASE_FAIL_H

#include <stdbool.h>
#include <stddef.h>

enum fail_kind {
	FAIL_NONE = 0,
	FAIL_LIMIT,     /* a row of a limits table was reached */
	FAIL_MEMORY,    /* allocation refused */
	FAIL_INPUT,     /* bytes that do not fit their grammar */
	FAIL_DENIED,    /* the caller may not */
	FAIL_ABSENT,    /* no such thing */
	FAIL_EXISTS,    /* already there */
	FAIL_CONFLICT,  /* the thing changed meanwhile */
	FAIL_DISK,      /* a file operation failed */
	FAIL_FULL,      /* no room: disk or quota */
	FAIL_DAMAGE,    /* stored bytes do not authenticate */
	FAIL_NETWORK,   /* a connection broke */
	FAIL_CLOSED,    /* the other side ended in order */
	FAIL_TIMEOUT,
	FAIL_CANCELLED, /* this fiber is asked to end */
	FAIL_BUSY,      /* try again later */
	FAIL_PEER,      /* a neighbour room spoke nonsense */
};

typedef struct result {
	enum fail_kind kind;
	const char *text;
} result;

#define NODISCARD __attribute__((warn_unused_result))
#define OK ((result){FAIL_NONE, NULL})

static inline result failure(enum fail_kind kind, const char *text)
{
	return (result){kind, text};
}

static inline bool failed(result r)
{
	return r.kind != FAIL_NONE;
}

/* Returns from the enclosing function when EXPR failed. */
#define TRY(EXPR)                       \
	do {                            \
		result try_ = (EXPR);   \
		if (failed(try_))       \
			return try_;    \
	} while (0)

/* The kind's name in lower case ("limit"), for logs. Never NULL. */
const char *fail_name(enum fail_kind kind);

_Noreturn void must_failed(const char *what, const char *file, int line);
#define must(COND) ((COND) ? (void)0 : must_failed(#COND, __FILE__, __LINE__))

#endif
