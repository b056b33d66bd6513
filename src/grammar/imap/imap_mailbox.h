/* Arguments of the commands about one mailbox: SELECT and EXAMINE (RFC 9051;
 * RFC 7162), CREATE (RFC 6154), RENAME, quota (RFC 9208). Names as written. */
#ifndef GRAMMAR_IMAP_MAILBOX_H
#define GRAMMAR_IMAP_MAILBOX_H

#include "grammar/imap/imap_set.h"

struct imap_select {
	str mailbox;
	bool condstore;
	bool qresync;
	uint32_t uidvalidity; /* with qresync, as the next ones */
	uint64_t modseq;
	bool has_known;
	struct imap_set known; /* UIDs the client knows */
	bool has_match;
	struct imap_set match_numbers; /* message numbers and the UIDs they had, one to one */
	struct imap_set match_uids;
};

struct imap_create {
	str mailbox;
	bool has_use;
	unsigned uses; /* enum imap_use */
	str unknown;   /* a use attribute nobody knows here: NO [USEATTR] */
};

struct imap_rename {
	str from;
	str to;
};

struct imap_quota_limit {
	struct imap_quota_limit *next;
	str resource; /* STORAGE, MESSAGE, MAILBOX, ... as written */
	uint64_t limit; /* STORAGE in units of 1024 octets */
};

struct imap_setquota {
	str root;
	struct imap_quota_limit *limits; /* NULL: all limits go */
};

#endif
