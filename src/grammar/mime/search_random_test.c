/* Messages of random parts, charsets and encodings: what search_text_has says of
 * the stored text, with the message and without, is what search_message_has finds
 * in the message; unless it is unsure. */
#include "base/test.h"
#include "grammar/mime/search_text.h"

#include <stdlib.h>

enum { MESSAGES = 1500, NEEDLES = 12, DEPTH = 3 };

static struct charsets *cs;
static uint64_t state = 20260301;

static unsigned draw(unsigned n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(state >> 33) % n;
}

#define ONE_OF(LIST) LIST[draw(sizeof LIST / sizeof *LIST)]

static void put_body(buf *b, bool ascii)
{
	static const str atoms[] = {
		STR_INIT("+AOk-"), STR_INIT("+"), STR_INIT("\x1b$B4A;z\x1b(B"), STR_INIT("\x1b$)C"), STR_INIT("\x0e"),
		STR_INIT("\x0f"), STR_INIT("~{::WV~}"), STR_INIT("~"), STR_INIT("NaNa"), STR_INIT("=C3=A9"),
		STR_INIT("=\r\n"), STR_INIT("SGVsbG8="), STR_INIT("\r"), STR_INIT("\n"), STR_INIT("\r\n"), STR_INIT("\r\r\n"),
		STR_INIT(" \r\n"), STR_INIT("\0"), STR_INIT("Word "), STR_INIT("word"), STR_INIT("&eacute;"), STR_INIT("<b>"),
		STR_INIT("Subject: x\r\n"), STR_INIT("begin 644 x\r\n"), STR_INIT(">From "), STR_INIT("\x7f"),
		STR_INIT("\xc3\xa9"), STR_INIT("\xe9"), STR_INIT("\xef\xac\x80"), STR_INIT("e\xcc\x81"),
	};
	enum { NOT_ASCII = 4 };
	unsigned usable = sizeof atoms / sizeof *atoms - (ascii ? NOT_ASCII : 0);
	unsigned n = draw(8) ? draw(60) : draw(6000);
	for (unsigned i = 0; i < n; i++)
		buf_put(b, atoms[draw(usable)]);
}

static void put_entity(buf *b, unsigned depth)
{
	static const char *const charsets[] = {
		"us-ascii", "utf-8", "iso-8859-1", "utf-7", "utf-16", "utf-16le", "utf-32be", "iso-2022-jp", "iso-2022-kr",
		"hz-gb-2312", "ibm037", "x-nobody-knows", "\"\"", "gb2312", "shift_jis", "UTF-8*en", "scsu", "bocu-1",
	};
	static const char *const encodings[] = {
		"7bit", "8bit", "binary", "quoted-printable", "base64", "x-uuencode", "bad one",
	};
	static const char *const types[] = {"text/plain", "text/plain; format=flowed", "text/html", "text/x-odd",
		"message/delivery-status", "message/rfc822", "application/pdf", "multipart/mixed; boundary=b"};
	const char *type = ONE_OF(types);
	bool ascii = draw(3);
	buf_printf(b, "Subject: an =?utf-8?Q?=C3=A9?= %u\r\n", draw(100));
	if (draw(6))
		buf_printf(b, "Content-Type: %s; charset=%s\r\n", type, ONE_OF(charsets));
	if (draw(2))
		buf_printf(b, "Content-Transfer-Encoding: %s\r\n", ONE_OF(encodings));
	buf_put(b, STR("\r\n"));
	if (depth && draw(2)) {
		for (unsigned i = draw(4); i > 0; i--) {
			buf_put(b, STR("\r\n--b\r\n"));
			put_entity(b, depth - 1);
		}
	} else {
		put_body(b, ascii);
	}
}

/* All that is looked through, as it is given. */
struct gathered {
	buf all;
};

static bool gather_begin(void *ctx, enum search_kind kind, str name)
{
	(void)ctx;
	(void)kind;
	(void)name;
	return true;
}

static bool gather_text(void *ctx, str folded)
{
	struct gathered *g = ctx;
	buf_put(&g->all, folded);
	return true;
}

static bool gather_end(void *ctx)
{
	(void)ctx;
	return true;
}

static void compare(const struct search_source *from, str stored, str needle, size_t *sure)
{
	for (enum search_scope scope = SEARCH_IN_FIELD; scope <= SEARCH_IN_ALL; scope++) {
		const struct search_key key = {scope, STR("Subject"), needle};
		bool has = false;
		assert_ok(search_message_has(from, &key, &has));
		enum search_answer with = search_text_has(stored, from->message, &key);
		enum search_answer without = search_text_has(stored, (str){NULL, 0}, &key);
		enum search_answer exact = has ? SEARCH_YES : SEARCH_NO;
		if ((with != SEARCH_UNSURE && with != exact) || (without != SEARCH_UNSURE && without != exact))
			print_message("message of %zu octets, scope %d\n%.*s\n", from->message.n, (int)scope,
				STR_ARG(from->message));
		assert_true(with == exact || (with == SEARCH_UNSURE && (needle.n > 4096 || stored.n > SEARCH_FIELDS_MAX)));
		assert_true(without == exact || without == SEARCH_UNSURE);
		*sure += with == exact;
	}
}

static void one_message(size_t *sure, size_t *copied)
{
	AUTO_BUF buf text = buf_new(1 << 20), stored = buf_new(SEARCH_TEXT_MAX);
	AUTO_ARENA arena m = arena_new(MIME_ARENA_MAX);
	struct gathered g = {buf_new(8 << 20)};
	const struct search_sink sink = {gather_begin, NULL, gather_text, gather_end, &g};
	struct mime_table t;
	put_entity(&text, draw(DEPTH + 1));
	assert_ok(mime_parse(buf_str(&text), &m, &t));
	const struct search_source from = {buf_str(&text), &t, cs};
	assert_ok(search_text_make(&from, &stored));
	assert_ok(search_walk(&from, &sink));
	*copied += search_text_copies(buf_str(&stored));
	for (int i = 0; i < NEEDLES; i++) {
		str in = i % 3 ? buf_str(&g.all) : buf_str(&text);
		str needle = str_sub(in, draw((unsigned)in.n + 1), 1 + draw(i == 1 ? 9000 : 12));
		compare(&from, buf_str(&stored), needle, sure);
	}
	buf_free(&g.all);
}

static void stored_and_message_agree(void **unused)
{
	size_t sure = 0, copied = 0;
	(void)unused;
	for (int i = 0; i < MESSAGES; i++)
		one_message(&sure, &copied);
	print_message("%zu answers, %zu messages kept once\n", sure, copied);
	assert_true(sure > 3 * NEEDLES * MESSAGES * 9 / 10);
	assert_true(copied > MESSAGES / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(stored_and_message_agree)};
	if (failed(charset_preload()) || !(cs = charsets_new()))
		return 1;
	int status = cmocka_run_group_tests(tests, NULL, NULL);
	charsets_free(&cs);
	return status;
}
