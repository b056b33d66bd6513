/* Reading what is stored of messages. Nothing is parsed here.
 *
 * fetch_rows reads columns of many messages in one turn of the store thread.
 * fetch_open takes hold of one message's bytes: the whole message is the trace
 * block and then the body as received; all offsets below count in the whole
 * message, so a part's offset is its offset in the part table plus trace.n. A
 * body file is read only where a range touches it. All but fetch_close and
 * fetch_email_id suspend. */
#ifndef ACCOUNT_STORE_FETCH_H
#define ACCOUNT_STORE_FETCH_H

#include "account/store/view.h"
#include "base/buf.h"

enum fetch_want {
	FETCH_DATES = 1, /* always there; names the cheapest reading */
	FETCH_TRACE = 2,
	FETCH_ENVELOPE = 4,
	FETCH_STRUCTURE = 8,
	FETCH_BASIC = 16,
	FETCH_PARTS = 32,
	FETCH_HEADER = 64, /* trace block and header block, as one; not there when longer than STORE_HEAD_MAX */
	FETCH_SEARCH = 128,
	/* With the above, where it refers to it (grammar/mime/search_text.h): the message
	 * without its trace block; not there when it is a file of its own. */
	FETCH_SEARCHED_BODY = 256,
	/* The whole message; not there when part of it is a file of its own. */
	FETCH_LETTER = 512,
};

enum fetch_limits {
	FETCH_ROWS_MAX = 500,              /* messages of one reading */
	FETCH_BYTES_MAX = 1024 * 1024,     /* after so many bytes a reading ends early */
};

/* A column that was not asked for has p == NULL. */
struct fetch_row {
	uint32_t uid;
	bool present;    /* false: removed meanwhile, all else is 0 */
	int16_t minutes; /* zone of the internal date, east of UTC */
	int64_t date;    /* internal date, seconds since 1970 */
	int64_t saved;   /* SAVEDATE (RFC 8514) */
	uint64_t size;
	uint64_t header_size; /* trace block and header block */
	uint64_t content;
	str trace, envelope, structure, basic, parts, header, search, body, letter;
};
struct fetched {
	struct fetch_row *rows; /* for the first n of the uids asked, in order */
	size_t n;               /* at least 1; ask again with the rest */
};
result fetch_rows(struct view *v, const struct uids *which, unsigned want, arena *m, struct fetched *out) NODISCARD;

struct letter_bytes;

/* ABSENT: removed meanwhile. The bytes stay readable until closed, unless they
 * lie in a body file that an expunge of the last copy removes: then ABSENT. */
result fetch_open(struct view *v, uint32_t uid, struct letter_bytes **out) NODISCARD;
/* The same of a row read with FETCH_LETTER, from which it takes what is there: the
 * row's arena must outlive it. */
result fetch_open_row(struct view *v, const struct fetch_row *row, struct letter_bytes **out) NODISCARD;
void fetch_close(struct letter_bytes **b);
uint64_t fetch_size(const struct letter_bytes *b);
uint64_t fetch_header_size(const struct letter_bytes *b); /* trace block included */
/* Appends the bytes from `from`, at most `n`, cut to what there is. */
result fetch_bytes(struct letter_bytes *b, uint64_t from, uint64_t n, buf *out) NODISCARD;

/* The bytes where they lie, when they are all in memory; until it is closed. */
bool fetch_near(const struct letter_bytes *b, uint64_t from, uint64_t n, str *out);

enum { EMAIL_ID_SIZE = 17 };
void fetch_email_id(uint64_t content, char out[EMAIL_ID_SIZE]); /* "M" and 16 characters, no terminator */

#endif
