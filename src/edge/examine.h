/* A message that has come in whole is examined by inspect; what a login sends
 * to other servers is made complete and signed as well.
 *
 * Keys are those of the sender's domain, or of the From field's where that is
 * another one that the login may write as; a message in nobody's name that
 * auth knows leaves without a signature. inspect says what to sign, vault signs
 * it. Suspends. Errors: those of the rooms; the message must not be accepted. */
#ifndef EDGE_EXAMINE_H
#define EDGE_EXAMINE_H

#include "edge/smtp.h"
#include "talk/asker_inspect.h"

enum {
	EXAMINE_FAULTS = 2, /* of workers that fail otherwise than by being replaced */
	EXAMINE_ANSWER_MS = 60000,
	EXAMINE_SIGN_MS = 20000,
	EXAMINE_FIELDS_MAX = 65536, /* octets of all signature fields */
};

struct examination {
	struct asker_inspect_examined found;
	buf signatures; /* header fields to stand above the message */
};

/* What it holds lives in the arena and until examination_free, also after a failure. */
result examine(struct smtp_session *s, const struct body *message, arena *a, struct examination *out) NODISCARD;
void examination_free(struct examination *x);

#endif
