/* From where each account has logged in.
 *
 * An address (IPv4, or an IPv6 /64) is *ripe* when somebody's good login from
 * there is HABIT_RIPE_DAYS old and another, or the same, is not older than
 * HABIT_STALE_DAYS: one stolen password does not make its thief's address good to
 * us at once. An account *comes from* every address of a /24 or /48 from which it
 * logged in, at once. Bounded: of an account the longest unused goes first, then of
 * all. What changes is written down in the memo. Owns its memory; without memory
 * nothing is remembered. Nothing suspends. Times are seconds since 1970. */
#ifndef WATCH_DETECT_HABITS_H
#define WATCH_DETECT_HABITS_H

#include "base/hash.h"
#include "base/list.h"
#include "watch/detect/memo.h"

struct habits {
	hash pairs;         /* account and address */
	hash spots;         /* addresses, networks, accounts in networks: how many pairs lie in it */
	hash accounts;      /* by number: its pairs */
	struct list oldest; /* of all */
	struct memo *memo;  /* outlives it */
};

void habits_init(struct habits *h, struct memo *memo);
void habits_free(struct habits *h);
/* A good login; a wrong clock's jump back changes nothing. */
void habits_learn(struct habits *h, uint64_t account, const net_addr *a, int64_t now);
void habits_restore(struct habits *h, const struct memo_habit *from); /* what the memo says */
void habits_forget(struct habits *h, uint64_t account);

bool habits_comes_from(const struct habits *h, uint64_t account, const net_addr *a, int64_t now);
bool habits_is_ripe(const struct habits *h, const net_addr *a, int64_t now);
/* Is there a ripe address in its /24 or /48? */
bool habits_has_ripe(const struct habits *h, const net_addr *a, int64_t now);
bool habits_has_any(const struct habits *h, uint64_t account);

#endif
