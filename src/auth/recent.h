/* Secrets that were used lately: right ones, so that a phone that comes back every
 * minute does not cost an Argon2id each time; and, in a table of their own, wrong
 * ones, so that a program with an old password is told from somebody who guesses, and
 * one password tried with many names is noticed.
 *
 * Kept is a BLAKE2b of account (or another number) and password under a random key
 * that lives in locked memory as long as the process: useless on disk or after it. An
 * entry counts from the last recent_keep or recent_again, not from its last use.
 * Bounded; the oldest goes first. Owns its memory; nothing suspends. Times are
 * milliseconds. */
#ifndef AUTH_RECENT_H
#define AUTH_RECENT_H

#include "base/hash.h"
#include "base/list.h"

enum { RECENT_MAX = 10000, RECENT_MS = 300000, RECENT_WRONG_MS = 12 * 3600 * 1000 };

struct secret;

struct recent {
	hash table;
	struct list oldest;
	struct secret *key;
	uint64_t lasts; /* an entry */
};

result recent_open(struct recent *r, uint64_t lasts) NODISCARD;
void recent_close(struct recent *r);

/* Keeps it when there is memory: it only saves time. */
void recent_keep(struct recent *r, uint64_t account, str password, uint64_t now);
/* Keeps it once more; how often it was kept before. */
uint32_t recent_again(struct recent *r, uint64_t account, str password, uint64_t now);
uint32_t recent_times(const struct recent *r, uint64_t account, str password, uint64_t now); /* how often it was kept */
bool recent_knows(const struct recent *r, uint64_t account, str password, uint64_t now);
void recent_forget(struct recent *r, uint64_t account);

#endif
