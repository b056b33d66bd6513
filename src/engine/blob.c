#include "engine/blob.h"
#include "base/mem.h"
#include "engine/seal_box.h"

#include <sodium.h>
#include <stdio.h>

enum {
	TAG = AEAD_TAG,
	HEAD = 32,
	PIECES_AT = HEAD + TAG,
	UNIT_MAX = BLOB_PIECE + PACK_HEAD + TAG,
	GATHER_MAX = 256 << 10, /* written at once, and one more part */
	MEMORY_MAX = 2 * FILES_BLOCK + GATHER_MAX + 2 * UNIT_MAX + FILES_BLOCK,
};

enum part { PART_HEAD, PART_INDEX, PART_PIECE };

static const uint64_t magic = 0x3179646f426e7450; /* "PtnBody1" */

struct blob {
	struct file *file;
	struct blob_key key;
	struct packer packer;
	uint64_t size;
	uint32_t pieces;
	uint64_t *starts; /* pieces + 1 offsets in the file */
};

/* The place in the file that a sealed part belongs to. */
struct place {
	enum part part;
	uint64_t index;
	bool last;
};

static void nonce_of(struct place at, unsigned char out[BOX_NONCE])
{
	memset(out, 0, BOX_NONCE);
	out[0] = (unsigned char)at.part;
	out[1] = at.last;
	box_put_u64(out + 2, at.index);
}

/* In place: n bytes become n + TAG. */
static void seal(const struct blob_key *key, struct place at, unsigned char *p, size_t n)
{
	unsigned char nonce[BOX_NONCE];
	nonce_of(at, nonce);
	aead_seal(&(struct aead_use){key->b, nonce, STR("")}, p, n, p + n);
}

static bool unseal(const struct blob_key *key, struct place at, unsigned char *p, size_t n)
{
	unsigned char nonce[BOX_NONCE];
	nonce_of(at, nonce);
	return n >= TAG && aead_open(&(struct aead_use){key->b, nonce, STR("")}, p, n - TAG, p + n - TAG);
}

static uint32_t pieces_of(uint64_t size)
{
	return (uint32_t)((size + BLOB_PIECE - 1) / BLOB_PIECE);
}

void blob_name_of(const struct blob_key *key, struct blob_name *out)
{
	static const unsigned char label[] = "Postern body name";
	unsigned char digest[BLOB_NAME / 2];
	crypto_generichash(digest, sizeof digest, label, sizeof label - 1, key->b, BLOB_KEY);
	sodium_bin2hex(out->text, sizeof out->text, digest, sizeof digest);
	memcpy(out->text + BLOB_NAME, ".body", sizeof ".body");
}

static void part_name_of(const struct blob_name *name, struct blob_name *out)
{
	*out = *name;
	memcpy(out->text + BLOB_NAME, ".part", sizeof ".part");
}

/* Putting. */

/* Parts are sealed where they are gathered, for few large writes past the
 * system's cache: a copy there costs as much as the sealing, and mail that
 * comes in is seldom read at once. The file's first block, which the header
 * completes, is the last one written. */
struct writer {
	struct file *file;
	const struct blob_key *key;
	struct packer *packer;
	buf memory;   /* some octets to be aligned, the first block, what is gathered */
	size_t start; /* of what is gathered, in memory */
	uint64_t at;  /* in the file: where what is gathered belongs */
	buf index;
};

static result begin_gathering(struct writer *w)
{
	if (!buf_reserve(&w->memory, MEMORY_MAX))
		return buf_result(&w->memory);
	w->start = -(uintptr_t)w->memory.p % FILES_BLOCK + FILES_BLOCK;
	w->memory.n = w->start + PIECES_AT;
	memset(w->memory.p, 0, w->memory.n);
	return OK;
}

static uint64_t end_of(const struct writer *w)
{
	return w->at + (w->memory.n - w->start);
}

static char *first_block(const struct writer *w)
{
	return w->memory.p + w->start - (w->at ? FILES_BLOCK : 0);
}

/* What is gathered, but for the first block, in whole blocks; what is left over begins the next. */
static result write_gathered(struct writer *w)
{
	char *from = w->memory.p + w->start;
	size_t gathered = w->memory.n - w->start, rest = gathered % FILES_BLOCK, n = gathered - rest;
	size_t held = w->at ? 0 : FILES_BLOCK;
	TRY(file_write_blocks(w->file, w->at + held, str_of(from + held, n - held), false));
	memcpy(from - held, from, held);
	memmove(from, from + n, rest);
	w->memory.n = w->start + rest;
	w->at += n;
	return OK;
}

