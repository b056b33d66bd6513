#include <time.h>

#include "base/mem.h"
#include "base/test.h"
#include "grammar/imap/imap_list_check.h"
#include "grammar/mime/facts.h"
#include "grammar/mime/mime_check.h"
#include "grammar/mime/search_text.h"
#include "grammar/mime/subject.h"
#include "grammar/sample_files.h"

static arena mem, other;
static struct charsets *cs;

static struct facts facts(str message)
{
	struct facts f;
	arena_clear(&mem);
	assert_ok(facts_of(message, &(struct facts_wants){cs, true}, &mem, &f));
	return f;
}

static void assert_base(const char *subject, const char *want, bool reply)
{
	bool r;
	assert_str(subject_base(str_from(subject), &mem, &r), str_from(want));
	assert_int_equal(r, reply);
}

static void base_subjects(void **state)
{
	(void)state;
	arena_clear(&mem);
	assert_base("Re: [list] Re[2]: Fwd: a  \t b (fwd) (FWD) ", "a b", true);
	assert_base("[list] a", "a", false);
	assert_base("[only a blob]", "[only a blob]", false);
	assert_base("[Fwd: [x] re: a]", "a", true);
	assert_base("fw [x] : a", "a", true);
	assert_base("Regards", "Regards", false);
	assert_base("Re", "Re", false);
	assert_base("re:", "", true);
	assert_base("", "", false);
	AUTO_BUF buf b = buf_new(1 << 20);
	for (int i = 0; i < 100000; i++)
		buf_put(&b, STR("[]"));
	bool r;
	assert_true(subject_base(buf_str(&b), &mem, &r).n <= SUBJECT_MAX);
}

static const char mail[] =
	"Received: a\r\nReceived: b\r\nMessage-ID: <one@x>\r\nIn-Reply-To: \"Jo\" of today <two @x>\r\n"
	"References: <a@x>\r\n <b@x><c@x> junk <unclosed <d@x> <\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\n"
	"Subject: =?utf-8?Q?Re:_Gr=C3=BC=C3=9Fe?=\r\nFrom: jo@x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
	"--b\r\nContent-Type: text/plain; name*=utf-8''%C3%A4\r\n\r\nhello\r\n"
	"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\n\xff\r\n--b--\r\n";

static void what_is_found_out(void **state)
{
	(void)state;
	struct facts f = facts(STR(mail));
	assert_int_equal(f.size, sizeof mail - 1);
	assert_int_equal(f.flags, FACTS_8BIT | FACTS_DATED | FACTS_REPLY);
	assert_int_equal(f.received, 2);
	assert_str(f.message_id, STR("one@x"));
	assert_int_equal(f.in_reply_to.n, 1);
	assert_str(f.in_reply_to.list[0], STR("two@x"));
	assert_int_equal(f.references.n, 4);
	assert_str(f.references.list[3], STR("d@x"));
	assert_true(f.date == 880127706 && f.zone == -360);
	assert_str(f.subject, STR("Re: Gr\xc3\xbc\xc3\x9f" "e"));
	assert_str(f.base_subject, STR("Gr\xc3\xbc\xc3\x9f" "e"));
	assert_str(f.parts.parts[1].name, STR("\xc3\xa4"));
	check_envelope_text(f.envelope);
	check_body_text(f.body, false, &f.parts);
	check_body_text(f.structure, true, &f.parts);
	f = facts(STR(""));
	assert_int_equal(f.flags, 0);
	assert_null(f.message_id.p);
	assert_str(facts(STR("Message-ID: one@x\r\n")).message_id, STR("one@x"));
	assert_null(facts(STR("Message-ID: 7:51:06 @PM\r\n")).message_id.p);
	assert_null(facts(STR("Message-ID: <one@x\r\n")).message_id.p);
	assert_null(facts(STR("Message-ID: one\r\n")).message_id.p);
	f = facts(str_of("a: b\r\n\r\nx\0", 10));
	assert_int_equal(f.flags, FACTS_NUL);
}

