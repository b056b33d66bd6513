#include "grammar/dkim/dkim_signature.h"
#include "base/test.h"

#include <stdio.h>

#include "grammar/dkim/dkim_key.h"

enum { MEMORY = 1 << 20 };

#define HASH "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define GOOD "v=1; a=rsa-sha256; d=example.com; s=s1; h=From:To; bh=" HASH "; b=AAAA"

static result parse(str value, arena *a, struct dkim_signature *s)
{
	return dkim_signature_parse(value, a, s);
}

static void refused(const char *value)
{
	AUTO_ARENA arena a = arena_new(MEMORY);
	struct dkim_signature s;
	result r = parse(str_from(value), &a, &s);
	if (r.kind != FAIL_INPUT)
		fail_msg("taken: %s", value);
}

static void a_signature_is_read(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(MEMORY);
	struct dkim_signature s;
	assert_ok(parse(STR("v=1; a=ed25519-sha256; c=relaxed; d=Example.COM;\r\n s=2026._x; i=joe@mail.example.com;"
			    " t=10; x=20; l=5; q=dns/txt; h=from : to :\r\n subject; bh=47DEQpj8HBSa+/TImW+5\r\n"
			    " JCeuQeRkm5NMpJWZG3hSuFU=; b=AA\r\n\tAA;"),
			&a, &s));
	assert_int_equal(s.algorithm, DKIM_ED25519_SHA256);
	assert_int_equal(s.header, DKIM_RELAXED);
	assert_int_equal(s.body, DKIM_SIMPLE);
	assert_str(s.domain, STR("example.com"));
	assert_str(s.selector, STR("2026._x"));
	assert_int_equal(s.signed_at, 10);
	assert_int_equal(s.expires, 20);
	assert_int_equal(s.length, 5);
	assert_int_equal(s.signature.n, 3);
	assert_int_equal(s.body_hash.n, DKIM_DIGEST);
}

/* RFC 8616 section 4 */
static void names_may_be_in_utf8(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(MEMORY);
	struct dkim_signature s;
	assert_ok(parse(STR("v=1; a=rsa-sha256; d=b\xc3\xbc" "cher.example; i=x@b\xc3\xbc" "cher.example; s=s1; h=From;"
			    " bh=" HASH "; b=AAAA"),
			&a, &s));
	assert_str(s.domain, STR("xn--bcher-kva.example"));
}

