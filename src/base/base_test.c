#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/fading.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/log_read.h"
#include "base/mem.h"
#include "base/test.h"

static void numbers_refuse_overflow_and_signs(void **state)
{
	(void)state;
	uint64_t v = 7;
	assert_true(str_to_u64(STR("18446744073709551615"), &v));
	assert_true(v == UINT64_MAX);
	assert_false(str_to_u64(STR("18446744073709551616"), &v));
	assert_false(str_to_u64(STR("-1"), &v));
	assert_false(str_to_u64(STR(""), &v));
	uint32_t w = 0;
	assert_false(str_to_u32(STR("4294967296"), &w));
	assert_true(str_to_u32(STR("4294967295"), &w));
}

static void utf8_refuses_overlong_surrogates_and_cut(void **state)
{
	(void)state;
	assert_true(str_is_utf8(STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xac")));
	assert_false(str_is_utf8(STR("\xc0\x80")));
	assert_false(str_is_utf8(STR("\xed\xa0\x80")));
	assert_false(str_is_utf8(STR("\xf4\x90\x80\x80")));
	assert_false(str_is_utf8(STR("\xe2\x82")));
	assert_false(str_is_utf8(STR("\xe0\x80\xaf")));
}

static void text_is_cut_between_characters(void **state)
{
	(void)state;
	str s = STR("a\xc3\xa9\xe2\x82\xac!");
	static const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 7, 7};
	for (size_t most = 0; most < sizeof whole / sizeof *whole; most++)
		assert_str(str_clip(s, most), str_sub(s, 0, whole[most]));
	assert_int_equal(str_clip(STR("\x80\x80\x80\x80\x80\x80\x80\x80"), 6).n, 3);
	assert_int_equal(str_clip((str){NULL, 0}, 5).n, 0);
}

static void utf8_characters_one_by_one(void **state)
{
	static const uint32_t want[] = {'a', 0xe9, 0x20ac, 0x1f4ec, 0x10ffff, 0};
	const str s = STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xac\xf4\x8f\xbf\xbf\0");
	size_t i = 0;
	(void)state;
	for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
		uint32_t c = 7;
		i += str_utf8_at(s, i, &c);
		assert_int_equal(c, want[k]);
	}
	assert_int_equal(i, s.n);
	uint32_t c = 7;
	assert_int_equal(str_utf8_at(s, 2, &c), 0); /* in the middle of one */
	assert_int_equal(str_utf8_at(STR("\xe2\x82"), 0, &c), 0);
	assert_int_equal(c, 7);
}

static void ascii_at_every_place(void **state)
{
	char p[100]; /* three steps and a rest */
	(void)state;
	memset(p, 0x7f, sizeof p);
	assert_true(str_is_ascii((str){NULL, 0}));
	for (size_t n = 0; n <= sizeof p; n++)
		assert_true(str_is_ascii(str_of(p, n)));
	for (size_t i = 0; i < sizeof p; i++) {
		p[i] = (char)0x80;
		for (size_t n = 0; n <= sizeof p; n++)
			assert_int_equal(str_is_ascii(str_of(p, n)), n <= i);
		p[i] = 0x7f;
	}
}

static void hexadecimal_digits(void **state)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	(void)state;
	for (int c = -1; c < 256; c++) {
		size_t at = c > 0 ? str_chr(str_from(digits), (char)c) : STR_NONE;
		assert_int_equal(ascii_hex(c), at == STR_NONE ? -1 : (int)(at < 16 ? at : at - 6));
	}
}

static void finders(void **state)
{
	(void)state;
	str s = STR("Content-Type: text/Plain");
	assert_int_equal(str_chr(s, ':'), 12);
	assert_int_equal(str_find(s, STR("text")), 14);
	assert_int_equal(str_ifind(s, STR("PLAIN")), 19);
	assert_true(str_ifind(s, STR("html")) == STR_NONE);
	assert_int_equal(str_rchr(STR("a.b.c"), '.'), 3);
	assert_true(str_eq(str_trim(STR(" \t x y\r\n")), STR("x y")));
	assert_true(str_istarts(s, STR("content-")));
	assert_true(str_iends(s, STR("PLAIN")));
}

static void buf_keeps_its_first_error(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(10);
	buf_put(&b, STR("12345"));
	buf_put(&b, STR("678901"));
	buf_put(&b, STR("x"));
	assert_int_equal(buf_result(&b).kind, FAIL_LIMIT);
	assert_int_equal(b.n, 5);
	buf_clear(&b);
	buf_put_u64(&b, 1234567890);
	assert_false(failed(buf_result(&b)));
	assert_true(str_eq(buf_str(&b), STR("1234567890")));
	buf_drop(&b, 4);
	assert_true(str_eq(buf_str(&b), STR("567890")));
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= 3; n++) {
		AUTO_BUF buf b = buf_new(SIZE_MAX / 4);
		AUTO_ARENA arena a = arena_new(1 << 20);
		hash h = hash_new(100);
		mem_fail_at(n);
		buf_put(&b, STR("abc"));
		void *p = arena_alloc(&a, 100);
		result r = hash_put(&h, STR("k"), &h);
		mem_fail_at(0);
		assert_int_equal((b.broken == FAIL_MEMORY) + (p == NULL) + (r.kind == FAIL_MEMORY), 1);
		hash_free(&h);
	}
}

