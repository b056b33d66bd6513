/* Signatures that others made, verified with what stands here and OpenSSL's
 * arithmetic: proof that both canonical forms and the choice of fields are
 * theirs. The samples are test data of other projects below $POSTERN_DATA. */
#include "base/test.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "grammar/dkim/dkim_header.h"
#include "grammar/dkim/dkim_key.h"
#include "grammar/mime/header.h"

enum { MEMORY = 16 << 20 };

static void into_hash(void *ctx, str octets)
{
	assert_int_equal(EVP_DigestUpdate(ctx, octets.p, octets.n), 1);
}

struct digest {
	unsigned char p[DKIM_DIGEST];
};

static EVP_MD_CTX *begin(void)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestInit_ex(md, EVP_sha256(), NULL), 1);
	return md;
}

static struct digest end(EVP_MD_CTX *md)
{
	struct digest d;
	assert_int_equal(EVP_DigestFinal_ex(md, d.p, NULL), 1);
	EVP_MD_CTX_free(md);
	return d;
}

static struct digest hash_body(const struct dkim_signature *s, str text)
{
	EVP_MD_CTX *md = begin();
	struct dkim_body b = {.canon = s->body, .to = {into_hash, md}, .limit = s->length};
	dkim_body_feed(&b, text);
	dkim_body_finish(&b);
	return end(md);
}

static EVP_PKEY *rsa_key(const unsigned char *at, size_t n)
{
	const unsigned char *p = at;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)n);
	p = at;
	return key ? key : d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)n);
}

static bool verify(const struct dkim_key *k, const struct dkim_signature *s, struct digest d)
{
	const unsigned char *p = (const unsigned char *)k->octets.p;
	EVP_PKEY *key = k->algorithm == DKIM_ED25519_SHA256
				? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, p, k->octets.n)
				: rsa_key(p, k->octets.n);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *rsa = NULL;
	bool good = false;
	assert_non_null(key);
	if (k->algorithm == DKIM_ED25519_SHA256) {
		good = EVP_DigestVerifyInit(md, NULL, NULL, NULL, key) == 1 &&
		       EVP_DigestVerify(md, (const unsigned char *)s->signature.p, s->signature.n, d.p, sizeof d.p) == 1;
	} else {
		rsa = EVP_PKEY_CTX_new(key, NULL);
		good = EVP_PKEY_verify_init(rsa) == 1 && EVP_PKEY_CTX_set_signature_md(rsa, EVP_sha256()) == 1 &&
		       EVP_PKEY_verify(rsa, (const unsigned char *)s->signature.p, s->signature.n, d.p, sizeof d.p) == 1;
	}
	EVP_PKEY_CTX_free(rsa);
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(key);
	return good;
}

struct sample {
	arena mem;
	buf text;       /* with CRLF */
	str records;    /* lines "name record" */
	struct dkim_header header;
	str body;
};

static bool key_of(struct sample *m, const struct dkim_signature *s, struct dkim_key *out)
{
	char want[600];
	snprintf(want, sizeof want, "%.*s._domainkey.%.*s ", STR_ARG(s->selector), STR_ARG(s->domain));
	size_t at = str_find(m->records, str_from(want));
	if (at == STR_NONE)
		return false;
	str line = str_skip(m->records, at + strlen(want));
	return !failed(dkim_key_parse(str_trim(str_sub(line, 0, str_chr(line, '\n'))), &m->mem, out));
}

static bool verify_one(struct sample *m, const struct header_field *f)
{
	struct dkim_signature s;
	struct dkim_key k;
	str emptied;
	if (failed(dkim_signature_parse(f->value, &m->mem, &s)) || !key_of(m, &s, &k) || k.algorithm != s.algorithm)
		return false;
	struct digest d = hash_body(&s, m->body);
	if (memcmp(d.p, s.body_hash.p, sizeof d.p) != 0)
		return false;
	EVP_MD_CTX *md = begin();
	assert_ok(dkim_signature_emptied(f->raw, &m->mem, &emptied));
	const struct dkim_covered c = {s.names, emptied, s.header};
	dkim_header_hash(&m->header, &c, (struct dkim_sink){into_hash, md});
	return verify(&k, &s, end(md));
}

