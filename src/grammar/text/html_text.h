/* The text of an HTML body, for searching: not for showing.
 *
 * Tags, comments, scripts and styles go; character references are decoded
 * (numbers, and the names of html_entities.h, whose maximum bounds both; &#128; to
 * &#159; are windows-1252's, as in browsers); blanks in a row become one;
 * tags that begin a new line or cell become a line end, others nothing, so that a
 * word with a bold letter is one word. A stream over UTF-8 cut at will between
 * characters; any input is taken. Errors stay in `out`. */
#ifndef GRAMMAR_HTML_TEXT_H
#define GRAMMAR_HTML_TEXT_H

#include "base/buf.h"
#include "grammar/text/html_entities.h"

enum html_limits {
	HTML_NAME_MAX = 11,   /* of a tag's name: longer ones are unknown */
};

enum html_state {
	HTML_TEXT,
	HTML_LESS,    /* "<" */
	HTML_NAME,    /* a tag's name */
	HTML_TAG,     /* behind it, up to ">" */
	HTML_QUOTED,  /* an attribute's value */
	HTML_COMMENT,
	HTML_RAW,     /* script or style, up to its end tag */
	HTML_ENTITY,  /* "&" and more */
};

/* Zero it to begin. */
struct html_text {
	enum html_state state;
	char name[HTML_NAME_MAX + 1]; /* lower case, "/" in front of an end tag's */
	uint8_t name_n;
	char entity[HTML_ENTITY_MAX];
	uint8_t entity_n;
	uint8_t matched; /* of what ends the comment or the raw text */
	char quote;
	bool after_equals;
	bool any;        /* something was given out */
	char gap;        /* 0, ' ' or '\n' before the next character */
	bool style;      /* the raw text is a style, not a script */
};

void html_text_feed(struct html_text *h, str utf8, buf *out);
void html_text_finish(struct html_text *h, buf *out);

#endif
