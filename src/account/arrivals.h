/* Letters that arrive while a locked account's owner is away: appended to files
 * of the account's folder, sealed to the owner's key, and read again when it is
 * there.
 *
 *   arrivals-K   16 octets that name the file, then records, each at a multiple of ARRIVALS_ALIGN
 *   record       header sealed by the vault's key, bound to file and offset: the
 *                octets that follow, up to where the file was durable when it was
 *                written, a hash of what follows, the delivery id, the letter's
 *                size, the record's key in a sealed box for the owner
 *                then a secretstream (libsodium) of the item (talk/item.h) in chunks
 *
 * A record is durable when arrivals_add returns OK; all that wait share one
 * flush on a thread of its own. Nothing is ever cut off: where a file does not
 * end as it should (a crash, a failed write), the next record begins another
 * file. What was not durable may be missing or torn at the reading, which is told
 * too: damage to what was written last looks the same. Everything before is there,
 * or damage is told and the file kept as arrivals-K.damaged.
 *
 * Errors: DISK, FULL, MEMORY, LIMIT, DAMAGE. */
#ifndef ACCOUNT_ARRIVALS_H
#define ACCOUNT_ARRIVALS_H

#include "account/store/message.h"
#include "talk/item.h"
#include "talk/owner_key.h"

struct files;

enum arrivals_limits {
	ARRIVALS_CHUNK = 64 << 10,
	ARRIVALS_ALIGN = 512,
	ARRIVALS_FULL = 64 << 20, /* a file that is longer gets no further record */
	ARRIVALS_WAITING = 1000,  /* letters that wait for the flush; one more is BUSY */
	ARRIVALS_TOGETHER = 64,   /* in one flush */
	ARRIVALS_PLAIN_MAX = 320 << 20,
};

struct arrivals;

struct arrivals_plan {
	struct files *files;           /* outlives it */
	const unsigned char *key;      /* 32 octets from the vault; copied */
	struct owner_public owner;
};
/* Looks what is there. Blocks; the thread is begun with the first record. */
result arrivals_open(const struct arrivals_plan *plan, struct arrivals **out) NODISCARD;
void arrivals_close(struct arrivals **a); /* no call is under way */

result arrivals_add(struct arrivals *a, const trace_id *delivery, const struct item *i) NODISCARD; /* suspends */
uint64_t arrivals_count(const struct arrivals *a);  /* records that are there */
bool arrivals_adding(const struct arrivals *a);     /* a call is under way */
uint64_t arrivals_octets(const struct arrivals *a); /* of their letters */

/* ---- reading, in the order in which they came */
struct arrivals_reader {
	struct arrivals *from;
	const struct owner_key *owner;
	struct file *file; /* NULL: none is open */
	uint64_t number;   /* of that file; 0: none yet */
	uint64_t at;
	struct arrivals_mark mark; /* of the file, and up to where it is read */
	bool held;         /* the caller's: letters of this file are not kept yet, so that it may not go */
	uint64_t lost;     /* places that were durable once and do not open, */
	uint64_t torn;     /* and those written last, of which nobody knows whether they were */
	bool damaged;      /* one of them is in this file */
};
struct arrivals_letter {
	trace_id delivery;
	struct item item; /* views of the buffer */
	struct arrivals_mark mark; /* when it is kept */
};
/* `done`: the mark of what was merged before, which is passed over. */
struct arrivals_reader arrivals_begin(struct arrivals *a, const struct owner_key *owner,
	const struct arrivals_mark *done);
/* The next one; *more false: there is none just now, or (`held`) none in this file. Files that are through are removed.
 * Blocks on the disk. */
result arrivals_next(struct arrivals_reader *r, buf *plain, struct arrivals_letter *out, bool *more) NODISCARD;
void arrivals_end(struct arrivals_reader *r);
/* Everything was read and nothing is being added: the last file goes too. Blocks. */
result arrivals_clear(struct arrivals_reader *r) NODISCARD;

#endif
