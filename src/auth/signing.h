/* The life of DKIM's keys across rooms: a row here, a private half in the vault,
 * a record in DNS.
 *
 * A domain gets a key of each algorithm when somebody first asks for them (its
 * first letter out, `domain records`), or else SIGNING_CALM_MS after the start,
 * so that no start waits for prime numbers. The first ones sign at once: a
 * signature whose key is not in DNS yet counts as none, and from the minute the
 * record is there mail is signed. Later pairs (option dkim-rotate) are shown by
 * `domain records` first and sign when DNS has them; the old ones stay in DNS
 * while mail they signed may be under way (expire-time and SIGNING_MARGIN_S),
 * then the vault destroys them. Whatever a crash leaves is known by its row.
 *
 * Calls suspend. Errors carry a sentence for the administrator. */
#ifndef AUTH_SIGNING_H
#define AUTH_SIGNING_H

#include "auth/signing_keys.h"
#include "talk/edge_auth.h"

enum {
	SIGNING_CALM_MS = 60000,
	SIGNING_EACH_MS = 3600000,       /* between two looks at what is due */
	SIGNING_MARGIN_S = 7 * 86400,    /* that mail may lie before a program verifies it itself */
	SIGNING_ROWS = 8,                /* keys told to an edge */
};

struct auth;

struct signing {
	bool busy; /* keys are being made: others wait and look again */
	struct gate free;
};

struct signing_wanted {
	str name;
	str domain;
	enum dkim_algorithm algorithm;
};

void signing_init(struct signing *s);

/* Sees to it that the domain (as the book spells it) has keys. ABSENT: no such domain. */
result signing_ready(struct auth *a, str domain) NODISCARD;
/* The active ones; none for a domain that is not ours, or does not sign. From memory once there are any. */
result signing_signers(struct auth *a, str domain, arena *m, struct edge_auth_signers_are *out) NODISCARD;

/* An administrator wants the domain's next keys: makes them; where they wait for DNS, looks there now. */
result signing_rotate(struct auth *a, str domain) NODISCARD;

/* One look at every domain: makes, turns, retires and destroys what is due. */
void signing_look(struct auth *a);
void signing_tend(struct auth *a); /* goes on doing so until the room ends */

#endif
