/* The keys that rewritten senders are signed with, and the senders that are too
 * long to stand in one.
 *
 * There are two keys: the current one, and the one before it, so that what was
 * signed before a change of keys is known until it is too old anyway. Part of
 * directory.db; the calls suspend unless they say otherwise. */
#ifndef AUTH_FORWARD_KEYS_H
#define AUTH_FORWARD_KEYS_H

#include "base/fail.h"
#include "base/buf.h"

struct directory;
struct db;

enum forward_limits {
	FORWARD_KEY = 32,
	FORWARD_KEYS = 2,
	FORWARD_KEY_DAYS = 30, /* the age at which a new key takes over; at least FORWARD_DAYS */
	FORWARD_DAYS = 21,     /* how long a report may come back to a rewritten sender */
	FORWARD_LONG_MAX = 1000000,
};

struct forward_keys {
	unsigned char key[FORWARD_KEYS][FORWARD_KEY]; /* the current one first */
	int64_t made;                                 /* the current one, in days since 1970 */
	size_t n;
};

result forward_keys_load(struct db *db, struct forward_keys *out) NODISCARD; /* at the opening, on its thread */
/* Makes the first key, or the next one when its day has come. */
result forward_keys_refresh(struct directory *d, int64_t today) NODISCARD;

/* A number that stands for this sender for FORWARD_DAYS from today. LIMIT: there are too many. */
result forward_long_keep(struct directory *d, str sender, int64_t today, uint64_t *number) NODISCARD;
/* ABSENT: it was forgotten, or never was. */
result forward_long_find(struct directory *d, uint64_t number, buf *sender) NODISCARD;

#endif
