#include "grammar/mime/qp.h"
#include "base/test.h"

static void decodes(str in, str want, bool damaged)
{
	for (size_t cut = 0; cut <= in.n; cut++)
		for (size_t second = cut; second <= in.n; second++) {
			AUTO_BUF buf b = buf_new(4096);
			struct qp_decoder d = {0};
			qp_decode(&d, str_sub(in, 0, cut), &b);
			qp_decode(&d, str_sub(in, cut, second - cut), &b);
			qp_decode(&d, str_skip(in, second), &b);
			qp_decode_finish(&d, &b);
			assert_str(buf_str(&b), want);
			assert_int_equal(d.damaged, damaged);
		}
}

static void rfc_forms(void **state)
{
	(void)state;
	decodes(STR("Now's the time =\r\nfor all folk to come=\r\n to the aid of their country."),
		STR("Now's the time for all folk to come to the aid of their country."), false);
	decodes(STR("=C3=A9=3D\r\n=0D=0A=00"), STR("\xc3\xa9=\r\n\r\n\0"), false);
	decodes(STR("blanks  \t\r\nnext \r\n"), STR("blanks\r\nnext\r\n"), false);
	decodes(STR("kept=20\r\n a b"), STR("kept \r\n a b"), false);
	decodes(STR("soft=  \t\r\nbreak"), STR("softbreak"), false);
	decodes(STR("end = \r\n"), STR("end "), false);
}

static void real_faults(void **state)
{
	(void)state;
	decodes(STR("=c3=A9"), STR("\xc3\xa9"), false);
	decodes(STR("a=\nb \nc"), STR("ab\nc"), false);
	decodes(STR("1=1 =G0 =4 =4G =x"), STR("1=1 =G0 =4 =4G =x"), true);
	decodes(STR("=="), STR("="), true);
	decodes(STR("==41"), STR("=A"), true);
	decodes(STR("a= b"), STR("a= b"), true);
	decodes(STR("a=\rb"), STR("a=\rb"), true);
	decodes(STR("a\rb \r\r\n"), STR("a\rb \r\r\n"), false);
	decodes(STR("ends in blanks  "), STR("ends in blanks"), false);
	decodes(STR("ends="), STR("ends"), false);
	decodes(STR("ends=4"), STR("ends=4"), false);
	decodes(STR("raw \xc3\xa9 \0 bytes"), STR("raw \xc3\xa9 \0 bytes"), false);
}

/* n blanks between nothing and a line end. */
static void blanks(size_t n, size_t want)
{
	AUTO_BUF buf in = buf_new(4096), out = buf_new(4096);
	for (size_t i = 0; i < n; i++)
		buf_putc(&in, ' ');
	buf_put(&in, STR("\n"));
	struct qp_decoder d = {0};
	qp_decode(&d, buf_str(&in), &out);
	qp_decode_finish(&d, &out);
	assert_int_equal(out.n, want + 1);
}

static void blanks_before_a_line_end_have_a_limit(void **state)
{
	(void)state;
	blanks(QP_HELD_MAX, 0);
	blanks(QP_HELD_MAX + 1, QP_HELD_MAX);
}

static void encodes(bool binary, str in, str want)
{
	for (size_t cut = 0; cut <= in.n; cut++) {
		AUTO_BUF buf b = buf_new(4096);
		struct qp_encoder e = {.binary = binary};
		qp_encode(&e, str_sub(in, 0, cut), &b);
		qp_encode(&e, str_skip(in, cut), &b);
		qp_encode_finish(&e, &b);
		assert_str(buf_str(&b), want);
	}
}

static void text_is_encoded(void **state)
{
	(void)state;
	encodes(false, STR("caf\xc3\xa9 = 1\r\n"), STR("caf=C3=A9 =3D 1\r\n"));
	encodes(false, STR("a \r\nb\t\r\n \r\n"), STR("a=20\r\nb=09\r\n=20\r\n"));
	encodes(false, STR("a\rb\nc \rd"), STR("a=0Db=0Ac=20=0Dd"));
	encodes(false, STR("end "), STR("end=20"));
	encodes(false, STR("end\r"), STR("end=0D"));
	encodes(false, STR(".\r\n.a.\r\n"), STR("=2E\r\n=2Ea.\r\n"));
	encodes(true, STR("a\r\nb \r\n"), STR("a=0D=0Ab =0D=0A"));
	encodes(false, STR("1234567890123456789012345678901234567890123456789012345678901234567890123456"),
		STR("123456789012345678901234567890123456789012345678901234567890123456789012345=\r\n6"));
	encodes(false, STR("1234567890123456789012345678901234567890123456789012345678901234567890123\xff"),
		STR("1234567890123456789012345678901234567890123456789012345678901234567890123=\r\n=FF"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_forms),
		cmocka_unit_test(real_faults),
		cmocka_unit_test(blanks_before_a_line_end_have_a_limit),
		cmocka_unit_test(text_is_encoded),
	};
	return cmocka_run_group_tests_name("qp", tests, NULL, NULL);
}
