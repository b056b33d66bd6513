#include "grammar/dkim/dkim_canon.h"

static bool is_wsp(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static void put(struct dkim_body *b, str s)
{
	uint64_t room = b->length < b->limit ? b->limit - b->length : 0;
	str kept = str_sub(s, 0, room < s.n ? (size_t)room : s.n);
	b->length += s.n;
	if (kept.n > 0)
		b->to.put(b->to.ctx, kept);
}

static void put_line_ends(struct dkim_body *b)
{
	static const char ends[] = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";
	enum { AT_ONCE = (sizeof ends - 1) / 2 };
	while (b->line_ends > 0) {
		uint64_t n = b->line_ends < AT_ONCE ? b->line_ends : AT_ONCE;
		put(b, str_of(ends, (size_t)n * 2));
		b->line_ends -= n;
	}
}

/* Octets that stay: what was held back before them stays too. */
static void keep(struct dkim_body *b, str s)
{
	put_line_ends(b);
	if (b->blank)
		put(b, STR(" "));
	b->blank = false;
	put(b, s);
}

static void end_line(struct dkim_body *b)
{
	b->line_ends++;
	b->blank = false;
}

/* How far octets stay as they are: to a CR, and in relaxed form to white space
 * other than one space between two of them. */
static size_t plain_run(enum dkim_canon canon, str s, size_t at)
{
	if (canon == DKIM_SIMPLE) {
		const char *cr = memchr(s.p + at, '\r', s.n - at);
		return cr ? (size_t)(cr - s.p) : s.n;
	}
	for (; at < s.n && s.p[at] != '\r' && s.p[at] != '\t'; at++)
		if (s.p[at] == ' ' && (at + 1 == s.n || is_wsp(str_at(s, at + 1)) || s.p[at + 1] == '\r'))
			break;
	return at;
}

/* A CR at `at`: the line's end, an octet, or not to be told yet. */
static size_t take_cr(struct dkim_body *b, str s, size_t at)
{
	if (at + 1 == s.n) {
		b->cr = true;
		return at + 1;
	}
	if (s.p[at + 1] == '\n') {
		end_line(b);
		return at + 2;
	}
	keep(b, STR("\r"));
	return at + 1;
}

static size_t after_cr(struct dkim_body *b, str s)
{
	b->cr = false;
	if (s.p[0] == '\n') {
		end_line(b);
		return 1;
	}
	keep(b, STR("\r"));
	return 0;
}

void dkim_body_feed(struct dkim_body *b, str s)
{
	size_t at = b->cr && s.n > 0 ? after_cr(b, s) : 0;
	while (at < s.n) {
		if (s.p[at] == '\r') {
			at = take_cr(b, s, at);
		} else if (b->canon == DKIM_RELAXED && is_wsp(str_at(s, at))) {
			b->blank = true;
			at++;
		} else {
			size_t end = plain_run(b->canon, s, at);
			keep(b, str_sub(s, at, end - at));
			at = end;
		}
	}
}

void dkim_body_finish(struct dkim_body *b)
{
	if (b->cr)
		keep(b, STR("\r"));
	b->cr = b->blank = false;
	b->line_ends = 0;
	if (b->length > 0 || b->canon == DKIM_SIMPLE)
		put(b, STR("\r\n"));
}

static str without_line_end(str s)
{
	if (str_ends(s, STR("\r\n")))
		return str_sub(s, 0, s.n - 2);
	return str_ends(s, STR("\n")) ? str_sub(s, 0, s.n - 1) : s;
}

static void put_lower(str name, struct dkim_sink to)
{
	char piece[64];
	for (size_t at = 0; at < name.n;) {
		size_t n = 0;
		while (n < sizeof piece && at < name.n)
			piece[n++] = (char)ascii_lower(str_at(name, at++));
		to.put(to.ctx, str_of(piece, n));
	}
}

static bool is_fold(unsigned char c)
{
	return is_wsp(c) || c == '\r' || c == '\n';
}

/* Runs of white space and line ends become one space; `s` has none at its ends. */
static void put_unfolded(str s, struct dkim_sink to)
{
	for (size_t at = 0; at < s.n;) {
		size_t end = at;
		while (end < s.n && !is_fold(str_at(s, end)))
			end++;
		to.put(to.ctx, str_sub(s, at, end - at));
		for (at = end; at < s.n && is_fold(str_at(s, at));)
			at++;
		if (at < s.n)
			to.put(to.ctx, STR(" "));
	}
}

void dkim_field(enum dkim_canon canon, str field, struct dkim_sink to)
{
	if (canon == DKIM_SIMPLE) {
		to.put(to.ctx, without_line_end(field));
		return;
	}
	size_t colon = str_chr(field, ':');
	put_lower(str_trim(str_sub(field, 0, colon)), to);
	to.put(to.ctx, STR(":"));
	if (colon != STR_NONE)
		put_unfolded(str_trim(str_skip(field, colon + 1)), to);
}
