#include "relay/hosts.h"

#include "grammar/dns/rdata.h"
#include "relay/relay.h"
#include "run/random.h"
#include "talk/room.h"

result dns_ask(str name, uint16_t type, arena *a, struct asker_resolve_looked_up *out)
{
	const struct asker_resolve_look_up q = {.name = name, .type = type};
	const struct asking how = {.arena = a, .timeout_ms = RELAY_LOOKUP_MS};
	for (unsigned tried = 1;; tried++) {
		struct channel *resolve;
		result r = relay.world->room(NEIGHBOUR_RESOLVE, &resolve);
		if (!failed(r))
			r = asker_resolve_look_up_call_within(resolve, &how, &q, out);
		if (!failed(r) || !room_ask_again(r, tried))
			return r;
	}
}

/* A look-up without an answer, as a person reads it. */
static struct trouble unanswered(arena *a, str name, const struct asker_resolve_looked_up *l)
{
	str text = say(a, "DNS does not answer for %.*s: %.*s", STR_ARG(name), STR_ARG(l->why));
	return trouble_later(STR("4.4.3"), text);
}

static struct trouble ask(str name, uint16_t type, arena *a, struct asker_resolve_looked_up *out)
{
	result r = dns_ask(name, type, a, out);
	if (failed(r))
		return trouble_later(STR("4.4.3"), say(a, "The resolver gives no answer: %s.", r.text));
	bool answered = out->finding != ASKER_RESOLVE_FINDING_BOGUS && out->finding != ASKER_RESOLVE_FINDING_FAILED;
	return answered ? (struct trouble){0} : unanswered(a, name, out);
}

/* ---- servers ---- */

bool is_ourselves(str name)
{
	return str_ieq(name, relay_name()) && !str_ieq(name, STR("localhost"));
}

static bool literal_address(str name, net_addr *out)
{
	if (str_starts(name, STR("[")) && str_ends(name, STR("]")))
		name = str_sub(name, 1, name.n - 2);
	if (str_istarts(name, STR("IPv6:")))
		name = str_skip(name, 5);
	return !failed(net_parse_ip(name, out));
}

static bool before(const struct host *a, const struct host *b)
{
	return a->preference != b->preference ? a->preference < b->preference : a->turn < b->turn;
}

/* Keeps the best, sorted. */
static void insert(struct hosts *to, const struct host *h)
{
	size_t at = to->n;
	while (at > 0 && before(h, &to->p[at - 1]))
		at--;
	if (at == RELAY_HOSTS_MAX)
		return;
	size_t moved = to->n - at - (to->n == RELAY_HOSTS_MAX);
	memmove(&to->p[at + 1], &to->p[at], moved * sizeof *h);
	to->p[at] = *h;
	to->n += to->n < RELAY_HOSTS_MAX;
}

static struct trouble null_mx(const struct way *w, arena *a)
{
	return trouble_lasting(STR("5.1.10"),
		say(a, "The domain %.*s says that it takes no mail (null MX).", STR_ARG(w->name)));
}

/* Servers worse than ourselves would only send it back to us (RFC 5321 5.1). */
static struct trouble cut_at_ourselves(const struct way *w, arena *a, struct hosts *h)
{
	for (size_t i = 0; i < h->n; i++) {
		if (!is_ourselves(h->p[i].name))
			continue;
		while (i > 0 && h->p[i - 1].preference == h->p[i].preference)
			i--;
		h->n = i;
	}
	if (h->n > 0)
		return (struct trouble){0};
	return trouble_lasting(STR("5.4.6"),
		say(a, "Mail for %.*s would come back to this server: DNS names it as the domain's best server, "
		       "but it has no such domain.", STR_ARG(w->name)));
}

static struct trouble read_mx(const struct way *w, const struct asker_resolve_looked_up *l, arena *a,
	struct hosts *out)
{
	bool null = false;
	for (size_t i = 0; i < l->records.n; i++) {
		struct rdata_mx mx;
		if (failed(rdata_mx(l->records.p[i], a, &mx)))
			continue;
		struct host h = {.name = mx.host, .preference = mx.preference, .turn = random_below(UINT32_MAX)};
		null = null || h.name.n == 0;
		if (h.name.n > 0)
			insert(out, &h);
	}
	if (out->n == 0)
		return null ? null_mx(w, a) : trouble_later(STR("4.4.4"),
			say(a, "The MX records of %.*s are damaged.", STR_ARG(w->name)));
	return cut_at_ourselves(w, a, out);
}

