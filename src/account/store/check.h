/* Looks whether the account's invariants hold (ARCHITECTURE.md) and mends what
 * can be mended: counters, references, a uidnext that is too low, vanished rows
 * that are missing, a missing INBOX, rows and body files nobody names. What is
 * lost (a body file that is missing or does not authenticate) is only told.
 * Reads the whole account: the database in one go, so that its store thread
 * does nothing else meanwhile, then body by body. Suspends. */
#ifndef ACCOUNT_STORE_CHECK_H
#define ACCOUNT_STORE_CHECK_H

#include "account/store/store.h"

enum { STORE_FINDINGS_MAX = 200 };

struct finding {
	str sentence; /* in the arena */
	bool mended;
};
struct findings {
	struct finding *v;
	size_t n;
	size_t more; /* over STORE_FINDINGS_MAX */
};

result store_check(const struct actor *a, bool mend, arena *m, struct findings *out) NODISCARD;

#endif
