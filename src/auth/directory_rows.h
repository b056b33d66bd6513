/* Statements that several changes of the directory share. Called on the store
 * thread, inside its transaction. */
#ifndef AUTH_DIRECTORY_ROWS_H
#define AUTH_DIRECTORY_ROWS_H

#include "engine/query.h"

/* Nothing leads to the address any more and nobody may send as it; aliases that
 * are left without a target go too. The row itself stays. */
result rows_detach(struct db *db, uint64_t address) NODISCARD;
/* The same, and the row goes. */
result rows_erase(struct db *db, uint64_t address) NODISCARD;
result rows_add_address(struct db *db, str key, uint64_t domain, uint64_t *id) NODISCARD;

#endif
