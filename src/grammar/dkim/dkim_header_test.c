#include "grammar/dkim/dkim_header.h"
#include "base/test.h"

#include "grammar/dkim/dkim_signature.h"

enum { MEMORY = 16 << 20 };

static void collect(void *ctx, str octets)
{
	buf_put(ctx, octets);
}

static void covers(str header, str names, str want)
{
	AUTO_ARENA arena a = arena_new(MEMORY);
	struct dkim_header h;
	assert_ok(dkim_header_open(header, &a, &h));
	for (int i = 0; i < 2; i++) { /* the second signature begins at the bottom again */
		AUTO_BUF buf out = buf_new(MEMORY);
		const struct dkim_covered c = {names, STR("DKIM-Signature: b=\r\n"), DKIM_RELAXED};
		dkim_header_hash(&h, &c, (struct dkim_sink){collect, &out});
		assert_str(buf_str(&out), want);
	}
	dkim_header_close(&h);
}

static void fields_are_taken_from_the_bottom_up(void **state)
{
	(void)state;
	const str header = STR("To: one\r\nFrom: a\r\nto: two\r\nSubject: s\r\n t\r\n\r\nFrom: body\r\n");
	covers(header, STR("to"), STR("to:two\r\ndkim-signature:b="));
	covers(header, STR("To : to:TO"), STR("to:two\r\nto:one\r\ndkim-signature:b="));
	covers(header, STR("subject:x:From:from"), STR("subject:s t\r\nfrom:a\r\ndkim-signature:b="));
}

static void names_of(str header, const char *want)
{
	AUTO_ARENA arena a = arena_new(MEMORY);
	AUTO_BUF buf names = buf_new(DKIM_FIELD_MAX);
	struct dkim_header h;
	assert_ok(dkim_header_open(header, &a, &h));
	dkim_header_names(&h, &names);
	assert_str(buf_str(&names), str_from(want));
	dkim_header_close(&h);
}

#define SEALED_TO_CC "Reply-To:Subject:Date:"
#define SEALED_REST "Cc:Message-ID:In-Reply-To:References:MIME-Version:Content-Type:Content-Transfer-Encoding"

static void our_list_seals_what_could_be_added(void **state)
{
	(void)state;
	names_of(STR("From: a\r\nReceived: x\r\n\r\n"), "From:From:" SEALED_TO_CC "To:" SEALED_REST);
	names_of(STR("List-Unsubscribe-Post: x\r\nFrom: a\r\nlist-unsubscribe: y\r\n\r\n"),
		"From:From:" SEALED_TO_CC "To:" SEALED_REST ":List-Unsubscribe:List-Unsubscribe-Post");
	names_of(STR("From: a\r\nTo: 1\r\nTo: 2\r\nTo: 3\r\nTo: 4\r\nTo: 5\r\n"),
		"From:From:" SEALED_TO_CC "To:To:To:To:" SEALED_REST);
	names_of(STR("\xef\xbb\xbf" "From: a\r\n\r\n"), "From:" SEALED_TO_CC "To:" SEALED_REST);
}

/* The longest h= there is fits into the field. */
static void the_longest_list_fits(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(MEMORY);
	AUTO_BUF buf header = buf_new(MEMORY), names = buf_new(DKIM_FIELD_MAX), field = buf_new(DKIM_FIELD_MAX);
	char long_name[256];
	struct dkim_header h;
	size_t at;
#define FIELD(NAME, SEALED)              \
	for (int i = 0; i < 10; i++)     \
		buf_put(&header, STR(NAME ": x\r\n"));
#include "grammar/dkim/dkim_fields.h"
#undef FIELD
	assert_ok(dkim_header_open(buf_str(&header), &a, &h));
	dkim_header_names(&h, &names);
	memset(long_name, 'a', sizeof long_name);
	struct dkim_signature s = {.domain = str_of(long_name, 255), .selector = str_of(long_name, 63),
		.names = buf_str(&names), .body_hash = str_of(long_name, DKIM_DIGEST), .signed_at = INT64_MAX};
	assert_ok(dkim_signature_print(&s, &field, &at));
	dkim_header_close(&h);
}

static void fields_beyond_the_limit_are_not_seen(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(MEMORY);
	AUTO_BUF buf header = buf_new(MEMORY);
	struct dkim_header h;
	for (size_t i = 0; i <= DKIM_FIELDS_MAX; i++)
		buf_put(&header, STR("X: y\r\n"));
	assert_ok(dkim_header_open(buf_str(&header), &a, &h));
	assert_int_equal(h.n, DKIM_FIELDS_MAX);
	dkim_header_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_taken_from_the_bottom_up),
		cmocka_unit_test(our_list_seals_what_could_be_added),
		cmocka_unit_test(the_longest_list_fits),
		cmocka_unit_test(fields_beyond_the_limit_are_not_seen),
	};
	hash_seed((const unsigned char *)"0123456789abcdef");
	return cmocka_run_group_tests_name("dkim header", tests, NULL, NULL);
}
