/* A message that waits in the queue: sealed by the edge for one account, opened
 * by that account alone.
 *
 * The queue holds the sealed bytes and a wrapping of their key, and can read
 * neither. Layout before sealing: each field behind its length (u64), in the
 * order of the struct. Sealed: 24-byte nonce, XChaCha20-Poly1305, bound to the
 * delivery id. Views of an opened item point into the buffer it was opened
 * into. Errors: LIMIT, MEMORY, DAMAGE (another key, another id, or changed
 * bytes). Nothing suspends. */
#ifndef TALK_ITEM_H
#define TALK_ITEM_H

#include "base/buf.h"
#include "base/log.h"

enum { ITEM_KEY = 32 };

struct item {
	int64_t received; /* seconds since 1970 */
	str sender, recipient, trace;
	str facts, message;
};

result item_seal(const struct item *i, const trace_id *delivery, const unsigned char key[ITEM_KEY], buf *out) NODISCARD;
/* `plain` gets the bytes that the views point into. */
result item_open(str sealed, const trace_id *delivery, const unsigned char key[ITEM_KEY], buf *plain, struct item *out)
	NODISCARD;

/* The plain layout for who seals otherwise: all up to the octets of the message, which follow; and taking it apart. */
void item_put_head(const struct item *i, buf *out);
result item_read(str plain, struct item *out) NODISCARD;

#endif
