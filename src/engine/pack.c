#include "engine/pack.h"
#include "engine/seal_box.h"

#include <zstd.h>

enum { PLAIN = 0, ZSTD = 1 };

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

result pack(struct packer *p, str plain, buf *out)
{
	if (plain.n > PACK_MAX)
		return failure(FAIL_LIMIT, "the value is too long to be packed");
	if (plain.n < PACK_WORTH)
		return pack_plain(plain, out);
	if (!p->in && !(p->in = ZSTD_createCCtx()))
		return failure(FAIL_MEMORY, "out of memory");
	size_t room = plain.n - PACK_HEAD; /* else it would not shrink */
	size_t start = out->n;
	if (!buf_reserve(out, plain.n + PACK_HEAD))
		return buf_result(out);
	unsigned char *head = (unsigned char *)out->p + start;
	size_t n = ZSTD_compressCCtx(p->in, head + PACK_HEAD, room, plain.p, plain.n, PACK_LEVEL);
	if (ZSTD_isError(n))
		return pack_plain(plain, out);
	head[0] = ZSTD;
	box_put_u32(head + 1, (uint32_t)plain.n);
	out->n = start + PACK_HEAD + n;
	return OK;
}

result unpacked_size(str packed, size_t *out)
{
	if (packed.n > 0 && packed.p[0] == PLAIN) {
		*out = packed.n - 1;
		return OK;
	}
	if (packed.n < PACK_HEAD || packed.p[0] != ZSTD)
		return failure(FAIL_DAMAGE, "a packed value does not begin as one");
	*out = box_get_u32((const unsigned char *)packed.p + 1);
	return *out <= PACK_MAX ? OK : failure(FAIL_DAMAGE, "a packed value claims to be too long");
}

result unpack(struct packer *p, str packed, buf *out)
{
	size_t size;
	TRY(unpacked_size(packed, &size));
	if (packed.p[0] == PLAIN) {
		buf_put(out, str_skip(packed, 1));
		return buf_result(out);
	}
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
