#include "account/store/rights.h"
#include "account/store/core.h"

static const struct {
	const char *name;
	unsigned who;
} rights[STORE_OPS] = {
#define X(OP, WHO) [OP] = {#OP, WHO},
	STORE_RIGHTS(X)
#undef X
};

result store_may(const struct actor *a, enum store_op op)
{
	if (!(rights[op].who & (1U << a->kind)))
		return failure(FAIL_DENIED, "you may not do that here");
	if (a->store->broken)
		return failure(FAIL_MEMORY, "the account ran out of memory and is starting anew; try again");
	return OK;
}

unsigned store_op_rights(enum store_op op)
{
	return rights[op].who;
}

const char *store_op_name(enum store_op op)
{
	return rights[op].name;
}
