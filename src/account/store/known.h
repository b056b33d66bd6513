/* The account's row of `counts` and one mailbox's as the last change left them, with
 * what is unlisted (unlisted.h), so that a delivery need not ask the database for them.
 *
 * They hold while db_stamp stands where it stood then: whoever else changes a row,
 * or undoes this change, moves it. Store thread; errors are the database's. */
#ifndef ACCOUNT_STORE_KNOWN_H
#define ACCOUNT_STORE_KNOWN_H

#include "account/store/schema.h"

struct work;

struct known {
	bool any;
	bool inbox; /* `box` is the INBOX */
	bool above; /* its uidnext is above all that its list has, as damaged counts' may not be */
	uint64_t stamp;
	struct account_row account;
	struct box_row box;
};

/* Sets the work's account, zeros while it is being made, and its inbox where that is known. What is unlisted counts. */
result known_account(struct work *w) NODISCARD;
bool known_holds(const struct work *w); /* known_account would ask nothing */
bool known_box(const struct work *w, uint64_t id, struct box_row *out);
void known_keep(struct work *w); /* behind the work's last statement */

#endif
