/* The base subject (RFC 5256 2.1): what is left of a Subject when reply and
 * forward marks, list tags and "(fwd)" are off. For SORT and THREAD. */
#ifndef GRAMMAR_SUBJECT_H
#define GRAMMAR_SUBJECT_H

#include "base/arena.h"

enum subject_limits { SUBJECT_MAX = 1000 /* bytes looked at; more only makes hostile subjects slow */ };

/* `decoded` is UTF-8, its words decoded. The result lives in the arena (p is
 * NULL when refused). `reply`: something said that it answers or forwards. */
str subject_base(str decoded, arena *a, bool *reply);

#endif
