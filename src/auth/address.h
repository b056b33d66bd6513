/* An address as the directory compares it.
 *
 * The local part in lower case (ASCII letters; RFC 5321 2.4 leaves it to the
 * receiving host), the domain as mailbox_domain gives it, so both spellings of
 * an internationalised domain are one. Views live in the arena. Nothing
 * suspends. Errors: INPUT with a sentence, LIMIT or MEMORY of the arena. */
#ifndef AUTH_ADDRESS_H
#define AUTH_ADDRESS_H

#include "base/arena.h"

enum { ADDRESS_MAX = 320 };

struct address {
	str key; /* local@domain */
	str local;
	str domain;
};

/* The same for an address elsewhere, whose domain may be a literal ([192.0.2.1]). */
result address_parse_elsewhere(str text, arena *a, struct address *out) NODISCARD;
result address_parse(str text, arena *a, struct address *out) NODISCARD;
/* The same for "@domain", which stands for all of a domain's addresses. */
result address_or_domain(str text, arena *a, str *key) NODISCARD;

#endif
