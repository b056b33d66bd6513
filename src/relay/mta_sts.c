#include "relay/mta_sts.h"

#include "base/mem.h"
#include "grammar/dns/rdata.h"
#include "relay/hosts.h"
#include "relay/relay.h"
#include "run/clock.h"
#include "talk/asker_fetch.h"
#include "talk/asker_resolve.h"

struct entry {
	struct list node;
	char domain[DNS_NAME_MAX + 1];
	size_t domain_n;
	char id[STS_ID_MAX];
	size_t id_n;
	buf text;          /* the policy as it came; empty: none */
	uint64_t ends;     /* clock_mono_ms */
	uint64_t not_before; /* of the next fetch, after one that failed */
	str failed_with;   /* static */
	unsigned users;    /* fibers that hold it while they wait */
	bool fetching;
	struct gate fetched;
};

void sts_open(struct sts_cache *c)
{
	*c = (struct sts_cache){.by_domain = hash_new(RELAY_STS_MAX)};
	list_init(&c->all);
}

static void drop(struct sts_cache *c, struct entry *e)
{
	hash_remove(&c->by_domain, str_of(e->domain, e->domain_n));
	list_remove(&e->node);
	buf_free(&e->text);
	mem_free(e);
	c->n--;
}

void sts_close(struct sts_cache *c)
{
	while (c->n > 0)
		drop(c, LIST_OWNER(c->all.next, struct entry, node));
	hash_free(&c->by_domain);
}

/* Makes room by the one unused longest that nobody holds. */
static void make_room(struct sts_cache *c)
{
	LIST_EACH_SAFE(node, &c->all) {
		struct entry *e = LIST_OWNER(node, struct entry, node);
		if (c->n < RELAY_STS_MAX)
			return;
		if (e->users == 0)
			drop(c, e);
	}
}

static struct entry *entry_new(struct sts_cache *c, str domain)
{
	make_room(c);
	struct entry *e = domain.n <= DNS_NAME_MAX ? mem_alloc(sizeof *e) : NULL;
	if (!e)
		return NULL;
	if (failed(hash_put(&c->by_domain, domain, e))) {
		mem_free(e);
		return NULL;
	}
	memcpy(e->domain, domain.p, domain.n);
	e->domain_n = domain.n;
	e->text = buf_new(STS_POLICY_MAX);
	gate_init(&e->fetched);
	list_init(&e->node);
	c->n++;
	return e;
}

static struct entry *entry_of(struct sts_cache *c, str domain, bool make)
{
	struct entry *e = hash_get(&c->by_domain, domain);
	if (!e && make)
		e = entry_new(c, domain);
	if (!e)
		return NULL;
	list_remove(&e->node);
	list_insert(&c->all, &e->node);
	return e;
}

/* The id of the one record there may be; false: there is none, or it cannot be known now. */
static bool ask_record(str domain, arena *a, str *id)
{
	struct asker_resolve_looked_up l = {0};
	size_t n = 0;
	str found = {0}, text;
	result r = dns_ask(say(a, STS_RECORD "%.*s", STR_ARG(domain)), DNS_TXT, a, &l);
	if (failed(r) || l.finding != ASKER_RESOLVE_FINDING_FOUND)
		return false;
	for (size_t i = 0; i < l.records.n; i++) {
		if (failed(rdata_txt(l.records.p[i], a, &text)) || !sts_is_record(text))
			continue;
		found = text;
		n++;
	}
	return n == 1 && !failed(sts_record(found, id));
}

static result ask_host(const struct entry *e, arena *a, struct asker_fetch_got *got)
{
	struct channel *fetch;
	const struct asker_fetch_get q = {.host = say(a, STS_HOST "%.*s", STR_ARG(str_of(e->domain, e->domain_n))),
		.path = STR(STS_PATH), .octets = STS_POLICY_MAX};
	const struct asking how = {.arena = a, .timeout_ms = RELAY_LOOKUP_MS};
	TRY(relay.world->room(NEIGHBOUR_FETCH, &fetch));
	return asker_fetch_get_call_within(fetch, &how, &q, got);
}

static bool is_plain_text(str type)
{
	return str_ieq(str_trim(str_sub(type, 0, str_chr(type, ';'))), STR("text/plain"));
}

static void keep(struct entry *e, str id, str text, arena *a)
{
	struct sts_policy p;
	e->failed_with = STR("sts-policy-invalid");
	if (id.n > sizeof e->id || failed(sts_policy(text, a, &p)))
		return;
	buf_clear(&e->text);
	buf_put(&e->text, text);
	if (id.n > 0)
		memcpy(e->id, id.p, id.n);
	e->id_n = id.n;
	e->ends = clock_mono_ms() + (uint64_t)p.max_age * 1000;
	e->failed_with = STR("");
}

static void fetch_policy(struct entry *e, str id, arena *a)
{
	struct asker_fetch_got got = {0};
	e->fetching = true;
	result r = ask_host(e, a, &got);
	e->failed_with = STR("sts-policy-fetch-error");
	if (!failed(r) && got.finding == ASKER_FETCH_FINDING_DONE && got.status == 200 && is_plain_text(got.type))
		keep(e, id, got.message.bytes, a);
	if (!failed(r))
		asker_fetch_got_release(&got);
	e->not_before = e->failed_with.n > 0 ? clock_mono_ms() + RELAY_STS_PAUSE_MS : 0;
	e->fetching = false;
	gate_wake_all(&e->fetched);
}

static bool holds(const struct entry *e)
{
	return e->text.n > 0 && clock_mono_ms() < e->ends;
}

static void refresh(struct entry *e, str id, arena *a)
{
	while (e->fetching)
		if (failed(gate_wait(&e->fetched, FIBER_FOREVER)))
			return;
	bool known = holds(e) && str_eq(id, str_of(e->id, e->id_n));
	if (!known && clock_mono_ms() >= e->not_before)
		fetch_policy(e, id, a);
}

/* Lines joined by LF, as far as a report takes them. */
static str report_text(arena *a, str text)
{
	AUTO_BUF buf out = buf_new(QUEUE_RELAY_TLS_OUTCOME_POLICY_MAX);
	for (size_t i = 0; i < text.n && !out.broken; i++)
		if (text.p[i] != '\r')
			buf_putc(&out, text.p[i]);
	return arena_dup(a, str_trim(buf_str(&out)));
}

void sts_find(str domain, arena *a, struct sts_found *out)
{
	str id;
	*out = (struct sts_found){0};
	bool said = ask_record(domain, a, &id);
	struct entry *e = entry_of(&relay.sts, domain, said);
	if (!e)
		return;
	e->users++;
	if (said)
		refresh(e, id, a);
	e->users--;
	out->failed_with = holds(e) ? STR("") : e->failed_with;
	str text = arena_dup(a, buf_str(&e->text));
	out->found = holds(e) && text.p && !failed(sts_policy(text, a, &out->policy));
	out->text = out->found ? report_text(a, text) : STR("");
}
