/* Prints what this mail system reads in a message, as JSON: the part tree with
 * the digests of the decoded parts, and the decoded header. docs/mime.md names
 * the members. The test beside compares it with what other programs read. */
#include "frames.h"
#include "grammar/mime/address_list.h"
#include "grammar/mime/facts.h"
#include "grammar/mime/qp.h"
#include "grammar/mime/words.h"
#include "grammar/text/base64.h"

enum { CHUNK = 4096 /* as bodies are read for searching */ };

struct describer {
	struct charsets *charsets;
	arena mem;
	buf scratch;
};

/* Raw text of a header as JSON, bytes that are no UTF-8 taken for windows-1252. */
static json_t *raw(struct describer *d, str s)
{
	if (!s.p)
		return json_null();
	buf_clear(&d->scratch);
	charset_text(d->charsets, (str){NULL, 0}, s, &d->scratch);
	return json_of(d->scratch.n ? buf_str(&d->scratch) : STR(""));
}

static json_t *words(struct describer *d, str declared, str s)
{
	if (!s.p)
		return json_null();
	buf_clear(&d->scratch);
	words_decode(d->charsets, declared, s, &d->scratch);
	return json_of(d->scratch.n ? buf_str(&d->scratch) : STR(""));
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static void decode(uint8_t encoding, str body, buf *out)
{
	struct base64_stream base64 = {0};
	struct qp_decoder qp = {0};
	for (size_t at = 0; at < body.n; at += CHUNK) {
		str piece = str_sub(body, at, CHUNK);
		if (encoding == ENCODING_BASE64)
			base64_feed(&base64, piece, out);
		else if (encoding == ENCODING_QUOTED_PRINTABLE)
			qp_decode(&qp, piece, out);
		else
			buf_put(out, piece);
	}
	base64_finish(&base64, out);
	qp_decode_finish(&qp, out);
}

static json_t *text_digest(struct describer *d, str charset, str bytes)
{
	struct charset_stream s;
	AUTO_BUF buf text = buf_new(SIZE_MAX);
	charset_begin(&s, d->charsets, charset);
	for (size_t at = 0; at < bytes.n; at += CHUNK)
		charset_feed(&s, str_sub(bytes, at, CHUNK), &text);
	charset_finish(&s, &text);
	must(!text.broken);
	return json_digest(buf_str(&text));
}

static void put_contents(struct describer *d, str message, const struct mime_part *p, json_t *to)
{
	AUTO_BUF buf bytes = buf_new(SIZE_MAX);
	decode(p->encoding, mime_body(message, p), &bytes);
	must(!bytes.broken);
	json_object_set_new(to, "decoded", json_digest(buf_str(&bytes)));
	if (p->kind == MIME_TEXT)
		json_object_set_new(to, "text", text_digest(d, p->charset, buf_str(&bytes)));
}

static json_t *part(struct describer *d, str message, const struct mime_part *p)
{
	static const char *const encodings[] = {"7bit", "8bit", "binary", "quoted-printable", "base64", "other"};
	json_t *v = json_object();
	AUTO_BUF buf type = buf_new(SIZE_MAX);
	for (size_t i = 0; i < p->type.n; i++)
		buf_putc(&type, (char)ascii_lower(str_at(p->type, i)));
	buf_putc(&type, '/');
	for (size_t i = 0; i < p->subtype.n; i++)
		buf_putc(&type, (char)ascii_lower(str_at(p->subtype, i)));
	json_object_set_new(v, "depth", number(p->depth));
	json_object_set_new(v, "type", raw(d, buf_str(&type)));
	json_object_set_new(v, "charset", raw(d, p->charset));
	json_object_set_new(v, "disposition", raw(d, p->disposition));
	json_object_set_new(v, "name", json_of(p->name));
	json_object_set_new(v, "encoding", json_string(encodings[p->encoding]));
	json_object_set_new(v, "opaque", json_boolean(p->opaque));
	json_object_set_new(v, "header_at", number(p->header_at));
	json_object_set_new(v, "body_at", number(p->body_at));
	json_object_set_new(v, "size", number(p->body_n));
	json_object_set_new(v, "lines", number(p->lines));
	if (p->child == MIME_NONE)
		put_contents(d, message, p, v);
	return v;
}

static json_t *parts(struct describer *d, str message, const struct mime_table *t)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < t->n; i++)
		json_array_append_new(list, part(d, message, &t->parts[i]));
	return list;
}

