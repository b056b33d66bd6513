#include "grammar/smtp/smtp_data.h"
#include "base/test.h"

/* Feeds `wire` in pieces of `a` bytes, then `b`, then the rest; returns what was taken. */
static size_t feed_split(struct smtp_data *d, str wire, size_t a, size_t b, buf *out)
{
	size_t taken = smtp_data_feed(d, str_sub(wire, 0, a), out);
	if (taken == a)
		taken += smtp_data_feed(d, str_sub(wire, taken, b), out);
	if (taken == a + b)
		taken += smtp_data_feed(d, str_skip(wire, taken), out);
	return taken;
}

struct want {
	str text;
	size_t taken;
	uint64_t crs, lfs;
	bool nul, done;
};

static void check(const struct smtp_data *d, const buf *out, size_t taken, const struct want *w)
{
	assert_str(buf_str(out), w->text);
	assert_int_equal(taken, w->taken);
	assert_int_equal(d->consumed, w->taken);
	assert_int_equal(d->size, w->text.n);
	assert_int_equal(d->bare_crs, w->crs);
	assert_int_equal(d->bare_lfs, w->lfs);
	assert_int_equal(d->nul, w->nul);
	assert_int_equal(d->state == SMTP_DATA_DONE, w->done);
}

/* Every split into three chunks, and byte by byte. */
static void every_split(enum smtp_data_policy policy, str wire, const struct want *w)
{
	for (size_t a = 0; a <= wire.n; a++)
		for (size_t b = 0; b <= wire.n - a; b++) {
			AUTO_BUF buf out = buf_new(4096);
			struct smtp_data d = smtp_data_new(policy);
			size_t taken = feed_split(&d, wire, a, b, &out);
			check(&d, &out, taken, w);
		}
	AUTO_BUF buf out = buf_new(4096);
	struct smtp_data d = smtp_data_new(policy);
	size_t taken = 0;
	while (taken < wire.n && smtp_data_feed(&d, str_sub(wire, taken, 1), &out) == 1)
		taken++;
	check(&d, &out, taken, w);
}

