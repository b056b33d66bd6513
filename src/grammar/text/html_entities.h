/* Named character references (HTML 13.5): the 2,032 names that denote one
 * character; those that denote two stay text. The table is made at build time by
 * html_entities.py. For html_text.c. Nothing is owned, suspends or fails. */
#ifndef GRAMMAR_HTML_ENTITIES_H
#define GRAMMAR_HTML_ENTITIES_H

#include "base/str.h"

enum { HTML_ENTITY_MAX = 31 /* bytes of the longest name */, HTML_OLD_MAX = 6 /* of those without semicolon */ };

/* The character of a name without "&" and ";", 0 when there is none. */
uint32_t html_entity(str name);

/* Where no semicolon follows (13.2.5.73): the longest of the old names that
 * `text` begins with. Its character, and its length in `n`; or 0. */
uint32_t html_old_entity(str text, size_t *n);

#endif
