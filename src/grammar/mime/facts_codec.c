#include "base/cursor.h"
#include "grammar/mime/facts.h"

/* Layout, little-endian. Strings are u32 length + 1 and bytes, length 0 for
 * none. u8 version; u64 size; u32 flags, received; u64 date; u32 zone; the
 * strings of struct facts in its order with the id lists (u32 count) where they
 * stand; u32 parts and for each: u32 parent, number; u8 kind, encoding, opaque;
 * u64 header_at, header_n, body_at, body_n, lines; type, subtype, charset,
 * disposition, name. */
enum { FACTS_VERSION = 1, PART_BYTES_MIN = 2 * 4 + 3 + 5 * 8 + 5 * 4 };

static void put_number(buf *b, uint64_t v, size_t bytes)
{
	char le[8];
	for (size_t i = 0; i < bytes; i++, v >>= 8)
		le[i] = (char)(v & 0xFF);
	buf_put(b, str_of(le, bytes));
}

static void put_string(buf *b, str s)
{
	put_number(b, s.p ? s.n + 1 : 0, 4);
	buf_put(b, s);
}

static void put_ids(buf *b, const struct facts_ids *ids)
{
	put_number(b, ids->n, 4);
	for (uint32_t i = 0; i < ids->n; i++)
		put_string(b, ids->list[i]);
}

static void put_part(buf *b, const struct mime_part *p)
{
	put_number(b, p->parent, 4);
	put_number(b, p->number, 4);
	put_number(b, p->kind, 1);
	put_number(b, p->encoding, 1);
	put_number(b, p->opaque, 1);
	put_number(b, p->header_at, 8);
	put_number(b, p->header_n, 8);
	put_number(b, p->body_at, 8);
	put_number(b, p->body_n, 8);
	put_number(b, p->lines, 8);
	put_string(b, p->type);
	put_string(b, p->subtype);
	put_string(b, p->charset);
	put_string(b, p->disposition);
	put_string(b, p->name);
}

static void put_head(const struct facts *f, buf *out)
{
	put_number(out, FACTS_VERSION, 1);
	put_number(out, f->size, 8);
	put_number(out, f->flags, 4);
	put_number(out, f->received, 4);
	put_number(out, (uint64_t)f->date, 8);
	put_number(out, (uint32_t)f->zone, 4);
	put_string(out, f->message_id);
	put_ids(out, &f->in_reply_to);
	put_ids(out, &f->references);
	put_string(out, f->subject);
	put_string(out, f->base_subject);
}

static void put_parts(const struct facts *f, buf *out)
{
	put_number(out, f->parts.n, 4);
	for (uint32_t i = 0; i < f->parts.n; i++)
		put_part(out, &f->parts.parts[i]);
}

void facts_encode(const struct facts *f, buf *out)
{
	put_head(f, out);
	put_string(out, f->envelope);
	put_string(out, f->body);
	put_string(out, f->structure);
	put_string(out, f->search_text);
	put_parts(f, out);
}

void facts_stored_encode(const struct facts *f, buf *out)
{
	put_head(f, out);
	put_parts(f, out);
}

static str get_string(cursor *c)
{
	uint32_t n = cursor_u32(c);
	return n ? cursor_take(c, n - 1) : (str){NULL, 0};
}

static bool get_ids(cursor *c, arena *a, struct facts_ids *out)
{
	uint32_t n = cursor_u32(c);
	if (c->bad || n > FACTS_IDS_MAX)
		return false;
	str *list = arena_array(a, n, sizeof *list);
	for (uint32_t i = 0; list && i < n; i++)
		list[i] = get_string(c);
	*out = (struct facts_ids){list, n};
	return list && !c->bad;
}

/* What stands between quotes: no line end, nothing escaped but quotes. */
static bool is_quoted(cursor *c)
{
	for (int ch = cursor_next(c); ch != '"'; ch = cursor_next(c)) {
		if (ch < 1 || ch > 127 || ch == '\r' || ch == '\n')
			return false;
		if (ch == '\\' && cursor_peek(c) != '"' && cursor_peek(c) != '\\')
			return false;
		if (ch == '\\')
			cursor_next(c);
	}
	return true;
}

static bool is_literal(cursor *c)
{
	uint64_t n = 0;
	while (cursor_peek(c) >= '0' && cursor_peek(c) <= '9' && n <= FACTS_ENCODED_MAX)
		n = n * 10 + (uint64_t)(cursor_next(c) - '0');
	return cursor_ieat(c, STR("}\r\n")) && str_chr(cursor_take(c, n), '\0') == STR_NONE;
}

/* One "(" ... ")" of strings, literals and atoms, and nothing behind it. */
static bool is_list(str s)
{
	cursor c = cursor_on(s);
	size_t depth = 0;
	while (!cursor_done(&c) && !c.bad) {
		int ch = cursor_next(&c);
		if (ch == '(')
			depth++;
		else if (ch == ')' && depth-- <= 1)
			return depth == 0 && cursor_done(&c);
		bool fits = ch == '"' ? is_quoted(&c) : ch == '{' ? is_literal(&c) : ch >= 32 && ch < 127;
		if (!fits || depth == 0)
			return false;
	}
	return false;
}

