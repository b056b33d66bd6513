/* What the files of store_check share. On the store thread, but for check_bodies. */
#ifndef ACCOUNT_STORE_CHECK_PARTS_H
#define ACCOUNT_STORE_CHECK_PARTS_H

#include "account/store/check.h"
#include "account/store/core.h"

#include <stdio.h>

enum { CHECK_FOUND_MAX = 64 << 20 }; /* octets of the rows that one look remembers */

struct checking {
	struct work *w;
	arena *m;
	bool may_mend;
	bool mend; /* and nothing stands against it */
	struct findings found;
	uint64_t messages, octets; /* of all mailboxes so far */
};

void check_say(struct checking *c, bool mended, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Rows of mailboxes that are not there, an INBOX that is not there. Before the mailboxes are looked at. */
result check_strays(struct checking *c) NODISCARD;
result check_keywords(struct checking *c, const struct box_row *b, uint64_t flags, const char *name) NODISCARD;
/* The name has shown a higher UIDVALIDITY; changes b when mending. */
result check_former(struct checking *c, struct box_row *b, str box, const char *name) NODISCARD;
result check_vanished(struct checking *c, const struct box_row *b, const char *name) NODISCARD;
result check_sizes(struct checking *c) NODISCARD; /* before they are counted */
result check_contents(struct checking *c) NODISCARD;
result check_bodies(struct checking *c, struct store *s) NODISCARD; /* after the rest; suspends */

#endif
