/* Arguments of LIST, LSUB and STATUS (RFC 9051 sections 6.3.9 and 6.3.11, RFC
 * 5258, 5819, 6154, 7162, 7889, 8438, 8474, 9208). Names are as written:
 * imap_name.h makes mailbox names of them. */
#ifndef GRAMMAR_IMAP_LIST_H
#define GRAMMAR_IMAP_LIST_H

#include "grammar/imap/imap_lex.h"

enum imap_status_item {
	IMAP_STATUS_MESSAGES = 1,
	IMAP_STATUS_RECENT = 2,
	IMAP_STATUS_UIDNEXT = 4,
	IMAP_STATUS_UIDVALIDITY = 8,
	IMAP_STATUS_UNSEEN = 16,
	IMAP_STATUS_DELETED = 32,
	IMAP_STATUS_DELETED_STORAGE = 64,
	IMAP_STATUS_SIZE = 128,
	IMAP_STATUS_HIGHESTMODSEQ = 256,
	IMAP_STATUS_APPENDLIMIT = 512,
	IMAP_STATUS_MAILBOXID = 1024,
};

enum imap_list_select {
	IMAP_SELECT_SUBSCRIBED = 1,
	IMAP_SELECT_REMOTE = 2,
	IMAP_SELECT_RECURSIVEMATCH = 4, /* never without SUBSCRIBED or SPECIAL-USE */
	IMAP_SELECT_SPECIAL_USE = 8,
};

enum imap_list_return {
	IMAP_LIST_SUBSCRIBED = 1,
	IMAP_LIST_CHILDREN = 2,
	IMAP_LIST_SPECIAL_USE = 4,
	IMAP_LIST_STATUS = 8,
};

struct imap_list {
	bool extended;   /* any syntax of RFC 5258 was used */
	unsigned select; /* enum imap_list_select */
	unsigned returns;
	unsigned status; /* enum imap_status_item, with IMAP_LIST_STATUS */
	str reference;
	struct imap_strs patterns; /* at least one */
};

struct imap_status {
	str mailbox;
	unsigned items;
};

str imap_status_name(enum imap_status_item item); /* "UIDNEXT" */

#endif