/* Also when memory is refused in between: what was there stays. */
static void an_array_grows_by_one(void **state)
{
	uint64_t *v = NULL;
	size_t cap = 0;
	(void)state;
	for (size_t n = 0; n < 100; n++) {
		bool full = n == cap;
		mem_fail_at(full ? 1 : 0);
		assert_int_equal(mem_room(&v, &cap, n, sizeof *v), !full);
		mem_fail_at(0);
		assert_true(mem_room(&v, &cap, n, sizeof *v) && cap > n);
		v[n] = n;
	}
	for (size_t n = 0; n < 100; n++)
		assert_int_equal(v[n], n);
	cap = SIZE_MAX / 4;
	assert_false(mem_room(&v, &cap, cap, sizeof *v));
	mem_free(v);
}

static void a_count_fades(void **state)
{
	struct fading f = {0};
	(void)state;
	assert_int_equal(fading_now(&f, 5000, 1000), 0);
	for (int i = 0; i < 4; i++)
		fading_add(&f, FADING_ONE, 5000, 1000);
	assert_int_equal(fading_now(&f, 5000, 1000), 4 * FADING_ONE);
	assert_int_equal(fading_now(&f, 4000, 1000), 4 * FADING_ONE); /* a clock that was set back */
	assert_int_equal(fading_now(&f, 5500, 1000), 3 * FADING_ONE);
	assert_int_equal(fading_now(&f, 6000, 1000), 2 * FADING_ONE);
	assert_int_equal(fading_now(&f, 8000, 1000), FADING_ONE / 2);
	assert_int_equal(fading_now(&f, 5000 + 32 * 1000, 1000), 0);
	for (uint64_t t = 5000, last = UINT32_MAX; t < 12000; t += 7) {
		assert_true(fading_now(&f, t, 1000) <= last);
		last = fading_now(&f, t, 1000);
	}
	fading_add(&f, UINT32_MAX, 9000, 1000);
	assert_int_equal(fading_add(&f, UINT32_MAX, 9000, 1000), UINT32_MAX);
}

/* Also where other things lay before. */
static void arena_gives_zeros(void **state)
{
	(void)state;
	static const size_t sizes[] = {1, 100, 2000, 3000, 30000, 40000, 100};
	static const char zeros[40000];
	AUTO_ARENA arena a = arena_new(1 << 20);
	AUTO_BUF buf noise = buf_new(1 << 20);
	while (noise.n < sizeof zeros)
		buf_putc(&noise, 'x');
	for (int turn = 0; turn < 4; turn++) {
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			char *p = arena_alloc(&a, sizes[i]);
			assert_memory_equal(p, zeros, sizes[i]);
			memset(p, 'x', sizes[i]);
			assert_int_equal(arena_dup(&a, str_sub(buf_str(&noise), 0, sizes[i])).n, sizes[i]);
		}
		if (turn % 2)
			arena_free(&a);
		else
			arena_clear(&a);
	}
}

static void arena_has_a_ceiling(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(4096);
	assert_non_null(arena_alloc(&a, 4000));
	assert_null(arena_alloc(&a, 200));
	assert_int_equal(arena_result(&a).kind, FAIL_LIMIT);
	assert_null(arena_array(&a, SIZE_MAX / 2, 3));
	arena_clear(&a);
	assert_false(failed(arena_result(&a)));
	assert_true(str_eq(arena_dup(&a, STR("hello")), STR("hello")));
	assert_string_equal(arena_cstr(&a, STR("hello")), "hello");
}

static void cursor_carries_its_error(void **state)
{
	(void)state;
	cursor c = cursor_on(STR("\x01\x02\x03"));
	assert_int_equal(cursor_u16(&c), 0x0201);
	assert_int_equal(cursor_u32(&c), 0);
	assert_true(c.bad);
	assert_int_equal(cursor_next(&c), -1);
	cursor d = cursor_on(STR("HeLo x"));
	assert_true(cursor_ieat(&d, STR("helo")));
	assert_false(cursor_eat(&d, 'x'));
	assert_false(d.bad);
	cursor_expect(&d, 'x');
	assert_true(d.bad);
}

static void hash_survives_churn(void **state)
{
	(void)state;
	hash h = hash_new(1000);
	static int values[1000];
	for (uint64_t round = 0; round < 20; round++) {
		for (uint64_t i = 0; i < 1000; i++)
			assert_false(failed(hash_put_u64(&h, i * 7919 + round, &values[i])));
		assert_int_equal(hash_put_u64(&h, UINT64_MAX, values).kind, FAIL_LIMIT);
		for (uint64_t i = 0; i < 1000; i += 2)
			assert_ptr_equal(hash_remove_u64(&h, i * 7919 + round), &values[i]);
		for (uint64_t i = 1; i < 1000; i += 2) {
			assert_ptr_equal(hash_get_u64(&h, i * 7919 + round), &values[i]);
			assert_ptr_equal(hash_remove_u64(&h, i * 7919 + round), &values[i]);
		}
		assert_int_equal(h.n, 0);
	}
	hash_free(&h);
}

