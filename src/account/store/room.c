#include "account/store/core.h"
#include "engine/ballast.h"

static result make(struct files *f, struct db *db, uint64_t more, struct room *out)
{
	int64_t pages;
	TRY(db_get(db, &pages, "PRAGMA page_count"));
	out->database = (uint64_t)pages * SEAL_PAGE;
	return ballast_make(f, out->database + more, &out->ballast);
}

static result give_back(struct db *db)
{
	TRY(db_give_back(db, ROOM_PAGES));
	return db_checkpoint(db);
}

/* The database's free pages go back to the disk until the ballast fits, and some for all others. */
result room_make(struct files *f, struct db *db, uint64_t more, struct room *out)
{
	result r = make(f, db, more, out);
	if (r.kind != FAIL_FULL)
		return r;
	for (int i = 0; i <= BALLAST_MAX / SEAL_PAGE / ROOM_PAGES && r.kind == FAIL_FULL; i++) {
		r = give_back(db);
		if (!failed(r))
			r = make(f, db, more, out);
	}
	return failed(r) ? r : give_back(db);
}

static uint64_t content(const struct store *s)
{
	return s->account.octets + ROOM_PER_MESSAGE * s->account.messages;
}

void room_is_for(struct store *s, const struct room *r)
{
	s->room = *r;
	s->room.content = content(s);
}

/* Pages are not filled to their end. */
static uint64_t in_pages(const struct store *s, uint64_t more)
{
	return (s->kept.octets + ROOM_PER_MESSAGE * s->kept.count + more) * 3 / 2;
}

bool room_is_enough(const struct store *s, uint64_t more)
{
	uint64_t now = content(s), came = now > s->room.content ? now - s->room.content : 0;
	uint64_t needs = s->room.database + in_pages(s, came + more);
	return s->room.ballast >= (needs < BALLAST_MAX ? needs : BALLAST_MAX);
}

struct growing {
	struct store *store;
	uint64_t more;
	struct room room;
};

static result grow_run(struct db *db, void *arg)
{
	struct growing *g = arg;
	return room_make(g->store->files, db, g->more, &g->room);
}

static void grow_kept(void *arg)
{
	const struct growing *g = arg;
	room_is_for(g->store, &g->room);
}

result room_grow(struct store *s, uint64_t more)
{
	struct growing g = {.store = s, .more = in_pages(s, more)};
	return store_read(s, grow_run, grow_kept, &g);
}

static result let_go_run(struct db *db, void *arg)
{
	const struct store *s = arg;
	result r = ballast_drop(s->files);
	if (failed(r) && r.kind != FAIL_ABSENT)
		return r;
	return db_checkpoint(db);
}

result room_let_go(struct store *s)
{
	s->room.ballast = 0;
	return store_read(s, let_go_run, NULL, s);
}
