#include "grammar/text/scram.h"
#include "base/test.h"

#define NONCE "rOprNGfwEbeRWgbNEkqO"
#define BOTH NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define PROOF "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="

/* RFC 7677 section 3. */
static void the_messages_of_the_rfc(void **state)
{
	AUTO_ARENA arena a = arena_new(16384);
	AUTO_BUF buf out = buf_new(1024);
	struct scram_first first;
	struct scram_final final;
	(void)state;
	assert_ok(scram_first_parse(STR("n,,n=user,r=" NONCE), &a, &first));
	assert_int_equal(first.flag, SCRAM_UNBOUND);
	assert_str(first.user, STR("user"));
	assert_str(first.nonce, STR(NONCE));
	assert_str(first.header, STR("n,,"));
	assert_str(first.bare, STR("n=user,r=" NONCE));
	assert_ok(scram_final_parse(STR("c=biws,r=" BOTH ",p=" PROOF), &a, &final));
	assert_str(final.binding, STR("n,,"));
	assert_str(final.nonce, STR(BOTH));
	assert_int_equal(final.proof.n, 32);
	assert_str(final.without_proof, STR("c=biws,r=" BOTH));
	static const char salt[] = {0x5b, 0x6d, (char)0x99, 0x68, (char)0x9d, 0x12, 0x35, (char)0x8e,
		(char)0xec, (char)0xa0, 0x4b, 0x14, 0x12, 0x36, (char)0xfa, (char)0x81};
	const struct scram_challenge c = {.nonce = STR(BOTH), .salt = str_of(salt, sizeof salt), .iterations = 4096};
	scram_challenge_print(&out, &c);
	assert_str(buf_str(&out), STR("r=" BOTH ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
	buf_clear(&out);
	scram_signature_print(&out, STR("\1\2"));
	assert_str(buf_str(&out), STR("v=AQI="));
}

static void bindings_names_and_extensions(void **state)
{
	AUTO_ARENA arena a = arena_new(16384);
	struct scram_first m;
	struct scram_final f;
	(void)state;
	assert_ok(scram_first_parse(STR("p=tls-server-end-point,a=eve,n=an=2Cna=3D,r=x,e=1"), &a, &m));
	assert_int_equal(m.flag, SCRAM_BOUND);
	assert_str(m.binding, STR("tls-server-end-point"));
	assert_str(m.authzid, STR("eve"));
	assert_str(m.user, STR("an,na="));
	assert_str(m.extensions, STR(",e=1"));
	assert_str(m.header, STR("p=tls-server-end-point,a=eve,"));
	assert_ok(scram_first_parse(STR("y,,n=Gr\xc3\xbc\xc3\x9f,r=x"), &a, &m));
	assert_int_equal(m.flag, SCRAM_UNOFFERED);
	assert_ok(scram_final_parse(STR("c=biws,r=x,q=1,p=AA=="), &a, &f));
	assert_str(f.extensions, STR(",q=1"));
	assert_str(f.without_proof, STR("c=biws,r=x,q=1"));
}

static void what_is_no_first_message(void **state)
{
	static const str bad[] = {STR_INIT(""), STR_INIT("n"), STR_INIT("n,"), STR_INIT("x,,n=a,r=b"),
		STR_INIT("n,,n=,r=b"),
		STR_INIT("n,,n=a,r="), STR_INIT("n,,n=a"), STR_INIT("n,,r=b,n=a"), STR_INIT("n,,m=1,n=a,r=b"),
		STR_INIT("p,,n=a,r=b"), STR_INIT("p=,,n=a,r=b"), STR_INIT("p=a b,,n=a,r=b"), STR_INIT("n,a=,n=a,r=b"),
		STR_INIT("n,,n=a=2c,r=b"), STR_INIT("n,,n=a=,r=b"), STR_INIT("n,,n=a=2,r=b"), STR_INIT("n,,n=\xff,r=b"),
		STR_INIT("n,,n=a\0b,r=b"), STR_INIT("n,,n=a,r=b c"), STR_INIT("n,,n=a,r=b,"), STR_INIT("n,,n=a,r=b,1=c"),
		STR_INIT("n,,n=a,r=b,m=c"), STR_INIT("n,,n=a,r=b,e="), STR_INIT("n,,n=a,r=\x7f")};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		AUTO_ARENA arena a = arena_new(16384);
		struct scram_first m;
		assert_int_equal(scram_first_parse(bad[i], &a, &m).kind, FAIL_INPUT);
	}
}

static void what_is_no_last_message(void **state)
{
	static const str bad[] = {STR_INIT(""), STR_INIT("c=biws"), STR_INIT("c=biws,r=x"), STR_INIT("c=,r=x,p=AA=="),
		STR_INIT("c=biw,r=x,p=AA=="), STR_INIT("c=biws,r=,p=AA=="), STR_INIT("c=biws,r=x,p="),
		STR_INIT("c=biws,r=x,p=AA"), STR_INIT("c=biws,r=x,p=AA==,q=1"), STR_INIT("r=x,c=biws,p=AA=="),
		STR_INIT("c=biws,r=x,m=1,p=AA==")};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		AUTO_ARENA arena a = arena_new(16384);
		struct scram_final m;
		assert_int_equal(scram_final_parse(bad[i], &a, &m).kind, FAIL_INPUT);
	}
}

static void limits(void **state)
{
	AUTO_BUF buf text = buf_new(4096);
	AUTO_ARENA arena a = arena_new(16384);
	struct scram_first m;
	(void)state;
	buf_put(&text, STR("n,,n=a,r="));
	for (size_t i = 0; i < SCRAM_NONCE_MAX; i++)
		buf_putc(&text, 'x');
	assert_ok(scram_first_parse(buf_str(&text), &a, &m));
	buf_putc(&text, 'x');
	assert_int_equal(scram_first_parse(buf_str(&text), &a, &m).kind, FAIL_INPUT);
	buf_clear(&text);
	buf_put(&text, STR("n,,n="));
	while (text.n < SCRAM_MESSAGE_MAX - 4)
		buf_putc(&text, 'a');
	buf_put(&text, STR(",r=x"));
	assert_ok(scram_first_parse(buf_str(&text), &a, &m));
	buf_putc(&text, 'x');
	assert_int_equal(scram_first_parse(buf_str(&text), &a, &m).kind, FAIL_INPUT);
	AUTO_ARENA arena small = arena_new(1);
	assert_int_equal(scram_first_parse(STR("n,,n=a,r=x"), &small, &m).kind, FAIL_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_messages_of_the_rfc),
		cmocka_unit_test(bindings_names_and_extensions),
		cmocka_unit_test(what_is_no_first_message),
		cmocka_unit_test(what_is_no_last_message),
		cmocka_unit_test(limits),
	};
	return cmocka_run_group_tests_name("scram", tests, NULL, NULL);
}
