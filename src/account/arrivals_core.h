/* What writing and reading arrivals share. Both run where they may block. */
#ifndef ACCOUNT_ARRIVALS_CORE_H
#define ACCOUNT_ARRIVALS_CORE_H

#include <sodium.h>

#include "account/arrivals.h"
#include "base/hash.h"
#include "engine/files.h"
#include "run/worker.h"

enum {
	RECORD_KEY = crypto_secretstream_xchacha20poly1305_KEYBYTES,
	STREAM_HEADER = crypto_secretstream_xchacha20poly1305_HEADERBYTES,
	STREAM_MORE = crypto_secretstream_xchacha20poly1305_ABYTES,
	HEAD_NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	HEAD_TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	RECORD_HASH = 32,
};

/* A header in clear. */
struct record {
	uint64_t length;  /* of the octets that follow the header */
	uint64_t durable; /* everything in this file before here was, when this was written */
	uint64_t size;    /* of the letter, as a quota counts it */
	trace_id delivery;
	unsigned char key[RECORD_KEY + OWNER_BOX_MORE];
	unsigned char stream[STREAM_HEADER];
	unsigned char hash[RECORD_HASH];
};
enum {
	HEAD_PLAIN = 3 * 8 + sizeof(trace_id) + RECORD_KEY + OWNER_BOX_MORE + STREAM_HEADER + RECORD_HASH,
	HEAD_SIZE = HEAD_NONCE + HEAD_PLAIN + HEAD_TAG,
	FILE_HEAD = ARRIVALS_ALIGN,
};

struct arrivals_file {
	char path[32];
};
struct arrivals_file arrivals_path(uint64_t number);
#define ARRIVALS_ASIDE ".damaged" /* behind the name of one that is kept for who wants to look at it */

struct arrivals {
	struct files *files;
	unsigned char key[32];
	struct owner_public owner;
	uint64_t count, octets;
	uint64_t first;        /* number of the first file; 0: none */
	uint64_t safe_number;  /* files before this one are through, */
	uint64_t safe_end;     /* and this one is durable up to here; UINT64_MAX: nobody appends to it */
	unsigned adding;       /* calls under way */
	struct worker *worker; /* NULL until the first record */
	/* The thread's, once it has begun: */
	uint64_t last;     /* number of the last file */
	struct file *file; /* NULL: the next record begins one */
	unsigned char name[ARRIVALS_FILE];
	uint64_t end;      /* where it is written further */
};

static inline uint64_t record_end(uint64_t at, const struct record *r)
{
	return (at + HEAD_SIZE + r->length + ARRIVALS_ALIGN - 1) / ARRIVALS_ALIGN * ARRIVALS_ALIGN;
}

struct record_place {
	const unsigned char *key, *file; /* the vault's; the file's name */
	uint64_t at;
};
/* False: there is none. */
bool record_open(const struct record_place *p, const unsigned char sealed[HEAD_SIZE], struct record *out);

/* Opens arrivals-K and reads its name; DAMAGE when it has none. */
result arrivals_open_file(struct arrivals *a, uint64_t number, struct file **out, unsigned char name[ARRIVALS_FILE])
	NODISCARD;
/* The header at `at`, if it opens; ABSENT: none there. */
result arrivals_header(struct file *f, const struct record_place *p, struct record *out) NODISCARD;

#endif
