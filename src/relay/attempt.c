#include "relay/attempt.h"

#include "relay/policy.h"
#include "relay/relay.h"

struct search {
	struct errand *e;
	session_use use;
	struct queue_relay_sent *sent;
	struct hosts hosts;
	struct trouble cause; /* of those who are not settled when all was tried */
	unsigned attempts;
	struct queue_relay_tls_outcome *tls;
};

/* What may pass by itself outweighs what lasts: another try may find the better server. */
static void note(struct search *s, const struct trouble *t)
{
	if (!is_trouble(&s->cause) || s->cause.lasting || !t->lasting)
		s->cause = *t;
	s->e->slow_down = s->e->slow_down || t->slow_down;
}

static str address_text(arena *a, const net_addr *address)
{
	AUTO_BUF buf text = buf_new(NET_TEXT_MAX);
	net_put_ip(&text, address);
	return arena_dup(a, buf_str(&text));
}

/* ---- for TLS reports ---- */

static struct queue_relay_tls_outcome *tls_row(struct search *s, const struct call *c)
{
	arena *a = s->e->arena;
	if (!s->tls)
		s->tls = arena_array(a, RELAY_TLS_OUTCOMES_MAX, sizeof *s->tls);
	if (!s->tls || s->sent->tls.n == RELAY_TLS_OUTCOMES_MAX || c->way->route)
		return NULL;
	struct queue_relay_tls_outcome *row = &s->tls[s->sent->tls.n++];
	s->sent->tls.p = s->tls;
	*row = (struct queue_relay_tls_outcome){
		.policy_type = c->policy->type,
		.policy_domain = c->policy->domain,
		.policy = c->policy->text,
		.host = c->host->name,
		.address = address_text(a, c->address),
	};
	return row;
}

static void tell_tls(struct search *s, const struct call *c, const struct tls_end *end)
{
	struct queue_relay_tls_outcome *row = end->tried ? tls_row(s, c) : NULL;
	if (!row)
		return;
	row->result = end->result;
	row->detail = str_sub(end->detail, 0, QUEUE_RELAY_TLS_OUTCOME_DETAIL_MAX);
	if (end->connected)
		row->local = address_text(s->e->arena, &end->local);
}

/* ---- over a session ---- */

static void tell_server(struct search *s, const struct session *session)
{
	arena *a = s->e->arena;
	s->sent->reached = true;
	s->sent->host = arena_dup(a, session_host(session));
	s->sent->address = address_text(a, &session->address);
	s->sent->tls_version = arena_dup(a, str_from(session->tls_version));
	s->sent->tls_cipher = arena_dup(a, str_from(session->tls_cipher));
	s->sent->verified = session->verified;
}

/* False: it had ended while it was kept, and nothing was said over it. */
static bool use_session(struct search *s, struct session **session, str key, bool fresh)
{
	struct errand *e = s->e;
	size_t before, first = e->left;
	struct trouble t;
	do {
		before = e->left;
		t = s->use(*session, e);
	} while (!is_trouble(&t) && e->left > 0 && e->left < before);
	bool stale = !fresh && is_trouble(&t) && (*session)->broken && t.code == 0 && e->left == first;
	if (!stale) {
		tell_server(s, *session);
		if (is_trouble(&t))
			note(s, &t);
	}
	kept_put(&relay.kept, key, session);
	return !stale;
}

static bool use_kept(struct search *s, str key)
{
	struct session *session;
	while ((session = kept_take(&relay.kept, key)))
		if (use_session(s, &session, key, false))
			return true;
	return false;
}

/* ---- a server ---- */

static str key_of(const struct call *c)
{
	AUTO_BUF buf key = buf_new(4096);
	const struct policy *p = c->policy;
	buf_put(&key, c->host->name);
	buf_printf(&key, "|%u|%d%d%d%d%d%d%d|", c->way->port, (int)p->need, (int)p->proves, p->implicit, p->plain,
		p->watched,
		p->authentic, c->way->lmtp);
	buf_put(&key, p->name);
	buf_putc(&key, '|');
	buf_put(&key, p->need >= NEED_PKIX ? p->other : STR(""));
	buf_putc(&key, '|');
	buf_put(&key, c->way->user);
	return arena_dup(c->arena, buf_str(&key));
}

/* Where TLS failed and nothing asks for it, once more without, over a new connection. */
static struct trouble open_once(struct search *s, const struct call *c, struct session **out)
{
	struct tls_end end;
	s->attempts++;
	struct trouble t = session_open(c, &end, out);
	tell_tls(s, c, &end);
	bool plain_will_do = end.tried && end.result.n > 0 && c->policy->need == NEED_NOTHING && c->way->user.n == 0;
	if (!is_trouble(&t) || !plain_will_do)
		return t;
	struct policy plain = *c->policy;
	struct call again = *c;
	plain.plain = true;
	again.policy = &plain;
	return session_open(&again, &end, out);
}

static void try_addresses(struct search *s, struct call *c, const struct addresses *at, str key)
{
	for (size_t i = 0; i < at->n && s->attempts < RELAY_ATTEMPTS_MAX; i++) {
		struct session *session = NULL;
		c->address = &at->p[i];
		struct trouble t = open_once(s, c, &session);
		if (!is_trouble(&t)) {
			use_session(s, &session, key, true);
			return;
		}
		note(s, &t);
		if (t.lasting)
			return;
	}
}

static void try_host(struct search *s, const struct host *h)
{
	struct errand *e = s->e;
	struct addresses at;
	struct policy policy = {0};
	struct trouble t = addresses_find(&e->way, h, e->arena, &at);
	const struct policy_question q = {.errand = e, .hosts = &s->hosts, .host = h, .addresses = &at};
	if (!is_trouble(&t))
		t = policy_find(&q, &policy);
	struct call c = {.way = &e->way, .host = h, .policy = &policy, .address = at.p, .arena = e->arena};
	if (policy.failed_with.n > 0)
		tell_tls(s, &c, &(struct tls_end){.result = policy.failed_with, .detail = t.text, .tried = true});
	if (is_trouble(&t)) {
		note(s, &t);
		return;
	}
	str key = key_of(&c);
	if (!use_kept(s, key))
		try_addresses(s, &c, &at, key);
}

void attempt_all(struct errand *e, session_use use, struct queue_relay_sent *sent)
{
	struct search s = {.e = e, .use = use, .sent = sent};
	struct trouble t = hosts_find(&e->way, e->arena, &s.hosts);
	if (is_trouble(&t))
		note(&s, &t);
	for (size_t i = 0; i < s.hosts.n && e->left > 0 && s.attempts < RELAY_ATTEMPTS_MAX && !is_trouble(&t); i++)
		try_host(&s, &s.hosts.p[i]);
	if (e->left > 0)
		errand_settle_rest(e, &s.cause);
}
