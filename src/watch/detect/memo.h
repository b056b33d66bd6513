/* What the detectors remember across restarts, on its way to and from ledger.db:
 * steps one behind the other, in the order in which they happened.
 *
 * memo_* write down, and never wait; what finds no room (MEMO_MAX octets) is not
 * written down, and is counted. memo_write and memo_read run on the store thread
 * (engine/committer.h). */
#ifndef WATCH_DETECT_MEMO_H
#define WATCH_DETECT_MEMO_H

#include "engine/query.h"
#include "run/net.h"

enum { MEMO_MAX = 16 << 20, CONDUCT_MAX = 512 };

struct memo_habit {
	uint64_t account;
	net_addr address;
	int64_t first, last; /* seconds since 1970 */
};

struct memo {
	buf steps;
	uint64_t lost;
};

void memo_put_habit(struct memo *m, const struct memo_habit *h);
void memo_drop_habit(struct memo *m, const struct memo_habit *h);
void memo_put_conduct(struct memo *m, uint64_t account, str packed);
void memo_drop_conduct(struct memo *m, uint64_t account);

/* Who hears the steps again. */
struct memo_hearer {
	void (*habit)(void *ctx, const struct memo_habit *h);
	void (*conduct)(void *ctx, uint64_t account, str packed);
	void *ctx;
};
void memo_hear(const struct memo *m, const struct memo_hearer *h);

result memo_write(struct db *db, void *memo) NODISCARD;
result memo_read(struct db *db, void *memo) NODISCARD; /* all that is there, the longest unused first */

#endif
