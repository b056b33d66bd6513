/* The octets of a chunk of a mailbox's list: of each record only what its neighbour does not tell.
 *
 *   u16 n (little-endian), n records, zeros up to LIST_CHUNK
 *
 * A record is an octet with a bit for each field that is not as foretold, and behind it these fields, the lowest bit's
 * first: what each differs by, in octets of seven bits, the lowest first, all but the last with the highest bit set; no
 * longer than needed and never 0, so that every chunk has one form. What may be below zero is folded: 2d, or -2d-1.
 * Foretold are:
 *
 *   1 uid      the one behind the record before (the first record: 1)     2 size     0
 *   4 content  the record before's (the first: 0); folded                 8 modseq   as uid; folded
 *   16 flags   the record before's; what differs: the bits that do        32 saved   the second in content; folded
 *   64 date    saved; folded                                              128 minutes  the record before's; folded
 *
 * So a message that came by SMTP takes some ten octets. Pure. */
#ifndef ACCOUNT_STORE_LIST_PACK_H
#define ACCOUNT_STORE_LIST_PACK_H

#include "account/store/list_record.h"

enum {
	LIST_RECORDS = 384,     /* of a chunk, at most */
	LIST_CHUNK = 3990,      /* with the row's head within the 4056 octets of a page */
	LIST_PACKED_HEAD = 2,
	LIST_PACKED_MAX = 64,   /* octets of the longest record */
};

/* Octets that this record takes behind that one, or as the first of a chunk (NULL). */
size_t list_packed(const struct entry *before, const struct entry *e);
/* False where they do not fit: one always does. `chunk` has LIST_CHUNK octets; uids ascend from 1 on, n is at most
 * LIST_RECORDS. */
bool list_pack(const struct entry *v, size_t n, unsigned char *chunk);
/* Whether they are a chunk of uids from `from` on and below `below`. `v` has room for LIST_RECORDS. */
bool list_unpack(str bytes, uint32_t from, uint64_t below, struct entry *v, size_t *n);

#endif
