#include "account/imap/section.h"
#include "base/test.h"
#include "grammar/imap/imap_command.h"

/* Offsets are those of grammar's part table; a trace block of ten octets stands before. */
enum { TRACE = 10 };

static const char mail[] =
	"Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
	"--b\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n"
	"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ntext of it\r\n"
	"--b\r\nContent-Transfer-Encoding: x-unknown\r\n\r\nwhat\r\n--b--\r\n";

static arena mem;

static struct imap_section *section(const char *item)
{
	AUTO_BUF buf text = buf_new(1000);
	struct imap_command c;
	buf_printf(&text, "a FETCH 1 %s", item);
	str kept = arena_dup(&mem, buf_str(&text));
	assert_ok(imap_parse(kept, &mem, &c));
	assert_non_null(c.fetch.sections);
	return c.fetch.sections;
}

static struct section_source source(const struct mime_table *t)
{
	uint64_t header = TRACE + t->parts[0].header_n;
	return (struct section_source){t, TRACE, header, TRACE + sizeof mail - 1};
}

static struct section_place place(const char *item)
{
	struct mime_table t;
	assert_ok(mime_parse(STR(mail), &mem, &t));
	struct section_source m = source(&t);
	return section_find(&m, section(item));
}

static void assert_text(const char *item, str want)
{
	struct section_place at = place(item);
	assert_true(at.kind == SECTION_RANGE || at.kind == SECTION_DECODED || at.kind == SECTION_FIELDS);
	assert_true(at.from >= TRACE);
	assert_str(str_sub(STR(mail), at.from - TRACE, at.n), want);
}

static void the_message_itself(void **state)
{
	(void)state;
	struct section_place at = place("BODY[]");
	assert_true(at.kind == SECTION_RANGE && at.from == 0 && at.n == TRACE + sizeof mail - 1);
	at = place("BODY[HEADER]");
	size_t header = str_find(STR(mail), STR("\r\n\r\n")) + 4;
	assert_true(at.from == 0 && at.n == TRACE + header);
	at = place("RFC822.HEADER");
	assert_true(at.from == 0 && at.n == TRACE + header);
	at = place("BODY[TEXT]");
	assert_true(at.from == TRACE + header && at.from + at.n == TRACE + sizeof mail - 1);
	at = place("RFC822.TEXT");
	assert_true(at.from == TRACE + header);
}

static void its_parts(void **state)
{
	(void)state;
	assert_text("BODY[1]", STR("aGVsbG8="));
	assert_text("BODY[1.MIME]", STR("Content-Transfer-Encoding: base64\r\n\r\n"));
	assert_text("BODY[2]", STR("Subject: inner\r\n\r\ntext of it"));
	assert_text("BODY[2.HEADER]", STR("Subject: inner\r\n\r\n"));
	assert_text("BODY[2.HEADER.FIELDS (x)]", STR("Subject: inner\r\n\r\n"));
	assert_text("BODY[2.TEXT]", STR("text of it"));
	assert_text("BODY[2.1]", STR("text of it"));
	assert_int_equal(place("BODY[2.HEADER.FIELDS (x)]").kind, SECTION_FIELDS);
	assert_int_equal(place("BODY[4]").kind, SECTION_NIL);
	assert_int_equal(place("BODY[1.1]").kind, SECTION_NIL);
	assert_int_equal(place("BODY[1.HEADER]").kind, SECTION_NIL);
	assert_int_equal(place("BODY[1.TEXT]").kind, SECTION_NIL);
}

static void encodings_to_undo(void **state)
{
	(void)state;
	assert_int_equal(place("BODY[1]").kind, SECTION_RANGE);
	struct section_place at = place("BINARY[1]");
	assert_true(at.kind == SECTION_DECODED && at.encoding == ENCODING_BASE64);
	assert_int_equal(place("BINARY.SIZE[1]").kind, SECTION_DECODED);
	assert_int_equal(place("BINARY[2]").kind, SECTION_RANGE);
	assert_int_equal(place("BINARY[2.1]").kind, SECTION_RANGE);
	assert_int_equal(place("BINARY[3]").kind, SECTION_UNKNOWN);
	assert_int_equal(place("BODY[3]").kind, SECTION_RANGE);
	assert_int_equal(place("BINARY[]").kind, SECTION_RANGE);
}

static void assert_fields(const char *item, const char *header, const char *want)
{
	AUTO_BUF buf out = buf_new(10000);
	struct section_names names;
	assert_ok(section_names(section(item), &mem, &names));
	section_put_fields(str_from(header), &names, &out);
	assert_str(buf_str(&out), str_from(want));
}

static void fields_of_a_header(void **state)
{
	static const char header[] =
		"From here\r\nTo: a\r\nSUBJECT: folded\r\n line\r\nX: 1\r\nto: b\r\nno field\r\n\r\nTo: body\r\n";
	(void)state;
	assert_fields("BODY[HEADER.FIELDS (to subject)]", header, "To: a\r\nSUBJECT: folded\r\n line\r\nto: b\r\n\r\n");
	assert_fields("BODY[HEADER.FIELDS.NOT (TO Subject)]", header, "X: 1\r\n\r\n");
	assert_fields("BODY[HEADER.FIELDS (none)]", header, "\r\n");
	assert_fields("BODY[HEADER.FIELDS (t too)]", "", "\r\n");
}

static void assert_cut(const char *item, uint64_t from, uint64_t n)
{
	uint64_t at = 100, size = 50;
	section_cut(section(item), &at, &size);
	assert_int_equal(at, from);
	assert_int_equal(size, n);
}

static void partial_sections(void **state)
{
	(void)state;
	assert_cut("BODY[]", 100, 50);
	assert_cut("BODY[]<0.10>", 100, 10);
	assert_cut("BODY[]<45.10>", 145, 5);
	assert_cut("BODY[]<50.10>", 150, 0);
	assert_cut("BODY[]<9223372036854775807.9223372036854775807>", 150, 0);
	assert_cut("BODY[]<1.9223372036854775807>", 101, 49);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_message_itself), cmocka_unit_test(its_parts), cmocka_unit_test(encodings_to_undo),
		cmocka_unit_test(fields_of_a_header), cmocka_unit_test(partial_sections),
	};
	mem = arena_new(64 * 1024 * 1024);
	int status = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&mem);
	return status;
}
