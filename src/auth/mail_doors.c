/* What queue and relay ask: which way mail goes, how that way is walked, who reads a report. */
#include "auth/doors.h"
#include "auth/recipient.h"
#include "auth/signing.h"
#include "run/secret.h"
#include "talk/channel.h"

static result on_route(struct arrival *in, struct queue_auth_route *m, struct queue_auth_route_is *answer)
{
	(void)in;
	const struct route *r = routes_choose(&auth.directory->routes, m->sender, m->recipient);
	answer->route = r ? r->id : 0;
	answer->table = auth.directory->routes.table;
	return OK;
}

static result read_elsewhere(str address, arena *m, struct queue_auth_reader_is *answer)
{
	str *one = arena_array(m, 1, sizeof *one);
	if (!one)
		return arena_result(m);
	*one = address;
	answer->outside.p = one;
	answer->outside.n = 1;
	return OK;
}

static result on_reader(struct arrival *in, struct queue_auth_reader *m, struct queue_auth_reader_is *answer)
{
	struct edge_auth_recipient_is is = {0};
	TRY(recipient_find(&auth, m->address, in->arena, &is));
	switch (is.verdict) {
	case EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED:
		answer->accounts.p = is.accounts.p;
		answer->accounts.n = is.accounts.n;
		answer->outside.p = is.outside.p;
		answer->outside.n = is.outside.n;
		return OK;
	case EDGE_AUTH_RECIPIENT_VERDICT_ELSEWHERE:
	case EDGE_AUTH_RECIPIENT_VERDICT_RELAYED:
		return read_elsewhere(m->address, in->arena, answer);
	case EDGE_AUTH_RECIPIENT_VERDICT_LATER:
		return failure(FAIL_BUSY, "who reads there cannot be said now; try again");
	default:
		return OK;
	}
}

const struct queue_auth_as_auth queue_handlers = {.route = on_route, .reader = on_reader};

static result on_way(struct arrival *in, struct relay_auth_way *m, struct relay_auth_way_is *answer)
{
	const struct route *way = routes_by_id(&auth.directory->routes, m->route);
	char *password = arena_alloc(in->arena, ROUTE_PASSWORD_MAX);
	size_t n = 0;
	if (!password)
		return arena_result(in->arena);
	if (!way)
		return OK;
	if (way->user.n > 0) { /* only that is not in memory */
		result r = directory_read_way(auth.directory, m->route, password, &n);
		way = routes_by_id(&auth.directory->routes, m->route);
		if (r.kind == FAIL_ABSENT || (!failed(r) && !way))
			return OK;
		TRY(r);
	}
	*answer = (struct relay_auth_way_is){.known = true, .host = arena_dup(in->arena, way->host), .port = way->port,
		.mx = way->mx, .protocol = (enum relay_auth_protocol)way->protocol, .tls = (enum relay_auth_tls)way->tls,
		.user = arena_dup(in->arena, way->user), .password = str_of(password, n)};
	return arena_result(in->arena);
}

_Static_assert((int)ROUTE_LMTP == (int)RELAY_AUTH_PROTOCOL_LMTP && (int)ROUTE_IMPLICIT == (int)RELAY_AUTH_TLS_IMPLICIT,
	       "protocols and kinds of TLS stand in the same order in both");

static const struct book_domain *reporting_domain(const struct book *b, str address)
{
	AUTO_ARENA arena a = arena_new(16384);
	struct address parsed;
	const struct book_domain *d = failed(address_parse(address, &a, &parsed)) ? NULL : book_domain(b, parsed.domain);
	if (!d && !list_empty(&b->domain_list))
		d = LIST_OWNER(b->domain_list.next, struct book_domain, node);
	return d;
}

static result copy_signers(const struct edge_auth_signers_are *from, arena *m, struct relay_auth_reporter_is *to)
{
	struct relay_auth_signer *v = arena_array(m, from->rows.n + 1, sizeof *v);
	if (!v)
		return arena_result(m);
	for (size_t i = 0; i < from->rows.n; i++)
		v[i] = (struct relay_auth_signer){.domain = from->rows.p[i].domain, .selector = from->rows.p[i].selector,
			.algorithm = (enum relay_auth_algorithm)from->rows.p[i].algorithm, .key = from->rows.p[i].key};
	to->signers.p = v;
	to->signers.n = from->rows.n;
	return OK;
}

_Static_assert((int)EDGE_AUTH_ALGORITHM_ED25519_SHA256 == (int)RELAY_AUTH_ALGORITHM_ED25519_SHA256,
	       "algorithms stand in the same order in both");

/* Without signatures rather than not at all: a report is better than none. */
static result on_reporter(struct arrival *in, struct relay_auth_reporter *m, struct relay_auth_reporter_is *answer)
{
	struct edge_auth_signers_are are = {0};
	const struct book_domain *d = reporting_domain(&auth.directory->book, m->address);
	if (!d)
		return OK;
	answer->domain = arena_dup(in->arena, d->name);
	TRY(arena_result(in->arena));
	if (failed(signing_signers(&auth, answer->domain, in->arena, &are)))
		return OK;
	return copy_signers(&are, in->arena, answer);
}

const struct relay_auth_as_auth relay_handlers = {.way = on_way, .reporter = on_reporter};
