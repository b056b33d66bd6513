#include "grammar/audit/audit_name.h"

#include <stdio.h>

enum { DIGITS = 16 };

static const char *const prefixes[] = {
	[AUDIT_CHAIN_FILE] = "audit-", [AUDIT_CLEAR_FILE] = "clear-", [AUDIT_INDEX_FILE] = "index-",
	[AUDIT_DAMAGED_FILE] = "damaged-"};

struct audit_name audit_name_of(enum audit_kind kind, uint64_t first)
{
	struct audit_name n;
	snprintf(n.p, sizeof n.p, "%s%0*llu%s", prefixes[kind], DIGITS, (unsigned long long)first,
		 kind <= AUDIT_CLEAR_FILE ? ".jsonl" : "");
	return n;
}

bool audit_name_read(str name, uint64_t *first)
{
	uint64_t v;
	if (!str_to_u64(str_sub(name, strlen(prefixes[AUDIT_CHAIN_FILE]), DIGITS), &v) ||
	    !str_eq(name, str_from(audit_name_of(AUDIT_CHAIN_FILE, v).p)))
		return false;
	*first = v;
	return true;
}
