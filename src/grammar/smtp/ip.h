/* Internet addresses as bytes, and their text (RFC 4291, RFC 5952). Owns nothing. */
#ifndef GRAMMAR_IP_H
#define GRAMMAR_IP_H

#include "base/buf.h"

struct ip {
	uint8_t n;	     /* 4, 16, or 0 for none */
	unsigned char b[16]; /* network order, the rest is zero */
};

bool ip_parse(str s, struct ip *out); /* either family, the whole text; out only on success */
void ip_print(buf *out, const struct ip *a);

static inline bool ip_eq(const struct ip *a, const struct ip *b)
{
	return a->n == b->n && memcmp(a->b, b->b, sizeof a->b) == 0;
}

#endif
