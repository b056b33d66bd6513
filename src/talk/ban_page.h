/* The page of bans: what watch tells every edge about networks, without a message.
 *
 * Memory of one size that the supervisor makes for each watch (run/memfd.h): watch
 * alone writes it, edges map it read-only and look when they accept. It is a table
 * by network under a key of its own and a sequence that is odd while it is changed.
 * A reader takes a bounded number of looks for each length of prefix that is there,
 * whatever the page says; a page that makes no sense is a page without bans. Bans
 * end by themselves at their time, also while there is no watch.
 *
 * Each side owns its mapping. Nothing suspends. Times: milliseconds since 1970. */
#ifndef TALK_BAN_PAGE_H
#define TALK_BAN_PAGE_H

#include "run/net.h"

enum ban_grade {
	BAN_NONE,
	BAN_DELAY,  /* is served, later */
	BAN_TARPIT, /* is served, very slowly */
	BAN_FULL,   /* is refused when it connects */
	BAN_GRADES,
};

enum ban_page_limits {
	BAN_PAGE_ROWS = 32768,  /* networks on it */
	BAN_PAGE_SLOTS = 65536,
	BAN_PAGE_LOOKS = 128,   /* slots that are looked at for one network */
	BAN_PAGE_READS = 8,     /* tries to read while it is changed */
};

struct ban_row {
	net_cidr network;
	enum ban_grade grade;
	int64_t until; /* 0: for good */
};

struct ban_page;   /* as its writer has it */
struct ban_window; /* as a reader has it */

result ban_page_make(int *fd) NODISCARD;
bool ban_page_is_shut(int fd); /* it has its writer */

/* Maps it and shuts it for others; the descriptor stays the caller's. CONFLICT, PEER, MEMORY. */
result ban_page_open(int fd, struct ban_page **out) NODISCARD;
/* Puts a network's row, in place of the one it had. LIMIT. */
result ban_page_put(struct ban_page *p, const struct ban_row *row) NODISCARD;
void ban_page_remove(struct ban_page *p, const net_cidr *network);
size_t ban_page_rows(const struct ban_page *p);
void ban_page_close(struct ban_page **p);

/* The descriptor stays the caller's. PEER: not as the supervisor gives it. */
result ban_window_open(int fd, struct ban_window **out) NODISCARD;
/* The strictest row that holds for the address now; `w` may be NULL. */
bool ban_window_find(const struct ban_window *w, const net_addr *a, int64_t now, struct ban_row *out);
void ban_window_close(struct ban_window **w);

#endif
