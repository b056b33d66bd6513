/* Joining of parameter continuations (RFC 2231 3 and 4.1); for content.c.
 *
 * "name*N" and "name*N*" with the same name become one parameter, in order of
 * N from 0 up to the first gap. If one section is extended the whole is: the
 * others are percent-encoded. Sections behind a gap are dropped. */
#ifndef GRAMMAR_CONTENT_JOIN_H
#define GRAMMAR_CONTENT_JOIN_H

#include "grammar/mime/content.h"

struct raw_param {
	str name; /* what stands before the first '*' */
	str value;
	int section; /* -1: no continuation */
	bool extended;
};

struct raw_param raw_param_of(str name, str value);
result params_join(const struct raw_param *raw, size_t n, arena *a, struct content_params *out) NODISCARD;

#endif
