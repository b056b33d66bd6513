/* What every unit test includes instead of cmocka.h, which wants these four
 * headers before it. Tests only. */
#ifndef BASE_TEST_H
#define BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/fail.h"
#include "base/str.h"

/* How often something is tried: more often in the long form (make soak). */
static inline uint64_t test_often(uint64_t usual, uint64_t in_soak)
{
	return getenv("POSTERN_SOAK") ? in_soak : usual;
}

#define assert_ok(EXPR)                                                                            \
	do {                                                                                       \
		result assert_ok_ = (EXPR);                                                        \
		if (failed(assert_ok_))                                                            \
			fail_msg("%s: %s: %s", #EXPR, fail_name(assert_ok_.kind), assert_ok_.text); \
	} while (0)
#define assert_str(GOT, WANT)                                                                      \
	do {                                                                                       \
		str got_ = (GOT), want_ = (WANT);                                                  \
		if (!str_eq(got_, want_))                                                          \
			fail_msg("got \"%.*s\", want \"%.*s\"", STR_ARG(got_), STR_ARG(want_));    \
	} while (0)

#endif
