/* The messages of the SASL mechanisms SCRAM-SHA-256 and SCRAM-SHA-256-PLUS
 * (RFC 5802 section 7, RFC 7677, RFC 5929, RFC 9266), before base64.
 *
 * Views point into the message or, where something was decoded, into the arena.
 * A mandatory extension ("m=") is not known here and refused; other extensions
 * are kept as they came, for they are part of what is proved. Errors: INPUT with
 * a sentence; LIMIT or MEMORY of the arena. Nothing suspends. */
#ifndef GRAMMAR_SCRAM_H
#define GRAMMAR_SCRAM_H

#include "base/arena.h"
#include "base/buf.h"

enum scram_limits { SCRAM_MESSAGE_MAX = 1024, SCRAM_NONCE_MAX = 256 };

enum scram_flag {
	SCRAM_UNBOUND = 'n',   /* the client cannot bind the channel */
	SCRAM_UNOFFERED = 'y', /* it could, but thinks that the server cannot */
	SCRAM_BOUND = 'p',
};

struct scram_first {
	enum scram_flag flag;
	str binding;       /* SCRAM_BOUND: the binding's name */
	str authzid, user; /* authzid empty: the same as user */
	str nonce;
	str extensions; /* behind the nonce, with their comma */
	str header;     /* the GS2 header, with its last comma */
	str bare;       /* what is behind it */
};

struct scram_final {
	str binding; /* the GS2 header and the channel binding's octets */
	str nonce;
	str extensions;
	str proof;         /* octets */
	str without_proof; /* what is before ",p=" */
};

/* The client's messages. */
result scram_first_parse(str message, arena *a, struct scram_first *out) NODISCARD;
result scram_final_parse(str message, arena *a, struct scram_final *out) NODISCARD;
void scram_first_print(buf *out, const struct scram_first *m); /* header and bare are made */
void scram_final_print(buf *out, const struct scram_final *m); /* without_proof is made */

/* The server's. */
struct scram_challenge {
	str nonce; /* the client's and what the server puts behind it */
	str salt;
	uint32_t iterations;
};
void scram_challenge_print(buf *out, const struct scram_challenge *m);
void scram_signature_print(buf *out, str signature);

#endif
