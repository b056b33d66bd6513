/* Lines of base64 as the octets they stand for, exactly restorable.
 *
 * Attachments are most of what mail weighs, and in base64 (RFC 2045 6.8) they
 * are a third larger than they are and hide from a packer what repeats in them.
 * Runs of at least ARMOUR_LINES lines of equal length that end with CRLF are
 * taken off; all else stays as it is.
 *
 * Layout, little-endian: the octets in their order, those of the runs decoded;
 * for each run u32 octets that stay before it, u32 lines, u8 groups of four
 * letters to a line; then u32 the number of runs. Owns nothing, nothing
 * suspends. */
#ifndef ENGINE_ARMOUR_H
#define ENGINE_ARMOUR_H

#include "base/buf.h"

enum {
	ARMOUR_LINES = 8,
	ARMOUR_GROUPS_MIN = 10, /* shorter lines are rather words */
	ARMOUR_GROUPS_MAX = 19, /* 76 letters, the longest that RFC 2045 allows */
	ARMOUR_SHARE = 8,       /* what it has to save of a text: an eighth */
};

/* Appends to `out`. False: it saves too little, or there is no memory; `out` then holds what it held. */
bool armour_off(str text, buf *out);
/* The text again, `size` octets. DAMAGE: it is no such layout or gives another size; LIMIT, MEMORY. */
result armour_on(str bare, size_t size, buf *out) NODISCARD;

#endif
