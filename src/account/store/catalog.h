/* The account's mailboxes in memory: names in order, counters, subscriptions.
 *
 * Loop thread only; changed by effects_apply and at opening. Nothing suspends. */
#ifndef ACCOUNT_STORE_CATALOG_H
#define ACCOUNT_STORE_CATALOG_H

#include "account/store/schema.h"
#include "base/hash.h"

struct loaded;

/* A mailbox in memory: owned by the catalog, or by its last holder once it is gone. */
struct mbox {
	struct box_row row;
	str name; /* owned */
	struct loaded *loaded; /* NULL: its messages are not in memory */
	unsigned holds; /* views, and fibers that are about to open one */
	bool gone;
	bool recent_due; /* row.recent is ahead of the database */
};

struct catalog {
	struct mbox **v; /* in the order of names */
	size_t n, cap;
	hash by_id;
	str *subscribed; /* in the order of names, owned */
	size_t subscribed_n, subscribed_cap;
};

int name_cmp(str a, str b); /* INBOX first, then bytewise with '/' before all else */
bool name_below(str name, str parent); /* "a/b" below "a" */
struct mbox *catalog_find(const struct catalog *c, str name);
size_t catalog_from(const struct catalog *c, str name); /* the first that is not before it */
struct mbox *catalog_by_id(const struct catalog *c, uint64_t id);
result catalog_add(struct catalog *c, const struct box_row *row, str name) NODISCARD;
void catalog_remove(struct catalog *c, struct mbox *b); /* frees it unless somebody holds it */
void box_free(struct mbox *b);
result catalog_rename(struct catalog *c, struct mbox *b, str name) NODISCARD;
result catalog_subscribe(struct catalog *c, str name, bool on) NODISCARD;
bool catalog_subscribed(const struct catalog *c, str name, size_t *at);
result catalog_load(struct catalog *c, struct db *db) NODISCARD; /* at opening only, by the one thread there is */
void catalog_free(struct catalog *c);
result find_box(const struct actor *a, str name, struct mbox **out) NODISCARD; /* ABSENT, INPUT */

#endif
