#include "talk/test/pair_check.h"

#include "base/test.h"

#include <fcntl.h>
#include <unistd.h>

enum { ROUNDS = 60, ARENA = 32 << 20 };

static const struct talk_pair *checked;

static void encode(const struct talk_shape *s, const void *m, struct talk_out *out, buf *octets)
{
	talk_out_clear(out);
	buf_clear(octets);
	result r = talk_encode(s, m, out);
	if (failed(r))
		fail_msg("%s does not encode: %s", s->name, r.text);
	talk_out_flatten(out, octets);
	assert_int_equal(octets->n, out->total);
}

/* One random message, its octets, and what decodes from them. */
struct trip {
	const struct talk_shape *s;
	arena a;
	struct talk_out out;
	buf octets;
	void *m;
	void *back;
};

static void trip_open(struct trip *t, const struct talk_shape *s)
{
	*t = (struct trip){.s = s, .a = arena_new(ARENA), .out = talk_out_new(), .octets = buf_new(1 << 20)};
	t->m = arena_alloc(&t->a, s->size);
	t->back = arena_alloc(&t->a, s->size);
	pair_fill(s, &t->a, t->m);
	encode(s, t->m, &t->out, &t->octets);
}

static void trip_close(struct trip *t)
{
	talk_release(t->s, t->m);
	talk_out_free(&t->out);
	buf_free(&t->octets);
	arena_free(&t->a);
}

static result decode_as(struct trip *t, const struct talk_shape *s, str octets)
{
	struct talk_in in = pair_in(&t->out, octets, &t->a);
	result r = talk_decode(s, &in, t->back);
	talk_in_close(&in);
	return r;
}

static void there_and_back(struct trip *t)
{
	AUTO_BUF buf again = buf_new(1 << 20), line = buf_new(1 << 20), line_back = buf_new(1 << 20);
	struct talk_out out = talk_out_new();
	assert_ok(decode_as(t, t->s, buf_str(&t->octets)));
	encode(t->s, t->back, &out, &again);
	assert_true(str_eq(buf_str(&again), buf_str(&t->octets)));
	talk_print(t->s, t->m, &line);
	talk_print(t->s, t->back, &line_back);
	assert_str(buf_str(&line), buf_str(&line_back));
	assert_true(str_starts(buf_str(&line), str_from(t->s->name)));
	talk_out_free(&out);
	talk_release(t->s, t->back);
}

static void messages_come_back_as_they_were(void **state)
{
	(void)state;
	size_t fds = pair_open_fds();
	for (size_t n = 1; n <= checked->n; n++)
		for (int round = 0; round < ROUNDS; round++) {
			struct trip t;
			trip_open(&t, checked->messages[n].shape);
			there_and_back(&t);
			trip_close(&t);
		}
	assert_int_equal(pair_open_fds(), fds);
}

static void refused(struct trip *t, const struct talk_shape *s, str octets, const char *what)
{
	result r = decode_as(t, s, octets);
	if (r.kind != FAIL_PEER)
		fail_msg("%s %s: %s instead of peer", s->name, what, fail_name(r.kind));
}

static void cuts_and_surplus_are_refused(void **state)
{
	(void)state;
	size_t fds = pair_open_fds();
	for (size_t n = 1; n <= checked->n; n++) {
		struct trip t;
		trip_open(&t, checked->messages[n].shape);
		size_t step = t.octets.n / 3000 + 1;
		for (size_t cut = 0; cut < t.octets.n; cut += step)
			refused(&t, t.s, str_of(t.octets.p, cut), "cut short");
		buf_putc(&t.octets, 0);
		refused(&t, t.s, buf_str(&t.octets), "with an octet too many");
		t.octets.n--;
		if (t.out.fds_n < TALK_FDS_MAX) {
			int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
			t.out.fds[t.out.fds_n++] = null;
			refused(&t, t.s, buf_str(&t.octets), "with a descriptor too many");
			t.out.fds_n--;
			close(null);
		}
		if (t.out.fds_n > 0) {
			t.out.fds_n--;
			refused(&t, t.s, buf_str(&t.octets), "with a descriptor too few");
		}
		trip_close(&t);
	}
	assert_int_equal(pair_open_fds(), fds);
}

/* Lets field `f` of m grow one past its limit; false when its type has none
 * or the packet could not hold it. */
static bool one_too_much(const struct talk_field *f, arena *a, void *m)
{
	void *p = (char *)m + f->offset;
	size_t size = f->type == TALK_LIST ? f->element->size : 1;
	uint32_t value = f->max;
	if (f->type == TALK_ENUM) {
		memcpy(p, &value, sizeof value);
		return true;
	}
	bool small = f->max < TALK_PACKET_MAX / 2 && (f->type != TALK_BODY || f->max < TALK_INLINE_MAX);
	if ((f->type != TALK_STR && f->type != TALK_LIST && f->type != TALK_BODY) || !small)
		return false;
	struct talk_list l = {arena_array(a, (size_t)f->max + 1, size), (size_t)f->max + 1};
	memcpy(p, &l, sizeof l); /* str, list and body begin alike: pointer and count */
	return true;
}

static void one_field(const struct talk_shape *s, size_t i)
{
	struct trip t;
	trip_open(&t, s);
	struct talk_field *lax = arena_array(&t.a, s->n, sizeof *lax);
	struct talk_shape lax_shape = *s;
	memcpy(lax, s->fields, s->n * sizeof *lax);
	lax_shape.fields = lax;
	lax[i].max++;
	for (size_t k = 0; k < s->n; k++) /* the others stay small, so that all fits */
		if (s->fields[k].type == TALK_STR || s->fields[k].type == TALK_LIST)
			memset((char *)t.m + s->fields[k].offset, 0, s->fields[k].size);
	if (one_too_much(&s->fields[i], &t.a, t.m)) {
		talk_out_clear(&t.out);
		if (s->fields[i].type != TALK_ENUM)
			assert_int_equal(talk_encode(s, t.m, &t.out).kind, FAIL_LIMIT);
		encode(&lax_shape, t.m, &t.out, &t.octets);
		refused(&t, s, buf_str(&t.octets), s->fields[i].name);
	}
	trip_close(&t);
}

static void every_field_has_its_limit(void **state)
{
	(void)state;
	for (size_t n = 1; n <= checked->n; n++)
		for (size_t i = 0; i < checked->messages[n].shape->n; i++)
			one_field(checked->messages[n].shape, i);
}

static void random_octets_never_harm(void **state)
{
	(void)state;
	size_t fds = pair_open_fds();
	for (size_t n = 1; n <= checked->n; n++) {
		struct trip t;
		trip_open(&t, checked->messages[n].shape);
		for (size_t i = 0; i < t.octets.n && i < 400; i++) {
			AUTO_BUF buf bent = buf_new(1 << 20);
			buf_putc(&bent, (char)(n - 1));
			buf_put(&bent, buf_str(&t.octets));
			bent.p[i + 1] = (char)(bent.p[i + 1] ^ (1 << i % 8));
			pair_fuzz(checked, buf_str(&bent));
		}
		trip_close(&t);
	}
	assert_int_equal(pair_open_fds(), fds);
}

int pair_check(const struct talk_pair *pair)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_back_as_they_were),
		cmocka_unit_test(cuts_and_surplus_are_refused),
		cmocka_unit_test(every_field_has_its_limit),
		cmocka_unit_test(random_octets_never_harm),
	};
	checked = pair;
	return cmocka_run_group_tests_name(pair->name, tests, NULL, NULL);
}
