/* The ASCII part of fold.h, which needs no tables: letters in upper case, CRLF
 * and a lone CR become LF. Nothing suspends or fails. */
#ifndef GRAMMAR_FOLD_ASCII_H
#define GRAMMAR_FOLD_ASCII_H

#include "base/str.h"

/* Writes at most s.n bytes to `out` and says how many; *cr (false to begin)
 * remembers a CR at the end of the stretch before. */
size_t fold_ascii(str s, bool *cr, char *out);

#endif
