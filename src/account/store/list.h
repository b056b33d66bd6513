/* The mailboxes' messages on disk: of each what memory keeps, and its dates.
 *
 * A row of `list` is a chunk (list_pack.h) in a page of its own: reading a mailbox is reading few pages, and a change
 * of a thousand messages rewrites half a dozen. One that has grown beyond its page is halved.
 *
 * A chunk's id is its mailbox << 32 and the lowest uid that it may hold; it holds those below the next chunk's. One
 * with nothing in it may lie behind the last message: chunks are made several at a time, so that they lie together.
 *
 * What a work changes waits in memory until lists_settle; what was read stays there while db_stamp stands. Records of
 * the newest arrivals may lie in no chunk yet (unlisted.h): list_get and what reads many find them all the same, what
 * changes lists wants them settled. Store thread. Errors are the database's, and DAMAGE where a chunk is not what this
 * says. */
#ifndef ACCOUNT_STORE_LIST_H
#define ACCOUNT_STORE_LIST_H

#include "account/store/list_pack.h"
#include "account/store/unlisted.h"

enum {
	LIST_OPEN = 2,       /* chunks in memory: a move's source and target */
	LIST_FULL = 3500,    /* octets; nothing is added beyond, so that there is room for what changes */
	LIST_FEW = 96,       /* records; a chunk with fewer goes into a neighbour, */
	LIST_JOINED = 288,   /* where both together are no more than that, nor than LIST_FULL */
	LIST_AHEAD = 8,      /* where a mailbox has that many chunks, one more is made at a time, */
	LIST_AHEAD_MAX = 32, /* up to so many */
};

struct chunk {
	uint64_t id;      /* 0: none */
	uint64_t next;    /* of the chunk behind it, in whichever mailbox */
	size_t n;         /* records */
	size_t octets;    /* of these, packed; 0: not known */
	bool changed;
	struct entry v[LIST_RECORDS];
};

struct lists {
	uint64_t stamp;
	struct chunk open[LIST_OPEN];
	unsigned last; /* the one used last */
	struct unlisted unlisted;
};

/* Before a work or a reading, and behind a work's last statement. */
result lists_begin(struct lists *l, struct db *db) NODISCARD;
void lists_keep(struct lists *l, const struct db *db);
result lists_settle(struct lists *l, struct db *db) NODISCARD; /* writes what was changed */

/* One message, by its place. */
struct place {
	struct lists *lists;
	struct db *db;
	uint64_t box;
};
result list_get(const struct place *p, uint32_t uid, struct entry *out) NODISCARD; /* ABSENT */
result list_last(const struct place *p, uint32_t *uid) NODISCARD; /* the highest of a record in a chunk, 0: none */
result list_add(const struct place *p, const struct entry *e) NODISCARD; /* its uid is above all others there */
result list_put(const struct place *p, const struct entry *e) NODISCARD; /* in the place of the one with its uid */
result list_drop(const struct place *p, uint32_t uid) NODISCARD;         /* ABSENT */
/* Behind drops between these uids: chunks that became small are joined. */
result list_tidy(const struct place *p, uint32_t first, uint32_t last) NODISCARD;

/* Uids from first to last, those that are there. */
struct uid_run {
	uint32_t first, last;
};
/* Each may be changed, but for its uid: then *changed is set. Uses no list meanwhile. */
struct list_change {
	result (*look)(void *ctx, struct entry *e, bool *changed);
	void *ctx;
};
result list_change(const struct place *p, const struct uid_run *run, const struct list_change *how) NODISCARD;

/* Reads what is written; ascending, by mailbox and uid, the newest arrivals behind all others. */
struct list_reader {
	result (*take)(void *ctx, uint64_t box, const struct entry *e);
	result (*bad)(void *ctx, uint64_t box, uint32_t uid); /* a chunk from this uid on; NULL: DAMAGE */
	void *ctx;
};
result list_read(const struct place *p, const struct list_reader *reader) NODISCARD;
result list_read_all(struct lists *l, struct db *db, const struct list_reader *reader) NODISCARD;

result list_drop_box(const struct place *p) NODISCARD;
result list_give_box(const struct place *p, uint64_t to) NODISCARD; /* to: one without messages */
/* Behind a step of the schema: into version 6 it brings the messages that `message` or `former_list` had. */
result list_migrate(struct db *db, uint32_t version) NODISCARD;

#endif
