/* The content of DATA (RFC 5321 sections 4.1.1.4 and 4.5.2): end of data,
 * dot-unstuffing, and the printer's opposite.
 *
 * End of data is CRLF.CRLF and nothing else; the CRLF of the DATA line counts
 * as the first one. A CR or LF that is not part of a CRLF is what SMTP
 * smuggling is made of, so it never begins a line here: it is counted, and
 * with SMTP_DATA_REJECT kept as it is (the caller refuses the message), with
 * SMTP_DATA_NORMALISE a bare LF becomes CRLF, a bare CR a space, or nothing
 * where a run of CRs ends in CRLF. Lines of any length; NUL is kept and told.
 *
 * Input comes in chunks of any size; each byte is scanned once. The decoder
 * owns nothing; decoded bytes are appended to the caller's buf, whose ceiling
 * the caller looks at (buf_result); with no buf they are only counted. */
#ifndef GRAMMAR_SMTP_DATA_H
#define GRAMMAR_SMTP_DATA_H

#include "base/buf.h"

enum smtp_data_policy {
	SMTP_DATA_REJECT,
	SMTP_DATA_NORMALISE,
};

enum smtp_data_state {
	SMTP_DATA_LINE_START, /* behind a CRLF: a dot here is special */
	SMTP_DATA_DOT,	      /* a dot at a line's start, held back */
	SMTP_DATA_DOT_CR,     /* and a CR behind it, held back */
	SMTP_DATA_TEXT,	      /* within a line */
	SMTP_DATA_CR,	      /* one or more CRs within a line, held back */
	SMTP_DATA_DONE,	      /* the end was seen; nothing more is taken */
};

struct smtp_data {
	enum smtp_data_policy policy;
	enum smtp_data_state state;
	uint64_t held_crs; /* in SMTP_DATA_CR */
	uint64_t consumed; /* bytes taken from the wire */
	uint64_t size;	   /* bytes of decoded message */
	uint64_t bare_crs, bare_lfs;
	bool false_end; /* one of them beside a dot alone, as far as one chunk shows: smuggling, no accident */
	uint64_t first_bare; /* wire offset of the first of either, when there is one */
	bool first_bare_is_lf;
	bool nul; /* a NUL octet occurred */
};

static inline struct smtp_data smtp_data_new(enum smtp_data_policy policy)
{
	return (struct smtp_data){.policy = policy};
}

/* Takes from `in` up to the end of data and returns how many bytes it took:
 * less than in.n only when `state` became SMTP_DATA_DONE; what follows is the
 * next pipelined command. `out` may be NULL. */
size_t smtp_data_feed(struct smtp_data *d, str in, buf *out);

static inline bool smtp_data_bare(const struct smtp_data *d)
{
	return d->bare_crs > 0 || d->bare_lfs > 0;
}

/* The sender's side: zero it to begin, feed the message in chunks, finish
 * writes the CRLF a last line lacks and the end of data. `bare` tells that a
 * bare CR or LF went through: such a message must go by BDAT or not at all.
 * With `lf_dots` a dot behind a bare LF is doubled too: POP3 has no other way
 * to send such a message, and most clients take a bare LF for a line's end. */
struct smtp_stuffer {
	bool lf_dots;
	bool within_line;
	bool cr;
	bool after_lf; /* a bare one, with lf_dots */
	bool bare;
};

void smtp_data_stuff(struct smtp_stuffer *s, str in, buf *out);
void smtp_data_stuff_finish(struct smtp_stuffer *s, buf *out);

#endif
