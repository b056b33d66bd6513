/* What waits goes by the routes as they are now: an attempt asks whether they
 * are others than those the rows were given by, and if so every row is asked
 * about anew before anything goes on. */
#include "base/mem.h"
#include "queue/mail_core.h"
#include "run/clock.h"
#include "talk/queue_auth.h"

enum {
	FRESH_MS = 1000,   /* a message so new that its first way is the present one */
	AGAIN_MS = 100,    /* auth is asked so often at most */
	PAGE = 200,
	PAGE_ARENA = 1 << 20,
};

struct waiting {
	uint64_t id, route;
	bool moved;
	trace_id delivery;
	str sender, recipient;
};

struct rerouting {
	struct queue *q;
	uint64_t table, after;
	arena arena;
	struct waiting rows[PAGE];
	size_t n;
};

/* Where auth serves no routes, everything goes to its MX. */
result route_ask(struct queue *q, const struct queue_auth_route *m, struct queue_auth_route_is *is)
{
	AUTO_ARENA arena a = arena_new(4096);
	struct channel *auth;
	const struct asking how = {.arena = &a, .timeout_ms = QUEUE_ASK_MS};
	*is = (struct queue_auth_route_is){0};
	result r = q->world->auth(&auth);
	if (!failed(r))
		r = queue_auth_route_call_within(auth, &how, m, is);
	if (r.kind == FAIL_ABSENT || r.kind == FAIL_DENIED)
		return OK;
	return failed(r) ? failure(r.kind, "auth does not say which way mail goes now") : OK;
}

static result read_row(struct rerouting *p, const struct query *rows)
{
	struct waiting *w = &p->rows[p->n++];
	*w = (struct waiting){.id = (uint64_t)query_int(rows, 0), .route = (uint64_t)query_int(rows, 1),
		.sender = arena_dup(&p->arena, query_bytes(rows, 2)), .recipient = arena_dup(&p->arena, query_bytes(rows, 3))};
	str delivery = query_bytes(rows, 4);
	if (delivery.n == sizeof w->delivery.b)
		memcpy(w->delivery.b, delivery.p, delivery.n);
	return arena_result(&p->arena);
}

static result run_page(struct db *db, void *arg)
{
	struct rerouting *p = arg;
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	p->n = 0;
	arena_clear(&p->arena);
	TRY(db_ask(db, &rows, "SELECT r.id, r.route, m.sender, r.address, m.delivery FROM recipient r"
		" JOIN message m ON m.id = r.message WHERE r.id > ?1 AND r.state <> 3 ORDER BY r.id LIMIT ?2",
		DB_INT(p->after), DB_INT(PAGE)));
	for (;;) {
		TRY(query_next(rows, &row));
		if (!row)
			return OK;
		TRY(read_row(p, rows));
	}
}

static result run_move(struct db *db, void *arg)
{
	const struct rerouting *p = arg;
	for (size_t i = 0; i < p->n; i++)
		if (p->rows[i].moved)
			TRY(db_run(db, "UPDATE recipient SET route = ?2 WHERE id = ?1", DB_INT(p->rows[i].id),
				DB_INT(p->rows[i].route)));
	return OK;
}

static result move_page(struct rerouting *p)
{
	size_t moved = 0;
	for (size_t i = 0; i < p->n; i++) {
		struct waiting *w = &p->rows[i];
		struct queue_auth_route_is is;
		const struct queue_auth_route m = {.sender = w->sender, .recipient = w->recipient};
		TRY(route_ask(p->q, &m, &is));
		w->moved = is.route != w->route;
		w->route = is.route;
		moved += w->moved;
	}
	if (moved > 0)
		TRY(items_write(p->q, run_move, NULL, p));
	for (size_t i = 0; i < p->n; i++)
		if (p->rows[i].moved)
			log_event(EV_REROUTED, &p->rows[i].delivery, F_U64("item", p->rows[i].id),
				F_STR("to", p->rows[i].recipient), F_U64("route", p->rows[i].route));
	return OK;
}

static result run_remember(struct db *db, void *arg)
{
	const struct rerouting *p = arg;
	return db_run(db, "UPDATE known SET value = ?1 WHERE name = 'routes'", DB_INT(p->table));
}

static result move_all(struct rerouting *p)
{
	do {
		TRY(items_read(p->q, run_page, p));
		TRY(move_page(p));
		if (p->n > 0)
			p->after = p->rows[p->n - 1].id;
	} while (p->n == PAGE);
	TRY(items_write(p->q, run_remember, NULL, p));
	p->q->out.routes.table = p->table;
	traffic_changed(&p->q->out.traffic);
	return mail_refresh(p->q);
}

static result follow(struct queue *q, uint64_t table)
{
	struct rerouting *p = mem_alloc(sizeof *p);
	if (!p)
		return failure(FAIL_MEMORY, "out of memory");
	*p = (struct rerouting){.q = q, .table = table, .arena = arena_new(PAGE_ARENA)};
	result r = move_all(p);
	arena_free(&p->arena);
	mem_free(p);
	return r;
}

/* The number fits a column, whose numbers have a sign. */
static result ask_table(struct queue *q, uint64_t *table)
{
	struct queue_auth_route_is is;
	TRY(route_ask(q, &(struct queue_auth_route){0}, &is));
	*table = is.table & INT64_MAX;
	return OK;
}

result mail_follow_routes(struct queue *q, const struct parcel *p, bool *moved)
{
	struct routes_known *k = &q->out.routes;
	uint64_t now = clock_mono_ms(), table;
	*moved = k->busy;
	while (k->busy)
		TRY(gate_wait(&k->done, FIBER_FOREVER));
	if (*moved || now < k->ask_at || (p->to[0].attempts == 0 && clock_wall_ms() - p->arrived < FRESH_MS))
		return OK;
	k->busy = true;
	k->ask_at = now + AGAIN_MS;
	result r = ask_table(q, &table);
	*moved = !failed(r) && table != k->table;
	if (*moved)
		r = follow(q, table);
	k->busy = false;
	gate_wake_all(&k->done);
	return r;
}
