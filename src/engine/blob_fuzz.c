/* Damaged body files and packed values: a body that was changed is refused or
 * comes back as it was; whatever unpacks has the size it claimed, and what is
 * packed unpacks to itself. */
#include "base/cursor.h"
#include "base/mem.h"
#include "engine/blob.h"
#include "engine/files_sim.h"
#include "engine/seal.h"

enum { BODY = 2 * BLOB_PIECE + 500 };

static void fuzz_pack(str input)
{
	struct packer p = {0};
	AUTO_BUF buf plain = buf_new(1 << 20), packed = buf_new(1 << 20), again = buf_new(1 << 20);
	size_t size;
	result r = unpack(&p, input, &plain);
	if (!failed(r))
		must(!failed(unpacked_size(input, &size)) && size == plain.n);
	must(!failed(pack(&p, input, &packed)) && packed.n <= input.n + 1);
	must(!failed(unpack(&p, buf_str(&packed), &again)) && str_eq(buf_str(&again), input));
	packer_trim(&p);
}

/* The input as an attachment that begins and ends as it likes. */
static void fuzz_base64(str input)
{
	static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct packer p = {0};
	AUTO_BUF buf text = buf_new(1 << 20), packed = buf_new(1 << 20), again = buf_new(1 << 20);
	size_t letters = input.n ? 36 + str_at(input, 0) % 44 : 76;
	for (size_t i = 0; i < 16 * input.n; i++) {
		unsigned char c = (unsigned char)(str_at(input, i % input.n) + i / input.n);
		buf_putc(&text, c < 252 ? alphabet[c & 63] : "\r\n-="[c & 3]);
		if (i % letters == letters - 1)
			buf_put(&text, STR("\r\n"));
	}
	must(!failed(pack(&p, buf_str(&text), &packed)) && packed.n <= text.n + 1);
	must(!failed(unpack(&p, buf_str(&packed), &again)) && str_eq(buf_str(&again), buf_str(&text)));
	packer_trim(&p);
}

static void put_body(struct sim *sim, char *body, struct blob_key *key)
{
	struct packer p = {0};
	uint64_t rng = 1;
	for (size_t i = 0; i < BODY; i++)
		body[i] = i < BLOB_PIECE ? (char)sim_random(&rng) : 'x';
	must(!failed(blob_put(sim_files(sim), &p, str_of(body, BODY), key)));
	packer_trim(&p);
}

static void fuzz_file(str input)
{
	static char body[BODY];
	struct sim *sim = sim_new(1);
	struct blob_key key;
	struct blob_name name;
	AUTO_BUF buf out = buf_new(BODY);
	put_body(sim, body, &key);
	blob_name_of(&key, &name);
	str file = sim_bytes(sim, name.text);
	cursor c = cursor_on(input);
	while (!c.bad && !cursor_done(&c)) {
		size_t at = cursor_u32(&c) % file.n;
		((char *)(uintptr_t)file.p)[at] ^= (char)cursor_u8(&c);
	}
	struct blob AUTO_BLOB *b = NULL;
	result r = blob_open(sim_files(sim), &key, &b);
	if (!failed(r))
		r = blob_read(b, 0, BODY, &out);
	must(failed(r) ? r.kind == FAIL_DAMAGE : str_eq(buf_str(&out), str_of(body, BODY)));
	blob_close(&b);
	sim_free(&sim);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str input = str_of((const char *)data, size);
	must(!failed(seal_start()));
	if (size > 0 && data[0] & 1)
		fuzz_pack(str_skip(input, 1));
	else if (size > 0 && data[0] & 2)
		fuzz_base64(str_skip(input, 1));
	else
		fuzz_file(str_skip(input, 1));
	return 0;
}