static void lists_remove_while_walking(void **state)
{
	(void)state;
	struct list head, nodes[5];
	int seen = 0;
	list_init(&head);
	for (int i = 0; i < 5; i++)
		list_insert(&head, &nodes[i]);
	LIST_EACH_SAFE(n, &head)
	{
		assert_ptr_equal(n, &nodes[seen++]);
		list_remove(n);
	}
	assert_int_equal(seen, 5);
	assert_true(list_empty(&head));
}

static void a_list_joins_another_in_order(void **state)
{
	(void)state;
	struct list one, other, nodes[4];
	list_init(&one);
	list_init(&other);
	list_join(&one, &other);
	assert_true(list_empty(&one));
	for (int i = 0; i < 4; i++)
		list_insert(i == 0 ? &one : &other, &nodes[i]);
	list_join(&one, &other);
	assert_true(list_empty(&other));
	struct list *at = one.next;
	for (int i = 0; i < 4; i++, at = at->next)
		assert_ptr_equal(at, &nodes[i]);
	assert_ptr_equal(at, &one);
	assert_ptr_equal(one.prev, &nodes[3]);
}

static char last_record[LOG_RECORD_MAX];
static size_t last_size;

static void keep_record(void *ctx, str record)
{
	(void)ctx;
	memcpy(last_record, record.p, record.n);
	last_size = record.n;
}

static void events_come_back_as_they_went_in(void **state)
{
	(void)state;
	trace_id id = {.b = {1, 2, 3}};
	struct log_record r;
	struct log_value v;
	static char huge[9000];
	log_set_sink(keep_record, NULL);
	log_event(EV_SMTP_ACCEPTED, &id, F_STR("from", STR("a@b")), F_I64("delta", -5),
		F_STR("big", str_of(huge, sizeof huge)));
	log_set_sink(NULL, NULL);
	assert_true(log_read(str_of(last_record, last_size), &r));
	assert_int_equal(r.event, EV_SMTP_ACCEPTED);
	assert_memory_equal(r.trace.b, id.b, 16);
	assert_true(log_next(&r, &v) && str_eq(v.text, STR("a@b")));
	assert_true(log_next(&r, &v) && v.type == 'i' && (int64_t)v.number == -5);
	assert_true(log_next(&r, &v) && str_eq(v.name, STR("big")) && v.text.n < sizeof huge);
	assert_false(log_next(&r, &v));
	for (size_t cut = 0; cut < 40; cut++)
		if (log_read(str_of(last_record, cut), &r))
			while (log_next(&r, &v))
				assert_true(v.name.n < 255);
}

/* Freed memory cannot be looked at here; tests/house/test_plaintext.py looks at whole processes. */
static void a_process_can_be_made_to_forget(void **state)
{
	(void)state;
	char kept[] = "secret", *p = mem_alloc(16), *before = p;
	assert_non_null(p);
	mem_wipe(kept, sizeof kept);
	assert_string_equal(kept, "secret");
	mem_forget(); /* to the end of this program: the last test */
	mem_wipe(kept, sizeof kept);
	mem_wipe(NULL, 0);
	for (size_t i = 0; i < sizeof kept; i++)
		assert_int_equal(kept[i], 0);
	memcpy(p, "what was there", 15);
	p = mem_grow(p, 1 << 20);
	assert_non_null(p);
	assert_ptr_not_equal(p, before);
	assert_string_equal(p, "what was there");
	p = mem_grow(p, 20);
	assert_string_equal(p, "what was there");
	mem_fail_at(1);
	assert_null(mem_grow(p, 2 << 20));
	mem_fail_at(0);
	mem_free(p);
	assert_non_null(p = mem_grow(NULL, 10));
	mem_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_refuse_overflow_and_signs),
		cmocka_unit_test(utf8_refuses_overlong_surrogates_and_cut),
		cmocka_unit_test(text_is_cut_between_characters),
		cmocka_unit_test(utf8_characters_one_by_one),
		cmocka_unit_test(ascii_at_every_place),
		cmocka_unit_test(hexadecimal_digits),
		cmocka_unit_test(finders),
		cmocka_unit_test(buf_keeps_its_first_error),
		cmocka_unit_test(every_allocation_may_fail), cmocka_unit_test(an_array_grows_by_one),
		cmocka_unit_test(a_count_fades),
		cmocka_unit_test(arena_gives_zeros),
		cmocka_unit_test(arena_has_a_ceiling),
		cmocka_unit_test(cursor_carries_its_error),
		cmocka_unit_test(hash_survives_churn),
		cmocka_unit_test(lists_remove_while_walking),
		cmocka_unit_test(a_list_joins_another_in_order),
		cmocka_unit_test(events_come_back_as_they_went_in),
		cmocka_unit_test(a_process_can_be_made_to_forget),
	};
	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
