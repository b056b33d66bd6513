#include "auth/listing.h"

#include "talk/relay_auth.h"

/* Behind the row seen last; when it has gone meanwhile, its place is looked for. */
static struct list *behind(const struct routes *r, uint64_t after)
{
	const struct route *seen = routes_by_id(r, after);
	struct list *at = seen ? seen->node.next : r->list.next;
	while (at != &r->list && LIST_OWNER(at, struct route, node)->id <= after)
		at = at->next;
	return at;
}

result listing_routes(const struct routes *r, uint64_t after, arena *m, struct web_auth_routes *out)
{
	struct web_auth_route_row *rows = arena_array(m, LISTING_ROUTES, sizeof *rows);
	size_t n = 0;
	if (!rows)
		return arena_result(m);
	for (struct list *at = behind(r, after); at != &r->list && n < LISTING_ROUTES; at = at->next) {
		const struct route *from = LIST_OWNER(at, struct route, node);
		rows[n++] = (struct web_auth_route_row){.route = from->id, .kind = (enum web_auth_route_kind)from->kind,
			.match = from->match, .host = from->host, .port = from->port, .mx = from->mx, .user = from->user,
			.protocol = str_from(relay_auth_protocol_names[from->protocol]),
			.tls = str_from(relay_auth_tls_names[from->tls])};
	}
	out->rows.p = rows;
	out->rows.n = n;
	return OK;
}
