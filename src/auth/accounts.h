/* The life of an account across rooms: a row here, a folder by the supervisor,
 * a key in the vault, a quota in its own database.
 *
 * The row comes first (it claims id and address) and goes last, so whatever a
 * crash leaves is known by its row and is erased at the next start. Calls
 * suspend. Errors carry a sentence for the administrator. */
#ifndef AUTH_ACCOUNTS_H
#define AUTH_ACCOUNTS_H

#include "auth/auth.h"

enum { ACCOUNTS_QUOTA_MS = 20000, ACCOUNTS_RETRY_MS = 5000, ACCOUNTS_RETRY_MOST_MS = 600000 };

result accounts_make(struct auth *a, const struct new_account *n, uint64_t *id) NODISCARD;
/* BUSY: nobody can use it any more, and the rest is tried again until it is done. */
result accounts_erase(struct auth *a, uint64_t id) NODISCARD;
result accounts_set_quota(struct auth *a, uint64_t id, uint64_t octets) NODISCARD;
/* Erases what a crash left half made or half erased; goes on trying until
 * nothing is left or the room ends. */
void accounts_finish_leftovers(struct auth *a);

#endif
