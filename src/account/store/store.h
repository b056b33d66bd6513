/* The store of one account: mailboxes, messages, flags, quota, over one sealed
 * database and its body files, opened by this process alone.
 *
 * Everything is asked by an actor; each operation looks its right up in one
 * table (rights.h) before anything else and answers DENIED without it. Calls
 * marked "suspends" wait for the store thread and return when the change is on
 * stable storage; all others answer from memory. Memory changes after the
 * commit, in the order of commits. Names are UTF-8, levels parted by '/', INBOX
 * canonical. Uids and mod-sequences are given out inside the transaction.
 *
 * Errors everywhere: DISK, FULL (disk or quota), DAMAGE, MEMORY, CLOSED, and
 * LIMIT by a row of store_limits. Contract of the parts: mailbox.h, view.h,
 * message.h (changes), fetch.h (reading), check.h. */
#ifndef ACCOUNT_STORE_STORE_H
#define ACCOUNT_STORE_STORE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/log.h"

enum store_limits {
	STORE_MAILBOXES_MAX = 10000,
	STORE_SUBSCRIPTIONS_MAX = 10000,
	STORE_FORMER_MAX = 10000,     /* remembered names of mailboxes that are gone; the oldest are forgotten */
	STORE_NAME_MAX = 1000,        /* octets of a mailbox name (IMAP_NAME_MAX, IMAP_NAME_LEVELS_MAX) */
	STORE_KEYWORDS_MAX = 58,      /* of one mailbox */
	STORE_KEYWORD_MAX = 200,      /* octets of one keyword */
	STORE_APPEND_MAX = 1000,      /* messages of one APPEND */
	STORE_JOURNAL_MAX = 16384,    /* changes kept for slow views; a slower one compares whole */
	STORE_ROW_STORED_MAX = 256 * 1024, /* a body whose stored form is larger is a file */
	STORE_ROW_PLAIN_MAX = 1024 * 1024, /* and so is one that is larger before compression */
	STORE_HEAD_MAX = 64 * 1024,   /* a longer header block is kept with the rest of the body */
	STORE_BRIEF_MAX = 64 * 1024,       /* letters up to this size are kept without another thread's help */
	STORE_BRIEF_ROWS = 1000,           /* and so are that many messages' flags changed, or listed */
	STORE_BOX_ID_MAX = INT32_MAX,      /* mailboxes that an account makes in its life */
	STORE_BODY_MAX = 256 * 1024 * 1024,
};

struct store;

enum actor_kind { ACTOR_OWNER, ACTOR_COURIER, ACTOR_ADMINISTRATOR };

/* Who asks, and of which store. A value; the store must outlive it. */
struct actor {
	struct store *store;
	enum actor_kind kind;
};

struct files;

struct store_options {
	struct files *files;          /* of the account's folder: mail.db, body files, ballast; outlives the store */
	const unsigned char *key;     /* 32 bytes; wiped by its owner afterwards */
	const unsigned char *id;      /* 16 bytes that name this account's database (seal.h) */
	uint64_t quota;               /* octets for a new account, 0: no limit */
	void (*give_up)(result why);  /* the disk failed a write, or memory is behind the database: only
	                                 opening anew helps; may be called again. NULL: nobody does */
};

/* Opens, migrates, sweeps body files nobody names; makes the account with its
 * special-use mailboxes when the database is new. Suspends. */
result store_open(const struct store_options *options, struct store **out) NODISCARD;
void store_close(struct store **s); /* suspends; all views are closed before */

struct store_usage {
	uint64_t messages;
	uint64_t octets;
	uint64_t quota;    /* 0: no limit */
	uint64_t headroom; /* UINT64_MAX without a limit */
	uint32_t mailboxes;
};
result store_usage_of(const struct actor *a, struct store_usage *out) NODISCARD;
result store_quota_set(const struct actor *a, uint64_t octets) NODISCARD; /* suspends */
/* OK when a message of that size may be announced now, FULL when the quota is
 * used up, LIMIT when it is larger than the whole quota. What was announced may
 * overshoot. */
result store_may_take(const struct actor *a, uint64_t size, uint64_t *headroom) NODISCARD;

/* Gives caches back: mailboxes without views, the database's pages, codecs. Suspends. */
result store_trim(const struct actor *a) NODISCARD;

#endif
