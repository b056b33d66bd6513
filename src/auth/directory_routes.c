#include "auth/directory_core.h"

#include "grammar/smtp/mailbox.h"

struct route_edit {
	struct directory *d;
	struct route *old; /* of a deletion */
	struct route route;
	str password;
};

/* ---- reading them ---- */

static result route_of(const struct query *q, struct route *out)
{
	*out = (struct route){.id = (uint64_t)query_int(q, 0), .kind = (enum route_kind)query_int(q, 1),
		.match = query_bytes(q, 2), .host = query_bytes(q, 3), .port = (uint16_t)query_int(q, 4),
		.mx = query_int(q, 5) != 0, .protocol = (enum route_protocol)query_int(q, 6),
		.tls = (enum route_tls)query_int(q, 7), .user = query_bytes(q, 8)};
	if (out->kind >= ROUTE_KINDS || out->protocol >= ROUTE_PROTOCOLS || out->tls >= ROUTE_TLS_KINDS ||
	    (out->match.n == 0 && out->kind != ROUTE_DOMAIN))
		return failure(FAIL_DAMAGE, "a route in the directory is none");
	return OK;
}

result routes_load(struct db *db, struct routes *r)
{
	struct query AUTO_QUERY *q = NULL;
	struct route route;
	bool row;
	TRY(db_ask(db, &q, "SELECT id, kind, match, host, port, mx, protocol, tls, user FROM route ORDER BY id"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		TRY(route_of(q, &route));
		TRY(routes_add(r, &route));
	}
}

struct way_read {
	uint64_t id;
	char *password;
	size_t n;
};

static result run_read(struct db *db, void *arg)
{
	struct way_read *w = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT password FROM route WHERE id = ?1", DB_INT(w->id)));
	TRY(query_next(q, &row));
	if (!row)
		return failure(FAIL_ABSENT, "there is no such route any more");
	str password = query_bytes(q, 0);
	if (password.n > ROUTE_PASSWORD_MAX)
		return failure(FAIL_DAMAGE, "a route in the directory has too long a password");
	w->n = password.n;
	if (password.n > 0)
		memcpy(w->password, password.p, password.n);
	return OK;
}

result directory_read_way(struct directory *d, uint64_t id, char password[ROUTE_PASSWORD_MAX], size_t *n)
{
	struct way_read w = {.id = id, .password = password};
	TRY(directory_read(d, run_read, &w));
	*n = w.n;
	return OK;
}

/* ---- what may be added ---- */

static result read_match(struct route_edit *e, str text, arena *a)
{
	struct address address;
	if (str_chr(text, '*') != STR_NONE || (text.n == 0 && e->route.kind != ROUTE_DOMAIN))
		return failure(FAIL_INPUT, e->route.kind == ROUTE_RELAYED ?
			"name the one domain this server is a backup for; for all domains it would be an open relay" :
			"name an address or a domain; kind domain without one is for all mail that nothing else matches");
	if (text.n == 0)
		return OK;
	bool is_address = str_chr(text, '@') != STR_NONE;
	if (is_address ? e->route.kind == ROUTE_DOMAIN || e->route.kind == ROUTE_RELAYED : e->route.kind == ROUTE_RECIPIENT)
		return failure(FAIL_INPUT, "kind recipient matches an address, domain and relayed a domain, sender either");
	if (!is_address)
		return mailbox_domain(text, a, &e->route.match);
	TRY(address_parse(text, a, &address));
	e->route.match = address.key;
	return OK;
}

/* A name in A-labels, or an address literal; a bare address is taken for one. */
static result read_host(struct route_edit *e, str text, arena *a)
{
	AUTO_BUF buf b = buf_new(ROUTE_HOST_MAX);
	struct ip ip;
	if (text.n == 0)
		return OK;
	if (ip_parse(text, &ip)) {
		buf_put(&b, ip.n == 4 ? STR("[") : STR("[IPv6:"));
		ip_print(&b, &ip);
		buf_putc(&b, ']');
		TRY(buf_result(&b));
		e->route.host = arena_dup(a, buf_str(&b));
		return arena_result(a);
	}
	return mailbox_domain(text, a, &e->route.host);
}

static result check_host(const struct route *r)
{
	bool literal = r->host.n > 0 && r->host.p[0] == '[';
	if (r->mx && (r->host.n == 0 || literal))
		return failure(FAIL_INPUT, "only a host with a name has MX records to look up");
	if (r->host.n == 0 && (r->kind == ROUTE_RELAYED || r->protocol == ROUTE_LMTP || r->user.n > 0 || r->port > 0))
		return failure(FAIL_INPUT, "name the host; without one mail goes to its destination's MX");
	if (literal && (r->tls == ROUTE_VERIFIED || r->tls == ROUTE_IMPLICIT))
		return failure(FAIL_INPUT, "a certificate is verified for a name; name the host instead of its address");
	return OK;
}

static result check(const struct route_edit *e)
{
	const struct route *r = &e->route;
	TRY(check_host(r));
	if (r->user.n == 0 && e->password.n > 0)
		return failure(FAIL_INPUT, "a password needs the user's name beside it");
	if (r->user.n > 0 && r->tls == ROUTE_OPPORTUNISTIC)
		return failure(FAIL_INPUT, "a login over a connection that may be in the clear shows the password to "
			"everybody on the way; use tls verified, required or implicit");
	if (r->kind == ROUTE_RELAYED && book_domain(&e->d->book, r->match))
		return failure(FAIL_CONFLICT, "this server has that domain itself; a backup is for domains of another");
	return OK;
}

/* ---- the changes ---- */

static result run_add(struct db *db, void *arg)
{
	struct route_edit *e = arg;
	const struct route *r = &e->route;
	TRY(db_run(db, "INSERT INTO route (kind, match, host, port, mx, protocol, tls, user, password)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", DB_INT(r->kind), DB_TEXT(r->match), DB_TEXT(r->host),
		DB_INT(r->port), DB_INT(r->mx), DB_INT(r->protocol), DB_INT(r->tls), DB_TEXT(r->user), DB_BLOB(e->password)));
	e->route.id = (uint64_t)db_last_row(db);
	return OK;
}

static void kept_add(void *arg)
{
	struct route_edit *e = arg;
	(void)book_follows(e->d, routes_add(&e->d->routes, &e->route));
}

static result add(struct route_edit *e, const struct route *n)
{
	AUTO_ARENA arena a = arena_new(65536);
	e->route = *n;
	e->route.match = e->route.host = STR("");
	if (n->user.n == 0)
		e->route.user = STR("");
	if (e->password.n == 0)
		e->password = STR("");
	TRY(read_match(e, n->match, &a));
	TRY(read_host(e, n->host, &a));
	TRY(check(e));
	if (routes_find(&e->d->routes, e->route.kind, e->route.match))
		return failure(FAIL_EXISTS, "there is such a route already; delete it first (postern route delete)");
	if (e->d->routes.ids.n >= ROUTES_MAX)
		return failure(FAIL_LIMIT, "there are as many routes as one server may have (100,000)");
	return edit_commit(e->d, run_add, kept_add, e);
}

result directory_add_route(struct directory *d, const struct route *n, str password)
{
	struct route_edit e = {.d = d, .password = password};
	if (n->user.n > ADDRESS_MAX || password.n > ROUTE_PASSWORD_MAX)
		return failure(FAIL_LIMIT, "a user's name has at most 320 octets, a password 1,024");
	TRY(edit_begin(d));
	result r = add(&e, n);
	edit_end(d);
	return r;
}

static result run_delete(struct db *db, void *arg)
{
	const struct route_edit *e = arg;
	return db_run(db, "DELETE FROM route WHERE id = ?1", DB_INT(e->old->id));
}

static void kept_delete(void *arg)
{
	struct route_edit *e = arg;
	routes_remove(&e->d->routes, e->old);
}

static result delete(struct route_edit *e, str match)
{
	AUTO_ARENA arena a = arena_new(65536);
	e->route.match = STR("");
	TRY(read_match(e, match, &a));
	e->old = routes_find(&e->d->routes, e->route.kind, e->route.match);
	if (!e->old)
		return failure(FAIL_ABSENT, "there is no such route; postern route list shows those there are");
	return edit_commit(e->d, run_delete, kept_delete, e);
}

result directory_delete_route(struct directory *d, enum route_kind kind, str match)
{
	struct route_edit e = {.d = d, .route = {.kind = kind}};
	TRY(edit_begin(d));
	result r = delete(&e, match);
	edit_end(d);
	return r;
}
