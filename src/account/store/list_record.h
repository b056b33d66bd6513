/* What a list keeps of a message, and the octets of one such record by itself, as the content row of a message has it
 * that no list has yet (unlisted.h): its numbers little-endian, those that may be below zero in two's complement.
 *
 *   u32 uid, u32 size, u64 content, u48 modseq, u64 flags, s40 date, s16 minutes, s40 saved
 *
 * Pure. */
#ifndef ACCOUNT_STORE_LIST_RECORD_H
#define ACCOUNT_STORE_LIST_RECORD_H

#include "account/store/schema.h"

enum { LIST_RECORD = 42 };
#define LIST_MODSEQ_MAX ((UINT64_C(1) << 48) - 1)
#define LIST_DATE_MAX ((INT64_C(1) << 39) - 1) /* what lies beyond is kept as this, */
#define LIST_DATE_MIN (-(INT64_C(1) << 39))    /* or this */

struct entry {
	struct row row;
	struct message_dates dates;
};

/* `p` has LIST_RECORD octets. */
void record_get(const unsigned char *p, struct entry *out);
void record_put(unsigned char *p, const struct entry *e);

#endif
