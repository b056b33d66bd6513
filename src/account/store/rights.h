/* Who may do what: one table from operation to the actors that have the right.
 *
 * Every operation of the store begins with store_may. Nothing suspends. */
#ifndef ACCOUNT_STORE_RIGHTS_H
#define ACCOUNT_STORE_RIGHTS_H

#include "account/store/store.h"

#define BY_OWNER (1U << ACTOR_OWNER)
#define BY_COURIER (1U << ACTOR_COURIER)
#define BY_ADMINISTRATOR (1U << ACTOR_ADMINISTRATOR)

/* X(operation, who may). An administrator never reads or changes mail. */
#define STORE_RIGHTS(X)                                     \
	X(OP_USAGE, BY_OWNER | BY_COURIER | BY_ADMINISTRATOR)   \
	X(OP_QUOTA_SET, BY_ADMINISTRATOR)                       \
	X(OP_TRIM, BY_ADMINISTRATOR)                            \
	X(OP_CHECK, BY_ADMINISTRATOR)                           \
	X(OP_MAY_TAKE, BY_OWNER | BY_COURIER)                   \
	X(OP_DELIVER, BY_COURIER)                               \
	X(OP_LIST, BY_OWNER)                                    \
	X(OP_STATUS, BY_OWNER)                                  \
	X(OP_CREATE, BY_OWNER)                                  \
	X(OP_DELETE, BY_OWNER)                                  \
	X(OP_RENAME, BY_OWNER)                                  \
	X(OP_SUBSCRIBE, BY_OWNER)                               \
	X(OP_VIEW, BY_OWNER)                                    \
	X(OP_READ, BY_OWNER)                                    \
	X(OP_APPEND, BY_OWNER)                                  \
	X(OP_FLAGS, BY_OWNER)                                   \
	X(OP_EXPUNGE, BY_OWNER)                                 \
	X(OP_COPY, BY_OWNER)                                    \
	X(OP_MOVE, BY_OWNER)

enum store_op {
#define X(OP, WHO) OP,
	STORE_RIGHTS(X)
#undef X
	STORE_OPS
};

/* OK or DENIED; also CLOSED or MEMORY when the store cannot go on. */
result store_may(const struct actor *a, enum store_op op) NODISCARD;
unsigned store_op_rights(enum store_op op);   /* BY_... */
const char *store_op_name(enum store_op op);

#endif
