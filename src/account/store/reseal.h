/* A store under another key: its database page by page, its body files by new keys.
 *
 * The store is closed. `mail.next` is the result, whole and durable; putting it
 * into the place of mail.db is the caller's, who removes mail.db-wal before.
 * Until then the old store opens as before; body files that nobody names are
 * swept at the next opening. Blocks. Errors are the engine's. */
#ifndef ACCOUNT_STORE_RESEAL_H
#define ACCOUNT_STORE_RESEAL_H

#include "base/fail.h"

#define STORE_FILE "mail.db"
#define STORE_NEXT "mail.next"

struct files;

struct store_reseal {
	struct files *files;
	const unsigned char *key, *next; /* 32 octets each: opens it now, is to open it */
	const unsigned char *id;         /* as in store_options */
};
result store_reseal(const struct store_reseal *r) NODISCARD;
/* What a crash left of one. */
result store_reseal_forget(struct files *f) NODISCARD;
/* Puts it there. */
result store_reseal_take(struct files *f) NODISCARD;

#endif