static void end_and_dots(void **state)
{
	(void)state;
	static const struct {
		str wire;
		struct want want;
	} cases[] = {
		{STR_INIT(".\r\nQUIT\r\n"), {STR_INIT(""), 3, .done = true}},
		{STR_INIT("a\r\n.\r\nQUIT\r\n"), {STR_INIT("a\r\n"), 6, .done = true}},
		{STR_INIT("..\r\n.a\r\n...b.\r\n.\r\n"), {STR_INIT(".\r\na\r\n..b.\r\n"), 18, .done = true}},
		{STR_INIT("a.\r\nb.\r\n\r\n.\r\n.\r\n"), {STR_INIT("a.\r\nb.\r\n\r\n"), 13, .done = true}},
		{STR_INIT("no end\r\n"), {STR_INIT("no end\r\n"), 8}},
		{STR_INIT("a\0b\r\n.\r\n"), {STR_INIT("a\0b\r\n"), 8, .nul = true, .done = true}},
		{STR_INIT("a long line of text, longer than a block\r\nand another one\r\n.\r\nX"),
		 {STR_INIT("a long line of text, longer than a block\r\nand another one\r\n"), 62, .done = true}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		every_split(SMTP_DATA_REJECT, cases[i].wire, &cases[i].want);
		every_split(SMTP_DATA_NORMALISE, cases[i].wire, &cases[i].want);
	}
}

/* What others have taken for an end of data. Each stands between "a" and
 * "MAIL", and must not end the message; the true end comes behind it. */
static const struct {
	str sequence;
	str normal; /* what normalising makes of "a" + sequence + "M" */
	uint64_t crs, lfs;
	bool nul;
} smuggled[] = {
	{STR_INIT("\n.\n"), STR_INIT("a\r\n.\r\nM"), 0, 2, false},
	{STR_INIT("\n.\r\n"), STR_INIT("a\r\n.\r\nM"), 0, 1, false},
	{STR_INIT("\r\n.\n"), STR_INIT("a\r\n\r\nM"), 0, 1, false},
	{STR_INIT("\r.\r"), STR_INIT("a . M"), 2, 0, false},
	{STR_INIT("\r.\n"), STR_INIT("a .\r\nM"), 1, 1, false},
	{STR_INIT("\n.\r"), STR_INIT("a\r\n. M"), 1, 1, false},
	{STR_INIT("\r.\r\n"), STR_INIT("a .\r\nM"), 1, 0, false},
	{STR_INIT("\r\n.\r"), STR_INIT("a\r\n M"), 1, 0, false},
	{STR_INIT("\r\r.\r\r"), STR_INIT("a  .  M"), 4, 0, false},
	{STR_INIT("\r\n\0.\r\n"), STR_INIT("a\r\n\0.\r\nM"), 0, 0, true},
	{STR_INIT("\r\n.\0\r\n"), STR_INIT("a\r\n\0\r\nM"), 0, 0, true},
	{STR_INIT("\r\n.\r\0\n"), STR_INIT("a\r\n \0\r\nM"), 1, 1, true},
	{STR_INIT("\r\0\n.\r\n"), STR_INIT("a \0\r\n.\r\nM"), 1, 1, true},
	{STR_INIT("\r\n.\r\r\n"), STR_INIT("a\r\n\r\nM"), 1, 0, false},
	{STR_INIT("\n\r.\r\n"), STR_INIT("a\r\n .\r\nM"), 1, 1, false},
	{STR_INIT("\n\n.\n\n"), STR_INIT("a\r\n\r\n.\r\n\r\nM"), 0, 4, false},
	{STR_INIT("\r\n.\n\r\n"), STR_INIT("a\r\n\r\n\r\nM"), 0, 1, false},
	{STR_INIT("\r\n .\r\n"), STR_INIT("a\r\n .\r\nM"), 0, 0, false},
	{STR_INIT("\r\n. \r\n"), STR_INIT("a\r\n \r\nM"), 0, 0, false},
	{STR_INIT("\r\n.\t\r\n"), STR_INIT("a\r\n\t\r\nM"), 0, 0, false},
	{STR_INIT("\r\n..\r\n"), STR_INIT("a\r\n.\r\nM"), 0, 0, false},
	{STR_INIT("\x0b.\x0b"), STR_INIT("a\x0b.\x0bM"), 0, 0, false},
	{STR_INIT("\x85.\x85"), STR_INIT("a\x85.\x85M"), 0, 0, false},
	{STR_INIT("\xe2\x80\xa8.\xe2\x80\xa8"), STR_INIT("a\xe2\x80\xa8.\xe2\x80\xa8M"), 0, 0, false},
	{STR_INIT("\x8d\x8a.\x8d\x8a"), STR_INIT("a\x8d\x8a.\x8d\x8aM"), 0, 0, false},
	{STR_INIT("\r\n\xef\xbc\x8e\r\n"), STR_INIT("a\r\n\xef\xbc\x8e\r\nM"), 0, 0, false},
};

static void smuggling_sequences_do_not_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof smuggled / sizeof smuggled[0]; i++) {
		AUTO_BUF buf wire = buf_new(200), text = buf_new(200);
		buf_putc(&wire, 'a');
		buf_put(&wire, smuggled[i].sequence);
		buf_put(&wire, STR("M\r\n.\r\nQUIT\r\n"));
		buf_put(&text, smuggled[i].normal);
		buf_put(&text, STR("\r\n"));
		struct want w = {buf_str(&text), wire.n - 6, smuggled[i].crs, smuggled[i].lfs, smuggled[i].nul, true};
		every_split(SMTP_DATA_NORMALISE, buf_str(&wire), &w);
	}
}

/* Here the five octets do occur: they end the message, and the stray CR or LF
 * around them is told, so that the message is refused. */
