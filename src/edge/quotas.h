/* What the accounts said lately about the room under their quotas, so that not
 * every RCPT under load asks again.
 *
 * Only ample room is believed, for QUOTAS_MS, less what was granted from it
 * since; near the limit the account itself is asked. That is no looser than
 * asking: between its answer and the delivery other mail may come as well. The
 * table has a fixed size; two accounts in one seat only ask more often. Nothing
 * suspends or fails. */
#ifndef EDGE_QUOTAS_H
#define EDGE_QUOTAS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	QUOTAS_SEATS = 1024,
	QUOTAS_MS = 200,
	QUOTAS_AMPLE = 256 << 20, /* octets that must be left beside the message */
};

struct quotas {
	struct quota_seat {
		uint64_t account, left, until;
	} *seats; /* NULL until something was heard */
};

void quotas_free(struct quotas *q);
void quotas_heard(struct quotas *q, uint64_t account, uint64_t headroom);
/* True when there is certainly room for so many octets; they count as taken. */
bool quotas_grant(struct quotas *q, uint64_t account, uint64_t octets);

#endif
