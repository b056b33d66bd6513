/* A session's view of one mailbox: its own message numbers over shared rows.
 *
 * Numbers change only when the session pulls changes, at the points where the
 * protocol allows (RFC 9051 7.5.1, 7.4.1). A message that another session
 * removed keeps its number until then, but view_at says ABSENT. Changes come by
 * a journal of the mailbox, trimmed to its slowest view; a view that fell behind
 * it compares whole. The session owns the view and closes it. Only view_open,
 * view_close, view_expect, view_wait and view_vanished suspend. */
#ifndef ACCOUNT_STORE_VIEW_H
#define ACCOUNT_STORE_VIEW_H

#include "account/store/mailbox.h"
#include "grammar/imap/imap_set.h"

struct view;

/* The bits of grammar/imap/imap_flags.h; STORE_RECENT is never stored. Keywords have
 * the bits above, given per mailbox. */
#define STORE_ANSWERED UINT64_C(1)
#define STORE_FLAGGED UINT64_C(2)
#define STORE_DELETED UINT64_C(4)
#define STORE_SEEN UINT64_C(8)
#define STORE_DRAFT UINT64_C(16)
#define STORE_RECENT UINT64_C(32)
#define STORE_SYSTEM UINT64_C(31)
enum { STORE_KEYWORD_BIT = 6 };

struct view_message {
	uint32_t uid;
	uint32_t number;
	uint64_t flags; /* STORE_RECENT included */
	uint64_t modseq;
	uint64_t size;  /* RFC822.SIZE */
	uint64_t content; /* see fetch_email_id */
};

struct uids {
	const uint32_t *v; /* ascending, each once */
	size_t n;
};

/* What happened since the last pull. `gone` in the order to be told: numbers
 * count down as each one goes; all other numbers are those behind it. */
struct view_gone {
	uint32_t number;
	uint32_t uid;
};
struct view_flagged {
	uint32_t number;
	uint32_t uid;
	bool own; /* all changes of it were this view's own */
};
struct view_changes {
	struct view_gone *gone;
	size_t gone_n;
	struct view_flagged *flagged;
	size_t flagged_n;
	bool arrived;    /* more messages than before: EXISTS */
	uint32_t exists; /* now */
	uint32_t recent;
	bool keywords;   /* the mailbox has more keywords than before */
};

/* write: SELECT, takes the \Recent ones; else EXAMINE. The first view of a mailbox loads its rows. */
result view_open(const struct actor *a, str name, bool write, struct view **out) NODISCARD;
/* Reads a mailbox's rows ahead of the view that is likely to be opened next, unless they are very many. Suspends. */
void view_expect(const struct actor *a, str name);
void view_close(struct view **v);
bool view_writes(const struct view *v);
/* Of the mailbox, now. ABSENT once it is deleted. */
result view_status(const struct view *v, struct mailbox_status *out) NODISCARD;
str view_name(const struct view *v); /* as it is named now */
/* All changes up to this mod-sequence were pulled, removals included. */
uint64_t view_modseq(const struct view *v);
bool view_holds_back(const struct view *v); /* there are later ones */

uint32_t view_exists(const struct view *v);
uint32_t view_recent(const struct view *v);
/* number 1 .. view_exists. ABSENT: removed, the session was not told yet. */
result view_at(const struct view *v, uint32_t number, struct view_message *out) NODISCARD;
/* The same by uid; ABSENT also when it is not in this view. */
result view_get(const struct view *v, uint32_t uid, struct view_message *out) NODISCARD;
uint32_t view_uid(const struct view *v, uint32_t number);
uint32_t view_number(const struct view *v, uint32_t uid); /* 0: not in this view */
/* The view's messages that a set names, by number or by uid; resolves the set. */
result view_pick(const struct view *v, struct imap_set *set, bool by_uid, arena *m, struct uids *out) NODISCARD;
/* How many of them, from the first on, stand side by side in the view; at least 1. */
size_t view_together(const struct view *v, const struct uids *which);
/* The keyword of a flag's bit (STORE_KEYWORD_BIT ..); p is NULL when there is none. */
str view_keyword(const struct view *v, unsigned bit);
unsigned view_keyword_bit(const struct view *v, str keyword); /* 0: unknown; ASCII letters without case */

/* expunge: numbers may change now. Else removed messages stay for a later pull.
 * ABSENT: the mailbox was deleted; close the view. */
result view_pull(struct view *v, bool expunge, arena *m, struct view_changes *out) NODISCARD;
/* Until there is something to pull. OK, TIMEOUT, CANCELLED. */
result view_wait(struct view *v, uint64_t timeout_ms) NODISCARD;

/* UIDs removed after `since`, for QRESYNC (RFC 7162 3.2.5.2), without those that
 * still have a number in this view; may name more than were ever there. `known`
 * limits it unless NULL. */
result view_vanished(struct view *v, uint64_t since, const struct imap_set *known, arena *m,
	struct imap_set *out) NODISCARD;

#endif
