/* The rows of bans: what the store thread does (engine/committer.h). */
#ifndef WATCH_BANS_STORE_H
#define WATCH_BANS_STORE_H

#include "base/list.h"
#include "engine/query.h"
#include "watch/bans.h"

enum ban_act { BAN_PUT, BAN_DROP, BAN_COUNT };

struct ban_facts {
	struct ban_row row;
	bool by_hand;
	int64_t since;
	uint64_t refused;
	int64_t last; /* when a connection was refused; 0: never */
};

/* One on its way to the disk. */
struct ban_change {
	struct list node;
	enum ban_act act;
	struct ban_facts facts;
	str why, by; /* behind it */
	char text[];
};

result bans_write(struct db *db, void *list) NODISCARD; /* struct list of ban_change, in order */

struct bans_reading {
	void (*take)(void *ctx, const struct ban_facts *f);
	void *ctx;
};
result bans_read_all(struct db *db, void *reading) NODISCARD;

struct bans_page {
	const net_cidr *after; /* NULL: from the first on */
	const net_cidr *only;  /* NULL: all */
	int64_t now;
	arena *a;
	struct web_watch_ban_row *rows; /* room for WEB_WATCH_BANS_ROWS_MAX */
	size_t n, before; /* rows that are there, and were before this job */
};
result bans_read_page(struct db *db, void *page) NODISCARD;

#endif
