/* Client certificates: issued by the vault's authority, looked up at each login.
 *
 * An edge that verified one says its fingerprint and the name in it. The name
 * counts for nothing: whose it is and what it is good for says its row, and
 * without a row it is nobody's, whoever signed it. Suspends. */
#ifndef AUTH_CERTIFICATES_H
#define AUTH_CERTIFICATES_H

#include "auth/login.h"

enum { CERTIFICATE_DAYS = 730, CERTIFICATE_DAYS_MAX = 3650 };

/* `n`: name, scope and expires (0: in two years); the rest of it is set here. INPUT for a public key that the vault
 * does not take, EXISTS, LIMIT. The views are the arena's. */
struct certificate_order {
	uint64_t account;
	str public; /* SubjectPublicKeyInfo, DER */
	arena *arena;
};
result certificate_issue(struct auth *a, const struct certificate_order *o, struct app_password *n,
	struct certificate_made *out) NODISCARD;

/* EXTERNAL (RFC 4422 appendix A). OK whatever the verdict. */
struct certificate_question {
	const struct edge_auth_certificate_login *asked;
	const void *channel;
	const trace_id *trace;
	arena *m; /* the answer's */
};
result certificate_login(struct auth *a, const struct certificate_question *q, struct edge_auth_login_is *answer)
	NODISCARD;

#endif