static void true_ends_among_strays(void **state)
{
	(void)state;
	static const struct {
		str wire;
		struct want want;
	} cases[] = {
		{STR_INIT("a\r\r\n.\r\nX"), {STR_INIT("a\r\r\n"), 7, 1, 0, .done = true}},
		{STR_INIT("a\n\r\n.\r\n\nX"), {STR_INIT("a\n\r\n"), 7, 0, 1, .done = true}},
		{STR_INIT("\r\r\n.\r\nX"), {STR_INIT("\r\r\n"), 6, 1, 0, .done = true}},
		{STR_INIT("\r\n.\r\r\n.\r\nX"), {STR_INIT("\r\n\r\r\n"), 9, 1, 0, .done = true}},
		{STR_INIT("a\r\n.\n.\r\n.\r\nX"), {STR_INIT("a\r\n\n.\r\n"), 11, 0, 1, .done = true}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		every_split(SMTP_DATA_REJECT, cases[i].wire, &cases[i].want);
}

static void first_stray_is_located(void **state)
{
	(void)state;
	static const struct {
		str wire;
		uint64_t at;
		bool lf;
	} cases[] = {
		{STR_INIT("\n.\r\n.\r\n"), 0, true},	 {STR_INIT("ab\rc\nd\r\n.\r\n"), 2, false},
		{STR_INIT("ab\r\n.\r\r\n\n"), 5, false}, {STR_INIT("ab\r\n..\n\r"), 6, true},
		{STR_INIT("abc\r\r\r\n"), 3, false},	 {STR_INIT("0123456789abcdef0123\nx\r\n"), 20, true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (size_t cut = 0; cut <= cases[i].wire.n; cut++) {
			struct smtp_data d = smtp_data_new(SMTP_DATA_REJECT);
			feed_split(&d, cases[i].wire, cut, 1, NULL);
			assert_true(smtp_data_bare(&d));
			assert_int_equal(d.first_bare, cases[i].at);
			assert_int_equal(d.first_bare_is_lf, cases[i].lf);
		}
}

static void a_full_buf_does_not_lose_the_end(void **state)
{
	(void)state;
	AUTO_BUF buf out = buf_new(4);
	struct smtp_data d = smtp_data_new(SMTP_DATA_REJECT);
	assert_int_equal(smtp_data_feed(&d, STR("too long\r\n.\r\nRSET\r\n"), &out), 13);
	assert_int_equal(buf_result(&out).kind, FAIL_LIMIT);
	assert_int_equal(d.state, SMTP_DATA_DONE);
	assert_int_equal(d.size, 10);
}

static void printer_stuffs_and_ends(void **state)
{
	(void)state;
	static const struct {
		str text, wire;
		bool bare, lf_dots;
	} cases[] = {
		{STR_INIT(""), STR_INIT(".\r\n"), false, false},
		{STR_INIT("a\r\n"), STR_INIT("a\r\n.\r\n"), false, false},
		{STR_INIT("a"), STR_INIT("a\r\n.\r\n"), false, false},
		{STR_INIT("."), STR_INIT("..\r\n.\r\n"), false, false},
		{STR_INIT(".\r\n..\r\na.\r\n\r\n.b"), STR_INIT("..\r\n...\r\na.\r\n\r\n..b\r\n.\r\n"), false, false},
		{STR_INIT("a\n.b\r\n"), STR_INIT("a\n.b\r\n.\r\n"), true, false},
		{STR_INIT("a\r.b\r\n"), STR_INIT("a\r.b\r\n.\r\n"), true, false},
		{STR_INIT("a\r"), STR_INIT("a\r\r\n.\r\n"), true, false},
		{STR_INIT("a\r\r\n"), STR_INIT("a\r\r\n.\r\n"), true, false},
		{STR_INIT("a\n.b\n.\r\n.c"), STR_INIT("a\n..b\n..\r\n..c\r\n.\r\n"), true, true},
		{STR_INIT("a\n.\n"), STR_INIT("a\n..\n\r\n.\r\n"), true, true},
		{STR_INIT("a\r\n.\n\r.\n\n."), STR_INIT("a\r\n..\n\r.\n\n..\r\n.\r\n"), true, true},
		{STR_INIT("a\0\r\n.\0"), STR_INIT("a\0\r\n..\0\r\n.\r\n"), false, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (size_t cut = 0; cut <= cases[i].text.n; cut++) {
			AUTO_BUF buf out = buf_new(200);
			struct smtp_stuffer s = {.lf_dots = cases[i].lf_dots};
			smtp_data_stuff(&s, str_sub(cases[i].text, 0, cut), &out);
			smtp_data_stuff(&s, str_skip(cases[i].text, cut), &out);
			smtp_data_stuff_finish(&s, &out);
			assert_str(buf_str(&out), cases[i].wire);
			assert_int_equal(s.bare, cases[i].bare);
		}
}

/* What smuggling is made of is told from an accident: a dot alone beside a bare one. */
static void false_ends_are_told_from_accidents(void **state)
{
	static const struct {
		const char *wire;
		bool false_end;
	} cases[] = {
		{"a\nb\r\n.\r\n", false},       {"a.\nb\r\n.\r\n", false},        {"a\n.b\r\n.\r\n", false},
		{"a\n.\nb\r\n.\r\n", true}, {"a\n.\r\nb\r\n.\r\n", true},    {"a\r\n.\nb\r\n.\r\n", true},
		{"a\r.\rb\r\n.\r\n", true},    {"a\r\n.\rb\r\n.\r\n", true},    {"a\r.\r\nb\r\n.\r\n", true},
		{"\n.\n", true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct smtp_data d = smtp_data_new(SMTP_DATA_REJECT);
		smtp_data_feed(&d, str_from(cases[i].wire), NULL);
		assert_int_equal(d.false_end, cases[i].false_end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(end_and_dots),
		cmocka_unit_test(false_ends_are_told_from_accidents),
		cmocka_unit_test(smuggling_sequences_do_not_end),
		cmocka_unit_test(true_ends_among_strays),
		cmocka_unit_test(first_stray_is_located),
		cmocka_unit_test(a_full_buf_does_not_lose_the_end),
		cmocka_unit_test(printer_stuffs_and_ends),
	};
	return cmocka_run_group_tests_name("smtp_data", tests, NULL, NULL);
}
