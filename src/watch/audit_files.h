/* The audit log's files, in a folder of their own (docs/audit.md):
 *
 *   audit-N.jsonl   the chain; N is the number of its first record. Appended to
 *                   until the next one is begun, then never written again
 *   clear-N.jsonl   addresses and salts of its sealed fields, until forgotten
 *   index-N         which accounts a finished file names: u64 little-endian, in order
 *   ballast         room for acts of administrators on a full disk
 *
 * An append is on the disk when it returns OK; else nothing of it counts, and
 * the next append cuts off what is there of it. Calls block, one at a time: at
 * the start, then on a worker. Nothing suspends. FULL, DISK, DAMAGE, MEMORY. */
#ifndef WATCH_AUDIT_FILES_H
#define WATCH_AUDIT_FILES_H

#include "engine/files.h"
#include "grammar/audit/audit_chain.h"
#include "grammar/audit/audit_name.h"

enum {
	AUDIT_FILE_MAX = 8 << 20,  /* octets at which the next file is begun */
	AUDIT_DAY = 10,            /* 2026-11-22 */
};

struct audit_set { /* account numbers, in order */
	uint64_t *p;
	size_t n, cap;
};
bool audit_set_add(struct audit_set *s, uint64_t account);
bool audit_set_has(const struct audit_set *s, uint64_t account);
void audit_set_free(struct audit_set *s);

struct audit_files {
	struct files *f;
	struct file *chain, *clear;
	uint64_t first;               /* of the file at work; 0: none */
	uint64_t chain_n, clear_n;    /* octets that count */
	char day[AUDIT_DAY];          /* of its first record */
	bool ragged;                  /* more than these octets may be there */
	struct audit_set accounts;    /* that the file at work names */
	uint64_t *names;              /* first records of all files, in order */
	size_t names_n, names_cap;
	size_t forgotten;             /* files from the oldest on that have no clear values any more */
};

/* What the last run left: where the chain ends, and what stands behind that. */
struct audit_tail {
	uint64_t last;
	struct audit_hash head;
	uint64_t rest; /* octets; more than 0: a new file must be begun */
	struct audit_hash rest_hash;
};
result audit_files_open(struct audit_files *a, struct files *f, const unsigned char key[AUDIT_KEY],
			struct audit_tail *out) NODISCARD;
void audit_files_close(struct audit_files *a);

result audit_files_begin(struct audit_files *a, uint64_t first, const char day[AUDIT_DAY]) NODISCARD;
result audit_files_append(struct audit_files *a, str chain, str clear) NODISCARD;
/* Removes the clear values of finished files whose last day is before that one. *n: how many files. */
result audit_files_forget(struct audit_files *a, const char day[AUDIT_DAY], uint64_t *n) NODISCARD;

/* Reads a file line by line. */
struct audit_reader {
	struct file *file;
	uint64_t at;   /* of the next line */
	uint64_t end;  /* no further than here */
	buf kept;
	size_t used;
};
result audit_reader_open(struct audit_reader *r, struct files *f, enum audit_kind kind, uint64_t first) NODISCARD;
/* LF included, where there is one; empty at the end. The view ends with the next call. */
result audit_reader_next(struct audit_reader *r, str *line) NODISCARD;
void audit_reader_close(struct audit_reader *r);

#endif
