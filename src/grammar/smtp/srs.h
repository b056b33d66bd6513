/* The local part of a rewritten sender (Sender Rewriting Scheme).
 *
 *     SRS0=HASH=TT=domain=local            the first forwarder's
 *     SRS1=HASH=host==HASH=TT=domain=local a later one's: `host` is the first
 *
 * A later forwarder keeps what the first one wrote and leads straight back to
 * it, so the address does not grow with every hop. The separator after SRS0 and
 * SRS1 may also be + or - from others; ours is =. Case of SRS0, SRS1 and the
 * hash does not count, since systems on the way change it.
 *
 * Only the form: what the hash is made with is the caller's. HASH is base32
 * (RFC 4648 6) of 40 bits, TT two base32 digits of the day modulo 1,024. Views
 * point into what was parsed. Nothing suspends. */
#ifndef GRAMMAR_SRS_H
#define GRAMMAR_SRS_H

#include "base/buf.h"

enum srs_limits {
	SRS_HASH = 8,        /* digits of a hash of ours */
	SRS_HASH_OCTETS = 5, /* what they stand for */
	SRS_DAYS = 1024,     /* the day's modulus */
};

enum srs_kind { SRS_NONE, SRS_0, SRS_1 };

struct srs {
	enum srs_kind kind;
	str hash;
	uint32_t day; /* of SRS_0 */
	str domain;   /* of the sender, or the first forwarder */
	str rest;     /* the sender's local part, or what follows SRS0 in the first forwarder's, its separator included */
};

/* SRS_NONE: not such an address at all. INPUT: it begins as one and is none. */
result srs_parse(str local, struct srs *out) NODISCARD;
void srs_print(buf *out, const struct srs *s);
/* The octets that the hash is made over: without case, as it may change. */
void srs_hashed(buf *out, const struct srs *s);
void srs_put_hash(buf *out, const unsigned char octets[SRS_HASH_OCTETS]);
bool srs_hash_is(str hash, const unsigned char octets[SRS_HASH_OCTETS]); /* in constant time */
/* How many days ago that was; a day that is to come counts as many as the modulus lets it. */
uint32_t srs_age(uint32_t day, uint64_t today);

#endif
