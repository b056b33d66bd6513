/* Whatever stands in a row and in the original, a report is a report of three
 * parts, in lines as mail has them, and as many recipients as were given. */
#include "base/cursor.h"
#include "base/fail.h"
#include "grammar/mime/mime.h"
#include "grammar/smtp/dsn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static str take(cursor *c)
{
	size_t n = cursor_u8(c);
	return cursor_take(c, n < cursor_left(c) ? n : cursor_left(c));
}

static void look_at_lines(str s)
{
	size_t length = 0;
	for (size_t i = 0; i < s.n; i++) {
		must(s.p[i] != '\0' && (s.p[i] != '\r' || (i + 1 < s.n && s.p[i + 1] == '\n')));
		must(s.p[i] != '\n' || (i > 0 && s.p[i - 1] == '\r'));
		length = s.p[i] == '\n' ? 0 : length + 1;
		must(length <= 8192);
	}
}

static size_t count(str s, str part)
{
	size_t n = 0, at;
	while ((at = str_find(s, part)) != STR_NONE) {
		n++;
		s = str_skip(s, at + part.n);
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cursor c = cursor_on(str_of((const char *)data, size));
	unsigned bits = cursor_u8(&c);
	struct dsn_row rows[2];
	for (size_t i = 0; i < 2; i++)
		rows[i] = (struct dsn_row){.address = take(&c), .orcpt = take(&c), .status = take(&c), .host = take(&c),
			.diagnostic = take(&c), .action = (enum dsn_action)(cursor_u8(&c) % DSN_ACTIONS), .code = cursor_u8(&c),
			.advice = cursor_u8(&c), .last = cursor_u8(&c), .until = 1700000000};
	struct dsn d = {.to = STR("a@b.test"), .from_domain = STR("b.test"), .reporting_mta = STR("m.b.test"),
		.message_id = STR("x@b.test"), .envid = take(&c), .subject = take(&c), .whole = bits & 1, .utf8 = bits & 2,
		.rows = rows, .n = 1 + (bits >> 2 & 1), .now = 1700000000};
	if (c.bad)
		return 0;
	d.original = cursor_rest(&c);
	AUTO_BUF buf out = buf_new(16 << 20);
	AUTO_ARENA arena a = arena_new(MIME_ARENA_MAX);
	struct dsn_made how;
	struct mime_table t;
	dsn_print(&out, &d, &how);
	must(!failed(buf_result(&out)));
	look_at_lines(buf_str(&out));
	must(how.utf8 || how.eight_bit || str_is_ascii(buf_str(&out)));
	must(!failed(mime_parse(buf_str(&out), &a, &t)));
	const uint32_t second = 2, fourth = 4;
	uint32_t at = mime_section(&t, &second, 1);
	must(at != MIME_NONE && mime_section(&t, &fourth, 1) == MIME_NONE);
	must(count(mime_body(buf_str(&out), &t.parts[at]), STR("\r\nFinal-Recipient: ")) == d.n);
	must(count(mime_body(buf_str(&out), &t.parts[at]), STR("\r\n\r\n")) == d.n);
	return 0;
}
