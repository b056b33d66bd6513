#include "edge/quotas.h"
#include "base/mem.h"
#include "run/clock.h"

static struct quota_seat *seat_of(struct quotas *q, uint64_t account)
{
	return &q->seats[account % QUOTAS_SEATS];
}

void quotas_free(struct quotas *q)
{
	mem_free(q->seats);
	q->seats = NULL;
}

void quotas_heard(struct quotas *q, uint64_t account, uint64_t headroom)
{
	if (!q->seats)
		q->seats = mem_array(QUOTAS_SEATS, sizeof *q->seats);
	if (q->seats) /* without memory every account is asked */
		*seat_of(q, account) = (struct quota_seat){account, headroom, clock_mono_ms() + QUOTAS_MS};
}

bool quotas_grant(struct quotas *q, uint64_t account, uint64_t octets)
{
	struct quota_seat *s = q->seats ? seat_of(q, account) : NULL;
	if (!s || s->account != account || clock_mono_ms() >= s->until)
		return false;
	if (s->left < QUOTAS_AMPLE || s->left - QUOTAS_AMPLE < octets)
		return false;
	s->left -= octets;
	return true;
}
