/* Where the tests of watch write: a folder of a test's own, a fiber, and a ledger there.
 * Asserts. Tests only. */
#ifndef WATCH_LEDGER_KIT_H
#define WATCH_LEDGER_KIT_H

#include "engine/files.h"
#include "watch/ledger.h"

/* For cmocka's set-up and tear-down: into a new folder, and out of it with all that watch makes; anything else there
 * fails. */
int ledger_kit_enter(void **state);
int ledger_kit_leave(void **state);

extern struct files_local ledger_kit_files; /* the folder's */
extern const unsigned char ledger_kit_key[LEDGER_KEY];
struct ledger *ledger_kit_open(void); /* on a fiber */

/* The clock is held: so much time goes by, and who it wakes does what is to be done. */
void ledger_kit_pass(uint64_t ms);

void ledger_kit_run(void (*fn)(void *arg)); /* on a fiber of a loop, to its end; arg is NULL */

#endif
