#include "base/mem.h"
#include "base/test.h"
#include "grammar/mime/header.h"

static void fields_fold_and_end(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct header h;
	str text = STR("Subject: one\r\n two\r\n\tthree\r\nTo : a@b\r\n\r\nbody: no\r\n");
	assert_ok(header_parse(text, 100, &a, &h));
	assert_int_equal(h.n, 2);
	assert_str(h.fields[0].value, STR("one\r\n two\r\n\tthree"));
	assert_str(header_unfold(&a, h.fields[0].value), STR("one two\tthree"));
	assert_str(header_value(&h, HEADER_TO), STR("a@b"));
	assert_str(h.fields[1].raw, STR("To : a@b\r\n"));
	assert_int_equal(header_length(text), text.n - 10);
	assert_null(header_first(&h, HEADER_CC));
}

static void garbage_is_stepped_over(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct header h;
	assert_ok(header_parse(STR("From joe@example.com Thu Aug 22 12:36:23 2002\n"
	                           "no colon here\n  its continuation: x\n"
	                           ": no name\nG\xc3\xa9: x\nsubject:x\nSUBJECT:y\nempty:\n\nz: 1"), 100, &a, &h));
	assert_int_equal(h.n, 3);
	assert_str(header_value(&h, HEADER_SUBJECT), STR("x"));
	assert_str(header_after(&h, header_first(&h, HEADER_SUBJECT))->value, STR("y"));
	assert_null(header_after(&h, &h.fields[1]));
	assert_str(h.fields[2].value, STR(""));
}

static void a_byte_order_mark_is_no_name(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct header h;
	assert_ok(header_parse(STR("\xef\xbb\xbfTo: a@b\r\nCc: c\r\n"), 10, &a, &h));
	assert_str(header_value(&h, HEADER_TO), STR("a@b"));
	assert_int_equal(h.fields[0].raw.n, 12);
}

static void cut_texts_end_quietly(void **state)
{
	(void)state;
	str text = STR("A: b\r\n c\r\nB : \r\n\r\n");
	for (size_t cut = 0; cut <= text.n; cut++) {
		struct header_walk w = {.text = str_sub(text, 0, cut)};
		struct header_field f;
		size_t n = 0;
		while (header_next(&w, &f))
			n++;
		assert_true(n <= 2 && w.at <= cut);
		assert_false(header_next(&w, &f));
	}
	assert_int_equal(header_length(STR("")), 0);
	assert_int_equal(header_length(STR("\n")), 1);
}

static void limits_hold(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(8 << 20);
	struct header h;
	size_t n = 3 << 20;
	char *big = mem_alloc(n);
	for (size_t i = 0; i < n; i += 4)
		memcpy(big + i, "a:b\n", 4);
	assert_ok(header_parse(str_of(big, n), UINT32_MAX, &a, &h));
	assert_int_equal(h.n, HEADER_FIELDS_MAX);
	memset(big, 'x', n);
	memcpy(big, "a:", 2);
	assert_ok(header_parse(str_of(big, n), 10, &a, &h));
	assert_int_equal(h.n, 1);
	assert_int_equal(h.fields[0].raw.n, HEADER_BYTES_MAX);
	memset(big, 'n', n);
	big[HEADER_NAME_MAX] = ':';
	big[HEADER_NAME_MAX + 1] = '\n';
	assert_ok(header_parse(str_of(big, HEADER_NAME_MAX + 2), 10, &a, &h));
	assert_int_equal(h.n, 1);
	big[HEADER_NAME_MAX] = 'n';
	big[HEADER_NAME_MAX + 1] = ':';
	assert_ok(header_parse(str_of(big, HEADER_NAME_MAX + 2), 10, &a, &h));
	assert_int_equal(h.n, 0);
	mem_free(big);
	arena tiny = arena_new(64);
	assert_int_equal(header_parse(STR("a:b\nb:c\n"), 10, &tiny, &h).kind, FAIL_LIMIT);
	arena_free(&tiny);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_fold_and_end),
		cmocka_unit_test(garbage_is_stepped_over),
		cmocka_unit_test(a_byte_order_mark_is_no_name),
		cmocka_unit_test(cut_texts_end_quietly),
		cmocka_unit_test(limits_hold),
	};
	return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