static void many_references_keep_both_ends(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(1 << 20);
	buf_put(&b, STR("References:"));
	for (int i = 0; i < 3 * FACTS_IDS_MAX; i++)
		buf_printf(&b, " <%d>", i);
	struct facts f = facts(buf_str(&b));
	assert_int_equal(f.references.n, FACTS_IDS_MAX);
	assert_str(f.references.list[0], STR("0"));
	assert_str(f.references.list[1], STR("401"));
	assert_str(f.references.list[FACTS_IDS_MAX - 1], STR("599"));
	buf_clear(&b);
	buf_put(&b, STR("Message-ID: <"));
	for (int i = 0; i <= FACTS_ID_MAX; i++)
		buf_putc(&b, 'x');
	buf_put(&b, STR("> <next@x>"));
	assert_str(facts(buf_str(&b)).message_id, STR("next@x"));
	buf_clear(&b);
	buf_put(&b, STR("Message-ID: @"));
	for (int i = 0; i < FACTS_ID_MAX; i++)
		buf_putc(&b, 'x');
	assert_null(facts(buf_str(&b)).message_id.p);
}

static void assert_same(const struct facts *a, const struct facts *b)
{
	AUTO_BUF buf x = buf_new(FACTS_ENCODED_MAX), y = buf_new(FACTS_ENCODED_MAX);
	facts_encode(a, &x);
	facts_encode(b, &y);
	assert_ok(buf_result(&x));
	assert_true(x.n == y.n && memcmp(x.p, y.p, x.n) == 0);
	assert_int_equal(a->parts.n, b->parts.n);
	for (uint32_t i = 0; i < a->parts.n; i++) {
		const struct mime_part *p = &a->parts.parts[i], *q = &b->parts.parts[i];
		assert_true(p->child == q->child && p->next == q->next && p->children == q->children && p->depth == q->depth);
	}
}

static void round_trip(str message)
{
	AUTO_BUF buf b = buf_new(FACTS_ENCODED_MAX);
	struct facts f = facts(message), g;
	facts_encode(&f, &b);
	arena_clear(&other);
	assert_ok(facts_decode(buf_str(&b), message.n, &other, &g));
	assert_same(&f, &g);
	assert_int_equal(facts_decode(buf_str(&b), message.n + 1, &other, &g).kind, FAIL_INPUT);
	/* What a store keeps: all but what it keeps apart. */
	buf_clear(&b);
	facts_stored_encode(&f, &b);
	struct facts stored;
	assert_ok(facts_stored_decode(buf_str(&b), message.n, &other, &stored));
	assert_null(stored.envelope.p);
	stored.envelope = f.envelope;
	stored.body = f.body;
	stored.structure = f.structure;
	stored.search_text = f.search_text;
	assert_same(&f, &stored);
	assert_int_equal(facts_stored_decode(buf_str(&b), message.n + 1, &other, &stored).kind, FAIL_INPUT);
	/* The walk over decoded facts finds what the first one found. */
	AUTO_BUF buf again = buf_new(SEARCH_TEXT_MAX);
	assert_ok(search_text_make(&(struct search_source){message, &g.parts, cs}, &again));
	assert_true(again.n >= f.search_text.n);
}

static void encoded_and_back(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(FACTS_ENCODED_MAX);
	struct facts f, g;
	round_trip(STR(mail));
	round_trip(STR(""));
	f = facts(STR(mail));
	facts_encode(&f, &b);
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(facts_decode(str_sub(buf_str(&b), 0, n), f.size, &other, &g).kind, FAIL_INPUT);
	/* No change of a byte makes offsets leave the message. */
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] = (char)(b.p[i] ^ 0x81);
		arena_clear(&other);
		if (!failed(facts_decode(buf_str(&b), f.size, &other, &g)))
			for (uint32_t k = 0; k < g.parts.n; k++)
				assert_true(g.parts.parts[k].body_at + g.parts.parts[k].body_n <= f.size);
		b.p[i] = (char)(b.p[i] ^ 0x81);
	}
}

