/* Senders of forwarded mail (Sender Rewriting Scheme, grammar/smtp/srs.h).
 *
 * A message that an alias passes on to another server goes out with a sender of
 * ours: its domain's SPF record names this server, and reports come back here,
 * where forwarder_back finds who they are for. The address is signed
 * (HMAC-SHA256) and good for FORWARD_DAYS, so nobody can have mail passed on to
 * an address of their choice. Null senders and those of this server stay as
 * they are. Both calls suspend. */
#ifndef AUTH_FORWARDER_H
#define AUTH_FORWARDER_H

#include "auth/auth.h"

/* The address is the arena's. */
result forwarder_address(struct auth *a, str sender, arena *m, str *out) NODISCARD;

enum forwarder_verdict {
	FORWARDER_NONE,   /* not such an address, or not of a domain of ours */
	FORWARDER_LEADS,  /* to *out */
	FORWARDER_WRONG,  /* not signed by us, or not since long */
	FORWARDER_OLD,
	FORWARDER_LATER,  /* the directory does not say now */
};
enum forwarder_verdict forwarder_back(struct auth *a, str address, arena *m, str *out);

#endif
