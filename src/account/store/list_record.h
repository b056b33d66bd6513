/* The octets of a mailbox's list: records of fixed length in chunks that fill a page.
 *
 * A chunk has LIST_RECORDS places; its records ascend by uid, and behind the last one lie zeros. A record, its numbers
 * little-endian, those that may be below zero in two's complement:
 *
 *   u32 uid, u32 size, u64 content, u48 modseq, u64 flags, s40 date, s16 minutes, s40 saved
 *
 * Pure; `i` is below LIST_RECORDS. */
#ifndef ACCOUNT_STORE_LIST_RECORD_H
#define ACCOUNT_STORE_LIST_RECORD_H

#include "account/store/schema.h"

enum {
	LIST_RECORD = 42,
	LIST_RECORDS = 95, /* with the row's head within the 4056 octets of a page */
	LIST_CHUNK = LIST_RECORD * LIST_RECORDS,
};
#define LIST_MODSEQ_MAX ((UINT64_C(1) << 48) - 1)
#define LIST_DATE_MAX ((INT64_C(1) << 39) - 1) /* what lies beyond is kept as this, */
#define LIST_DATE_MIN (-(INT64_C(1) << 39))    /* or this */

struct entry {
	struct row row;
	struct message_dates dates;
};

/* Whether they are a chunk of uids from `from` on and below `below`; how many. All else asks for such a chunk. */
bool list_judge(str bytes, uint32_t from, uint64_t below, size_t *n);

uint32_t list_uid(const unsigned char *chunk, size_t i); /* 0: no record */
void list_entry(const unsigned char *chunk, size_t i, struct entry *out);
void list_write(unsigned char *chunk, size_t i, const struct entry *e);
size_t list_index(const unsigned char *chunk, size_t n, uint32_t uid); /* where it is, or would be, among the first n */

#endif
