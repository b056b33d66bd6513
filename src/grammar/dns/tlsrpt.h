/* The TXT record that says where reports about TLS go (RFC 8460 3), at
 * _smtp._tls. and the domain.
 *
 * Of its rua the mailto: and https: URIs are given, others are stepped over.
 * Views are of the input or of the arena. INPUT: there are no reports to send.
 * Nothing suspends. */
#ifndef GRAMMAR_TLSRPT_H
#define GRAMMAR_TLSRPT_H

#include "base/arena.h"

enum { TLSRPT_PLACES_MAX = 10 }; /* further ones are left out */
#define TLSRPT_RECORD "_smtp._tls."

struct tlsrpt_place {
	str address;  /* of mailto:, percent-decoded, without "?..."; empty: HTTPS */
	str host;
	uint16_t port; /* 0: the usual one */
	str path;      /* begins with '/', query included */
};

struct tlsrpt {
	size_t n;
	struct tlsrpt_place place[TLSRPT_PLACES_MAX];
};

bool tlsrpt_is_record(str text); /* one of this kind; there must be exactly one (3) */
result tlsrpt_record(str text, arena *a, struct tlsrpt *out) NODISCARD;

#endif
