/* One change: a transaction's part on the store thread, its effects on memory.
 *
 * A body runs on the store thread (a brief one perhaps on the loop), perhaps
 * twice, never beside another, and sees the database and its own work alone.
 * Mailboxes it takes by work_box or work_find are written back when it returns
 * OK. */
#ifndef ACCOUNT_STORE_WORK_H
#define ACCOUNT_STORE_WORK_H

#include "account/store/effects.h"
#include "account/store/kept.h"
#include "account/store/list.h"
#include "account/store/mailbox.h"
#include "base/buf.h"

struct flag_names;

enum { WORK_BOXES = 3 };

struct work {
	struct store *store;
	result (*body)(struct work *w, void *arg); /* store thread */
	void *arg;
	struct db *db;
	int64_t now;
	uint64_t modseq; /* of this work, 0: not given yet */
	struct account_row account;
	struct {
		struct box_row now, was;
	} boxes[WORK_BOXES]; /* those under change; written back at the end */
	size_t boxes_n;
	uint64_t inbox;  /* its mailbox, 0: not looked for */
	uint64_t listed; /* the mailbox that list_add took a message for last, 0: none */
	struct effects effects;
	struct kept_taken taken; /* it put in what was kept */
	bool leaves; /* what is kept stays so */
	uint64_t adds; /* octets of messages, to the database (room.h) */
	bool over_quota; /* that is why it was FULL */
	buf files_gone; /* keys of body files without a row, one after the other */
	bool brief;     /* little work (engine/committer.h) */
	bool one_new;   /* nothing but one new message for one mailbox: it may stay unlisted (unlisted.h), */
	bool unlisted;  /* and does: neither lists nor counts are written */
	bool looks;     /* its body settles what is unlisted, if it is to change anything */
	bool frees;     /* a step of deleting: may be tried again with the ballast let go */
};

struct work work_new(struct store *s, result (*body)(struct work *, void *), void *arg);
/* Suspends. Runs, commits, applies, removes body files, frees. */
result work_do(struct work *w) NODISCARD;
/* The same at opening, when there is no store thread yet; memory is not touched. */
result work_now(struct work *w, struct db *db) NODISCARD;
/* A job that only reads; may fill memory in `kept`. Suspends. */
result store_read(struct store *s, result (*run)(struct db *, void *), void (*kept)(void *), void *arg) NODISCARD;

/* Store thread: */
struct place work_place(struct work *w, uint64_t box); /* where its messages' rows are */
uint64_t work_modseq(struct work *w); /* one for all that a work changes */
/* What was changed so far, for who asks the database. */
result work_write_back(struct work *w) NODISCARD;
result work_box(struct work *w, uint64_t id, struct box_row **out) NODISCARD;
result work_find(struct work *w, str name, struct box_row **out) NODISCARD;
result work_add_message(struct work *w, struct box_row *b, struct row *row, const struct message_dates *d) NODISCARD;
/* Before a message goes into that mailbox: work stays `unlisted` only where its counts are known. */
result work_stay_unlisted(struct work *w, const struct box_row *b) NODISCARD;
/* As work_add_message where work is `unlisted`; content_put keeps the entry. */
result work_add_unlisted(struct work *w, struct box_row *b, struct entry *e) NODISCARD;
/* All that is unlisted goes into its lists; work is not `unlisted` from here on. */
result work_settle(struct work *w) NODISCARD;
result work_drop_message(struct work *w, struct box_row *b, const struct row *row) NODISCARD;
/* Remembers that uids are gone; ascending. */
result work_vanish(struct work *w, struct box_row *b, const uint32_t *uids, size_t n) NODISCARD;
/* The flags' mask in that mailbox; unknown keywords get a bit when `make`, else are left out. LIMIT. */
result work_flags(struct work *w, const struct box_row *b, const struct flag_names *names, bool make,
	uint64_t *out) NODISCARD;
result work_keyword(struct work *w, const struct box_row *b, str name, bool make, unsigned *bit) NODISCARD;
result work_room(struct work *w, uint64_t octets) NODISCARD; /* FULL when the quota says so */
/* One message less names that content. */
result work_release(struct work *w, uint64_t content) NODISCARD;
result work_share(struct work *w, uint64_t content) NODISCARD;

result work_name_free(struct work *w, str name) NODISCARD; /* EXISTS */
uint32_t work_uidvalidity(struct work *w);                 /* a new one */
result work_make_box(struct work *w, str name, unsigned use, struct box_row *out) NODISCARD;
/* The name leaves its mailbox: whoever takes it later gets a higher UIDVALIDITY than it had. */
result work_former(struct work *w, str name, uint32_t uidvalidity) NODISCARD;
result work_move_all(struct work *w, struct box_row *from, struct box_row *to) NODISCARD; /* copy.c */

#endif
