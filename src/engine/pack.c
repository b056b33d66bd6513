#include "engine/pack.h"
#include "engine/armour.h"
#include "engine/seal_box.h"

#include <zstd.h>

enum { PLAIN = 0, ZSTD = 1, BARE = 2 };

void packer_trim(struct packer *p)
{
	ZSTD_freeCCtx(p->in);
	ZSTD_freeDCtx(p->out);
	*p = (struct packer){0};
}

static result pack_plain(str plain, buf *out)
{
	buf_putc(out, PLAIN);
	buf_put(out, plain);
	return buf_result(out);
}

static void put_head(unsigned char how, size_t size, char *p)
{
	p[0] = (char)how;
	box_put_u32((unsigned char *)p + 1, (uint32_t)size);
}

/* For what is short a table of 4 KiB finds as much as the level's of 32, which every process would have to drag through
 * the caches of the processor for each message. */
static size_t compress(struct packer *p, char *to, size_t room, str plain)
{
	bool brief = plain.n <= PACK_BRIEF;
	size_t n = ZSTD_CCtx_reset(p->in, ZSTD_reset_session_only); /* one that found no room has not ended */
	if (!ZSTD_isError(n))
		n = ZSTD_CCtx_setParameter(p->in, ZSTD_c_compressionLevel, PACK_LEVEL);
	if (!ZSTD_isError(n))
		n = ZSTD_CCtx_setParameter(p->in, ZSTD_c_windowLog, brief ? PACK_BRIEF_LOG : 0);
	if (!ZSTD_isError(n))
		n = ZSTD_CCtx_setParameter(p->in, ZSTD_c_hashLog, brief ? PACK_BRIEF_HASH : 0);
	return ZSTD_isError(n) ? n : ZSTD_compress2(p->in, to, room, plain.p, plain.n);
}

static result pack_zstd(struct packer *p, str plain, buf *out)
{
	size_t room = plain.n - PACK_HEAD; /* else it would not shrink */
	size_t start = out->n;
	if (!buf_reserve(out, plain.n + PACK_HEAD))
		return buf_result(out);
	char *head = out->p + start;
	size_t n = compress(p, head + PACK_HEAD, room, plain);
	if (ZSTD_isError(n))
		return pack_plain(plain, out);
	put_head(ZSTD, plain.n, head);
	out->n = start + PACK_HEAD + n;
	return OK;
}

/* Pictures, archives and the like shrink nowhere: a piece from their middle tells. */
static bool shrinks(struct packer *p, str bare)
{
	char packed[PACK_SAMPLE];
	if (bare.n < 2 * PACK_SAMPLE)
		return true;
	size_t n = compress(p, packed, sizeof packed - PACK_SAMPLE / 32, str_sub(bare, bare.n / 2, PACK_SAMPLE));
	return !ZSTD_isError(n);
}

static result pack_bare(struct packer *p, str bare, size_t size, buf *out)
{
	char head[PACK_HEAD];
	put_head(BARE, size, head);
	buf_put(out, str_of(head, sizeof head));
	return shrinks(p, bare) ? pack_zstd(p, bare, out) : pack_plain(bare, out);
}

result pack(struct packer *p, str plain, buf *out)
{
	if (plain.n > PACK_MAX)
		return failure(FAIL_LIMIT, "the value is too long to be packed");
	if (plain.n < PACK_WORTH)
		return pack_plain(plain, out);
	if (!p->in && !(p->in = ZSTD_createCCtx()))
		return failure(FAIL_MEMORY, "out of memory");
	AUTO_BUF buf bare = buf_new(plain.n);
	return armour_off(plain, &bare) ? pack_bare(p, buf_str(&bare), plain.n, out) : pack_zstd(p, plain, out);
}

result unpacked_size(str packed, size_t *out)
{
	if (packed.n > 0 && packed.p[0] == PLAIN) {
		*out = packed.n - 1;
		return OK;
	}
	if (packed.n < PACK_HEAD || (packed.p[0] != ZSTD && packed.p[0] != BARE))
		return failure(FAIL_DAMAGE, "a packed value does not begin as one");
	*out = box_get_u32((const unsigned char *)packed.p + 1);
	return *out <= PACK_MAX ? OK : failure(FAIL_DAMAGE, "a packed value claims to be too long");
}

static result unpack_zstd(struct packer *p, str packed, size_t size, buf *out)
{
	if (!p->out && !(p->out = ZSTD_createDCtx()))
		return failure(FAIL_MEMORY, "out of memory");
	if (!buf_reserve(out, size + 1))
		return buf_result(out);
	size_t n = ZSTD_decompressDCtx(p->out, out->p + out->n, size, packed.p + PACK_HEAD, packed.n - PACK_HEAD);
	if (ZSTD_isError(n) || n != size)
		return failure(FAIL_DAMAGE, "a packed value does not unpack");
	out->n += size;
	return OK;
}

static result unpack_bare(struct packer *p, str packed, size_t size, buf *out)
{
	str inner = str_skip(packed, PACK_HEAD);
	size_t n;
	TRY(unpacked_size(inner, &n));
	if (inner.p[0] == PLAIN)
		return armour_on(str_skip(inner, 1), size, out);
	if (inner.p[0] != ZSTD || n > size)
		return failure(FAIL_DAMAGE, "a packed value does not unpack");
	AUTO_BUF buf bare = buf_new(size + 1);
	TRY(unpack_zstd(p, inner, n, &bare));
	return armour_on(buf_str(&bare), size, out);
}

result unpack(struct packer *p, str packed, buf *out)
{
	size_t size;
	TRY(unpacked_size(packed, &size));
	if (packed.p[0] == BARE)
		return unpack_bare(p, packed, size, out);
	if (packed.p[0] == ZSTD)
		return unpack_zstd(p, packed, size, out);
	buf_put(out, str_skip(packed, 1));
	return buf_result(out);
}
