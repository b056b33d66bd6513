/* What TLS with a server of a destination must be: a route's word, DANE
 * (RFC 7672), MTA-STS (RFC 8461), else whatever the server offers. Suspends.
 *
 * A trouble: the policy cannot be found out, or forbids this server; then
 * nothing may be sent to it now. Never less than a policy asks for. */
#ifndef RELAY_POLICY_H
#define RELAY_POLICY_H

#include "relay/errand.h"

struct policy_question {
	const struct errand *errand;
	const struct hosts *hosts;
	const struct host *host;
	const struct addresses *addresses;
};

struct trouble policy_find(const struct policy_question *q, struct policy *out);

#endif
