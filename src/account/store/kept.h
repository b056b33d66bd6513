/* Letters that are durable before they are rows.
 *
 * A small letter for the INBOX, while nobody looks at a mailbox, is only kept:
 * as a record beside the database (db_keep), and in memory. It costs half of what
 * a commit costs, which twenty accounts that get letters in turns pay for caches
 * that have gone cold meanwhile. Whatever else happens to the account puts all of
 * them in first, in order and in its own transaction (work_do), and so does who is
 * about to look (store_catch_up), and the next lull. A uid, a mod-sequence and a
 * content number they get then; nobody has seen any before.
 *
 * Invariants: while a view is open nothing is kept. What is kept counts for the
 * quota. A delivery id that is kept is not kept again. What can't be put in (a
 * damaged list, a full disk) stays kept, and stops nothing else.
 *
 * Errors: those of the store. */
#ifndef ACCOUNT_STORE_KEPT_H
#define ACCOUNT_STORE_KEPT_H

#include "account/store/schema.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"

enum {
	KEPT_LETTERS = 64,          /* then the next one's commit takes them in */
	KEPT_LETTER_MAX = 24 << 10, /* octets of trace block and body */
	KEPT_BRIEF = 8,             /* as many are put in by the loop */
	KEPT_SLOTS = 64,            /* of the table of delivery ids; a power of two */
};

struct incoming;
struct store;
struct work;

struct kept_letter {
	struct kept_letter *next, *next_in_slot;
	trace_id delivery;
	uint64_t size; /* as a quota counts it */
	buf record;
};

struct kept_letters {
	/* The store thread's: in the order in which they came */
	struct kept_letter *first, **end;
	struct kept_letter *by_delivery[KEPT_SLOTS];
	size_t n;
	uint64_t generation; /* in which they were kept; the database's is another: it has them */
	/* The loop's: */
	uint64_t count, octets; /* that its memory does not show */
	struct list under_way;
	unsigned views;
	bool stuck;   /* they could not be put in: nothing is kept meanwhile, */
	bool no_room; /* or for want of room on the disk: nobody tries before there is a ballast again, to leave what
	               * there is to who deletes */
};

/* What a work took in, for the loop. */
struct kept_taken {
	uint64_t count, octets;
	bool stuck; /* it could not */
};

void kept_init(struct kept_letters *l);
void kept_free(struct kept_letters *l);
result kept_load(struct store *s, struct db *db) NODISCARD; /* at opening: what a process left that died */

bool kept_may(const struct store *s, const struct incoming *what);
/* Suspends. LIMIT or another failure: it has to be delivered in the common way, which says what is wrong. */
result kept_deliver(struct store *s, const struct incoming *what) NODISCARD;
bool kept_any(struct store *s, const struct db *db); /* store thread */
/* Store thread, at the beginning of a work: puts in all there is, unless its transaction has it already. When it fails
 * nothing of it is left. */
result kept_put_in(struct work *w) NODISCARD;
uint64_t kept_octets_left(const struct work *w); /* store thread: that this work leaves kept */
void kept_rest(struct store *s, const struct db *db); /* store thread: memory of what was taken goes */
bool kept_has_room(struct store *s); /* looks once more where there was none; suspends */
void kept_were_taken(struct store *s, const struct kept_taken *t); /* behind the commit; on the loop */
/* For who is about to look: what was acknowledged is put in. Suspends. OK too where a full disk is in the way,
 * or damage: the rest can be looked at. */
result store_catch_up(struct store *s) NODISCARD;

#endif
