/* Signs one message as inspect, vault and edge do together, for tests with other
 * people's verifiers:
 *
 *   sign_sample DOMAIN RSA.pem ED25519.pem < message > signed
 *
 * The selectors are "r" and "e". Tests only. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <time.h>

#include "base/hash.h"
#include "grammar/dkim/dkim_signature.h"
#include "inspect/signing.h"
#include "inspect/submission.h"

enum { MESSAGE_MAX = 64 << 20, MEMORY = 16 << 20, SIGNATURE_MAX = 512 };

static EVP_PKEY *load(const char *path)
{
	FILE *f = fopen(path, "rbe");
	EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
	must(key);
	fclose(f);
	return key;
}

static str sign_rsa(EVP_PKEY *key, const unsigned char *digest, unsigned char *out)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
	size_t n = SIGNATURE_MAX;
	must(EVP_PKEY_sign_init(c) == 1 && EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1);
	must(EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()) == 1 && EVP_PKEY_sign(c, out, &n, digest, DKIM_DIGEST) == 1);
	EVP_PKEY_CTX_free(c);
	return str_of((char *)out, n);
}

static str sign_ed25519(EVP_PKEY *key, const unsigned char *digest, unsigned char *out)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t n = SIGNATURE_MAX;
	must(EVP_DigestSignInit(c, NULL, NULL, NULL, key) == 1 && EVP_DigestSign(c, out, &n, digest, DKIM_DIGEST) == 1);
	EVP_MD_CTX_free(c);
	return str_of((char *)out, n);
}

static void put_field(const struct asker_inspect_signature *s, EVP_PKEY *key)
{
	AUTO_BUF buf field = buf_new(2 * DKIM_FIELD_MAX);
	unsigned char made[SIGNATURE_MAX];
	bool rsa = EVP_PKEY_is_a(key, "RSA");
	str signature = rsa ? sign_rsa(key, s->digest, made) : sign_ed25519(key, s->digest, made);
	dkim_signature_fill(&field, s->field, s->at, signature);
	must(!failed(buf_result(&field)));
	fwrite(field.p, 1, field.n, stdout);
	EVP_PKEY_free(key);
}

static void put_signed(str message, char **argv)
{
	AUTO_ARENA arena a = arena_new(MEMORY);
	struct header h;
	str domain = str_from(argv[1]);
	const struct asker_inspect_signer signers[] = {
		{domain, STR("r"), ASKER_INSPECT_ALGORITHM_RSA_SHA256, STR("k1")},
		{domain, STR("e"), ASKER_INSPECT_ALGORITHM_ED25519_SHA256, STR("k2")}};
	struct signing_wish w = {.message = message, .now = time(NULL), .signers = signers, .n = 2};
	struct asker_inspect_signature *made = NULL;
	size_t n;
	must(!failed(header_parse(str_sub(message, 0, header_length(message)), HEADER_FIELDS_MAX, &a, &h)));
	must(!failed(from_domain(&h, &a, &w.domain)) && !failed(signing_digests(&w, &a, &made, &n)));
	for (size_t i = 0; i < n; i++)
		put_field(&made[i], load(argv[2 + i]));
	fputs("Received: from client by mx.example with ESMTPSA;\r\n\tSun, 22 Nov 2026 02:00:00 +0000\r\n", stdout);
	fwrite(message.p, 1, message.n, stdout);
}

int main(int argc, char **argv)
{
	AUTO_BUF buf in = buf_new(MESSAGE_MAX);
	AUTO_ARENA arena a = arena_new(MEMORY);
	AUTO_BODY struct body ready = body_of(STR(""));
	bool changed;
	must(argc == 4 && buf_reserve(&in, MESSAGE_MAX));
	hash_seed((const unsigned char *)"0123456789abcdef");
	in.n = fread(in.p, 1, MESSAGE_MAX, stdin);
	const struct submission s = {buf_str(&in), STR("added@mx.example"), time(NULL)};
	must(!failed(submission_normalise(&s, &a, &changed, &ready)));
	put_signed(changed ? ready.bytes : buf_str(&in), argv);
	return 0;
}
