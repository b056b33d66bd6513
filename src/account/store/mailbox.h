/* The account's mailboxes: names, counters, subscriptions (RFC 9051 6.3.4-6.3.9,
 * 7.2.2-7.2.4; ids RFC 8474; special uses RFC 6154).
 *
 * A name without a mailbox of its own but with inferiors is listed as not
 * existing. "inbox" in any case, alone or as first level, means INBOX. Views in
 * the answers point into the arena given, or stay until the next call that
 * suspends. Errors: INPUT (not a name; a special mailbox cannot be deleted or
 * renamed so), ABSENT, EXISTS, LIMIT. */
#ifndef ACCOUNT_STORE_MAILBOX_H
#define ACCOUNT_STORE_MAILBOX_H

#include "account/store/store.h"

enum { MAILBOX_ID_SIZE = 17 }; /* "F" and 16 characters (RFC 8474) */

struct mailbox_status {
	uint64_t id;         /* the store's own number, never used twice */
	char mailboxid[MAILBOX_ID_SIZE];
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint64_t modseq;     /* HIGHESTMODSEQ */
	uint32_t messages;
	uint32_t unseen;     /* how many lack \Seen */
	uint32_t deleted;
	uint32_t recent;     /* that no session was told of yet */
	uint64_t octets;
	uint64_t deleted_octets;
	unsigned use;        /* enum imap_use */
};

struct mailbox_entry {
	str name;
	bool exists;
	bool children;         /* an existing mailbox lies below */
	bool subscribed;
	bool subscribed_below; /* RFC 5258 RECURSIVEMATCH, CHILDINFO */
	bool special_below;
	unsigned use;
};

struct mailbox_entries {
	struct mailbox_entry *v;
	size_t n;
};

/* All names in order (INBOX first, inferiors behind their parent), also the ones
 * that are only subscribed or only have inferiors. Names and all lie in the arena. */
result mailbox_list(const struct actor *a, arena *m, struct mailbox_entries *out) NODISCARD;

/* These suspend. */
result mailbox_status_of(const struct actor *a, str name, struct mailbox_status *out) NODISCARD;
result mailbox_create(const struct actor *a, str name, unsigned use, struct mailbox_status *out) NODISCARD;
/* Its messages go; inferiors stay. INBOX cannot be deleted. */
result mailbox_delete(const struct actor *a, str name) NODISCARD;
/* Inferiors move along. INBOX: its messages move to the new mailbox, it stays,
 * empty, and so do its inferiors. UIDVALIDITY grows where the new name had a
 * higher one before, else it stays. Subscriptions stay with the old name. */
result mailbox_rename(const struct actor *a, str from, str to) NODISCARD;
result mailbox_subscribe(const struct actor *a, str name, bool on) NODISCARD;

/* The canonical form: INBOX, one trailing '/' off. INPUT when it is no name. */
result mailbox_name(arena *m, str given, str *out) NODISCARD;

#endif
