#include "frames.h"
#include "base/buf.h"

#include <sodium.h>
#include <stdio.h>

static void print(json_t *v)
{
	must(v && json_dumpf(v, stdout, JSON_COMPACT | JSON_ENCODE_ANY) == 0);
	putchar('\n');
	fflush(stdout);
	json_decref(v);
}

/* The rest of a file, or `n` bytes of a stream; false at its end. */
static bool read_all(FILE *f, size_t n, buf *b)
{
	buf_clear(b);
	while (b->n < n) {
		size_t want = n - b->n < 65536 ? n - b->n : 65536;
		if (!buf_reserve(b, want))
			return false;
		size_t got = fread(b->p + b->n, 1, want, f);
		if (got == 0)
			break;
		b->n += got;
	}
	return true;
}

static int describe_files(char **names, describer_fn *describe, void *ctx)
{
	AUTO_BUF buf b = buf_new(FRAME_MAX);
	for (; *names; names++) {
		FILE *f = fopen(*names, "rbe");
		if (!f || !read_all(f, FRAME_MAX, &b)) {
			fprintf(stderr, "%s: cannot be read\n", *names);
			return 1;
		}
		fclose(f);
		print(describe(buf_str(&b), ctx));
	}
	return 0;
}

static int describe_frames(describer_fn *describe, void *ctx)
{
	AUTO_BUF buf b = buf_new(FRAME_MAX);
	char line[32];
	while (fgets(line, sizeof line, stdin)) {
		uint64_t n;
		if (!str_to_u64(str_trim(str_from(line)), &n) || !read_all(stdin, n, &b) || b.n != n) {
			fprintf(stderr, "standard input is not: length, line end, that many bytes\n");
			return 1;
		}
		print(describe(buf_str(&b), ctx));
	}
	return 0;
}

int describe_all(int argc, char **argv, describer_fn *describe, void *ctx)
{
	must(sodium_init() >= 0);
	return argc > 1 ? describe_files(argv + 1, describe, ctx) : describe_frames(describe, ctx);
}

json_t *json_of(str s)
{
	json_t *v = s.p ? json_stringn(s.p, s.n) : json_null();
	must(v);
	return v;
}

json_t *json_digest(str bytes)
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	char hex[2 * sizeof digest + 1];
	crypto_hash_sha256(digest, (const unsigned char *)(bytes.p ? bytes.p : ""), bytes.n);
	sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
	json_t *v = json_pack("{s:I, s:s}", "size", (json_int_t)bytes.n, "sha256", hex);
	must(v);
	return v;
}
