/* Body files: a large body, sealed in pieces of 64 KiB, under a key of its own.
 *
 * The key is drawn when the body is put and kept by the caller, in the row
 * that names the body; the file's name follows from the key, so the key is
 * all there is to keep, and without it the file is noise. Erasing the key
 * erases the body. blob_put returns when the bytes and the name are durable;
 * the row is committed after that. A crash in between leaves an orphan, which
 * blob_sweep removes.
 *
 * File: a sealed header of 48 bytes (magic, size, pieces, where the index is),
 * the pieces (packed by pack.h, then XChaCha20-Poly1305 with kind, index and
 * "last" as nonce: each key seals one file once), the sealed index (u32 length
 * per piece), zeros to a whole block. A piece that was changed, moved or cut off is DAMAGE.
 *
 * Calls block on the disk; nothing suspends a fiber. One thread at a time uses
 * a blob. Errors: ABSENT, FULL, DISK, DAMAGE, LIMIT, MEMORY. */
#ifndef ENGINE_BLOB_H
#define ENGINE_BLOB_H

#include "engine/files.h"
#include "engine/pack.h"

enum {
	BLOB_KEY = 32,
	BLOB_PIECE = 64 << 10,
	BLOB_SIZE_MAX = 1 << 30, /* bytes of one body */
	BLOB_NAME = 32,          /* hexadecimal digits, then ".body" */
};

struct blob_key {
	unsigned char b[BLOB_KEY];
};

struct blob_name {
	char text[BLOB_NAME + sizeof ".body"];
};

struct blob;

result blob_put(struct files *f, struct packer *p, str body, struct blob_key *out) NODISCARD;
result blob_open(struct files *f, const struct blob_key *key, struct blob **out) NODISCARD;
uint64_t blob_size(const struct blob *b);
/* Appends n bytes from `at`, cut to what is there; opens only the pieces it needs. */
result blob_read(struct blob *b, uint64_t at, uint64_t n, buf *out) NODISCARD;
void blob_close(struct blob **b);
result blob_delete(struct files *f, const struct blob_key *key) NODISCARD; /* ABSENT when it is gone */

void blob_name_of(const struct blob_key *key, struct blob_name *out);
/* Removes what a crash left: half-written files, and bodies that `wanted` does not know. */
result blob_sweep(struct files *f, bool (*wanted)(void *ctx, str name), void *ctx) NODISCARD;

#define AUTO_BLOB __attribute__((cleanup(blob_close)))

#endif
