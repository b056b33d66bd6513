/* The audit log: a chain of records that nobody can rewrite (docs/audit.md).
 *
 * audit_add never waits: what it takes is written with the next flush, which
 * begins when the last one ended. audit_attest returns when its record is. On a full disk
 * attested records go on from a ballast, then are refused (FULL); others wait,
 * up to AUDIT_PENDING_MAX octets, and those that found no room are counted in a
 * record of their own. vault signs the head after AUDIT_SIGN_RECORDS records or
 * AUDIT_SIGN_MS, at a file's end, at the end, and when a checkpoint is asked for.
 *
 * Owns its memory, its thread and the files; one fiber does all the writing. */
#ifndef WATCH_AUDIT_H
#define WATCH_AUDIT_H

#include "base/arena.h"
#include "talk/web_watch.h"
#include "watch/audit_files.h"
#include "watch/entry.h"

enum {
	AUDIT_SIGN_RECORDS = 1000,
	AUDIT_SIGN_MS = 60000,
	AUDIT_RETRY_MS = 1000,         /* after a write that failed */
	AUDIT_SIGN_RETRY_MS = 10000,   /* after a signature that was not got */
	AUDIT_FORGET_MS = 3600 * 1000, /* how often old addresses are looked for */
	AUDIT_PENDING_MAX = 4 << 20,   /* octets of records that wait */
};

struct audit;

/* Where signatures come from: vault, or a test. Suspends. */
struct audit_signer {
	result (*sign)(void *ctx, const struct audit_checkpoint *head, unsigned char signature[AUDIT_SIGNATURE]);
	void *ctx;
};

struct audit_options {
	struct files *files;                /* of its folder; outlives it */
	struct audit_signer signer;
	unsigned char key[AUDIT_KEY];
	uint64_t signed_seq;                /* the last head that was signed, says vault */
	struct audit_hash signed_hash;
	int64_t forget_ms;                  /* 0: addresses stay */
};

/* After the jail, on a fiber. */
result audit_open(const struct audit_options *o, struct audit **out) NODISCARD;
void audit_add(struct audit *a, const struct entry *e);
result audit_attest(struct audit *a, const struct entry *e) NODISCARD;                   /* suspends */
/* The newest head, signed now if it was not. Suspends. */
result audit_checkpoint(struct audit *a, struct audit_checkpoint *out) NODISCARD;
void audit_close(struct audit **a); /* writes what waits, has it signed; suspends */

uint64_t audit_records(const struct audit *a); /* the number of the last one that is on the disk */
uint64_t audit_lost(const struct audit *a);

/* Some records, the newest first, as the owner of an account may see them. */
struct audit_question {
	uint64_t account; /* 0: of everybody */
	uint64_t before;  /* records before this number; 0: from the newest on */
	str since;        /* 2026-11-22T05:00:00.123Z or a beginning of it; empty: all */
};
result audit_show(struct audit *a, const struct audit_question *q, arena *m, struct web_watch_audit_records *out)
	NODISCARD; /* suspends */

#endif
