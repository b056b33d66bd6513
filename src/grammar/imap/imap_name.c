#include "grammar/imap/imap_name.h"
#include "grammar/imap/imap_print.h"
#include "grammar/imap/utf7.h"

bool imap_name_is_inbox(str name)
{
	return str_ieq(name, STR("INBOX"));
}

static void capitals(buf *out, size_t start)
{
	str name = str_skip(buf_str(out), start);
	size_t level = str_chr(name, IMAP_SEPARATOR);
	if (imap_name_is_inbox(str_sub(name, 0, level)))
		memcpy(out->p + start, "INBOX", 5);
}

static result decode(str wire, bool utf8, buf *out)
{
	if (!utf8)
		return utf7_decode(wire, out);
	if (!str_is_utf8(wire))
		return failure(FAIL_INPUT, "this mailbox name is not UTF-8");
	buf_put(out, wire);
	return buf_result(out);
}

result imap_name_read(str wire, bool utf8, buf *out)
{
	size_t start = out->n;
	TRY(decode(wire, utf8, out));
	capitals(out, start);
	return OK;
}

result imap_name_read_pattern(str reference, str pattern, bool utf8, buf *out)
{
	TRY(decode(reference, utf8, out));
	return decode(pattern, utf8, out);
}

/* C0, DEL, C1, U+2028 and U+2029. */
static bool has_controls(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = str_at(s, i);
		if (c < 0x20 || c == 0x7f)
			return true;
		if (c == 0xc2 && i + 1 < s.n && str_at(s, i + 1) < 0xa0)
			return true;
	}
	return str_find(s, STR("\xe2\x80\xa8")) != STR_NONE || str_find(s, STR("\xe2\x80\xa9")) != STR_NONE;
}

result imap_name_check(str name)
{
	if (name.n == 0)
		return failure(FAIL_INPUT, "a mailbox needs a name");
	if (name.n > IMAP_NAME_MAX)
		return failure(FAIL_LIMIT, "this mailbox name is too long: 1000 octets are the most");
	if (!str_is_utf8(name))
		return failure(FAIL_INPUT, "this mailbox name is not UTF-8");
	if (has_controls(name))
		return failure(FAIL_INPUT, "a mailbox name cannot hold control characters or line separators");
	size_t levels = 1;
	for (size_t i = 0, from = 0; i <= name.n; i++) {
		if (i < name.n && name.p[i] != IMAP_SEPARATOR)
			continue;
		if (i == from)
			return failure(FAIL_INPUT, "a mailbox name cannot begin or end with \"/\" or hold \"//\"");
		from = i + 1;
		levels += i < name.n;
	}
	if (levels > IMAP_NAME_LEVELS_MAX)
		return failure(FAIL_LIMIT, "this mailbox lies too deep: 40 levels are the most");
	return OK;
}

void imap_put_name(buf *out, str name, bool utf8)
{
	AUTO_BUF buf wire = buf_new(out->max);
	if (utf8) {
		imap_put_astring(out, name, true);
		return;
	}
	result done = utf7_encode(name, &wire);
	must(done.kind != FAIL_INPUT);
	if (failed(done))
		out->broken = done.kind;
	else
		imap_put_astring(out, buf_str(&wire), false);
}
