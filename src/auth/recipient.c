#include "auth/recipient.h"

#include "auth/forwarder.h"
#include "base/log.h"

static enum edge_auth_recipient_verdict verdict_of(const struct reach *to, str address)
{
	switch (to->verdict) {
	case REACH_RECEIVED:
		return EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED;
	case REACH_UNKNOWN:
		return EDGE_AUTH_RECIPIENT_VERDICT_UNKNOWN;
	case REACH_DISABLED:
		return EDGE_AUTH_RECIPIENT_VERDICT_DISABLED;
	case REACH_ELSEWHERE:
		return EDGE_AUTH_RECIPIENT_VERDICT_ELSEWHERE;
	case REACH_TOO_WIDE:
		log_event(EV_LIMITED, NULL, F_STR("address", address),
			  F_STR("why", STR("an alias leads to more addresses, or over more steps, than are followed")));
		break;
	case REACH_NOBODY:
		break;
	}
	return EDGE_AUTH_RECIPIENT_VERDICT_LATER;
}

static result copy_reached(const struct reach *to, arena *m, struct edge_auth_recipient_is *out)
{
	uint64_t *accounts = arena_array(m, to->n + 1, sizeof *accounts);
	str *outside = arena_array(m, to->outside_n + 1, sizeof *outside);
	if (!accounts || !outside)
		return arena_result(m);
	memcpy(accounts, to->accounts, to->n * sizeof *accounts);
	for (size_t i = 0; i < to->outside_n; i++)
		outside[i] = arena_dup(m, to->outside[i]);
	out->accounts.p = accounts;
	out->accounts.n = to->n;
	out->outside.p = outside;
	out->outside.n = to->outside_n;
	return arena_result(m);
}

static bool has_entry(const struct auth *a, str address)
{
	AUTO_ARENA arena m = arena_new(16384);
	struct address parsed;
	return !failed(address_parse(address, &m, &parsed)) && book_entry(&a->directory->book, parsed.key);
}

/* A report that comes back to a sender we rewrote. False: it is none. */
static bool rewritten(struct auth *a, str address, arena *m, struct edge_auth_recipient_is *out)
{
	str *to = arena_array(m, 1, sizeof *to);
	out->verdict = EDGE_AUTH_RECIPIENT_VERDICT_LATER;
	if (!to)
		return true;
	switch (forwarder_back(a, address, m, to)) {
	case FORWARDER_NONE:
		return false;
	case FORWARDER_LATER:
		break;
	case FORWARDER_LEADS:
		out->verdict = EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED;
		out->outside.p = to;
		out->outside.n = 1;
		break;
	case FORWARDER_WRONG:
		out->verdict = EDGE_AUTH_RECIPIENT_VERDICT_UNKNOWN;
		out->why = STR("this rewritten sender (SRS) was not made here, or was changed on the way");
		break;
	case FORWARDER_OLD:
		out->verdict = EDGE_AUTH_RECIPIENT_VERDICT_UNKNOWN;
		out->why = STR("this rewritten sender (SRS) is too old; a report may come back for 21 days");
		break;
	}
	return true;
}

static bool relayed(const struct auth *a, str address, uint64_t *route)
{
	AUTO_ARENA arena m = arena_new(16384);
	struct address parsed;
	if (failed(address_parse(address, &m, &parsed)))
		return false;
	const struct route *r = routes_find(&a->directory->routes, ROUTE_RELAYED, parsed.domain);
	*route = r ? r->id : 0;
	return r != NULL;
}

result recipient_find(struct auth *a, str address, arena *m, struct edge_auth_recipient_is *out)
{
	struct reach to;
	if (!has_entry(a, address) && rewritten(a, address, m, out))
		return arena_result(m);
	reach_recipient(&a->directory->book, a->directory->rule, address, &to);
	out->verdict = verdict_of(&to, address);
	if (to.verdict == REACH_ELSEWHERE && relayed(a, address, &out->route))
		out->verdict = EDGE_AUTH_RECIPIENT_VERDICT_RELAYED;
	return out->verdict == EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED ? copy_reached(&to, m, out) : OK;
}
