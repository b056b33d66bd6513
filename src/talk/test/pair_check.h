/* What the generated test and fuzz target of every pair call. Tests only. */
#ifndef TALK_TEST_PAIR_CHECK_H
#define TALK_TEST_PAIR_CHECK_H

#include "talk/codec.h"

/* For each message of the pair: random ones come back as they were; every field
 * one past its limit, every cut, every surplus is refused; no descriptor is left
 * open. Returns what main returns. */
int pair_check(const struct talk_pair *pair);
/* First octet: which message; the rest: its octets. */
void pair_fuzz(const struct talk_pair *pair, str data);

/* Random values within the limits; all memory from the arena. `m` is zeroed. */
void pair_fill(const struct talk_shape *s, arena *a, void *m);
/* Copies of an encoded packet's descriptors and a cursor on its octets. */
struct talk_in pair_in(const struct talk_out *out, str octets, arena *a);
size_t pair_open_fds(void);

#endif
