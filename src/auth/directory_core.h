/* What the files of the directory share, and nobody else. */
#ifndef AUTH_DIRECTORY_CORE_H
#define AUTH_DIRECTORY_CORE_H

#include "auth/directory.h"
#include "engine/committer.h"
#include "engine/query.h"

extern const struct db_schema directory_schema;

/* A sentence each, since rows live long. */
enum account_state {
	ACCOUNT_BEGUN = 0,  /* id and address are taken; folder, key and mailboxes may be missing */
	ACCOUNT_ACTIVE = 1, /* everything is there */
	ACCOUNT_DOOMED = 2, /* being erased; only going on is possible */
};

/* One change at a time, so that what was checked against the book still holds
 * when the change is durable. Suspends. */
result edit_begin(struct directory *d) NODISCARD;
void edit_end(struct directory *d);

result edit_commit(struct directory *d, result (*run)(struct db *db, void *arg), void (*kept)(void *arg), void *arg)
	NODISCARD;
result directory_read(struct directory *d, result (*run)(struct db *db, void *arg), void *arg) NODISCARD;

/* False: the database has it and memory is short. Until a new process has read it
 * again look-ups know what was there before, and no edit begins. */
bool book_follows(struct directory *d, result r);

result routes_load(struct db *db, struct routes *r) NODISCARD; /* at the opening */

#endif