static json_t *address(struct describer *d, str declared, const struct address *a)
{
	json_t *v = json_object();
	if (a->kind != ADDRESS_MAILBOX) {
		json_object_set_new(v, "group", a->kind == ADDRESS_GROUP_START ? words(d, declared, a->name) : json_null());
		return v;
	}
	AUTO_BUF buf spec = buf_new(SIZE_MAX);
	buf_put(&spec, a->mailbox);
	if (a->host.p) {
		buf_putc(&spec, '@');
		buf_put(&spec, a->host);
	}
	json_object_set_new(v, "name", words(d, declared, a->name));
	json_object_set_new(v, "address", raw(d, spec.n ? buf_str(&spec) : STR("")));
	return v;
}

/* All fields of that name, one list. */
static json_t *addresses(struct describer *d, const struct mime_part *root, enum header_id id)
{
	json_t *list = json_array();
	const struct header_field *f = header_first(root->header, id);
	for (; f; f = header_after(root->header, f)) {
		struct address_walk w = address_walk_on(f->value, &d->mem);
		struct address a;
		while (address_next(&w, &a))
			json_array_append_new(list, address(d, root->charset, &a));
	}
	return list;
}

static json_t *ids(struct describer *d, const struct facts_ids *from)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < from->n; i++)
		json_array_append_new(list, raw(d, from->list[i]));
	return list;
}

static void put_header(struct describer *d, const struct facts *f, json_t *v)
{
	static const struct {
		const char *name;
		enum header_id id;
	} lists[] = {
		{"from", HEADER_FROM}, {"sender", HEADER_SENDER}, {"reply_to", HEADER_REPLY_TO},
		{"to", HEADER_TO},     {"cc", HEADER_CC},         {"bcc", HEADER_BCC},
	};
	const struct mime_part *root = &f->parts.parts[0];
	json_t *date = json_null();
	if (f->flags & FACTS_DATED)
		date = json_pack("{s:I, s:i}", "seconds", (json_int_t)f->date, "zone", (int)f->zone);
	json_object_set_new(v, "date", date);
	bool any = header_first(root->header, HEADER_SUBJECT) != NULL;
	json_object_set_new(v, "subject", any ? json_of(f->subject) : json_null());
	json_object_set_new(v, "message_id", raw(d, f->message_id));
	json_object_set_new(v, "in_reply_to", ids(d, &f->in_reply_to));
	json_object_set_new(v, "references", ids(d, &f->references));
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		json_object_set_new(v, lists[i].name, addresses(d, root, lists[i].id));
}

static json_t *describe(str message, void *ctx)
{
	struct describer *d = ctx;
	struct facts f;
	json_t *v = json_object();
	arena_clear(&d->mem);
	must(!failed(facts_of(message, &(struct facts_wants){.charsets = d->charsets}, &d->mem, &f)));
	json_object_set_new(v, "size", number(f.size));
	json_object_set_new(v, "parts", parts(d, message, &f.parts));
	put_header(d, &f, v);
	return v;
}

int main(int argc, char **argv)
{
	struct describer d = {.mem = arena_new((size_t)FACTS_ARENA_MAX + FRAME_MAX), .scratch = buf_new(SIZE_MAX)};
	must(!failed(charset_preload()));
	d.charsets = charsets_new();
	must(d.charsets);
	int status = describe_all(argc, argv, describe, &d);
	charsets_free(&d.charsets);
	buf_free(&d.scratch);
	arena_free(&d.mem);
	return status;
}