static void get_part(cursor *c, struct mime_part *p)
{
	*p = (struct mime_part){.parent = cursor_u32(c), .child = MIME_NONE, .next = MIME_NONE};
	p->number = cursor_u32(c);
	p->kind = cursor_u8(c);
	p->encoding = cursor_u8(c);
	p->opaque = cursor_u8(c) != 0;
	p->header_at = cursor_u64(c);
	p->header_n = cursor_u64(c);
	p->body_at = cursor_u64(c);
	p->body_n = cursor_u64(c);
	p->lines = cursor_u64(c);
	p->type = get_string(c);
	p->subtype = get_string(c);
	p->charset = get_string(c);
	p->disposition = get_string(c);
	p->name = get_string(c);
}

static bool part_fits(const struct mime_part *p, uint64_t from, uint64_t end)
{
	return p->kind <= MIME_OTHER && p->encoding <= ENCODING_OTHER && p->type.n > 0 && p->subtype.n > 0 &&
	       p->header_at >= from && p->header_at <= end && p->header_n <= end - p->header_at &&
	       p->body_at == p->header_at + p->header_n && p->body_n <= end - p->body_at && p->lines <= p->body_n;
}

/* Hangs part i into the tree; `last` holds each part's last child so far. */
static bool hang(struct mime_part *parts, uint32_t i, uint32_t *last)
{
	struct mime_part *p = &parts[i];
	if (p->parent >= i)
		return false;
	struct mime_part *parent = &parts[p->parent];
	bool message = parent->kind == MIME_MESSAGE;
	uint32_t number = message ? p->kind != MIME_MULTIPART : parent->children + 1;
	uint64_t from = parent->body_at;
	if (parent->children > 0)
		from = parts[last[p->parent]].body_at + parts[last[p->parent]].body_n;
	if ((!message && parent->kind != MIME_MULTIPART) || (message && parent->children > 0) || p->number != number ||
	    parent->depth == MIME_DEPTH_MAX || !part_fits(p, from, parent->body_at + parent->body_n))
		return false;
	*(parent->children ? &parts[last[p->parent]].next : &parent->child) = i;
	parent->children++;
	last[p->parent] = i;
	p->depth = (uint16_t)(parent->depth + 1);
	return true;
}

static bool is_tree(struct mime_part *parts, uint32_t n, uint64_t size, uint32_t *last)
{
	const struct mime_part *root = &parts[0];
	if (root->parent != MIME_NONE || root->header_at != 0 || !part_fits(root, 0, size) ||
	    root->body_at + root->body_n != size || root->number != (root->kind != MIME_MULTIPART))
		return false;
	for (uint32_t i = 1; i < n; i++)
		if (!hang(parts, i, last))
			return false;
	for (uint32_t i = 0; i < n; i++)
		if ((parts[i].kind == MIME_MULTIPART || parts[i].kind == MIME_MESSAGE) != (parts[i].children > 0))
			return false;
	return true;
}

static bool get_parts(cursor *c, uint64_t size, arena *a, struct mime_table *out)
{
	uint32_t n = cursor_u32(c);
	if (c->bad || n == 0 || n > MIME_PARTS_MAX || cursor_left(c) / PART_BYTES_MIN < n)
		return false;
	struct mime_part *parts = arena_array(a, n, sizeof *parts);
	uint32_t *last = arena_array(a, n, sizeof *last);
	for (uint32_t i = 0; parts && i < n && !c->bad; i++)
		get_part(c, &parts[i]);
	*out = (struct mime_table){parts, n};
	return parts && last && !c->bad && is_tree(parts, n, size, last);
}

static bool get_head(cursor *c, arena *a, struct facts *f)
{
	if (cursor_u8(c) != FACTS_VERSION)
		return false;
	f->size = cursor_u64(c);
	f->flags = cursor_u32(c);
	f->received = cursor_u32(c);
	f->date = (int64_t)cursor_u64(c);
	f->zone = (int32_t)cursor_u32(c);
	f->message_id = get_string(c);
	if (!get_ids(c, a, &f->in_reply_to) || !get_ids(c, a, &f->references))
		return false;
	f->subject = get_string(c);
	f->base_subject = get_string(c);
	return !c->bad;
}

static bool get_answers(cursor *c, struct facts *f)
{
	f->envelope = get_string(c);
	f->body = get_string(c);
	f->structure = get_string(c);
	f->search_text = get_string(c);
	return is_list(f->envelope) && is_list(f->body) && is_list(f->structure);
}

static result judge(bool fits, arena *a, const struct facts *f, struct facts *out)
{
	if (a->broken)
		return arena_result(a);
	if (!fits)
		return failure(FAIL_INPUT, "the facts about a message do not fit the message");
	*out = *f;
	return OK;
}

result facts_decode(str encoded, uint64_t size, arena *a, struct facts *out)
{
	struct facts f = {0};
	cursor c = cursor_on(encoded);
	bool fits = get_head(&c, a, &f) && f.size == size && get_answers(&c, &f) &&
		    get_parts(&c, size, a, &f.parts) && cursor_done(&c);
	return judge(fits, a, &f, out);
}

result facts_stored_decode(str encoded, uint64_t size, arena *a, struct facts *out)
{
	struct facts f = {0};
	cursor c = cursor_on(encoded);
	bool fits = get_head(&c, a, &f) && f.size == size && get_parts(&c, size, a, &f.parts) && cursor_done(&c);
	return judge(fits, a, &f, out);
}
