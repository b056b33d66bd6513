/* MTA-STS (RFC 8461): the TXT record that says there is a policy, the policy,
 * and whether a host may be a domain's MX under it.
 *
 * Views are of the input; the list of patterns is in the arena. INPUT: whoever
 * reads it has to take it that there is no (new) policy (3.1, 3.3). Fields that
 * nobody knows are stepped over, of repeated ones the first counts (3.2).
 * Nothing suspends. */
#ifndef GRAMMAR_STS_H
#define GRAMMAR_STS_H

#include "base/arena.h"

enum {
	STS_ID_MAX = 32,
	STS_POLICY_MAX = 65536,      /* octets (3.3 suggests it) */
	STS_MX_MAX = 1000,           /* patterns */
	STS_AGE_MAX = 31557600,      /* seconds: a longer max_age counts as that (3.2) */
	STS_FETCH_MS = 60000,        /* for the policy (3.3) */
};
#define STS_RECORD "_mta-sts."               /* and the domain: where the record is */
#define STS_HOST "mta-sts."                  /* and the domain: who has the policy */
#define STS_PATH "/.well-known/mta-sts.txt"

enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE };

struct sts_policy {
	enum sts_mode mode;
	uint32_t max_age; /* seconds */
	struct {
		const str *p; /* "mx.example.net", "*.example.net" */
		size_t n;
	} mx;
};

bool sts_is_record(str text); /* one of this kind; there must be exactly one (3.1) */
result sts_record(str text, str *id) NODISCARD;
result sts_policy(str text, arena *a, struct sts_policy *out) NODISCARD;
/* 4.1: host is A-labels without the last dot. A pattern's '*' is one whole label. */
bool sts_mx_matches(const struct sts_policy *p, str host);

#endif