/* Zeros behind the end make the last block whole. */
static result write_last(struct writer *w)
{
	size_t short_of = -(w->memory.n - w->start) % FILES_BLOCK;
	if (!buf_reserve(&w->memory, short_of))
		return buf_result(&w->memory);
	memset(w->memory.p + w->memory.n, 0, short_of);
	w->memory.n += short_of;
	TRY(file_write_blocks(w->file, w->at, str_skip(buf_str(&w->memory), w->start), false));
	return w->at ? file_write_blocks(w->file, 0, str_of(first_block(w), FILES_BLOCK), false) : OK;
}

/* Seals what lies in memory from there on. */
static result seal_part(struct writer *w, struct place place, size_t from)
{
	size_t n = w->memory.n - from;
	if (!buf_reserve(&w->memory, TAG))
		return buf_result(&w->memory);
	seal(w->key, place, (unsigned char *)w->memory.p + from, n);
	w->memory.n += TAG;
	return OK;
}

static void put_u32(buf *b, uint32_t v)
{
	unsigned char bytes[4];
	box_put_u32(bytes, v);
	buf_put(b, str_of((const char *)bytes, 4));
}

static result put_piece(struct writer *w, struct place place, str plain)
{
	size_t from = w->memory.n;
	TRY(pack(w->packer, plain, &w->memory));
	TRY(seal_part(w, place, from));
	put_u32(&w->index, (uint32_t)(w->memory.n - from));
	if (w->memory.n - w->start >= GATHER_MAX)
		TRY(write_gathered(w));
	return buf_result(&w->index);
}

static result put_ends(struct writer *w, str body)
{
	unsigned char head[PIECES_AT];
	box_put_u64(head, magic);
	box_put_u64(head + 8, body.n);
	box_put_u64(head + 16, end_of(w));
	box_put_u64(head + 24, pieces_of(body.n));
	seal(w->key, (struct place){PART_HEAD, 0, true}, head, HEAD);
	size_t from = w->memory.n;
	buf_put(&w->memory, buf_str(&w->index));
	TRY(buf_result(&w->memory));
	TRY(seal_part(w, (struct place){PART_INDEX, 0, true}, from));
	memcpy(first_block(w), head, sizeof head);
	return write_last(w);
}

static result put_all(struct writer *w, str body)
{
	uint32_t pieces = pieces_of(body.n);
	TRY(begin_gathering(w));
	for (uint32_t i = 0; i < pieces; i++) {
		struct place place = {PART_PIECE, i, i + 1 == pieces};
		TRY(put_piece(w, place, str_sub(body, (size_t)i * BLOB_PIECE, BLOB_PIECE)));
	}
	TRY(put_ends(w, body));
	return file_sync(w->file);
}

static result put_file(struct files *f, struct writer *w, str body, const char *name)
{
	TRY(files_open(f, name, FILES_NEW | FILES_BLOCKS, &w->file));
	result r = put_all(w, body);
	file_close(&w->file);
	return r;
}

result blob_put(struct files *f, struct packer *p, str body, struct blob_key *out)
{
	if (body.n > BLOB_SIZE_MAX)
		return failure(FAIL_LIMIT, "the body is too large to be stored");
	struct blob_key key;
	struct blob_name name, part;
	randombytes_buf(key.b, BLOB_KEY);
	blob_name_of(&key, &name);
	part_name_of(&name, &part);
	struct writer w = {.key = &key, .packer = p, .memory = buf_new(MEMORY_MAX),
		.index = buf_new((size_t)pieces_of(body.n) * 4)};
	result r = put_file(f, &w, body, part.text);
	if (!failed(r))
		r = files_rename(f, part.text, name.text);
	if (!failed(r))
		r = files_sync_folder(f);
	else
		(void)!failed(files_unlink(f, part.text)); /* else a sweep finds it */
	buf_free(&w.memory);
	buf_free(&w.index);
	if (!failed(r))
		*out = key;
	sodium_memzero(&key, sizeof key);
	return r;
}

/* Getting. */

static result damaged(void)
{
	return failure(FAIL_DAMAGE, "a stored body does not authenticate; restore it from a backup");
}

static result get_part(struct blob *b, struct place place, uint64_t at, str unit)
{
	size_t n = unit.n;
	unsigned char *p = (unsigned char *)(uintptr_t)unit.p;
	TRY(file_read(b->file, at, p, &n));
	return n == unit.n && unseal(&b->key, place, p, n) ? OK : damaged();
}

/* Behind the last part: zeros to a whole block, or nothing (files of the first versions). */
static bool is_end(const unsigned char *p, size_t n, uint64_t at)
{
	return n == 0 || (n == -at % FILES_BLOCK && sodium_is_zero(p, n));
}

