#include "relay/policy.h"

#include "relay/rdata.h"

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

/* RFC 7672 3.1 counts usages 2 and 3 alone; the digests' lengths are RFC 6698's. */
static bool is_usable(const struct tls_tlsa *r)
{
	static const size_t digest[] = {0, 32, 64};
	return (r->usage == 2 || r->usage == 3) && r->selector <= 1 && r->matching <= 2
		&& (r->matching == 0 || r->data.n == digest[r->matching]);
}

static result read_records(const struct asker_resolve_looked_up *l, arena *a, struct policy *p)
{
	struct tls_tlsa *records = arena_array(a, RELAY_TLSA_MAX, sizeof *records);
	if (!records)
		return arena_result(a);
	for (size_t i = 0; i < l->records.n && p->tlsa_n < RELAY_TLSA_MAX; i++)
		if (rdata_tlsa(l->records.p[i], &records[p->tlsa_n]) && is_usable(&records[p->tlsa_n]))
			p->tlsa_n++;
	p->tlsa = records;
	return OK;
}

static str record_text(arena *a, const struct asker_resolve_looked_up *l)
{
	AUTO_BUF buf out = buf_new(QUEUE_RELAY_TLS_OUTCOME_POLICY_MAX);
	for (size_t i = 0; i < l->records.n; i++) {
		size_t start = out.n;
		struct tls_tlsa r;
		if (!rdata_tlsa(l->records.p[i], &r))
			continue;
		buf_printf(&out, "%s%u %u %u ", start ? "\n" : "", r.usage, r.selector, r.matching);
		for (size_t j = 0; j < r.data.n; j++)
			buf_printf(&out, "%02x", str_at(r.data, j));
		if (out.broken) {
			out.n = start;
			break;
		}
	}
	return arena_dup(a, buf_str(&out));
}

static struct trouble unknown(arena *a, str base, const char *why)
{
	return trouble_later(STR("4.7.5"), say(a,
		"Not sent, because DNS does not say securely whether %.*s must prove its "
						  "certificate (DANE): %s.", STR_ARG(base), why));
}

/* Asks for the records of one base name; *found when they are there, validated. */
static struct trouble ask_dane(const struct policy_question *q, str base, struct policy *p, bool *found)
{
	arena *a = q->errand->arena;
	struct asker_resolve_looked_up l = {0};
	result r = dns_ask(say(a, "_25._tcp.%.*s", STR_ARG(base)), RR_TLSA, a, &l);
	if (failed(r))
		return unknown(a, base, r.text);
	if (l.finding == ASKER_RESOLVE_FINDING_BOGUS || l.finding == ASKER_RESOLVE_FINDING_FAILED)
		return unknown(a, base,
			l.finding == ASKER_RESOLVE_FINDING_BOGUS ? "the answer is signed wrongly" : "no answer");
	*found = l.finding == ASKER_RESOLVE_FINDING_FOUND && l.secure && l.records.n > 0;
	if (!*found)
		return (struct trouble){0};
	if (failed(read_records(&l, a, p)))
		return unknown(a, base, "this server has no memory for its records");
	p->need = p->tlsa_n > 0 ? NEED_DANE : NEED_TLS;
	p->proves = QUEUE_RELAY_VERIFIED_DANE;
	p->name = base;
	p->other = q->errand->way.name;
	p->says = STR("DANE");
	p->type = STR("tlsa");
	p->domain = base;
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
	return t;
}
