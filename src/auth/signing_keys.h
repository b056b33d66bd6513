/* The DKIM keys of the domains: which there are, what state each is in. The
 * private halves are the vault's, under `name`.
 *
 * A row in directory.db is mirrored by a book_key unless it is doomed; the
 * public half is in the database alone. A key's way is begun, (published,)
 * active, retired, doomed, gone; each step is one transaction here, and none
 * goes back. The book owns the keys; directory_... calls suspend and fail as
 * directory.h says, the others do not suspend. */
#ifndef AUTH_SIGNING_KEYS_H
#define AUTH_SIGNING_KEYS_H

#include "auth/directory.h"
#include "grammar/dkim/dkim_key.h"

enum key_state {
	KEY_BEGUN = 0,     /* name and selector are taken; the vault may have made it or not */
	KEY_PUBLISHED = 1, /* is to be put into DNS; signs when it was seen there */
	KEY_ACTIVE = 2,    /* signs; one for each algorithm at most */
	KEY_RETIRED = 3,   /* signs no more; stays in DNS while signatures of it may be looked at */
	KEY_DOOMED = 4,    /* its private half is being destroyed; the row goes when that is done */
};

enum {
	KEY_ALGORITHMS = 2,
	KEY_NAME = 32,           /* hexadecimal digits; random, so never used twice */
	KEY_SELECTOR_MAX = 24,
	KEY_PUBLIC_MAX = 600,
	KEYS_MAX = 6 * BOOK_DOMAINS,
};

struct book_key {
	struct list node;
	struct book_domain *domain;
	uint64_t id;
	enum key_state state;
	enum dkim_algorithm algorithm;
	int64_t since; /* in this state: seconds since 1970 */
	size_t selector_n;
	char selector[KEY_SELECTOR_MAX];
	char name[KEY_NAME];
};

static inline str key_selector(const struct book_key *k)
{
	return str_of(k->selector, k->selector_n);
}

static inline str key_name(const struct book_key *k)
{
	return str_of(k->name, KEY_NAME);
}

struct book_key *book_key(const struct book *b, uint64_t id);
/* The oldest one of that state and algorithm, or NULL. */
struct book_key *domain_key(const struct book_domain *d, enum key_state state, enum dkim_algorithm a);
void signing_keys_forget(struct book *b, struct book_domain *d); /* all of the domain's, in memory */

struct db;
result signing_keys_load(struct db *db, struct book *b) NODISCARD; /* at the opening, after the domains */

/* A key of each algorithm, unless one is begun or published. */
result directory_begin_keys(struct directory *d, str domain, int64_t now) NODISCARD;
/* The vault has it: active when no other is, else published. */
result directory_finish_key(struct directory *d, uint64_t id, str public, int64_t now) NODISCARD;
/* DNS has it: active, and the one that was is retired. */
result directory_turn_key(struct directory *d, uint64_t id, int64_t now) NODISCARD;
result directory_doom_key(struct directory *d, uint64_t id) NODISCARD;
result directory_read_public(struct directory *d, uint64_t id, buf *out) NODISCARD;

/* The next doomed one after `after`; id 0: none. */
struct doomed_key {
	uint64_t id;
	char name[KEY_NAME];
};
result directory_next_doomed(struct directory *d, uint64_t after, struct doomed_key *out) NODISCARD;
result directory_forget_key(struct directory *d, uint64_t id) NODISCARD; /* the vault has destroyed it */

#endif
