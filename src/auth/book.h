/* The address book in memory: what every look-up reads, so that no RCPT waits
 * for the disk. It mirrors directory.db and is changed only when a change is
 * durable (the committer's `kept`). Passwords' hashes are not in it.
 *
 * The book owns all it holds; entries are named by the directory's row ids.
 * Keys are those of address.h. Adding fails with MEMORY or LIMIT and then
 * changes nothing; nothing suspends. An alias that lost its last target is
 * removed, but for postmaster@ and abuse@ (`fixed`), which without a target
 * lead to the administrators. */
#ifndef AUTH_BOOK_H
#define AUTH_BOOK_H

#include "base/hash.h"
#include "base/list.h"

enum { BOOK_ADDRESSES = 10000000, BOOK_DOMAINS = 100000, BOOK_GRANTS = 1000, BOOK_TARGETS = 100 };

struct book {
	hash domains;   /* by name */
	hash addresses; /* by key */
	hash ids;       /* addresses by row id */
	hash accounts;  /* by account id */
	hash keys;      /* of DKIM, by row id: signing_keys.h */
	struct list domain_list, account_list, admin_list, alias_list; /* by id, oldest first */
	uint64_t round; /* of the look-up under way; see book_entry.seen */
};

struct book_domain {
	struct list node;
	uint64_t id;
	struct book_entry *catch_all; /* NULL: mail for unknown addresses is refused */
	bool signs;                   /* its mail to other servers: yes, unless an administrator said no */
	size_t addresses;             /* without the two fixed ones */
	bool second_factor;           /* its accounts have to have one */
	struct list keys;             /* of DKIM, oldest first: signing_keys.h */
	str name;
};

/* What an address stands for. */
struct book_entry {
	struct list node; /* in alias_list */
	uint64_t id;
	struct book_domain *domain;
	struct book_account *account; /* NULL: an alias */
	bool fixed;
	struct book_entry **targets;
	size_t targets_n;
	struct book_outside *outside; /* NULL: it leads to nobody elsewhere */
	uint64_t seen; /* the look-up that came by last, so that loops end */
	str key;
};

/* Addresses elsewhere, as mail to them is sent: the local part as it was given. */
struct book_outside {
	size_t n;
	str address[];
};

struct book_account {
	struct list node, admin_node;
	uint64_t id;
	struct book_entry *entry;
	bool admin, disabled;
	bool second_factor; /* it has one */
	bool coding;        /* a code of it is being checked */
	size_t rules;       /* how many it has */
	unsigned lock;      /* enum lock_state (openers.h) */
	int64_t created;    /* seconds since 1970 */
	uint64_t seen;
	uint64_t round; /* grows whenever a secret of its owner is changed or revoked */
	hash grants; /* addresses and "@domain"s it may send as beside its own */
};

struct book_new_account {
	uint64_t id, entry;
	str key;
	bool admin, disabled;
	int64_t created;
};

void book_init(struct book *b);
void book_free(struct book *b);

result book_add_domain(struct book *b, uint64_t id, str name) NODISCARD;
void book_remove_domain(struct book *b, struct book_domain *d); /* with its fixed addresses; the others are gone */
struct book_domain *book_domain(const struct book *b, str name);

result book_add_account(struct book *b, const struct book_new_account *n) NODISCARD;
void book_remove_account(struct book *b, struct book_account *a); /* and all that leads to it */
struct book_account *book_account(const struct book *b, uint64_t id);
void book_set_admin(struct book *b, struct book_account *a, bool admin);

result book_add_alias(struct book *b, uint64_t entry, str key, bool fixed) NODISCARD;
result book_set_targets(struct book *b, struct book_entry *alias, const uint64_t *entries, size_t n) NODISCARD;
result book_set_outside(struct book_entry *alias, const str *addresses, size_t n) NODISCARD;
void book_remove_alias(struct book *b, struct book_entry *alias);

struct book_entry *book_entry(const struct book *b, str key);
struct book_entry *book_entry_by_id(const struct book *b, uint64_t id);
str book_domain_of(str key); /* what follows the last @ */

#endif
