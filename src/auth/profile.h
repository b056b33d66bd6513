/* The sending profile of each account: how much it sends to other servers, and
 * to whom it had not written before.
 *
 * Counted are copies, one for each recipient elsewhere, in buckets over a day;
 * the limits (options send-hour, send-day, first-hour, first-day; 0: none) hold
 * for any hour and any day. A recipient that profile_ask allowed is held against
 * the login that asked until profile_wrote says that its message was accepted, or
 * PROFILE_HOLD_MS have passed, so that one transaction cannot run past a limit.
 *
 * Correspondents are known by a 64-bit hash under a key of this directory; of an
 * account the last PROFILE_KNOWN that came new are kept. An account's profile is
 * read when it first sends and kept in memory while it is at work. What changed
 * goes to directory.db every PROFILE_FLUSH_MS, in one commit for all accounts, and
 * no submission waits for it: a crash forgets at most that much counting, and no
 * mail. Times are seconds since 1970 unless they say otherwise. */
#ifndef AUTH_PROFILE_H
#define AUTH_PROFILE_H

#include "auth/directory.h"
#include "auth/tokens.h"
#include "base/buf.h"
#include "config/options.h"

enum profile_limits {
	PROFILE_BUCKET_S = 300,
	PROFILE_HOUR = 3600 / PROFILE_BUCKET_S, /* buckets */
	PROFILE_DAY = 24 * PROFILE_HOUR,
	PROFILE_KNOWN = 20000,
	PROFILE_MOST = 1000,      /* accounts in memory, unless more have something to write down */
	PROFILE_FLUSH_MS = 2000,
	PROFILE_HOLD_MS = 600000,
	PROFILE_KEY = 16,
};

struct profile;

struct profiles {
	struct directory *directory;
	const struct options *options;
	hash accounts;       /* by id */
	struct list oldest;  /* by use */
	unsigned char key[PROFILE_KEY];
	bool flushing;       /* a fiber waits to write down what changed */
	bool closed;
};

/* Suspends. */
result profiles_open(struct profiles *p, struct directory *d, const struct options *o) NODISCARD;
result profiles_flush(struct profiles *p) NODISCARD; /* suspends */
void profiles_close(struct profiles *p); /* without writing; nothing suspends */

struct profile_question {
	uint64_t account;
	struct sending *login; /* what this login holds (tokens_sending) */
	str address;           /* its key (auth/address.h) */
};

/* May the account send a copy there now? OK with no text: yes, and the login
 * holds it. Text: no, with the sentence. May suspend; the login may end meanwhile:
 * ask for `login` after profile_ready. */
result profile_ready(struct profiles *p, uint64_t account) NODISCARD; /* has it in memory; suspends */
void profile_ask(struct profiles *p, const struct profile_question *q, buf *why);
/* A message was accepted for these recipients (keys): they count, and are known from now on. Gives how many of them
 * it had not written to before. */
uint64_t profile_wrote(struct profiles *p, uint64_t account, const str *keys, size_t n);
/* What a login held is free again. */
void profile_release(struct profiles *p, uint64_t account, struct sending *s);
void profile_forget(struct profiles *p, uint64_t account); /* it was erased */

struct profile_counts {
	uint64_t sent_hour, sent_day, first_hour, first_day;
	uint64_t known; /* correspondents */
};
/* Suspends. */
result profile_counts(struct profiles *p, uint64_t account, struct profile_counts *out) NODISCARD;

#endif
