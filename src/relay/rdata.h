/* The RDATA of the DNS records the relay asks for, as on the wire, names in it
 * uncompressed: MX (RFC 1035 3.3.9), A, AAAA, TLSA (RFC 6698 2.1), TXT.
 *
 * false: the record is not what its type says. Names come out as A-labels in
 * lower case without the last dot, the root as the empty name; a label with an
 * octet that no host name has is refused. Nothing suspends. */
#ifndef RELAY_RDATA_H
#define RELAY_RDATA_H

#include "base/arena.h"
#include "run/net.h"
#include "run/tls_peer.h"

enum rr_type { RR_A = 1, RR_MX = 15, RR_TXT = 16, RR_AAAA = 28, RR_TLSA = 52 };

bool rdata_mx(str rdata, arena *a, uint16_t *preference, str *host);
bool rdata_address(str rdata, net_addr *out); /* 4 or 16 octets; port 0 */
bool rdata_tlsa(str rdata, struct tls_tlsa *out); /* a view of rdata */
bool rdata_txt(str rdata, arena *a, str *out); /* its strings joined */

#endif
