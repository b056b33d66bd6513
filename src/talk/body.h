/* A run of bytes that may be long: a message, its facts.
 *
 * In a message it travels inside up to TALK_INLINE_MAX octets and above that
 * in a memfd sealed against shrinking, growing and writing, so that neither
 * side can change what the other has checked. The receiver sees a view either
 * way. A sender that gives the same long body to several channels calls
 * body_share first, so that it is copied into a memfd once.
 *
 * Who owns what: a body made with body_of is a view of its maker's bytes and
 * owns nothing. After body_share, and when received, `owned` is set: the holder
 * of the message calls body_free (the generated ..._release does). A received
 * body can be sent on as it is. `memfd` at 0 or below means none: descriptor 0
 * is always /dev/null in a room. Errors: LIMIT, MEMORY, PEER (not sealed, or
 * another size than announced). Nothing suspends. */
#ifndef TALK_BODY_H
#define TALK_BODY_H

#include "base/fail.h"
#include "base/str.h"

struct body {
	str bytes;
	int memfd;
	bool owned;
};

static inline struct body body_of(str bytes)
{
	return (struct body){bytes, -1, false};
}

/* Puts a long body into a sealed memfd of its own; short ones stay as they are. */
result body_share(struct body *b) NODISCARD;
/* The same bytes, and memfd, for another message; owns nothing. */
static inline struct body body_view(const struct body *b)
{
	return (struct body){b->bytes, b->memfd, false};
}

/* Checks the seals and the size of a received memfd and maps it; takes fd,
 * also when it fails. */
result body_map(int fd, uint64_t size, struct body *out) NODISCARD;
/* The same, for who passes it on and seldom looks at it. */
result body_carry(int fd, uint64_t size, struct body *out) NODISCARD;
void body_free(struct body *b); /* leaves an empty body */

#define AUTO_BODY __attribute__((cleanup(body_free)))

#endif
