/* Reads printed IMAP data back, for tests and fuzz targets only: must() ends
 * the process when ENVELOPE or BODYSTRUCTURE is not what RFC 9051 section 9
 * says (body, body-extension left out). */
#ifndef GRAMMAR_IMAP_LIST_CHECK_H
#define GRAMMAR_IMAP_LIST_CHECK_H

#include "base/cursor.h"
#include "base/fail.h"
#include "grammar/mime/mime.h"

static inline void check_space(cursor *c)
{
	must(cursor_eat(c, ' '));
}

static inline uint64_t check_number(cursor *c)
{
	uint64_t v = 0;
	must(cursor_peek(c) >= '0' && cursor_peek(c) <= '9');
	while (cursor_peek(c) >= '0' && cursor_peek(c) <= '9')
		v = v * 10 + (uint64_t)(cursor_next(c) - '0');
	return v;
}

/* A quoted string or a literal, without NUL; returns its raw content. */
static inline str check_string(cursor *c)
{
	if (cursor_eat(c, '{')) {
		uint64_t n = check_number(c);
		must(cursor_eat(c, '}') && cursor_eat(c, '\r') && cursor_eat(c, '\n'));
		str s = cursor_take(c, n);
		must(!c->bad && str_chr(s, '\0') == STR_NONE);
		return s;
	}
	must(cursor_eat(c, '"'));
	const char *from = c->p;
	for (int ch = cursor_next(c); ch != '"'; ch = cursor_next(c)) {
		must(ch > 0 && ch < 128 && ch != '\r' && ch != '\n');
		if (ch == '\\')
			must(cursor_peek(c) == '"' || cursor_peek(c) == '\\');
		if (ch == '\\')
			cursor_next(c);
	}
	return str_of(from, (size_t)(c->p - 1 - from));
}

static inline bool check_nil(cursor *c)
{
	return cursor_ieat(c, STR("NIL"));
}

static inline void check_nstring(cursor *c)
{
	if (!check_nil(c))
		check_string(c);
}

static inline void check_addresses(cursor *c)
{
	if (check_nil(c))
		return;
	must(cursor_eat(c, '('));
	do {
		must(cursor_eat(c, '('));
		for (int i = 0; i < 4; i++) {
			if (i)
				check_space(c);
			check_nstring(c);
		}
		must(cursor_eat(c, ')'));
	} while (!cursor_eat(c, ')'));
}

static inline void check_envelope(cursor *c)
{
	must(cursor_eat(c, '('));
	for (int i = 0; i < 10; i++) {
		if (i)
			check_space(c);
		if (i >= 2 && i < 8)
			check_addresses(c);
		else
			check_nstring(c);
	}
	must(cursor_eat(c, ')'));
}

static inline void check_params(cursor *c)
{
	if (check_nil(c))
		return;
	must(cursor_eat(c, '('));
	do {
		check_string(c);
		check_space(c);
		check_string(c);
	} while (cursor_eat(c, ' '));
	must(cursor_eat(c, ')'));
}

static inline void check_tail(cursor *c)
{
	check_space(c);
	if (!check_nil(c)) {
		must(cursor_eat(c, '('));
		check_string(c);
		check_space(c);
		check_params(c);
		must(cursor_eat(c, ')'));
	}
	check_space(c);
	if (cursor_eat(c, '(')) {
		do
			check_string(c);
		while (cursor_eat(c, ' '));
		must(cursor_eat(c, ')'));
	} else {
		check_nstring(c);
	}
	check_space(c);
	check_nstring(c);
}

static inline void check_body(cursor *c, bool extended, uint32_t *parts);

static inline void check_leaf(cursor *c, bool extended, uint32_t *parts)
{
	str type = check_string(c);
	check_space(c);
	str subtype = check_string(c);
	check_space(c);
	check_params(c);
	for (int i = 0; i < 2; i++) {
		check_space(c);
		check_nstring(c);
	}
	check_space(c);
	check_string(c);
	check_space(c);
	check_number(c);
	bool message = str_ieq(type, STR("message")) &&
	               (str_ieq(subtype, STR("rfc822")) || str_ieq(subtype, STR("global")));
	if (message) {
		check_space(c);
		check_envelope(c);
		check_space(c);
		check_body(c, extended, parts);
	}
	if (message || str_ieq(type, STR("text"))) {
		check_space(c);
		check_number(c);
	}
	if (extended) {
		check_space(c);
		check_nstring(c);
		check_tail(c);
	}
}

static inline void check_body(cursor *c, bool extended, uint32_t *parts)
{
	(*parts)++;
	must(cursor_eat(c, '('));
	if (cursor_peek(c) != '(') {
		check_leaf(c, extended, parts);
	} else {
		while (cursor_peek(c) == '(')
			check_body(c, extended, parts);
		check_space(c);
		check_string(c);
		if (extended) {
			check_space(c);
			check_params(c);
			check_tail(c);
		}
	}
	must(cursor_eat(c, ')'));
}

static inline void check_envelope_text(str s)
{
	cursor c = cursor_on(s);
	check_envelope(&c);
	must(cursor_done(&c));
}

/* Every part of the table is in it. */
static inline void check_body_text(str s, bool extended, const struct mime_table *t)
{
	cursor c = cursor_on(s);
	uint32_t parts = 0;
	check_body(&c, extended, &parts);
	must(cursor_done(&c) && parts == t->n);
}

#endif
