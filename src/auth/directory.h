/* directory.db: domains, accounts, aliases and rights, and the book that
 * mirrors it for look-ups.
 *
 * Opened at the room's start (directory_open blocks on the disk); from then on
 * changes go through the committer, one at a time, and into the book once they
 * are durable. The calls below suspend unless they say otherwise. A change that
 * cannot be is refused before anything is written, with a sentence that says
 * what to do: ABSENT, EXISTS, CONFLICT, INPUT, LIMIT; DISK and FULL come from
 * the database. Account ids are never used twice. An account is in the book
 * only between directory_finish_account and directory_doom_account; rows that a
 * crash left on the way are listed by directory_next_leftover. A domain is ours
 * or relayed, never both. */
#ifndef AUTH_DIRECTORY_H
#define AUTH_DIRECTORY_H

#include "auth/forward_keys.h"
#include "auth/reach.h"
#include "auth/routes.h"
#include "run/fiber.h"

enum { DIRECTORY_NAME_MAX = 200, DIRECTORY_HASH_MAX = 256, DIRECTORY_KEY = 32 };

struct files;
struct committer;

struct directory {
	struct book book;
	struct routes routes;
	struct forward_keys forward;
	struct reach_rule rule;
	struct committer *store;
	void (*give_up)(result why); /* called when the disk failed, or the book is behind */
	void (*changed)(void); /* called when the book has changed, before the call that changed it returns */
	bool behind;           /* the book found no memory for what is durable */
	uint64_t last_account; /* the highest id when it was opened: what is unfinished up to it, a crash left */
	bool editing;
	struct gate edited;
};

/* Is there a database yet? Blocks. */
result directory_exists(struct files *f, bool *out) NODISCARD;
result directory_open(struct files *f, const unsigned char key[DIRECTORY_KEY], struct directory **out) NODISCARD;
void directory_close(struct directory **d);

result directory_add_domain(struct directory *d, str name) NODISCARD;
result directory_delete_domain(struct directory *d, str name) NODISCARD;
result directory_set_signing(struct directory *d, str name, bool signs) NODISCARD;
result directory_set_catch_all(struct directory *d, str name, str target) NODISCARD; /* empty: none */

/* Whether its accounts have to have a second factor. */
result directory_demand_factor(struct directory *d, str name, bool demanded) NODISCARD;

struct new_account {
	str address, name, hash;
	uint64_t quota; /* octets, 0: none */
	bool admin;
};
/* Claims the address and an id. */
result directory_begin_account(struct directory *d, const struct new_account *n, uint64_t *id) NODISCARD;
result directory_finish_account(struct directory *d, uint64_t id) NODISCARD;
/* From here on nobody logs in or receives there; the address stays taken until forgotten. */
result directory_doom_account(struct directory *d, uint64_t id) NODISCARD;
result directory_forget_account(struct directory *d, uint64_t id) NODISCARD;
/* The next account after `after` that was begun or doomed and not finished; 0: none. */
result directory_next_leftover(struct directory *d, uint64_t after, uint64_t *id) NODISCARD;

result directory_set_hash(struct directory *d, uint64_t id, str text) NODISCARD;
/* The same password's new hash, unless the old one was changed meanwhile. */
result directory_raise_hash(struct directory *d, uint64_t id, str old, str text) NODISCARD;
result directory_set_quota(struct directory *d, uint64_t id, uint64_t octets) NODISCARD;
result directory_set_disabled(struct directory *d, uint64_t id, bool disabled) NODISCARD;
result directory_set_admin(struct directory *d, uint64_t id, bool admin) NODISCARD;
result directory_grant(struct directory *d, uint64_t id, str address, bool granted) NODISCARD;

/* A fixed address is pointed elsewhere; any other must be new. */
result directory_add_alias(struct directory *d, str address, const str *targets, size_t n) NODISCARD;
result directory_delete_alias(struct directory *d, str address) NODISCARD;

/* A way instead of the MX (routes.h); `n->id` is not used. The password is kept with it and told to nobody but
 * directory_read_way. */
result directory_add_route(struct directory *d, const struct route *n, str password) NODISCARD;
result directory_delete_route(struct directory *d, enum route_kind kind, str match) NODISCARD;
enum { ROUTE_PASSWORD_MAX = 1024 };
/* ABSENT: there is no such route. The password is the caller's to wipe. */
result directory_read_way(struct directory *d, uint64_t id, char password[ROUTE_PASSWORD_MAX], size_t *n) NODISCARD;

/* By its own address; not suspending. ABSENT with a sentence. */
result directory_find_account(struct directory *d, str address, struct book_account **out) NODISCARD;

struct account_record {
	char hash[DIRECTORY_HASH_MAX + 1];
	char name[DIRECTORY_NAME_MAX];
	size_t name_n;
	uint64_t quota;
};
result directory_read_account(struct directory *d, uint64_t id, struct account_record *out) NODISCARD;

#endif
