/* Letters of the server itself, to its people: kept in directory.db until they are in
 * the mailbox. auth writes them and the account keeps them,
 * once: a letter's delivery id stays the same however often it is tried. */
#ifndef AUTH_NOTICES_H
#define AUTH_NOTICES_H

#include "auth/auth.h"

struct db;

enum notices_limits {
	NOTICES_TOGETHER = 20,   /* looked at in one pass */
	NOTICES_EACH = 50,
	NOTICES_RETRY_MS = 2000, /* before one that could not be kept is tried again */
	NOTICE_TEXT_MAX = 4000,
};

struct notice {
	uint64_t account; /* whose mailbox */
	str subject;      /* ASCII */
	str text;         /* UTF-8, lines ended by LF */
};

/* Within a transaction of the directory; notices_wake after it. LIMIT. */
result notice_insert(struct db *db, const struct notice *n) NODISCARD;
void notices_wake(struct auth *a);
/* Brings them, until cancelled. */
void notices_run(struct auth *a);

#endif
