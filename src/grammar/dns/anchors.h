/* A file of DNSSEC trust anchors: DS and DNSKEY records as zone files write
 * them (RFC 1035 section 5.1, RFC 4034), which is what key makers leave behind.
 *
 * Records are put onto one line each, without comments and parentheses; nothing
 * else of them is looked at. Owns nothing but the caller's buf. Nothing
 * suspends. INPUT for a directive, a record of another type, a parenthesis that
 * stays open; LIMIT above the limits. */
#ifndef GRAMMAR_ANCHORS_H
#define GRAMMAR_ANCHORS_H

#include "base/buf.h"
#include "base/cursor.h"

enum { ANCHOR_RECORD_MAX = 8192, ANCHOR_RECORDS_MAX = 64 };

struct anchors {
	cursor at;
	size_t records; /* given so far */
};

struct anchors anchors_on(str text);
/* The next record as "OWNER [TTL] [CLASS] TYPE RDATA"; empty at the end. Clears `out` first. */
result anchors_next(struct anchors *a, buf *out) NODISCARD;

#endif
