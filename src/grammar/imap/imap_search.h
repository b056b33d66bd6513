/* Arguments of SEARCH (RFC 9051 section 6.4.4; RETURN RFC 4731 and 5182; MODSEQ
 * RFC 7162; EMAILID and THREADID RFC 8474; SAVED... RFC 8514) as a tree.
 *
 * OR within OR and AND within AND become one node of several operands, and NOT
 * only turns `negated` over, so depth grows with real alternation alone; it is
 * at most IMAP_SEARCH_DEPTH_MAX, so that an evaluator may recurse. The parser
 * itself does not. Everything lives in the arena. */
#ifndef GRAMMAR_IMAP_SEARCH_H
#define GRAMMAR_IMAP_SEARCH_H

#include "grammar/imap/imap_set.h"
#include "grammar/imap/imap_time.h"

enum { IMAP_SEARCH_DEPTH_MAX = 64 };

enum imap_key_kind {
	IMAP_KEY_AND, /* one operand or more, linked by next from first */
	IMAP_KEY_OR,
	IMAP_KEY_ALL,
	IMAP_KEY_FLAGS,   /* all of `on` are set and none of `off` (enum imap_flag) */
	IMAP_KEY_KEYWORD, /* text */
	IMAP_KEY_SET,     /* message numbers, or "$" */
	IMAP_KEY_UID,
	IMAP_KEY_LARGER, /* number, in octets */
	IMAP_KEY_SMALLER,
	IMAP_KEY_MODSEQ, /* number or more; for any flag, as the entry name is no matter to us */
	IMAP_KEY_BEFORE, /* date, of arrival */
	IMAP_KEY_ON,
	IMAP_KEY_SINCE,
	IMAP_KEY_SENTBEFORE, /* date, of the Date field */
	IMAP_KEY_SENTON,
	IMAP_KEY_SENTSINCE,
	IMAP_KEY_SAVEDBEFORE,
	IMAP_KEY_SAVEDON,
	IMAP_KEY_SAVEDSINCE,
	IMAP_KEY_SAVEDATESUPPORTED,
	IMAP_KEY_HEADER, /* field and text; with an empty text: the field exists */
	IMAP_KEY_FROM,   /* text from here on, in the command's charset */
	IMAP_KEY_TO,
	IMAP_KEY_CC,
	IMAP_KEY_BCC,
	IMAP_KEY_SUBJECT,
	IMAP_KEY_BODY,
	IMAP_KEY_TEXT,
	IMAP_KEY_EMAILID,
	IMAP_KEY_THREADID,
};

struct imap_key {
	enum imap_key_kind kind;
	bool negated;
	struct imap_key *next;
	struct imap_key *first;
	str text;
	union {
		str field;
		struct imap_set set;
		struct date date;
		uint64_t number;
		struct {
			unsigned on, off;
		};
		struct { /* of AND and OR, for the parser */
			struct imap_key *last;
			unsigned depth;
		};
	};
};

enum imap_search_return {
	IMAP_RETURN_MIN = 1,
	IMAP_RETURN_MAX = 2,
	IMAP_RETURN_ALL = 4,
	IMAP_RETURN_COUNT = 8,
	IMAP_RETURN_SAVE = 16,
};

struct imap_search {
	bool extended; /* RETURN was given: the answer is ESEARCH */
	unsigned returns;
	str charset; /* empty when not given */
	bool modseq; /* MODSEQ occurs: the answer carries the highest one */
	bool numbers; /* message numbers occur */
	struct imap_key *key; /* IMAP_KEY_AND */
};

#endif
