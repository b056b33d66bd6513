#include "base/test.h"

#include <sodium.h>

#include "base/mem.h"
#include "grammar/dkim/dkim_header.h"
#include "grammar/dkim/dkim_signature.h"
#include "inspect/signing.h"

enum { MEMORY = 1 << 20 };

static void is_from(const char *header, const char *want)
{
	AUTO_ARENA arena a = arena_new(MEMORY);
	struct header h;
	str got;
	assert_ok(header_parse(str_from(header), HEADER_FIELDS_MAX, &a, &h));
	assert_ok(from_domain(&h, &a, &got));
	assert_str(got, str_from(want));
}

static void whose_message_it_is(void **state)
{
	(void)state;
	is_from("From: Joe <joe@Example.COM>\r\n", "example.com");
	is_from("From: \"a@b.example\"\r\n <joe@example.com>\r\n", "example.com");
	is_from("From: joe@b\xc3\xbc" "cher.example\r\n", "xn--bcher-kva.example");
	is_from("To: joe@example.com\r\n", "");
	is_from("From: a@example.com, b@example.com\r\n", "");
	is_from("From: a@example.com\r\nX: y\r\nFrom: a@example.com\r\n", "");
	is_from("From: undisclosed:;\r\n", "");
	is_from("From: group: a@example.com;\r\n", "example.com");
	is_from("From: joe\r\n", "");
	is_from("From: joe@..\r\n", "");
	is_from("From:\r\n", "");
}

static const struct asker_inspect_signer signers[] = {
	{STR_INIT("example.com"), STR_INIT("r1"), ASKER_INSPECT_ALGORITHM_RSA_SHA256, STR_INIT("k1")},
	{STR_INIT("example.com"), STR_INIT("e1"), ASKER_INSPECT_ALGORITHM_ED25519_SHA256, STR_INIT("k2")},
	{STR_INIT("example.org"), STR_INIT("e1"), ASKER_INSPECT_ALGORITHM_ED25519_SHA256, STR_INIT("k3")},
};

static void into_hash(void *ctx, str octets)
{
	crypto_hash_sha256_update(ctx, (const unsigned char *)octets.p, octets.n);
}

/* As a verifier goes about it, from the field alone. */
static void digest_holds(const struct asker_inspect_signature *s, str message, bool want)
{
	AUTO_ARENA arena a = arena_new(MEMORY);
	AUTO_BUF buf full = buf_new(MEMORY);
	struct dkim_signature p;
	struct dkim_header header;
	crypto_hash_sha256_state h;
	unsigned char body[DKIM_DIGEST], head[DKIM_DIGEST];
	str emptied;
	dkim_signature_fill(&full, s->field, s->at, STR("a signature"));
	assert_ok(dkim_signature_parse(str_skip(buf_str(&full), sizeof DKIM_FIELD_NAME), &a, &p));
	crypto_hash_sha256_init(&h);
	struct dkim_body b = {.canon = p.body, .to = {into_hash, &h}, .limit = p.length};
	dkim_body_feed(&b, str_skip(message, header_length(message)));
	dkim_body_finish(&b);
	crypto_hash_sha256_final(&h, body);
	assert_ok(dkim_signature_emptied(buf_str(&full), &a, &emptied));
	assert_ok(dkim_header_open(message, &a, &header));
	crypto_hash_sha256_init(&h);
	const struct dkim_covered c = {p.names, emptied, p.header};
	dkim_header_hash(&header, &c, (struct dkim_sink){into_hash, &h});
	crypto_hash_sha256_final(&h, head);
	dkim_header_close(&header);
	assert_int_equal(memcmp(body, p.body_hash.p, DKIM_DIGEST) == 0 && memcmp(head, s->digest, DKIM_DIGEST) == 0, want);
}

#define MESSAGE "From: a@example.com\r\nSubject: x\r\n y\r\n\r\nbody  \r\n\r\n"

static void each_key_of_the_domain_signs(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(MEMORY);
	struct asker_inspect_signature *made;
	size_t n;
	const struct signing_wish w = {STR(MESSAGE), STR("example.com"), 1795312800, signers, 3};
	assert_ok(signing_digests(&w, &a, &made, &n));
	assert_int_equal(n, 2);
	assert_str(made[0].key, STR("k1"));
	assert_str(made[1].key, STR("k2"));
	assert_true(str_find(made[0].field, STR("a=rsa-sha256;")) != STR_NONE);
	assert_true(str_find(made[1].field, STR("a=ed25519-sha256;")) != STR_NONE);
	assert_true(str_find(made[1].field, STR("t=1795312800;")) != STR_NONE);
	for (size_t i = 0; i < n; i++) {
		digest_holds(&made[i], STR(MESSAGE), true);
		digest_holds(&made[i], STR("Received: x\r\n" MESSAGE), true);
		digest_holds(&made[i], STR("From: a@example.com\r\nSubject: x\r\n y\r\n\r\nBody\r\n"), false);
		digest_holds(&made[i], STR("From: b@example.com\r\nSubject: x\r\n y\r\n\r\nbody\r\n"), false);
		digest_holds(&made[i], STR("From: b@evil.example\r\n" MESSAGE), false);
		digest_holds(&made[i], STR("Reply-To: b@evil.example\r\n" MESSAGE), false);
		digest_holds(&made[i], STR("Subject: z\r\n" MESSAGE), false);
	}
}

static void nobody_elses_mail_is_signed(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(MEMORY);
	struct asker_inspect_signature *made;
	size_t n;
	struct signing_wish w = {STR(MESSAGE), STR("mail.example.com"), 1, signers, 3};
	assert_ok(signing_digests(&w, &a, &made, &n));
	assert_int_equal(n, 0);
	w.domain = STR("");
	assert_ok(signing_digests(&w, &a, &made, &n));
	assert_int_equal(n, 0);
}

static void short_memory_is_told(void **state)
{
	(void)state;
	const struct signing_wish w = {STR(MESSAGE), STR("example.com"), 1, signers, 3};
	for (uint64_t i = 1;; i++) {
		AUTO_ARENA arena a = arena_new(MEMORY);
		struct asker_inspect_signature *made;
		size_t n;
		mem_fail_at(i);
		result r = signing_digests(&w, &a, &made, &n);
		uint64_t used = mem_count();
		mem_fail_at(0);
		if (used < i) {
			assert_ok(r);
			assert_true(i > 1);
			break;
		}
		assert_int_equal(r.kind, FAIL_MEMORY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whose_message_it_is),
		cmocka_unit_test(each_key_of_the_domain_signs),
		cmocka_unit_test(nobody_elses_mail_is_signed),
		cmocka_unit_test(short_memory_is_told),
	};
	hash_seed((const unsigned char *)"0123456789abcdef");
	return cmocka_run_group_tests_name("inspect signing", tests, NULL, NULL);
}
