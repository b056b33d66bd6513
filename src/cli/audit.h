/* What `postern audit verify` reads: the files as they lie there, hostile or not.
 *
 * The folder's chain is read once, line by line, without believing anything but
 * the key. Owns its buffers; calls block. */
#ifndef CLI_AUDIT_H
#define CLI_AUDIT_H

#include "grammar/audit/audit_chain.h"
#include "grammar/audit/audit_name.h"

enum { AUDIT_PATH_MAX = 8192 };

struct audit_folder {
	const char *path;
	uint64_t *names; /* first records of the chain's files, in order */
	size_t n, cap;
};
result audit_folder_read(const char *path, struct audit_folder *out) NODISCARD; /* ABSENT, DENIED, DISK */
void audit_folder_free(struct audit_folder *f);
void audit_file_path(const struct audit_folder *f, enum audit_kind kind, uint64_t first, char out[AUDIT_PATH_MAX]);

struct audit_verdict {
	struct audit_chain chain;
	char file[64];     /* where the fault is; empty: there is none */
	uint64_t open_end; /* octets of an unfinished last line */
	uint64_t clear;    /* values in clear that fit their seals */
};
/* `chain` is begun, with its key, kept checkpoint and `from`. OK: look at the verdict. */
result audit_folder_check(const struct audit_folder *f, struct audit_verdict *v) NODISCARD;

#endif
