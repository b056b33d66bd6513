/* The names of the audit log's files (docs/audit.md): audit-N.jsonl, clear-N.jsonl
 * and index-N, where N, in 16 digits, is the number of the first record of the
 * chain's file; damaged-N is a beginning that a crash left without a record. No sockets, no clock; nothing suspends. */
#ifndef GRAMMAR_AUDIT_NAME_H
#define GRAMMAR_AUDIT_NAME_H

#include "base/str.h"

enum { AUDIT_NAMES_MAX = 1 << 20 }; /* files of the chain in one folder */

enum audit_kind { AUDIT_CHAIN_FILE, AUDIT_CLEAR_FILE, AUDIT_INDEX_FILE, AUDIT_DAMAGED_FILE };
struct audit_name {
	char p[32];
};
struct audit_name audit_name_of(enum audit_kind kind, uint64_t first);
/* Is it the name of a file of the chain? Only what audit_name_of prints is. */
bool audit_name_read(str name, uint64_t *first);

#endif
