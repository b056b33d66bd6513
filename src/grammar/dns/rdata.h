/* The RDATA of DNS records as asker-resolve gives it: as on the wire, names in
 * it uncompressed. MX, PTR, CNAME (RFC 1035 3.3), A, AAAA (RFC 3596), TXT (RFC
 * 1035 3.3.14), TLSA (RFC 6698 2.1).
 *
 * Names come out as A-labels in lower case without the last dot, the root as
 * the empty name. INPUT for what is not of its type, surplus octets included,
 * and for a name with a label that no host has: letters, digits, '-' and '_'
 * are taken. Views are of the input or of the arena. Nothing suspends. */
#ifndef GRAMMAR_RDATA_H
#define GRAMMAR_RDATA_H

#include "base/arena.h"

enum dns_type { DNS_A = 1, DNS_CNAME = 5, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28, DNS_TLSA = 52 };
enum { DNS_NAME_MAX = 255, DNS_LABEL_MAX = 63 }; /* octets on the wire */

struct rdata_mx {
	uint16_t preference;
	str host; /* empty: the null MX (RFC 7505) when preference is 0 and there is no other */
};

struct rdata_tlsa {
	uint8_t usage, selector, matching;
	str data; /* not empty; 32 octets with matching 1, 64 with 2 */
};

result rdata_mx(str rdata, arena *a, struct rdata_mx *out) NODISCARD;
result rdata_name(str rdata, arena *a, str *out) NODISCARD;          /* PTR, CNAME */
result rdata_ip(str rdata, unsigned char out[16]) NODISCARD;         /* A (as ::ffff:a.b.c.d), AAAA */
result rdata_txt(str rdata, arena *a, str *out) NODISCARD;           /* its strings joined */
result rdata_tlsa(str rdata, struct rdata_tlsa *out) NODISCARD;

#endif
