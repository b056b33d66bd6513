/* Text folded for comparison, in the manner of i;unicode-casemap (RFC 5051):
 * every character by its simple titlecase mapping, then all in Unicode's NFKD
 * (decomposed, marks in canonical order), by ICU 72, Unicode 15.0. Beyond the
 * RFC the outcome is titlecased again, so that a ligature equals its letters in
 * any case. CRLF and a
 * CR alone become LF. ASCII letters come out in upper case.
 *
 * A stream: input is UTF-8 cut between characters at will; bytes that are no
 * UTF-8 become U+FFFD. More than FOLD_RUN_MAX units without a place where they
 * may be cut (marks heaped on one letter) are folded in pieces. charset_preload opens
 * what ICU needs. Errors stay in `out`. */
#ifndef GRAMMAR_FOLD_H
#define GRAMMAR_FOLD_H

#include "base/buf.h"

enum fold_limits { FOLD_RUN_MAX = 256 /* UTF-16 units */ };

/* Zero it to begin. */
struct fold {
	uint16_t run[FOLD_RUN_MAX]; /* titlecased, not yet decomposed */
	size_t n;
	bool cr;
};

void fold_feed(struct fold *f, str utf8, buf *out);
void fold_finish(struct fold *f, buf *out);

/* All at once: what a searcher does to its needle. */
void search_fold(str utf8, buf *out);

#endif
