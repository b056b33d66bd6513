/* What the accounts must hold, in plain arrays: letters, mailboxes, and the
 * changes that were asked for. Nothing suspends. */
#ifndef WEEK_MODEL_H
#define WEEK_MODEL_H

#include "account/store/message.h"
#include "base/arena.h"
#include "week.h"

struct account;

enum {
	KEYWORDS = 2,
	KEYWORD = 32, /* bit of the first, in the model */
	NAMES = 12,   /* of mailboxes that there may be */
	INBOX = 0,
};

/* A copy of a letter, on its way to one account or there. */
struct letter_row {
	unsigned account;
	trace_id id;
	uint64_t at;    /* house time */
	bool owed;      /* somebody in the house answered that it is kept */
	bool arrived;   /* the model has it in a mailbox, or had */
	bool claimed;   /* a store called it a duplicate */
	bool held;      /* the queue has answered for it, or may have it */
	bool dropped;   /* by an administrator */
	bool heavy;     /* the account's process mostly dies of it */
	bool drafted;   /* it never was a delivery */
	bool report;    /* of the relay: no edge has it */
};

struct post {
	uint32_t uid;
	uint32_t letter;
	uint64_t flags;
};

struct folder {
	bool exists;
	bool renamed, changed;      /* in this turn */
	uint32_t validity, uidnext; /* 0: made in this turn, not known yet */
	uint32_t given;             /* uidnext when it was last compared: no uid below comes again */
	uint64_t modseq;
	struct post *v; /* ascending uids */
	size_t n, cap;
};

enum deed { ARRIVE, APPEND, FLAG, REMOVE, COPY, MOVE, CREATE, DELETE, RENAME };

/* A change that a store was asked for. Arrays lie in the turn's arena. */
struct effect {
	enum deed deed;
	unsigned box, to;
	uint32_t *uids, *fresh; /* of what is there; what the copies got */
	size_t n;
	uint32_t letter; /* ARRIVE, APPEND */
	uint64_t flags;
	enum flag_how how;
};

extern const char *const box_names[NAMES];
extern const char *const keyword_names[KEYWORDS];
uint32_t letter_new(unsigned account);
size_t letter_size(uint32_t letter);   /* of its body */
size_t letter_octets(uint32_t letter); /* as the quota counts it */
struct letter letter_make(uint32_t letter, arena *m);
void model_begin(struct account *a);
void model_free(struct account *a);
void model_apply(struct account *a, const struct effect *e);
void model_doubt(struct account *a, const struct effect *e);
struct post *model_find(const struct folder *b, uint32_t uid);
void model_insert(struct folder *b, struct post p);
uint64_t flags_after(const struct effect *e, uint64_t flags);

#endif
