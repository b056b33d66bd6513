/* Small compression for what lies in rows and in body files: one byte says
 * how (0 as it is, 1 zstd, 2 without its base64), then for the last two four
 * bytes of size (little-endian) and a frame (RFC 8878), or what engine/armour.h
 * left over, itself packed. What does not shrink is kept as it is, and what is
 * shorter than PACK_WORTH too: to begin a frame costs as much as a KiB in it.
 *
 * Nothing here is sealed: rows lie in sealed pages, body files seal their
 * pieces. A packer keeps zstd's work memory between calls (some 100 KB);
 * packer_trim gives it back. Used by one thread at a time; nothing suspends.
 * Errors: LIMIT (over PACK_MAX or the buf's ceiling), MEMORY, DAMAGE. */
#ifndef ENGINE_PACK_H
#define ENGINE_PACK_H

#include "base/buf.h"

enum {
	PACK_MAX = 64 << 20, /* bytes of one packed value, in clear */
	PACK_LEVEL = 1,
	PACK_BRIEF_LOG = 12,
	PACK_BRIEF = 1 << PACK_BRIEF_LOG, /* octets of what is short */
	PACK_BRIEF_HASH = 10, /* log of its table's entries, of four octets */
	PACK_HEAD = 5,
	PACK_WORTH = 256, /* octets, from which on packing is tried */
	PACK_SAMPLE = 4096, /* of what was base64: where so many do not shrink, the rest is not tried */
};

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

struct packer {
	struct ZSTD_CCtx_s *in;
	struct ZSTD_DCtx_s *out;
};

void packer_trim(struct packer *p); /* also frees it */

result pack(struct packer *p, str plain, buf *out) NODISCARD;    /* appends */
result unpack(struct packer *p, str packed, buf *out) NODISCARD; /* appends */
result unpacked_size(str packed, size_t *out) NODISCARD;

#endif
