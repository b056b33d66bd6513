#include "edge/offers.h"

#include "edge/edge.h"
#include "run/tls_visitor.h"

static const struct offers nothing;

/* Whose handshake has begun keeps what was asked then. */
static void take_authority(struct edge *e, str certificate)
{
	struct offers *o = &e->offers;
	if (!e->tls || str_eq(certificate, str_of(o->authority, o->authority_n)))
		return;
	result r = tls_context_authority(e->tls, certificate);
	o->authority_n = failed(r) ? 0 : certificate.n;
	memcpy(o->authority, certificate.p ? certificate.p : "", o->authority_n);
	if (failed(r))
		log_event(EV_TLS_FAILED, NULL, F_STR("why", str_from(r.text)));
}

static void take(struct edge *e, const struct edge_auth_offers_are *are)
{
	struct offers *o = &e->offers;
	o->known = true;
	o->scram = are->scram;
	o->clear_n = 0;
	take_authority(e, are->authority);
	for (size_t i = 0; i < are->clear.n; i++)
		if (!failed(net_parse_ip(are->clear.p[i], &o->clear[o->clear_n])))
			o->clear_n++;
}

/* A change while auth answered makes the answer one from before it. */
static bool ask(const struct client *c)
{
	struct edge *e = c->edge;
	AUTO_ARENA arena a = arena_new(OFFERS_ARENA);
	struct channel *auth;
	const struct asking how = {.trace = &c->session, .arena = &a, .timeout_ms = NEIGHBOUR_OFFERS_MS};
	const struct edge_auth_offers q = {0};
	struct edge_auth_offers_are are;
	uint64_t change = e->offers.changes;
	if (failed(neighbour(NEIGHBOUR_AUTH, &auth)) || failed(edge_auth_offers_call_within(auth, &how, &q, &are)))
		return false;
	if (change == e->offers.changes)
		take(e, &are);
	return true;
}

const struct offers *offers_for(const struct client *c)
{
	const struct offers *o = &c->edge->offers;
	for (int tries = 0; !o->known && tries < OFFERS_TRIES; tries++)
		if (!ask(c))
			return &nothing;
	return o->known ? o : &nothing;
}

void offers_forget(struct edge *e)
{
	e->offers.known = false;
	e->offers.changes++;
}

bool offers_clear(const struct client *c)
{
	if (c->encrypted || c->protocol != CLIENT_SUBMISSION)
		return false;
	const struct offers *o = offers_for(c);
	for (size_t i = 0; i < o->clear_n; i++)
		if (net_same_host(&o->clear[i], &c->address))
			return true;
	return false;
}
