/* A key of DKIM in DNS (RFC 6376 section 3.6.1, RFC 8463 section 3).
 *
 * A TXT record's strings are joined before they are read. RSA keys stand there
 * as SubjectPublicKeyInfo in DER (seldom as RSAPublicKey, which the RFC names),
 * Ed25519 keys as their 32 octets. INPUT, with
 * a sentence, for what is no key record. Nothing suspends. */
#ifndef GRAMMAR_DKIM_KEY_H
#define GRAMMAR_DKIM_KEY_H

#include "grammar/dkim/dkim_signature.h"

enum { DKIM_RECORD_MAX = 16384 };

struct dkim_key {
	enum dkim_algorithm algorithm;
	str octets;   /* empty: the key was revoked */
	bool testing; /* t=y */
	bool strict;  /* t=s: no identities below the domain */
};

result dkim_key_parse(str record, arena *a, struct dkim_key *out) NODISCARD;
/* `base64` is what goes behind p=. */
void dkim_key_print(buf *out, enum dkim_algorithm algorithm, str base64);

#endif
