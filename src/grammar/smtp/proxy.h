/* The header of the PROXY protocol, version 2 (binary), with which a load
 * balancer in front says who the client is.
 *
 * Version 1 (text) is refused with a reason. Addresses of other families than
 * TCP over IPv4 and IPv6 are skipped, the kind is then PROXY_UNSPEC; so are
 * all TLVs. Whether the peer may send such a header at all is the caller's to
 * decide. Owns nothing, nothing suspends. Specification: proxy-protocol.txt
 * of HAProxy, section 2.2. */
#ifndef GRAMMAR_PROXY_H
#define GRAMMAR_PROXY_H

#include "grammar/smtp/ip.h"

enum {
	PROXY_FIXED = 16,	/* octets every header has */
	PROXY_HEADER_MAX = 4096 /* octets of a header with its TLVs */
};

enum proxy_kind {
	PROXY_LOCAL, /* the balancer speaks for itself (a health check): the connection's own address counts */
	PROXY_TCP4,
	PROXY_TCP6,
	PROXY_UNSPEC, /* a client whose address is not known here */
};

struct proxy_header {
	enum proxy_kind kind;
	struct ip source, destination; /* n is 0 unless TCP4 or TCP6 */
	uint16_t source_port, destination_port;
	size_t size; /* octets of the header: what follows is the client's */
};

/* Looks at the first octets of a connection. OK with *need = 0: `out` is
 * filled. OK with *need > 0: at least so many octets more are wanted.
 * INPUT: no header, version 1, or malformed. LIMIT: longer than PROXY_HEADER_MAX. */
result proxy_parse(str in, struct proxy_header *out, size_t *need) NODISCARD;
void proxy_print(buf *out, const struct proxy_header *h); /* without TLVs */

#endif
