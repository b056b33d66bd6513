/* A letter's bytes as a row of `content`, packed; in a body file where it is
 * large. Store thread only.
 *
 * The header block is packed apart from the rest, so that reading headers
 * touches no body. A body file is written and synced before the row that names
 * it: content_prepare does that, in a job of its own before the transaction. */
#ifndef ACCOUNT_STORE_CONTENT_H
#define ACCOUNT_STORE_CONTENT_H

#include "account/store/core.h"
#include "account/store/message.h"

/* What content_prepare did for a large letter; begins as PREPARED. */
struct prepared {
	buf rest; /* packed; empty: to be packed in the transaction */
	struct blob_key key;
	bool has_file;
};

bool content_is_large(const struct letter *l);
result content_prepare(struct store *s, const struct letter *l, struct prepared *p) NODISCARD;
/* The row was not kept: the file goes. */
result content_forget(struct store *s, struct prepared *p) NODISCARD;
void prepared_free(struct prepared *p);

/* A number never used before, also after a restore, for what this delivery brought (NULL: an APPEND). */
uint64_t content_number(struct work *w, const trace_id *delivery);

/* Inserts the row with the last number. The delivery that brought it is remembered (delivered.h), and `where` it went
 * until that is in a list (NULL: it will be at once). */
result content_put(struct work *w, const struct append_item *item, const struct prepared *p,
	const struct unlisted_one *where) NODISCARD;

/* A message more in that mailbox: content, list or unlisted, counts, effects. */
result work_put_item(struct work *w, struct box_row *box, const struct append_item *item, const struct prepared *p)
	NODISCARD;

#endif
