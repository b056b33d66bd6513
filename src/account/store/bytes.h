/* One message's stored bytes, on the store thread: small ones in memory, the
 * rest of a large one in its body file. */
#ifndef ACCOUNT_STORE_BYTES_H
#define ACCOUNT_STORE_BYTES_H

#include "account/store/core.h"
#include "account/store/fetch.h"

struct letter_part {
	str near;  /* trace block, header block, and the rest unless it is a file */
	buf own;   /* where near lies, unless it is a row's */
	struct blob *rest; /* NULL: all is in `near` */
	uint64_t header_size, size;
};

result letter_part_read(struct store *s, struct db *db, uint64_t box, uint32_t uid, struct letter_part *out) NODISCARD;
result letter_part_bytes(struct letter_part *p, uint64_t from, uint64_t n, buf *out) NODISCARD;
void letter_part_free(struct letter_part *p);

#endif
