/* The DKIM-Signature field (RFC 6376 section 3.5; 8301: no SHA-1; 8463:
 * Ed25519; 8616: names in UTF-8).
 *
 * Reading refuses (INPUT, a sentence why) what section 6.1.1 calls an invalid
 * signature, whatever its keys: a tag missing or unknown in its meaning,
 * another version, h= without From, an identity outside of the domain. Times
 * are the caller's to judge. Parsed strings are views or live in the arena;
 * domain and selector are in lower case and A-labels.
 *
 * Printing gives the field with an empty b=, its last tag: so hashing it needs
 * no cutting, and the signature is put in where it ends. Nothing suspends. */
#ifndef GRAMMAR_DKIM_SIGNATURE_H
#define GRAMMAR_DKIM_SIGNATURE_H

#include "grammar/dkim/dkim_canon.h"
#include "grammar/dkim/dkim_tags.h"

#define DKIM_FIELD_NAME "DKIM-Signature"

enum {
	DKIM_FIELD_MAX = 4096,     /* octets of a field that is printed, b= empty */
	DKIM_FIELD_READ_MAX = 65536, /* of one that is read */
	DKIM_DIGEST = 32,
};

enum dkim_algorithm { DKIM_RSA_SHA256, DKIM_ED25519_SHA256 };

struct dkim_signature {
	enum dkim_algorithm algorithm;
	enum dkim_canon header, body;
	str domain, selector;
	str identity;   /* i= as written; empty: "@" and the domain */
	str names;      /* h=: field names between colons, folds inside when it was read */
	str body_hash;  /* DKIM_DIGEST octets */
	str signature;  /* octets; empty when it is to be printed */
	int64_t signed_at, expires; /* seconds since 1970; -1: not said */
	uint64_t length;            /* l=; DKIM_WHOLE: not said */
};

result dkim_signature_parse(str value, arena *a, struct dkim_signature *out) NODISCARD;

/* The whole field, CRLF at its end; *at is where in it the signature's base64
 * goes. Says nothing of identity, signature, expires and length. LIMIT, MEMORY. */
result dkim_signature_print(const struct dkim_signature *s, buf *out, size_t *at) NODISCARD;
/* That field with the signature in it, folded. */
void dkim_signature_fill(buf *out, str field, size_t at, str signature);

/* A read field without what stands behind b= (section 3.7), for hashing. INPUT, MEMORY. */
result dkim_signature_emptied(str field, arena *a, str *out) NODISCARD;

#endif
