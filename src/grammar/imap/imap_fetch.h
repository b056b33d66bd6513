/* Arguments of FETCH (RFC 9051 section 6.4.5; CONDSTORE and QRESYNC RFC 7162;
 * OBJECTID RFC 8474; SAVEDATE RFC 8514). Everything lives in the arena. */
#ifndef GRAMMAR_IMAP_FETCH_H
#define GRAMMAR_IMAP_FETCH_H

#include "grammar/imap/imap_set.h"

enum { IMAP_PART_NUMBERS_MAX = 100 }; /* numbers in one section such as 1.2.3 */

enum imap_fetch_item {
	IMAP_ITEM_FLAGS = 1,
	IMAP_ITEM_INTERNALDATE = 2,
	IMAP_ITEM_RFC822_SIZE = 4,
	IMAP_ITEM_ENVELOPE = 8,
	IMAP_ITEM_BODY = 16, /* BODY without a section: the structure, no extension data */
	IMAP_ITEM_BODYSTRUCTURE = 32,
	IMAP_ITEM_UID = 64,
	IMAP_ITEM_MODSEQ = 128,
	IMAP_ITEM_EMAILID = 256,
	IMAP_ITEM_THREADID = 512,
	IMAP_ITEM_SAVEDATE = 1024,
};

enum imap_section_name {
	IMAP_BODY_SECTION, /* BODY[...] and BODY.PEEK[...] */
	IMAP_BINARY,
	IMAP_BINARY_SIZE,
	IMAP_RFC822, /* the next three answer under their own names, without a section */
	IMAP_RFC822_HEADER,
	IMAP_RFC822_TEXT,
};

enum imap_section_text {
	IMAP_SECTION_ALL, /* the part, or the message when there are no numbers */
	IMAP_SECTION_HEADER,
	IMAP_SECTION_FIELDS,
	IMAP_SECTION_FIELDS_NOT,
	IMAP_SECTION_TEXT,
	IMAP_SECTION_MIME,
};

struct imap_section {
	struct imap_section *next;
	enum imap_section_name name;
	enum imap_section_text text;
	bool peek; /* \Seen stays as it is; set for RFC822.HEADER and BINARY.SIZE too */
	bool partial;
	uint64_t origin;
	uint64_t length; /* at least 1 when partial */
	uint32_t *part;
	size_t depth; /* numbers in `part` */
	struct imap_strs fields; /* as written, twins not removed */
};

struct imap_fetch {
	struct imap_set set;
	unsigned items; /* enum imap_fetch_item; UID is implied by the command's uid */
	struct imap_section *sections;
	bool changed_since;
	bool vanished;
	uint64_t modseq; /* of CHANGEDSINCE, 0 permitted */
};

/* The name in the answer: "BODY[1.HEADER.FIELDS (DATE)]<0>", without peek and length. */
void imap_put_section(buf *out, const struct imap_section *s);

#endif
