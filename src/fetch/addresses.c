#include "fetch/addresses.h"

#include "grammar/dns/rdata.h"
#include "talk/asker_resolve.h"
#include "talk/room.h"

enum { ANSWER_ARENA_MAX = 1 << 20 };

static result ask(const struct asker_resolve_look_up *q, arena *a, struct asker_resolve_looked_up *answer)
{
	struct channel *c;
	for (unsigned tried = 1;; tried++) {
		result r = room_connect(&asker_resolve_as_asker_kind, "resolve", 0, &c);
		if (!failed(r))
			r = asker_resolve_look_up_call(c, NULL, q, a, answer);
		if (!failed(r) || !room_ask_again(r, tried))
			return r;
	}
}

static void add(str rdata, bool also_private, struct addresses *out)
{
	net_addr a = {0};
	if (out->n == REQUEST_ADDRESSES_MAX || failed(rdata_ip(rdata, a.ip)))
		return;
	if (also_private || net_is_public(&a))
		out->list[out->n++] = a;
	else
		out->why = "the host has an address of a private network or of this machine";
}

static result add_all(str host, uint16_t type, bool also_private, struct addresses *out)
{
	AUTO_ARENA arena a = arena_new(ANSWER_ARENA_MAX);
	struct asker_resolve_looked_up answer;
	result r = ask(&(struct asker_resolve_look_up){.name = host, .type = type}, &a, &answer);
	if (failed(r)) /* the refusal's sentence ends with the arena */
		return failure(r.kind, "the resolver gives no answer");
	for (size_t i = 0; i < answer.records.n; i++)
		add(answer.records.p[i], also_private, out);
	if (answer.finding == ASKER_RESOLVE_FINDING_BOGUS)
		out->why = "the host's addresses are signed wrongly (DNSSEC)";
	if (answer.finding == ASKER_RESOLVE_FINDING_FAILED)
		out->why = "no name server told the host's addresses";
	return OK;
}

result addresses_find(str host, bool also_private, struct addresses *out)
{
	*out = (struct addresses){0};
	TRY(add_all(host, DNS_AAAA, also_private, out));
	TRY(add_all(host, DNS_A, also_private, out));
	if (out->n == 0 && !out->why)
		out->why = "the host has no address";
	return OK;
}