static result get_index(struct blob *b, uint64_t at)
{
	size_t n = (size_t)b->pieces * 4 + TAG, got = n + FILES_BLOCK;
	AUTO_MEM unsigned char *index = mem_alloc(got);
	b->starts = mem_array((size_t)b->pieces + 1, sizeof *b->starts);
	if (!index || !b->starts)
		return failure(FAIL_MEMORY, "out of memory");
	TRY(file_read(b->file, at, index, &got));
	if (got < n || !unseal(&b->key, (struct place){PART_INDEX, 0, true}, index, n))
		return damaged();
	if (!is_end(index + n, got - n, at + n))
		return damaged();
	b->starts[0] = PIECES_AT;
	for (uint32_t i = 0; i < b->pieces; i++) {
		uint32_t length = box_get_u32(index + 4 * (size_t)i);
		if (length <= TAG || length > UNIT_MAX)
			return damaged();
		b->starts[i + 1] = b->starts[i] + length;
	}
	return b->starts[b->pieces] == at ? OK : damaged();
}

static result get_ends(struct blob *b)
{
	unsigned char head[HEAD + TAG];
	TRY(get_part(b, (struct place){PART_HEAD, 0, true}, 0, str_of((char *)head, sizeof head)));
	b->size = box_get_u64(head + 8);
	if (box_get_u64(head) != magic || b->size > BLOB_SIZE_MAX || box_get_u64(head + 24) != pieces_of(b->size))
		return damaged();
	b->pieces = pieces_of(b->size);
	return get_index(b, box_get_u64(head + 16));
}

result blob_open(struct files *f, const struct blob_key *key, struct blob **out)
{
	struct blob_name name;
	struct blob AUTO_BLOB *b = mem_alloc(sizeof *b);
	if (!b)
		return failure(FAIL_MEMORY, "out of memory");
	b->key = *key;
	blob_name_of(key, &name);
	TRY(files_open(f, name.text, FILES_READ, &b->file));
	TRY(get_ends(b));
	*out = b;
	b = NULL;
	return OK;
}

uint64_t blob_size(const struct blob *b)
{
	return b->size;
}

static result read_piece(struct blob *b, uint32_t i, buf *unit, buf *plain)
{
	size_t n = (size_t)(b->starts[i + 1] - b->starts[i]);
	uint64_t rest = b->size - (uint64_t)i * BLOB_PIECE;
	buf_clear(unit);
	buf_clear(plain);
	if (!buf_reserve(unit, n))
		return buf_result(unit);
	struct place place = {PART_PIECE, i, i + 1 == b->pieces};
	TRY(get_part(b, place, b->starts[i], str_of(unit->p, n)));
	TRY(unpack(&b->packer, str_of(unit->p, n - TAG), plain));
	return plain->n == (rest < BLOB_PIECE ? rest : BLOB_PIECE) ? OK : damaged();
}

result blob_read(struct blob *b, uint64_t at, uint64_t n, buf *out)
{
	AUTO_BUF buf unit = buf_new(UNIT_MAX), plain = buf_new(BLOB_PIECE + 1);
	if (at >= b->size)
		return OK;
	uint64_t end = n > b->size - at ? b->size : at + n;
	while (at < end) {
		size_t inside = (size_t)(at % BLOB_PIECE);
		TRY(read_piece(b, (uint32_t)(at / BLOB_PIECE), &unit, &plain));
		str part = str_sub(buf_str(&plain), inside, (size_t)(end - at));
		buf_put(out, part);
		at += part.n;
	}
	return buf_result(out);
}

void blob_close(struct blob **at)
{
	struct blob *b = *at;
	*at = NULL;
	if (!b)
		return;
	file_close(&b->file);
	packer_trim(&b->packer);
	mem_free(b->starts);
	sodium_memzero(b, sizeof *b);
	mem_free(b);
}

/* Removing. */

result blob_delete(struct files *f, const struct blob_key *key)
{
	struct blob_name name;
	blob_name_of(key, &name);
	return files_unlink(f, name.text);
}

struct sweep {
	bool (*wanted)(void *ctx, str name);
	void *ctx;
	buf names; /* to be removed, each with its terminator */
};

static result sweep_one(void *ctx, str name)
{
	struct sweep *s = ctx;
	if (name.n != sizeof(struct blob_name) - 1)
		return OK;
	bool part = str_ends(name, STR(".part"));
	if (!part && (!str_ends(name, STR(".body")) || s->wanted(s->ctx, name)))
		return OK;
	buf_put(&s->names, name);
	buf_putc(&s->names, 0);
	return buf_result(&s->names);
}

/* Names are gathered first: a folder must not change while it is read. What
 * is over the ceiling waits for the next sweep. */
result blob_sweep(struct files *f, bool (*wanted)(void *ctx, str name), void *ctx)
{
	struct sweep s = {wanted, ctx, buf_new(1 << 20)};
	result r = files_list(f, sweep_one, &s);
	if (r.kind == FAIL_LIMIT)
		r = OK;
	for (size_t at = 0; !failed(r) && at + sizeof(struct blob_name) <= s.names.n; at += sizeof(struct blob_name))
		r = files_unlink(f, s.names.p + at);
	if (!failed(r) && s.names.n > 0)
		r = files_sync_folder(f);
	buf_free(&s.names);
	return r;
}