static void forged_answers_are_refused(void **state)
{
	(void)state;
	static const char *const forged[] = {
		"(\"x\")\r\n* BYE", "(\r\n)", "((\"a\")",  "(\"a",   "({9}\r\n)", "NIL", "", "()()",
		"(\"a\r\n\")",      "(\"\\a\")", "(\"\xff\")", "\"a\"", "({x}\r\n)", ")(",
	};
	struct facts f = facts(STR(mail)), g;
	for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
		AUTO_BUF buf b = buf_new(FACTS_ENCODED_MAX);
		f.envelope = str_from(forged[i]);
		facts_encode(&f, &b);
		assert_int_equal(facts_decode(buf_str(&b), f.size, &other, &g).kind, FAIL_INPUT);
	}
	f.envelope = STR("(\"a\\\"\x03\" {2}\r\n\r\n NIL (1))");
	AUTO_BUF buf b = buf_new(FACTS_ENCODED_MAX);
	facts_encode(&f, &b);
	assert_ok(facts_decode(buf_str(&b), f.size, &other, &g));
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	struct facts f;
	AUTO_ARENA arena a = arena_new(FACTS_ARENA_MAX);
	for (uint64_t n = 1;; n++) {
		arena_free(&a);
		mem_fail_at(n);
		result r = facts_of(STR(mail), &(struct facts_wants){cs, true}, &a, &f);
		mem_fail_at(0);
		if (!failed(r))
			break;
		assert_int_equal(r.kind, FAIL_MEMORY);
		assert_true(n < 1000);
	}
	AUTO_ARENA arena tiny = arena_new(4000);
	assert_int_equal(facts_of(STR(mail), &(struct facts_wants){cs, true}, &tiny, &f).kind, FAIL_LIMIT);
}

static void hostile_messages_stay_below_the_ceilings(void **state)
{
	(void)state;
	static const char *const seeds[] = {
		"Content-Type: multipart/mixed; boundary=b; x=\"\\\"\"; y*0=\xff; y*1*=''%41\n\n--b\n",
		"Content-Type: message/rfc822\nSubject: =?koi8-r?b?8A==?=\nFrom: (\\\\) \"\\a\" <a@b>\nx: y\n\n",
		"a:b\n",
		"From: \"\\a\\b\" <\"\\c\"@d>, \n ",
		"References: <a> <b\n > ",
		"\n--b\nContent-Type:text / html\n\n&amp;<x>",
	};
	for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
		AUTO_BUF buf b = buf_new(16 << 20), e = buf_new(FACTS_ENCODED_MAX);
		buf_put(&b, STR("Content-Type: multipart/mixed; boundary=b\n"));
		while (b.n < 8 << 20)
			buf_put(&b, str_from(seeds[i]));
		struct facts f = facts(buf_str(&b)), g;
		mime_check(buf_str(&b), &f.parts);
		facts_encode(&f, &e);
		assert_ok(buf_result(&e));
		arena_clear(&other);
		assert_ok(facts_decode(buf_str(&e), f.size, &other, &g));
	}
	arena_clear(&mem);
}

static void one_sample(str path, str text, void *ctx)
{
	(void)path;
	(void)ctx;
	round_trip(text);
}

static void all_sample_mails(void **state)
{
	(void)state;
	if (sample_mails(one_sample, NULL) == 0)
		skip();
}

static double microseconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* No measure of speed, only a guard against losing a factor of ten. */
static void a_mail_of_4_kib_is_quick(void **state)
{
	(void)state;
	enum { ROUNDS = 300 };
	AUTO_BUF buf b = buf_new(1 << 20);
	buf_put(&b, str_sub(STR(mail), 0, (size_t)(strstr(mail, "hello") - mail)));
	while (b.n < 4096)
		buf_put(&b, STR("A line of quite ordinary words, as people write them to each other.\r\n"));
	buf_put(&b, STR("--b--\r\n"));
	double start = microseconds();
	for (int i = 0; i < ROUNDS; i++)
		facts(buf_str(&b));
	double each = (microseconds() - start) / ROUNDS;
	print_message("%.1f microseconds for a mail of 4 KiB\n", each);
	assert_true(each < 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base_subjects),
		cmocka_unit_test(what_is_found_out),
		cmocka_unit_test(many_references_keep_both_ends),
		cmocka_unit_test(encoded_and_back),
		cmocka_unit_test(forged_answers_are_refused),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(hostile_messages_stay_below_the_ceilings),
		cmocka_unit_test(all_sample_mails),
		cmocka_unit_test(a_mail_of_4_kib_is_quick),
	};
	if (failed(charset_preload()) || !(cs = charsets_new()))
		return 1;
	mem = arena_new(FACTS_ARENA_MAX);
	other = arena_new(FACTS_ARENA_MAX);
	int r = cmocka_run_group_tests_name("facts", tests, NULL, NULL);
	arena_free(&mem);
	arena_free(&other);
	charsets_free(&cs);
	return r;
}
