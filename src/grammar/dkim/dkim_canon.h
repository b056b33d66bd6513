/* The two canonical forms of DKIM (RFC 6376 section 3.4), octet by octet as
 * they are hashed.
 *
 * What comes out goes to the caller's sink, in pieces of any length: the hash
 * lives with the caller, so that this needs no library. A body may be fed in
 * pieces cut anywhere; time is linear. Line ends are CRLF; a CR or LF alone is
 * an octet like any other in a body. Owns nothing, nothing suspends or fails. */
#ifndef GRAMMAR_DKIM_CANON_H
#define GRAMMAR_DKIM_CANON_H

#include "base/str.h"

enum dkim_canon { DKIM_SIMPLE, DKIM_RELAXED };

struct dkim_sink {
	void (*put)(void *ctx, str octets);
	void *ctx;
};

#define DKIM_WHOLE UINT64_MAX

/* A body under way: set canon, to and limit, the rest is zero. */
struct dkim_body {
	enum dkim_canon canon;
	struct dkim_sink to;
	uint64_t limit;  /* l=: canonical octets that reach the sink; DKIM_WHOLE: all */
	uint64_t length; /* canonical octets so far, whatever the limit */
	uint64_t line_ends; /* seen and held back: at the end of the body they are ignored */
	bool blank;      /* white space was seen since the last octet kept (relaxed) */
	bool cr;         /* the last piece ended with a CR */
};

void dkim_body_feed(struct dkim_body *b, str piece);
void dkim_body_finish(struct dkim_body *b);

/* A header field as it stands in the message, its line end included or not;
 * what comes out has none. Relaxed also takes a bare LF for a line end. */
void dkim_field(enum dkim_canon canon, str field, struct dkim_sink to);

#endif
