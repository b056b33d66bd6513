/* Logins that succeeded in the last minutes, so that a phone that comes back
 * every minute does not cost an Argon2id each time.
 *
 * Kept is a BLAKE2b of account and password under a random key that lives in
 * locked memory as long as the process: useless on disk or after it. An entry
 * counts from the last real check, not from its last use. Bounded; the oldest
 * goes first. Owns its memory; nothing suspends. Times are milliseconds. */
#ifndef AUTH_RECENT_H
#define AUTH_RECENT_H

#include "base/hash.h"
#include "base/list.h"

enum { RECENT_MAX = 10000, RECENT_MS = 300000 };

struct secret;

struct recent {
	hash table;
	struct list oldest;
	struct secret *key;
};

result recent_open(struct recent *r) NODISCARD;
void recent_close(struct recent *r);

/* Keeps it when there is memory: it only saves time. */
void recent_keep(struct recent *r, uint64_t account, str password, uint64_t now);
bool recent_knows(struct recent *r, uint64_t account, str password, uint64_t now);
void recent_forget(struct recent *r, uint64_t account);

#endif
