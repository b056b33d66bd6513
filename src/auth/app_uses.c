/* When and from where each app password was used last: see app_passwords.h. */
#include "auth/app_passwords.h"
#include "auth/directory_core.h"
#include "base/mem.h"

struct entry {
	struct list node;
	uint64_t id;
	struct app_use use; /* its view is of `client` */
	char client[APP_USE_CLIENT];
	bool changed;
};

void app_uses_open(struct app_uses *u, struct directory *d)
{
	*u = (struct app_uses){.directory = d, .table = hash_new(SIZE_MAX)};
	list_init(&u->oldest);
}

static void drop(struct app_uses *u, struct entry *e)
{
	hash_remove_u64(&u->table, e->id);
	list_remove(&e->node);
	mem_free(e);
}

void app_uses_close(struct app_uses *u)
{
	u->closed = true;
	if (!u->directory)
		return;
	LIST_EACH_SAFE(n, &u->oldest)
		drop(u, LIST_OWNER(n, struct entry, node));
	hash_free(&u->table);
	u->directory = NULL;
}

/* ---- writing down ---- */

struct flush_job {
	struct entry *v; /* copies, so that the loop may go on noting */
	size_t n;
};

static str client_of(const struct entry *e)
{
	return str_of(e->client, e->use.client.n);
}

/* One that was revoked meanwhile has no row to change. */
static result run_flush(struct db *db, void *arg)
{
	const struct flush_job *j = arg;
	for (size_t i = 0; i < j->n; i++) {
		const struct entry *e = &j->v[i];
		TRY(db_run(db, "UPDATE app_password SET used = ?2, used_protocol = ?3, used_from = ?4 WHERE id = ?1",
			DB_INT(e->id), DB_INT(e->use.at), DB_INT(e->use.protocol), DB_TEXT(client_of(e))));
	}
	return OK;
}

static size_t count_changed(const struct app_uses *u)
{
	size_t n = 0;
	LIST_EACH(node, &u->oldest)
		n += LIST_OWNER(node, struct entry, node)->changed;
	return n;
}

static void settle(struct app_uses *u, const struct flush_job *j)
{
	for (size_t i = 0; i < j->n; i++) {
		struct entry *e = hash_get_u64(&u->table, j->v[i].id);
		if (e && e->use.at == j->v[i].use.at)
			e->changed = false;
	}
	while (u->table.n > APP_USES && !LIST_OWNER(u->oldest.next, struct entry, node)->changed)
		drop(u, LIST_OWNER(u->oldest.next, struct entry, node));
}

result app_uses_flush(struct app_uses *u)
{
	struct flush_job j = {0};
	size_t n = u->directory ? count_changed(u) : 0;
	if (n == 0)
		return OK;
	j.v = mem_alloc(n * sizeof *j.v);
	if (!j.v)
		return failure(FAIL_MEMORY, "out of memory");
	LIST_EACH(node, &u->oldest) {
		const struct entry *e = LIST_OWNER(node, struct entry, node);
		if (e->changed)
			j.v[j.n++] = *e;
	}
	result r = edit_commit(u->directory, run_flush, NULL, &j);
	if (!failed(r) && u->directory)
		settle(u, &j);
	mem_free(j.v);
	return r;
}

/* A full disk is tried again: noting goes on in memory. */
static void flush_fiber(void *arg)
{
	struct app_uses *u = arg;
	while (!failed(fiber_sleep(APP_USES_FLUSH_MS)) && !u->closed && count_changed(u) > 0) {
		result r = app_uses_flush(u);
		(void)r; /* the disk's failure was told by whoever met it first */
	}
	u->flushing = false;
}

/* ---- noting ---- */

static struct entry *entry_of(struct app_uses *u, uint64_t id)
{
	struct entry *e = hash_get_u64(&u->table, id);
	if (e) {
		list_remove(&e->node);
		list_insert(&u->oldest, &e->node);
		return e;
	}
	e = mem_alloc(sizeof *e);
	if (!e)
		return NULL;
	e->id = id;
	if (failed(hash_put_u64(&u->table, id, e))) {
		mem_free(e);
		return NULL;
	}
	list_insert(&u->oldest, &e->node);
	return e;
}

void app_used(struct app_uses *u, uint64_t id, const struct app_use *use)
{
	struct entry *e = entry_of(u, id);
	if (!e)
		return; /* no memory: the use before this one is shown */
	size_t n = use->client.n < sizeof e->client ? use->client.n : sizeof e->client;
	memcpy(e->client, use->client.p, n);
	e->use = (struct app_use){.at = use->at, .protocol = use->protocol, .client = str_of(e->client, n)};
	e->changed = true;
	if (!u->flushing)
		u->flushing = !failed(fiber_start(flush_fiber, u, "app uses", NULL));
}

struct app_use app_last_use(const struct app_uses *u, const struct app_password *p)
{
	const struct entry *e = hash_get_u64(&u->table, p->id);
	return e ? e->use : p->used;
}