static struct trouble find_mx(const struct way *w, arena *a, struct hosts *out)
{
	struct asker_resolve_looked_up l = {0};
	struct trouble t = ask(w->name, DNS_MX, a, &l);
	if (is_trouble(&t))
		return t;
	out->secure = l.secure;
	if (l.finding == ASKER_RESOLVE_FINDING_FOUND)
		return read_mx(w, &l, a, out);
	if (l.finding == ASKER_RESOLVE_FINDING_NO_NAME)
		return trouble_lasting(STR("5.1.2"), say(a, "The domain %.*s does not exist.", STR_ARG(w->name)));
	out->p[0] = (struct host){.name = w->name}; /* the domain is its own server */
	out->n = 1;
	return cut_at_ourselves(w, a, out);
}

struct trouble hosts_find(const struct way *w, arena *a, struct hosts *out)
{
	*out = (struct hosts){0};
	struct host *first = &out->p[0];
	bool literal = literal_address(w->name, &first->address);
	if (w->mx && !literal)
		return find_mx(w, a, out);
	first->name = w->name;
	first->literal = literal;
	out->n = 1;
	out->secure = w->route;
	return (struct trouble){0};
}

/* ---- addresses ---- */

struct family {
	uint16_t type;
	net_addr p[RELAY_ADDRESSES_MAX];
	size_t n;
	size_t refused; /* kept back from the Internet */
	const struct way *way;
	bool secure;
	str canonical;
};

static bool may_call(const struct way *w, const net_addr *a)
{
	return w->route || net_is_public(a) || options_yes(&relay.options, OPT_RELAY_PRIVATE);
}

static void gather(const struct asker_resolve_looked_up *l, struct family *f)
{
	for (size_t i = 0; i < l->records.n && f->n < RELAY_ADDRESSES_MAX; i++) {
		net_addr a;
		if (failed(rdata_ip(l->records.p[i], a.ip)))
			continue;
		a.port = f->way->port;
		if (may_call(f->way, &a))
			f->p[f->n++] = a;
		else
			f->refused++;
	}
}

static struct trouble ask_family(str name, arena *a, struct family *f)
{
	struct asker_resolve_looked_up l = {0};
	struct trouble t = ask(name, f->type, a, &l);
	if (is_trouble(&t))
		return t;
	f->secure = l.secure;
	f->canonical = l.canonical;
	gather(&l, f);
	return t;
}

static void interleave(const struct family *six, const struct family *four, struct addresses *out)
{
	for (size_t i = 0; out->n < RELAY_ADDRESSES_MAX && (i < six->n || i < four->n); i++) {
		if (i < six->n)
			out->p[out->n++] = six->p[i];
		if (i < four->n && out->n < RELAY_ADDRESSES_MAX)
			out->p[out->n++] = four->p[i];
	}
}

static struct trouble no_address(const struct host *h, size_t refused, arena *a)
{
	if (refused > 0)
		return trouble_lasting(STR("5.4.4"), say(a,
			"The mail server %.*s has only addresses that are not of the "
							     "Internet (private or loopback).", STR_ARG(h->name)));
	return trouble_lasting(STR("5.4.4"), say(a, "The mail server %.*s has no address.", STR_ARG(h->name)));
}

static struct trouble one_address(const struct way *w, const struct host *h, arena *a, struct addresses *out)
{
	out->p[0] = h->address;
	out->p[0].port = w->port;
	out->n = 1;
	return may_call(w, &h->address) ? (struct trouble){0} : no_address(h, 1, a);
}

struct trouble addresses_find(const struct way *w, const struct host *h, arena *a, struct addresses *out)
{
	struct family four = {.type = DNS_A, .way = w}, six = {.type = DNS_AAAA, .way = w};
	*out = (struct addresses){0};
	if (h->literal)
		return one_address(w, h, a, out);
	struct trouble t4 = ask_family(h->name, a, &four);
	struct trouble t6 = ask_family(h->name, a, &six);
	out->secure = four.secure && six.secure;
	out->canonical = four.canonical.n > 0 ? four.canonical : six.canonical;
	interleave(&six, &four, out);
	if (out->n > 0)
		return (struct trouble){0};
	if (is_trouble(&t4) || is_trouble(&t6))
		return is_trouble(&t4) ? t4 : t6;
	return no_address(h, six.refused + four.refused, a);
}
