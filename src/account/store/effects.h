/* What a commit changed, written down by the store thread as it changes rows,
 * and applied to memory on the loop thread once the commit is durable. */
#ifndef ACCOUNT_STORE_EFFECTS_H
#define ACCOUNT_STORE_EFFECTS_H

#include "account/store/schema.h"
#include "base/arena.h"

struct store;

struct effect {
	uint64_t box;
	struct row row;
	bool arrived; /* else: its flags changed */
};

/* Of one mailbox they stand together and ascend. */
struct gone {
	uint64_t box;
	uint32_t uid;
};

enum box_effect_kind { BOX_MADE, BOX_COUNTED, BOX_NAMED, BOX_DROPPED, BOX_KEYWORD, NAME_SUBSCRIBED, NAME_UNSUBSCRIBED };

struct box_effect {
	enum box_effect_kind kind;
	struct box_row row;
	str name; /* in the effects' arena; a keyword with its bit in row.use */
};

struct effects {
	struct effect *v;
	size_t n, cap;
	struct gone *gone;
	size_t gone_n, gone_cap;
	struct box_effect *boxes;
	size_t boxes_n, boxes_cap;
	arena names;
	struct account_row account;
	uint32_t origin; /* the view that asked, 0: none */
};

result effect_message(struct effects *e, uint64_t box, const struct row *row, bool arrived) NODISCARD;
result effect_gone(struct effects *e, uint64_t box, uint32_t uid) NODISCARD;
result effect_box(struct effects *e, enum box_effect_kind kind, const struct box_row *row, str name) NODISCARD;
void effects_apply(struct store *s, const struct effects *e);
void effects_free(struct effects *e);

#endif
