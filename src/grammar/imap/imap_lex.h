/* The words of IMAP: atoms, strings, numbers (RFC 9051 section 9).
 *
 * A reader over one whole command text, as put together by its reader: each
 * line that ends in a literal is followed by CRLF and the literal's octets.
 * The first step that does not fit is noted (where, which sentence) and sets
 * in.bad; steps after it give zero values, so a parser looks once at the end.
 * Results are views of the text, or live in the arena; the text must outlive
 * them. The sentences are static. Nothing suspends. */
#ifndef GRAMMAR_IMAP_LEX_H
#define GRAMMAR_IMAP_LEX_H

#include "base/arena.h"
#include "base/cursor.h"

#define IMAP_NUMBER64_MAX ((uint64_t)INT64_MAX) /* number64 and mod-sequences have 63 bits */

struct imap_lex {
	cursor in;
	str all;
	arena *arena;
	size_t error_at; /* offset of the first step that failed */
	result error;
	bool utf8; /* a quoted string held UTF-8, which only ENABLE permits */
};

/* A list that grows in the arena. */
struct imap_strs {
	str *v;
	size_t n;
};

struct imap_lex imap_lex_on(str text, arena *a);
void imap_refuse(struct imap_lex *x, enum fail_kind kind, const char *sentence);
void imap_want(struct imap_lex *x, const char *sentence); /* refuses as FAIL_INPUT */
void *imap_new(struct imap_lex *x, size_t count, size_t size); /* zeroed; NULL refuses */
void imap_push(struct imap_lex *x, struct imap_strs *list, str s);

bool imap_eat(struct imap_lex *x, char c);         /* takes it if it is next */
bool imap_ends(struct imap_lex *x);                /* nothing is left, or bad */
void imap_char(struct imap_lex *x, char c, const char *sentence); /* takes it or refuses */
void imap_space(struct imap_lex *x);
void imap_open(struct imap_lex *x);                /* "(" */
/* After an item of a parenthesised list: true when SP and another one follow,
 * false behind ")" or when bad. */
bool imap_another(struct imap_lex *x);
bool imap_eat_list(struct imap_lex *x);            /* " (" of an optional list, both or nothing */
bool imap_eat_word(struct imap_lex *x, str word);  /* without case; what follows must end the word */
str imap_word(struct imap_lex *x);                 /* letters, digits, ".", "-"; may be empty */

str imap_tag(struct imap_lex *x);
str imap_atom(struct imap_lex *x, const char *sentence);
str imap_string(struct imap_lex *x);               /* quoted or literal, of octets other than NUL */
str imap_astring(struct imap_lex *x, const char *sentence);
str imap_nstring(struct imap_lex *x);              /* p is NULL for NIL */
str imap_list_mailbox(struct imap_lex *x);
uint32_t imap_nz_number(struct imap_lex *x);
uint64_t imap_number64(struct imap_lex *x);
/* "<origin.length>" if "<" is next; length is never 0. */
bool imap_partial(struct imap_lex *x, uint64_t *origin, uint64_t *length);

bool imap_astring_char(unsigned char c);

#endif
