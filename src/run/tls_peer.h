/* TLS towards another mail server, and how far it proved who it is: nobody asks,
 * by the web's authorities (RFC 5280, 6125), or by TLSA records (RFC 6698, 7671,
 * with the rules for SMTP of RFC 7672).
 *
 * The handshake fails only where `check` demands a proof that does not come;
 * otherwise tls_proof says afterwards what the certificate was worth. A context
 * for it is made by tls_peer_context, before the jail. Only
 * stream_start_tls_peer suspends. */
#ifndef RUN_TLS_PEER_H
#define RUN_TLS_PEER_H

#include "run/tls.h"

enum tls_check { TLS_CHECK_NOTHING, TLS_CHECK_PKIX, TLS_CHECK_DANE };

struct tls_tlsa {
	uint8_t usage, selector, matching;
	str data;
};

struct tls_peer {
	enum tls_check check;
	str name;  /* the server's, A-labels: asked for by SNI, and what the certificate must be for */
	str other; /* a second name that will do (RFC 7672 3.2.2: the next-hop domain); empty: none */
	const struct tls_tlsa *tlsa;
	size_t tlsa_n;
};

/* What the certificate is worth. In words of TLS reports: RFC 8460 4.3. */
enum tls_proof {
	TLS_PROVEN,      /* as `check` wanted it; without one: by the authorities, for `name` */
	TLS_EXPIRED,
	TLS_OTHER_NAME,
	TLS_UNTRUSTED,
	TLS_UNPROVEN,    /* another flaw, or no TLSA record matches */
};

/* Verifies by `roots` (PEM, may be empty) where that is asked; TLS 1.2 and 1.3
 * with every cipher OpenSSL's defaults permit, because the other choice is none. */
result tls_peer_context(str roots, struct tls_context **out) NODISCARD;
/* Adds the certificates of a PEM text to those that `roots` named; the other, also the system's (tls_roots_load).
 * INPUT: the text has none, or a damaged one; the context is of no use then. */
result tls_context_trust(struct tls_context *c, str more) NODISCARD;
result tls_context_trust_system(struct tls_context *c, str more) NODISCARD;

/* Usages 2 and 3 alone count for SMTP; ABSENT when OpenSSL can use none of the
 * records: then nothing can be proven (RFC 7672 2.2: encrypt all the same). */
result tls_to_peer(struct tls_context *c, int fd, const struct tls_peer *p, struct tls **out) NODISCARD;
/* After the handshake, also a failed one. */
enum tls_proof tls_proof(const struct tls *t);

struct stream;
/* Suspends. As stream_start_tls_client; *proof is written also when it fails. */
result stream_start_tls_peer(struct stream *s, struct tls_context *c, const struct tls_peer *p, enum tls_proof *proof)
	NODISCARD;

#endif
