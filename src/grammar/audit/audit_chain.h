/* Does the audit log hold together? Given every line in order, file by file, it
 * says whether a record was changed, cut out, moved or put in, whether vault
 * signed what is there, and whether a checkpoint kept elsewhere is met.
 *
 * The caller reads: audit_chain_file at each file, audit_chain_line for each of
 * its lines, LF included (false: from here on the file does not fit), then, if
 * something did not fit, audit_chain_rest with how much and its hash: what a crash
 * left unfinished is forgiven when the next file's first record names both. At
 * the end audit_chain_end. With `from` set the log begins there, at a file's first
 * record, and what came before is not looked at. Owns nothing; nothing suspends. */
#ifndef GRAMMAR_AUDIT_CHAIN_H
#define GRAMMAR_AUDIT_CHAIN_H

#include "grammar/audit/audit_line.h"

enum { AUDIT_KEY = 32 };

enum audit_fault {
	AUDIT_WHOLE,
	AUDIT_CHANGED,   /* a record is not what was written, or no record at all */
	AUDIT_CUT,       /* records are missing */
	AUDIT_REORDERED, /* records, or whole files, stand in another order */
	AUDIT_INSERTED,  /* a number occurs again */
	AUDIT_FORGED,    /* a signature is wrong, or of another key */
	AUDIT_CLEARED,   /* a value in clear is not the one that was sealed */
};

struct audit_checkpoint {
	uint64_t seq;
	struct audit_hash hash;
	char time[AUDIT_TIME];
	unsigned char key[AUDIT_KEY];
	unsigned char signature[AUDIT_SIGNATURE];
};
/* What is signed: "postern audit checkpoint\nSEQ\nTIME\nHASH\n"; the signature is
 * Ed25519 (RFC 8032) of that text. */
struct audit_statement {
	char p[160];
	size_t n;
};
struct audit_statement audit_statement_of(uint64_t seq, const char time[AUDIT_TIME], const struct audit_hash *hash);
bool audit_checkpoint_signed(const struct audit_checkpoint *c);

struct audit_chain {
	const unsigned char *key;             /* AUDIT_KEY octets: the vault's */
	const struct audit_checkpoint *kept;  /* from elsewhere; may be NULL */
	uint64_t from;                        /* 0: the log is here from its first record on */
	uint64_t last;                        /* the last record that fits, */
	struct audit_hash head;               /* and its hash */
	uint64_t signed_to, signatures, unfinished;
	bool met;                             /* `kept` is in the chain */
	bool begins;                          /* the next line is a file's first */
	uint64_t file;                        /* what the file's name says its first record is */
	/* What does not fit so far, and would be forgiven to a crash. */
	enum audit_fault fault;
	uint64_t at;                          /* the record */
	const char *why;
	uint64_t rest;
	struct audit_hash rest_hash;
	bool final;                           /* no crash leaves such a thing */
};

void audit_chain_begin(struct audit_chain *c, const unsigned char key[AUDIT_KEY]);
void audit_chain_file(struct audit_chain *c, uint64_t first);
bool audit_chain_line(struct audit_chain *c, str line);
void audit_chain_rest(struct audit_chain *c, uint64_t octets, const struct audit_hash *hash);
/* True when all is well; else fault, at and why say what is not. */
bool audit_chain_end(struct audit_chain *c);
const char *audit_fault_name(enum audit_fault fault); /* "changed" */

#endif
