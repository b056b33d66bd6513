/* Changes to messages: deliver, append, flags, expunge, copy, move.
 *
 * Each is one transaction: all of it or nothing. All suspend, and return when
 * the change is durable and visible in memory. Mailboxes are named; sources are
 * views, which must be open for writing where the call changes them (else
 * DENIED). A uid that is not there any more is skipped
 * (struct copy_order may ask otherwise). Over quota: FULL.
 * ABSENT: no such mailbox (TRYCREATE). LIMIT: too many keywords or messages. */
#ifndef ACCOUNT_STORE_MESSAGE_H
#define ACCOUNT_STORE_MESSAGE_H

#include "account/store/view.h"

/* One message's bytes and what inspect found. Views; kept until the call returns. */
struct letter {
	str trace;     /* fields put before the body: Return-Path, Received; CRLF; may be empty */
	str body;      /* as received, at most STORE_BODY_MAX */
	uint64_t header_size; /* of the body, the empty line included; at most body.n */
	str envelope;  /* these three ready to print */
	str structure; /* BODYSTRUCTURE */
	str basic;     /* BODY */
	str parts;     /* the part table, encoded as facts encode it; offsets into `body` */
	str search;    /* normalised text */
};

struct flag_names {
	uint64_t system; /* STORE_SYSTEM bits only */
	const str *keywords;
	size_t keywords_n;
};

/* Up to where a file of arrivals was merged (account/arrivals.h). */
enum { ARRIVALS_FILE = 16 };
struct arrivals_mark {
	unsigned char file[ARRIVALS_FILE];
	uint64_t upto;
};

struct incoming {
	trace_id delivery;
	int64_t received; /* seconds since 1970; the internal date, in UTC */
	str mailbox;      /* empty: INBOX */
	struct flag_names flags;
	const struct letter *letter;
	const struct arrivals_mark *mark; /* kept in the same transaction, also for a duplicate; NULL: none */
};
struct arrived {
	bool duplicate; /* this delivery id was kept before; nothing changed */
	uint64_t headroom;
};
/* A mailbox that is not there means INBOX. The quota does not stop it. */
result message_deliver(const struct actor *a, const struct incoming *what, struct arrived *out) NODISCARD;
/* Several in one transaction, into the INBOX, each at most STORE_BRIEF_MAX octets; those that were kept before are told
 * and passed over. The last one's mark is kept. */
result message_merge(const struct actor *a, const struct incoming *what, size_t n, bool *duplicate) NODISCARD;
/* The last mark that was kept; zeros: none. */
result message_mark(const struct actor *a, struct arrivals_mark *out) NODISCARD;

struct append_item {
	const struct letter *letter;
	struct flag_names flags;
	int64_t date;    /* internal date, seconds since 1970 */
	int16_t minutes; /* its zone, east of UTC */
	const trace_id *delivery; /* NULL: an APPEND */
};
struct append {
	str mailbox;
	const struct append_item *items;
	size_t n; /* 1 .. STORE_APPEND_MAX */
};
struct appended {
	uint32_t uidvalidity;
	uint32_t first_uid; /* the uids are first .. first + n - 1 */
};
result message_append(const struct actor *a, const struct append *what, struct appended *out) NODISCARD;

enum flag_how { FLAGS_REPLACE, FLAGS_ADD, FLAGS_REMOVE };
struct flag_change {
	enum flag_how how;
	struct flag_names flags;
	bool conditional;         /* UNCHANGEDSINCE (RFC 7162 3.1.3) */
	uint64_t unchanged_since;
};
/* *modified: those not touched because they changed since, in the arena. */
result message_flags(struct view *v, const struct uids *which, const struct flag_change *how, arena *m,
	struct uids *modified) NODISCARD;

/* Removes those of `which` (NULL: all) that have \Deleted. The view learns of it at its next pull. */
result message_expunge(struct view *v, const struct uids *which) NODISCARD;
/* Removes them whatever their flags. */
result message_remove(struct view *v, const struct uids *which) NODISCARD;

/* Source and new uid side by side, for COPYUID. */
struct copied {
	uint32_t uidvalidity;
	uint32_t *from;
	uint32_t *to;
	size_t n;
};
struct copy_order {
	const struct uids *which;
	str to;
	bool whole; /* CONFLICT, and nothing is done, when one of them was removed meanwhile */
};
/* Shares the stored content; flags, dates and email id go along. */
result message_copy(struct view *v, const struct copy_order *what, arena *m, struct copied *out) NODISCARD;
result message_move(struct view *v, const struct copy_order *what, arena *m, struct copied *out) NODISCARD;

#endif
