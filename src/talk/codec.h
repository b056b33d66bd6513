/* Between a message's struct and its octets in a packet, by the tables of shape.h.
 *
 * Octets: the fields in the order of their declaration; numbers little-endian;
 * str and list behind a u32 count; bool and enum one octet; an optional fd and
 * a body one octet that tells whether a descriptor comes along, then for a body
 * u32 + octets or u64 size. One message has exactly one spelling: whatever
 * decodes encodes to the same octets again.
 *
 * Encoding borrows: long strings are not copied but named as pieces, so the
 * message must stay until the packet is sent; memfds made on the way belong to
 * the talk_out. Decoding gives views into the packet, lists in the arena, and
 * takes the descriptors it gives out: talk_release closes and unmaps what the
 * message still holds. Errors: LIMIT (longer than declared, or the arena),
 * MEMORY; of decoding PEER for all that is not as declared. Nothing suspends. */
#ifndef TALK_CODEC_H
#define TALK_CODEC_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/log.h"
#include "talk/body.h"
#include "talk/shape.h"

enum { TALK_PIECES = 8, TALK_PIECE_MIN = 4096 };

struct talk_piece {
	size_t at; /* goes before bytes.p[at] */
	str s;
};

struct talk_out {
	buf bytes; /* kept and used again by talk_out_clear */
	struct talk_piece pieces[TALK_PIECES];
	size_t pieces_n;
	size_t total; /* octets of bytes and pieces */
	int fds[TALK_FDS_MAX];
	size_t fds_n;
	int made[TALK_FDS_MAX]; /* memfds made for this packet, closed with it */
	size_t made_n;
	result error;
};

struct talk_out talk_out_new(void);
void talk_out_clear(struct talk_out *out);
void talk_out_free(struct talk_out *out);
/* Appends; on error the packet is not to be sent. */
result talk_encode(const struct talk_shape *s, const void *m, struct talk_out *out) NODISCARD;
/* All octets in one run, for what cannot gather. */
void talk_out_flatten(const struct talk_out *out, buf *to);

struct talk_in {
	cursor at;
	arena *arena;
	int fds[TALK_FDS_MAX]; /* -1 once taken */
	size_t fds_n;
	size_t fds_taken;
	bool fds_lost; /* some came that this process had no number left for */
	const struct talk_field *wrong; /* where decoding stopped, for the log; may be NULL */
	result error;
};

/* `m` is zeroed first; on error it holds nothing. All octets and descriptors
 * must be used up. What was not taken stays in in->fds: talk_in_close. */
result talk_decode(const struct talk_shape *s, struct talk_in *in, void *m) NODISCARD;
void talk_in_close(struct talk_in *in);

void talk_release(const struct talk_shape *s, void *m);
/* One line for debugging: name and fields; secrets as ***, long values cut. */
void talk_print(const struct talk_shape *s, const void *m, buf *out);

/* A handler that keeps a descriptor takes it out of the message. */
static inline int talk_take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

#endif