struct verdict {
	unsigned good, bad;
};

static struct verdict verify_message(str records, str text)
{
	struct sample m = {.mem = arena_new(MEMORY), .text = buf_new(MEMORY), .records = records};
	struct verdict v = {0};
	for (size_t i = 0; i < text.n; i++)
		buf_put(&m.text, text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\r') ? STR("\r\n")
											     : str_sub(text, i, 1));
	assert_ok(dkim_header_open(buf_str(&m.text), &m.mem, &m.header));
	m.body = str_skip(buf_str(&m.text), header_length(buf_str(&m.text)));
	struct header_walk walk = {.text = buf_str(&m.text)};
	struct header_field f;
	while (header_next(&walk, &f)) {
		if (!str_ieq(f.name, STR(DKIM_FIELD_NAME)))
			continue;
		if (verify_one(&m, &f))
			v.good++;
		else
			v.bad++;
	}
	dkim_header_close(&m.header);
	buf_free(&m.text);
	arena_free(&m.mem);
	return v;
}

static bool load(const char *name, buf *out)
{
	const char *data = getenv("POSTERN_DATA");
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", data ? data : SAMPLE_DEFAULT, name);
	FILE *f = fopen(path, "rbe");
	if (!f)
		return false;
	assert_true(buf_reserve(out, MEMORY));
	out->n = fread(out->p, 1, MEMORY, f);
	fclose(f);
	return true;
}

/* Key records, an empty line, the message. */
static void records_and_message(const char *name, struct verdict want)
{
	AUTO_BUF buf b = buf_new(MEMORY);
	if (!load(name, &b))
		skip();
	str text = buf_str(&b);
	size_t gap = str_find(text, STR("\n\n")), n = 2;
	if (gap == STR_NONE || str_find(text, STR("\r\n\r\n")) < gap) {
		gap = str_find(text, STR("\r\n\r\n"));
		n = 4;
	}
	assert_true(gap != STR_NONE);
	struct verdict v = verify_message(str_sub(text, 0, gap + 1), str_skip(text, gap + n));
	if (v.good != want.good || v.bad != want.bad)
		fail_msg("%s: %u good, %u bad", name, v.good, v.bad);
}

#define STALWART "mailauth-stalwart/resources/dkim/"

static void samples_of_stalwart(void **state)
{
	(void)state;
	records_and_message(STALWART "001.txt", (struct verdict){2, 0});
	records_and_message(STALWART "002.txt", (struct verdict){1, 0});
	records_and_message(STALWART "003.txt", (struct verdict){2, 0});
	records_and_message(STALWART "004.txt", (struct verdict){1, 0});
	records_and_message(STALWART "005.txt", (struct verdict){1, 0});
	records_and_message(STALWART "006.txt", (struct verdict){1, 0});
}

static const str rfc8463_records =
	STR_INIT("brisbane._domainkey.football.example.com v=DKIM1; k=ed25519; "
	    "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
	    "test._domainkey.football.example.com v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
	    "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4h"
	    "stT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\n");

static void the_example_of_rfc_8463(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(MEMORY);
	if (!load("mailauth-postalsys/test/dkim/ec/fixtures/signed.eml", &b))
		skip();
	struct verdict v = verify_message(rfc8463_records, buf_str(&b));
	assert_int_equal(v.good, 2);
	size_t at = str_find(buf_str(&b), STR("We lost"));
	b.p[at] = 'w';
	v = verify_message(rfc8463_records, buf_str(&b));
	assert_int_equal(v.good, 0);
	b.p[at] = 'W';
	b.p[str_find(buf_str(&b), STR("Is dinner")) + 1] = 'S';
	v = verify_message(rfc8463_records, buf_str(&b));
	assert_int_equal(v.good, 0);
	assert_int_equal(v.bad, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_of_stalwart),
		cmocka_unit_test(the_example_of_rfc_8463),
	};
	hash_seed((const unsigned char *)"0123456789abcdef");
	return cmocka_run_group_tests_name("dkim verify", tests, NULL, NULL);
}
