#include "relay/policy.h"

#include "grammar/dns/rdata.h"
#include "grammar/text/json_text.h"
#include "relay/mta_sts.h"

static bool by_route(const struct way *w, struct policy *p)
{
	if (!w->route || w->tls == RELAY_AUTH_TLS_OPPORTUNISTIC)
		return false;
	p->need = w->tls == RELAY_AUTH_TLS_REQUIRED ? NEED_TLS : NEED_PKIX;
	p->proves = QUEUE_RELAY_VERIFIED_PKIX;
	p->implicit = w->tls == RELAY_AUTH_TLS_IMPLICIT;
	p->says = STR("the route");
	return true;
}

/* RFC 7672 3.1 counts usages 2 and 3 alone. */
static bool is_usable(const struct rdata_tlsa *r)
{
	return (r->usage == 2 || r->usage == 3) && r->selector <= 1 && r->matching <= 2;
}

static result read_records(const struct asker_resolve_looked_up *l, arena *a, struct policy *p)
{
	struct tls_tlsa *records = arena_array(a, RELAY_TLSA_MAX, sizeof *records);
	if (!records)
		return arena_result(a);
	for (size_t i = 0; i < l->records.n && p->tlsa_n < RELAY_TLSA_MAX; i++) {
		struct rdata_tlsa r;
		if (!failed(rdata_tlsa(l->records.p[i], &r)) && is_usable(&r))
			records[p->tlsa_n++] = (struct tls_tlsa){r.usage, r.selector, r.matching, r.data};
	}
	p->tlsa = records;
	return OK;
}

static str record_text(arena *a, const struct asker_resolve_looked_up *l)
{
	AUTO_BUF buf out = buf_new(QUEUE_RELAY_TLS_OUTCOME_POLICY_MAX);
	for (size_t i = 0; i < l->records.n; i++) {
		size_t start = out.n;
		struct rdata_tlsa r;
		if (failed(rdata_tlsa(l->records.p[i], &r)))
			continue;
		buf_printf(&out, "%s%u %u %u ", start ? "\n" : "", r.usage, r.selector, r.matching);
		hex_put(&out, r.data.p, r.data.n);
		if (out.broken) {
			out.n = start;
			break;
		}
	}
	return arena_dup(a, buf_str(&out));
}

static struct trouble unknown(arena *a, str base, struct policy *p, const char *why)
{
	p->type = STR("tlsa");
	p->failed_with = STR("dnssec-invalid");
	return trouble_later(STR("4.7.5"), say(a,
		"Not sent, because DNS does not say securely whether %.*s must prove its "
						  "certificate (DANE): %s.", STR_ARG(base), why));
}

/* Asks for the records of one base name; *found when they are there, validated. */
static struct trouble ask_dane(const struct policy_question *q, str base, struct policy *p, bool *found)
{
	arena *a = q->errand->arena;
	struct asker_resolve_looked_up l = {0};
	result r = dns_ask(say(a, "_25._tcp.%.*s", STR_ARG(base)), DNS_TLSA, a, &l);
	if (failed(r))
		return unknown(a, base, p, r.text);
	if (l.finding == ASKER_RESOLVE_FINDING_BOGUS || l.finding == ASKER_RESOLVE_FINDING_FAILED)
		return unknown(a, base, p,
			l.finding == ASKER_RESOLVE_FINDING_BOGUS ? "the answer is signed wrongly" : "no answer");
	*found = l.finding == ASKER_RESOLVE_FINDING_FOUND && l.secure && l.records.n > 0;
	if (!*found)
		return (struct trouble){0};
	if (failed(read_records(&l, a, p)))
		return unknown(a, base, p, "this server has no memory for its records");
	p->need = p->tlsa_n > 0 ? NEED_DANE : NEED_TLS;
	p->proves = QUEUE_RELAY_VERIFIED_DANE;
	p->name = base;
	p->other = q->errand->way.name;
	p->says = STR("DANE");
	p->type = STR("tlsa");
	p->text = record_text(a, &l);
	return (struct trouble){0};
}

/* RFC 7672 2.2: only where servers and addresses are found securely; 2.2.3: the name behind CNAMEs first. */
static struct trouble by_dane(const struct policy_question *q, struct policy *p, bool *found)
{
	*found = false;
	struct trouble t = {0};
	if (!q->hosts->secure || !q->addresses->secure || q->host->literal)
		return t;
	if (q->addresses->canonical.n > 0)
		t = ask_dane(q, q->addresses->canonical, p, found);
	if (!*found && !is_trouble(&t))
		t = ask_dane(q, q->host->name, p, found);
	return t;
}

/* RFC 8461 4: the server has to be one the policy names, and to prove that it is. */
static struct trouble by_sts(const struct policy_question *q, struct policy *p)
{
	arena *a = q->errand->arena;
	struct sts_found f;
	sts_find(q->errand->way.name, a, &f);
	p->failed_with = f.failed_with;
	if (!f.found || f.policy.mode == STS_NONE)
		return (struct trouble){0};
	bool enforced = f.policy.mode == STS_ENFORCE, named = sts_mx_matches(&f.policy, q->host->name);
	p->type = STR("sts");
	p->domain = q->errand->way.name;
	p->text = f.text;
	p->says = STR("the domain's MTA-STS policy");
	p->failed_with = named ? STR("") : STR("validation-failure");
	p->watched = !enforced && named;
	if (!enforced)
		return (struct trouble){0};
	p->need = NEED_PKIX;
	p->proves = QUEUE_RELAY_VERIFIED_STS;
	p->authentic = true;
	if (named)
		return (struct trouble){0};
	return trouble_later(STR("4.7.10"), say(a,
		"Not sent to %.*s, because the MTA-STS policy of %.*s does not name it.",
		STR_ARG(q->host->name), STR_ARG(p->domain)));
}

struct trouble policy_find(const struct policy_question *q, struct policy *out)
{
	const struct errand *e = q->errand;
	bool found = false;
	struct trouble t = {0};
	*out = (struct policy){.type = STR("no-policy-found"), .domain = e->way.destination,
		.proves = QUEUE_RELAY_VERIFIED_PKIX, .says = STR("nobody")};
	out->authentic = q->hosts->secure;
	if (by_route(&e->way, out) || e->letter.flags & MAIL_TLS_OPTIONAL)
		return t;
	t = by_dane(q, out, &found);
	return found || is_trouble(&t) || e->way.route ? t : by_sts(q, out);
}
