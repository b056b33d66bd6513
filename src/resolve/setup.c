#include "resolve/setup.h"

#include <stdio.h>
#include <unbound.h>

#include "config/options.h"
#include "grammar/dns/anchors.h"
#include "run/net.h"

struct setting {
	const char *name, *value;
};

/* libunbound's defaults differ from unbound's: it is told what a mail server
 * wants. Names of RFC 6761 that no server should be asked about stay answered
 * by libunbound itself when there is no forwarder. */
static const struct setting always[] = {
	{"qname-minimisation:", "yes"},
	{"prefetch:", "yes"},
	{"use-syslog:", "no"},
	{"trust-anchor-signaling:", "no"}, /* nobody needs to know which keys are trusted here */
	{"log-time-ascii:", "no"},
	{"harden-below-nxdomain:", "yes"},
	{"outbound-msg-retry:", "3"},    /* to one server; nobody waits longer than RESOLVER_TIME_MS */
	{"infra-cache-max-rtt:", "4000"},
	{"infra-host-ttl:", "60"},       /* a server that was down is asked again soon, */
	{"infra-keep-probing:", "yes"},  /* also while all are */
	{NULL, NULL},
};

/* The forwarder answers everything, wherever it is; see also own_zones. */
static const struct setting forwarding[] = {
	{"do-not-query-localhost:", "no"},
	{"unblock-lan-zones:", "yes"},
	{"insecure-lan-zones:", "yes"},
	{NULL, NULL},
};

static result set(struct ub_ctx *ub, const char *name, const char *value)
{
	return ub_ctx_set_option(ub, name, value) == 0 ? OK
		: failure(FAIL_INPUT, "this libunbound does not know a setting that is needed; 1.17 and later do");
}

static result set_all(struct ub_ctx *ub, const struct setting *s)
{
	for (; s->name; s++)
		TRY(set(ub, s->name, s->value));
	return OK;
}

static result set_number(struct ub_ctx *ub, const char *name, unsigned n)
{
	char text[16];
	snprintf(text, sizeof text, "%u", n);
	return set(ub, name, text);
}

static result set_sizes(struct ub_ctx *ub)
{
	TRY(set_number(ub, "msg-cache-size:", RESOLVER_CACHE));
	TRY(set_number(ub, "rrset-cache-size:", RESOLVER_CACHE));
	TRY(set_number(ub, "cache-max-ttl:", RESOLVER_TTL_MAX));
	TRY(set_number(ub, "cache-max-negative-ttl:", RESOLVER_TTL_NONE));
	TRY(set_number(ub, "num-queries-per-thread:", 2 * RESOLVER_UNDER_WAY));
	return set_number(ub, "outgoing-range:", 2 * RESOLVER_UNDER_WAY);
}

/* libunbound writes addr@port. */
static result add_forward(struct ub_ctx *ub, str member)
{
	net_addr a;
	char text[NET_TEXT_MAX + 8];
	AUTO_BUF buf ip = buf_new(NET_TEXT_MAX);
	TRY(net_parse(member, &a));
	net_put_ip(&ip, &a);
	TRY(buf_result(&ip));
	snprintf(text, sizeof text, "%.*s@%u", STR_ARG(buf_str(&ip)), a.port);
	return ub_ctx_set_fwd(ub, text) == 0 ? OK
		: failure(FAIL_INPUT, "dns-forward: libunbound does not take the address");
}

static result add_forwards(struct ub_ctx *ub, str list)
{
	str member;
	if (list.n == 0)
		return OK;
	TRY(set_all(ub, forwarding));
	while (options_next(&list, &member))
		TRY(add_forward(ub, member));
	return OK;
}

static result add_anchors(struct ub_ctx *ub, str text)
{
	AUTO_BUF buf record = buf_new(ANCHOR_RECORD_MAX);
	struct anchors at = anchors_on(text);
	result r;
	while (!failed(r = anchors_next(&at, &record)) && record.n > 0) {
		buf_putc(&record, '\0');
		TRY(buf_result(&record));
		if (ub_ctx_add_ta(ub, record.p) != 0)
			return failure(FAIL_INPUT, "dns-anchor: libunbound does not take a record of the file");
	}
	TRY(r);
	return at.records > 0 ? OK : set(ub, "module-config:", "iterator");
}

/* What libunbound would answer by itself (RFC 6761, RFC 8375). */
static const char *const own_zones[] = {"test.", "home.arpa."};

static result leave_to_forwarder(struct ub_ctx *ub)
{
	for (size_t i = 0; i < sizeof own_zones / sizeof own_zones[0]; i++)
		if (ub_ctx_zone_remove(ub, own_zones[i]) != 0)
			return failure(FAIL_MEMORY, "libunbound cannot be set up");
	return OK;
}

/* libunbound puts off reading and checking what it was told until the first
 * question. A zone of its own makes it do so now: .onion, which must not be asked
 * about (RFC 7686), and which it answers by itself anyway. */
static result finalize(struct ub_ctx *ub)
{
	if (ub_ctx_zone_add(ub, "onion.", "always_nxdomain") != 0)
		return failure(FAIL_INPUT, "dns-anchor, dns-forward: libunbound cannot be set up with them; "
					   "anchors are DS or DNSKEY records, one a line");
	return OK;
}

static result set_up(struct ub_ctx *ub, const struct resolver_plan *plan)
{
	if (ub_ctx_debugout(ub, NULL) != 0 || ub_ctx_async(ub, 1) != 0)
		return failure(FAIL_MEMORY, "libunbound cannot be set up");
	TRY(set_all(ub, always));
	TRY(set_sizes(ub));
	TRY(add_forwards(ub, plan->forwards));
	TRY(add_anchors(ub, plan->anchors));
	TRY(finalize(ub));
	return plan->forwards.n > 0 ? leave_to_forwarder(ub) : OK;
}

result setup_unbound(const struct resolver_plan *plan, struct ub_ctx **out)
{
	struct ub_ctx *ub = ub_ctx_create();
	if (!ub)
		return failure(FAIL_MEMORY, "libunbound cannot be set up");
	result r = set_up(ub, plan);
	if (failed(r))
		ub_ctx_delete(ub);
	else
		*out = ub;
	return r;
}