static void what_proves_nothing_is_refused(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(MEMORY);
	struct dkim_signature s;
	assert_ok(parse(STR(GOOD), &a, &s));
	static const char *const bad[] = {
		"", ";", "v=1", "x", GOOD "; v=1", GOOD "; 1a=2", GOOD ";;", GOOD "; u=\x01", GOOD "; u=\xff",
		"v=2; a=rsa-sha256; d=example.com; s=s1; h=From; bh=" HASH "; b=AAAA",
		"v=1; a=rsa-sha1; d=example.com; s=s1; h=From; bh=" HASH "; b=AAAA",
		"v=1; a=rsa-sha512; d=example.com; s=s1; h=From; bh=" HASH "; b=AAAA",
		"v=1; a=rsa-sha256; d=[192.0.2.1]; s=s1; h=From; bh=" HASH "; b=AAAA",
		"v=1; a=rsa-sha256; d=example.com; s=; h=From; bh=" HASH "; b=AAAA",
		"v=1; a=rsa-sha256; d=example.com; s=s1; h=To; bh=" HASH "; b=AAAA",
		"v=1; a=rsa-sha256; d=example.com; s=s1; h=From::To; bh=" HASH "; b=AAAA",
		"v=1; a=rsa-sha256; d=example.com; s=s1; h=From; bh=AAAA; b=AAAA",
		"v=1; a=rsa-sha256; d=example.com; s=s1; h=From; bh=" HASH "; b=",
		"v=1; a=rsa-sha256; d=example.com; s=s1; h=From; bh=" HASH "; b=*",
		GOOD "; c=nofws", GOOD "; c=relaxed/x", GOOD "; q=other", GOOD "; t=x", GOOD "; t=20; x=10", GOOD "; l=-1",
		GOOD "; i=joe", GOOD "; i=@example.org", GOOD "; i=@xexample.com",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refused(bad[i]);
	assert_ok(parse(STR(GOOD "; i=@a.example.com; q=x:dns/txt; unknown=y;\r\n"), &a, &s));
}

static void a_list_of_too_many_tags_is_refused(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(MEMORY);
	struct dkim_tags t;
	for (int i = 0; i < DKIM_TAGS_MAX; i++)
		buf_printf(&b, "t%d=x;", i);
	assert_ok(dkim_tags_parse(buf_str(&b), &t));
	assert_int_equal(t.n, DKIM_TAGS_MAX);
	buf_put(&b, STR("u=x"));
	assert_int_equal(dkim_tags_parse(buf_str(&b), &t).kind, FAIL_INPUT);
}

static void a_field_longer_than_anybody_needs_is_refused(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(MEMORY);
	AUTO_BUF buf b = buf_new(MEMORY);
	struct dkim_signature s;
	buf_put(&b, STR(GOOD "; z="));
	while (b.n < DKIM_FIELD_READ_MAX)
		buf_putc(&b, 'a');
	assert_ok(parse(buf_str(&b), &a, &s));
	buf_putc(&b, 'a');
	assert_int_equal(parse(buf_str(&b), &a, &s).kind, FAIL_INPUT);
}

static void emptied(str in, str want)
{
	AUTO_ARENA arena a = arena_new(MEMORY);
	str got;
	assert_ok(dkim_signature_emptied(in, &a, &got));
	assert_str(got, want);
}

static void b_is_emptied_where_it_stands(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(MEMORY);
	str none;
	emptied(STR("DKIM-Signature: bh=x=;\r\n b = AB\r\n CD= ; d=y\r\n"), STR("DKIM-Signature: bh=x=;\r\n b =; d=y\r\n"));
	emptied(STR("DKIM-Signature:b=ABCD"), STR("DKIM-Signature:b="));
	assert_int_equal(dkim_signature_emptied(STR("DKIM-Signature: bb=b=;"), &a, &none).kind, FAIL_INPUT);
}

static void lines_are_short(str field)
{
	while (field.n > 0) {
		size_t end = str_find(field, STR("\r\n"));
		assert_true(end != STR_NONE && end <= 78);
		field = str_skip(field, end + 2);
	}
}

static void what_is_printed_is_read_again(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(MEMORY);
	AUTO_BUF buf empty = buf_new(DKIM_FIELD_MAX), full = buf_new(DKIM_FIELD_MAX);
	unsigned char hash[DKIM_DIGEST] = {1, 2, 3}, bytes[256] = {9, 8, 7};
	struct dkim_signature got, s = {.algorithm = DKIM_RSA_SHA256, .header = DKIM_RELAXED, .body = DKIM_RELAXED,
		.domain = STR("example.com"), .selector = STR("r20261122"),
		.names = STR("From:From:Reply-To:Subject:Subject:Date:Date:To:To:Cc:Message-ID:Message-ID:In-Reply-To"),
		.body_hash = str_of((char *)hash, sizeof hash), .signed_at = 1790000000, .expires = -1};
	size_t at;
	assert_ok(dkim_signature_print(&s, &empty, &at));
	lines_are_short(buf_str(&empty));
	assert_true(str_ends(str_sub(buf_str(&empty), 0, at), STR("\tb=")));
	dkim_signature_fill(&full, buf_str(&empty), at, str_of((char *)bytes, sizeof bytes));
	assert_ok(buf_result(&full));
	lines_are_short(buf_str(&full));
	assert_ok(parse(str_skip(buf_str(&full), sizeof DKIM_FIELD_NAME), &a, &got));
	assert_str(got.signature, str_of((char *)bytes, sizeof bytes));
	assert_str(got.body_hash, s.body_hash);
	assert_str(got.domain, s.domain);
	assert_str(got.selector, s.selector);
	assert_int_equal(got.signed_at, s.signed_at);
	assert_int_equal(got.header, DKIM_RELAXED);
	assert_int_equal(got.body, DKIM_RELAXED);
	str mine = s.names, theirs = got.names, a1, b1;
	while (dkim_word_next(&mine, &a1)) {
		assert_true(dkim_word_next(&theirs, &b1));
		assert_str(b1, a1);
	}
	assert_false(dkim_word_next(&theirs, &b1));
}

/* Hashed with b= empty in relaxed form, the printed field and the filled one are the same. */
static void collect(void *ctx, str octets)
{
	buf_put(ctx, octets);
}

static void filling_changes_nothing_that_is_hashed(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(MEMORY);
	AUTO_BUF buf empty = buf_new(MEMORY), full = buf_new(MEMORY), x = buf_new(MEMORY), y = buf_new(MEMORY);
	unsigned char hash[DKIM_DIGEST] = {0};
	struct dkim_signature s = {.header = DKIM_RELAXED, .body = DKIM_RELAXED, .domain = STR("a.example"),
		.selector = STR("s"), .names = STR("From"), .body_hash = str_of((char *)hash, sizeof hash), .signed_at = 1};
	size_t at;
	str again;
	assert_ok(dkim_signature_print(&s, &empty, &at));
	dkim_signature_fill(&full, buf_str(&empty), at, s.body_hash);
	assert_ok(dkim_signature_emptied(buf_str(&full), &a, &again));
	dkim_field(DKIM_RELAXED, buf_str(&empty), (struct dkim_sink){collect, &x});
	dkim_field(DKIM_RELAXED, again, (struct dkim_sink){collect, &y});
	assert_str(buf_str(&y), buf_str(&x));
}

static void key_records(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(MEMORY);
	AUTO_BUF buf b = buf_new(MEMORY);
	struct dkim_key k;
	dkim_key_print(&b, DKIM_ED25519_SHA256, STR("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="));
	assert_str(buf_str(&b), STR("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="));
	assert_ok(dkim_key_parse(buf_str(&b), &a, &k));
	assert_int_equal(k.algorithm, DKIM_ED25519_SHA256);
	assert_int_equal(k.octets.n, 32);
	assert_ok(dkim_key_parse(STR("p=AA AA; t=s:y; s=x:email; h=sha1:sha256"), &a, &k));
	assert_true(k.testing && k.strict && k.algorithm == DKIM_RSA_SHA256);
	assert_ok(dkim_key_parse(STR("v=DKIM1; p="), &a, &k));
	assert_int_equal(k.octets.n, 0);
	static const char *const bad[] = {"", "v=DKIM1", "v=DKIM2; p=AAAA", "p=AAAA; v=DKIM1", "p=AAAA; k=x", "p=*",
		"p=AAAA; h=sha1", "p=AAAA; s=tlsrpt", "v=spf1 -all"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(dkim_key_parse(str_from(bad[i]), &a, &k).kind, FAIL_INPUT);
	buf_clear(&b);
	buf_put(&b, STR("p=AAAA; n="));
	while (b.n < DKIM_RECORD_MAX)
		buf_putc(&b, 'a');
	assert_ok(dkim_key_parse(buf_str(&b), &a, &k));
	buf_putc(&b, 'a');
	assert_int_equal(dkim_key_parse(buf_str(&b), &a, &k).kind, FAIL_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_is_read),
		cmocka_unit_test(names_may_be_in_utf8),
		cmocka_unit_test(what_proves_nothing_is_refused),
		cmocka_unit_test(a_list_of_too_many_tags_is_refused),
		cmocka_unit_test(a_field_longer_than_anybody_needs_is_refused),
		cmocka_unit_test(b_is_emptied_where_it_stands),
		cmocka_unit_test(what_is_printed_is_read_again),
		cmocka_unit_test(filling_changes_nothing_that_is_hashed),
		cmocka_unit_test(key_records),
	};
	return cmocka_run_group_tests_name("dkim signature", tests, NULL, NULL);
}
