/* A mailbox's rows in memory and the journal its views read; the views
 * themselves. Loop thread only. */
#ifndef ACCOUNT_STORE_LOADED_H
#define ACCOUNT_STORE_LOADED_H

#include "account/store/catalog.h"
#include "account/store/effects.h"
#include "account/store/rights.h"
#include "account/store/view.h"
#include "base/list.h"
#include "run/fiber.h"

enum note_kind { NOTE_FLAGS, NOTE_GONE };

struct note {
	uint32_t uid;
	uint32_t origin : 31;
	uint32_t kind : 1;
};

struct loaded {
	struct row *v;
	size_t n, cap;
	size_t next;      /* behind the row whose flags changed last: where the next is likely */
	str keywords[64]; /* by bit; owned */
	unsigned keywords_n;
	struct note *notes; /* for the views; empty without any */
	size_t notes_n, notes_cap;
	uint64_t notes_first; /* position of notes[0] */
	struct list views;
	struct gate changed;
	size_t kept; /* rows when the last holder let go */
	bool broken; /* memory was refused: rows are not those of the database */
};

result loaded_get(struct store *s, struct mbox *b) NODISCARD; /* suspends when it has to load */
void box_hold(struct store *s, struct mbox *b);
void box_let_go(struct store *s, struct mbox *b);
void loaded_free(struct mbox *b);
size_t loaded_from(const struct loaded *l, uint32_t uid); /* index of the first row >= uid */
const struct row *loaded_row(const struct loaded *l, uint32_t uid, size_t hint); /* NULL when absent */
void loaded_arrive(struct loaded *l, const struct row *row);
void loaded_flag(struct loaded *l, const struct row *row, uint32_t origin);
void loaded_remove(struct loaded *l, const struct gone *v, size_t n, uint32_t origin); /* ascending uids */
void loaded_keyword(struct loaded *l, unsigned bit, str name);
void loaded_forget_notes(struct loaded *l); /* what every view has read */

struct view {
	struct list place; /* in loaded.views */
	struct actor actor;
	struct mbox *box;
	uint32_t tag;
	bool writes;
	bool gone_due;   /* removed messages still have their numbers here */
	uint64_t read;   /* position in the notes */
	uint64_t modseq; /* of the mailbox at the last pull */
	uint64_t whole;  /* and at the last one that left no removal for later */
	uint32_t top;    /* the highest uid seen */
	uint32_t *uids;
	size_t n, cap;
	struct imap_range *recent; /* ascending */
	size_t recent_n;
	unsigned keywords;
};

void view_take_recent(struct view *v);
/* DENIED, or ABSENT when the mailbox is gone. `write`: the view must be a SELECT. */
result view_may(const struct view *v, enum store_op op, bool write) NODISCARD;

#endif
