#include "base/buf.h"
#include "base/test.h"
#include "grammar/mime/address_list.h"

static arena mem;

/* name|route|mailbox|host; a group is [name ... ]. */
static void assert_list(str in, const char *want)
{
	AUTO_BUF buf b = buf_new(1 << 20);
	struct address_walk w = address_walk_on(in, &mem);
	struct address a;
	while (address_next(&w, &a)) {
		if (a.kind == ADDRESS_MAILBOX) {
			buf_put(&b, a.name);
			buf_putc(&b, '|');
			buf_put(&b, a.route);
			buf_putc(&b, '|');
			buf_put(&b, a.mailbox);
			buf_putc(&b, '|');
			buf_put(&b, a.host.p ? a.host : STR("-"));
		} else {
			buf_putc(&b, a.kind == ADDRESS_GROUP_START ? '[' : ']');
			buf_put(&b, a.name);
		}
		buf_putc(&b, '\n');
	}
	assert_str(buf_str(&b), str_from(want));
	arena_clear(&mem);
}

/* RFC 5322 appendix A. */
static void the_rfc_examples(void **state)
{
	(void)state;
	assert_list(STR("John Doe <jdoe@machine.example>"), "John Doe||jdoe|machine.example\n");
	assert_list(STR("\"Joe Q. Public\" "
	                "<john.q.public@example.com>"), "Joe Q. Public||john.q.public|example.com\n");
	assert_list(STR("Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>"),
	            "Mary Smith||mary|x.test\n||jdoe|example.org\nWho?||one|y.test\n");
	assert_list(STR("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>"),
	            "||boss|nil.test\nGiant; \"Big\" Box||sysservices|example.net\n");
	assert_list(STR("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;"),
	            "[A Group\nEd Jones||c|a.test\n||joe|where.test\nJohn||jdoe|one.test\n]\n");
	assert_list(STR("Undisclosed recipients:;"), "[Undisclosed recipients\n]\n");
	assert_list(STR("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>"), "Pete||pete|silly.test\n");
	assert_list(STR("A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n"
	                "         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end of "
	                "the group)\r\n"),
	            "[A Group\nChris Jones||c|public.example\n||joe|example.org\nJohn||jdoe|one.test\n]\n");
	assert_list(STR("(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;"), "[Hidden "
	                                                                                    "recipients\n]\n");
	assert_list(STR("Joe Q. Public <john.q.public@example.com>"), "Joe Q. Public||john.q.public|example.com\n");
	assert_list(STR("Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example"),
	            "Mary Smith|@node.test|mary|example.net\n||jdoe|test.example\n");
	assert_list(STR("John Doe <jdoe@machine(comment).  example>"), "John Doe||jdoe|machine.example\n");
}

static void mail_in_the_wild(void **state)
{
	(void)state;
	assert_list(STR("joe@example.com (Joe Doe)"), "Joe Doe||joe|example.com\n");
	assert_list(STR("joe@example.com <joe@example.com>"), "joe@example.com||joe|example.com\n");
	assert_list(STR("Joe Doe joe@example.com"), "Joe Doe||joe|example.com\n");
	assert_list(STR("joe@example.com ((Joe) \"D\" \\) \r\n Doe)"), "(Joe) \"D\" ) Doe||joe|example.com\n");
	assert_list(STR("joe@example.com (\\"), "\\||joe|example.com\n");
	assert_list(STR("<undisclosed-recipients:;@x.test>, a@b"), "||undisclosed-recipients:;|x.test\n||a|b\n");
	assert_list(STR("g: <a@b; c@d, <e;f>; h@i"), "[g\n||a|b\n]\n||c|d\n||e;f|-\n||h|i\n");
	assert_list(STR("<Undisclosed \t Recipients@x.test>"), "||Undisclosed Recipients|x.test\n");
	assert_list(STR("<@a , @b : c@d e>"), "|@a,@b|c|d e\n");
	assert_list(STR("root"), "||root|-\n");
	assert_list(STR("root (Charlie Root)"), "Charlie Root||root|-\n");
	assert_list(STR("<>"), "|||-\n");
	assert_list(STR("Nobody <>"), "Nobody|||-\n");
	assert_list(STR("=?utf-8?q?J=C3=B6?= <j@x>"), "=?utf-8?q?J=C3=B6?=||j|x\n");
	assert_list(STR("J\xc3\xb6 \xff <j\xc3\xb6@x>"), "J\xc3\xb6 \xff||j\xc3\xb6|x\n");
	assert_list(STR("a <@r1,@r2:b@c>, d@e"), "a|@r1,@r2|b|c\n||d|e\n");
	assert_list(STR("a <b@c, d@e"), "a||b|c\n||d|e\n");
	assert_list(STR("\"open <b@c>, d@e"), "||open <b@c>, d@e|-\n");
	assert_list(STR("\"john doe\"@x, \"a@b\"@c"), "||john doe|x\n||a@b|c\n");
	assert_list(STR("a@[1.2.3.4], g: b@[IPv6:::1;];"), "||a|[1.2.3.4]\n[g\n||b|[IPv6:::1;]\n]\n");
	assert_list(STR("a . b @ c . d"), "||a.b|c.d\n");
	assert_list(STR("x [y <a@b>, c@d"), "x [y||a|b\n||c|d\n");
	assert_list(STR("a@b; c@d;"), "||a|b\n||c|d\n");
	assert_list(STR("g: a@b, h: c@d; e@f"), "[g\n||a|b\nh:||c|d\n]\n||e|f\n");
	assert_list(STR("g: a@b"), "[g\n||a|b\n]\n");
	assert_list(STR(" , ,,"), "");
	assert_list(STR(""), "");
	assert_list(STR("\\, a@b"), "||\\|-\n||a|b\n");
	assert_list(STR("\"two\r\n  lines\" <a@b>"), "two  lines||a|b\n");
}

static void long_texts_are_cut(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(1 << 20);
	buf_put(&b, STR("\"q\""));
	for (int i = 0; i < ADDRESS_TEXT_MAX + 100; i++)
		buf_putc(&b, 'a');
	buf_put(&b, STR("@example.com"));
	struct address_walk w = address_walk_on(buf_str(&b), &mem);
	struct address a;
	assert_true(address_next(&w, &a));
	assert_int_equal(a.mailbox.n, ADDRESS_TEXT_MAX - 2);
	assert_str(a.host, STR("example.com"));
	arena tiny = arena_new(16);
	w = address_walk_on(buf_str(&b), &tiny);
	while (address_next(&w, &a))
		;
	assert_int_equal(arena_result(&tiny).kind, FAIL_LIMIT);
	arena_free(&tiny);
	arena_clear(&mem);
}

static void hostile_lists_take_linear_time(void **state)
{
	(void)state;
	static const char *const seeds[] = {"(", "\"", "<", "a@", ":", "[", "\\", "((a)",
	                                    "<;", "<;>", "(\\", "<@", "@", "a b ", "g:;", "\"\""};
	for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
		AUTO_BUF buf in = buf_new(2 << 20);
		while (in.n < 1 << 20)
			buf_put(&in, str_from(seeds[i]));
		struct address_walk w = address_walk_on(buf_str(&in), &mem);
		struct address a;
		size_t n = 0;
		while (address_next(&w, &a))
			n++;
		assert_true(n <= in.n);
		arena_clear(&mem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rfc_examples),
		cmocka_unit_test(mail_in_the_wild),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(hostile_lists_take_linear_time),
	};
	mem = arena_new(64 << 20);
	int r = cmocka_run_group_tests_name("address_list", tests, NULL, NULL);
	arena_free(&mem);
	return r;
}
