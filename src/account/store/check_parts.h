/* What the files of store_check share. Store thread. */
#ifndef ACCOUNT_STORE_CHECK_PARTS_H
#define ACCOUNT_STORE_CHECK_PARTS_H

#include "account/store/check.h"
#include "account/store/core.h"

#include <stdio.h>

struct checking {
	struct work *w;
	arena *m;
	bool mend;
	bool sweep; /* no letter is between its body file and its row */
	struct findings found;
	uint64_t messages, octets; /* of all mailboxes so far */
};

void check_say(struct checking *c, bool mended, const char *format, ...) __attribute__((format(printf, 3, 4)));
result check_vanished(struct checking *c, const struct box_row *b, const char *name) NODISCARD;
result check_contents(struct checking *c) NODISCARD;
result check_files(struct checking *c) NODISCARD;

#endif
