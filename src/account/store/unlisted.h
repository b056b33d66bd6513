/* The newest arrivals of a mailbox: their records wait in their rows of `content` until many go into the list at once,
 * so that a delivery changes neither list nor counts.
 *
 * A content row is unlisted when it names a mailbox, its number is above the account's in `counts`, and the uid in its
 * record is not below the mailbox's there and above all in its list. Whoever changes anything else settles them first,
 * in the same transaction; a process that died left them as they are. What reads lists sees them (list.h).
 *
 * What is in memory stands while db_stamp does. Store thread; errors are the database's, and DAMAGE where a list is. */
#ifndef ACCOUNT_STORE_UNLISTED_H
#define ACCOUNT_STORE_UNLISTED_H

#include "account/store/list_record.h"

enum { UNLISTED_MAX = 64 };

struct unlisted {
	bool known;
	uint64_t stamp;
	size_t n;
	struct unlisted_one {
		uint64_t box; /* one for all of them, but after damage */
		struct entry entry;
	} v[UNLISTED_MAX]; /* ascending by content; a mailbox's by uid */
};

struct lists;

result unlisted_begin(struct lists *l, struct db *db) NODISCARD; /* asks the database where memory may not hold */
void unlisted_keep(struct unlisted *u, const struct db *db);     /* behind a work's last statement */
/* What counts from the database are short of. */
void unlisted_count_in_box(const struct unlisted *u, struct box_row *b);
void unlisted_count_in_account(const struct unlisted *u, struct account_row *a);
/* Its content row is put in the same transaction; there is room. */
void unlisted_add(struct unlisted *u, uint64_t box, const struct entry *e);
/* All of them go into their lists and counts. */
result unlisted_settle(struct lists *l, struct db *db) NODISCARD;

#endif
