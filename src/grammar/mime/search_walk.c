#include "grammar/mime/search_walk.h"
#include "grammar/mime/qp.h"
#include "grammar/mime/words.h"
#include "grammar/text/base64.h"
#include "grammar/text/fold.h"
#include "grammar/text/html_text.h"

enum {
	CHUNK = 4096,       /* of a body, decoded at a time */
	SCRATCH_MAX = 64 << 20, /* of a field decoded at once: many times HEADER_BYTES_MAX */
};

struct walker {
	const struct search_source *from;
	const struct search_sink *to;
	buf bytes, utf8, plain, folded;
	bool ended;
};

/* A body on its way: bytes, UTF-8, text, folded. */
struct stage {
	struct base64_stream base64;
	struct qp_decoder qp;
	struct charset_stream charset;
	struct html_text html;
	struct fold fold;
	uint8_t encoding;
	bool is_html;
};

static bool begin(struct walker *w, enum search_kind kind, str name)
{
	return !w->ended && w->to->begin(w->to->ctx, kind, name);
}

static void end(struct walker *w)
{
	w->ended = !w->to->end(w->to->ctx);
}

/* Folds of the header become one blank each. */
static void unfold(str value, buf *out)
{
	while (value.n > 0) {
		size_t n = 0;
		while (n < value.n && value.p[n] != '\r' && value.p[n] != '\n')
			n++;
		str line = str_sub(value, 0, n);
		value = str_skip(value, n);
		if (value.n == 0) {
			buf_put(out, line);
			return;
		}
		while (line.n > 0 && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
			line.n--;
		buf_put(out, line);
		buf_putc(out, ' ');
		value = str_skip(value, (size_t)(str_trim(value).p - value.p));
	}
}

static void give_utf8(struct walker *w)
{
	buf_clear(&w->folded);
	search_fold(buf_str(&w->utf8), &w->folded);
	w->to->text(w->to->ctx, buf_str(&w->folded));
	end(w);
}

static void field(struct walker *w, enum search_kind kind, const struct header_field *f)
{
	char name[HEADER_NAME_MAX];
	for (size_t i = 0; i < f->name.n; i++)
		name[i] = (char)ascii_upper(str_at(f->name, i));
	if (!begin(w, kind, str_of(name, f->name.n)))
		return;
	str value = f->value;
	buf_clear(&w->bytes);
	buf_clear(&w->utf8);
	if (str_chr(value, '\n') != STR_NONE || str_chr(value, '\r') != STR_NONE) {
		unfold(value, &w->bytes);
		value = buf_str(&w->bytes);
	}
	words_decode(w->from->charsets, w->from->parts->parts[0].charset, value, &w->utf8);
	give_utf8(w);
}

/* The table of facts_decode has the file name already decoded. */
static void file_name(struct walker *w, const struct mime_part *p)
{
	const struct content_param *name = p->content ? content_file_name(p->content) : NULL;
	if (p->content ? !name || !name->extended : p->name.n == 0)
		return;
	if (!begin(w, SEARCH_INNER_FIELD, STR("FILENAME")))
		return;
	buf_clear(&w->utf8);
	if (name)
		words_param(w->from->charsets, name, &w->utf8);
	else
		buf_put(&w->utf8, p->name);
	give_utf8(w);
}

static void header(struct walker *w, enum search_kind kind, const struct mime_part *p)
{
	struct header_walk walk = {.text = str_sub(mime_header(w->from->message, p), 0, HEADER_BYTES_MAX)};
	struct header_field f;
	while (!w->ended && header_next(&walk, &f))
		field(w, kind, &f);
}

static bool has_text(const struct mime_part *p)
{
	return p->kind == MIME_TEXT || (p->kind == MIME_OTHER && str_ieq(p->type, STR("message")));
}

static void undo_encoding(struct stage *s, str in, bool last, buf *out)
{
	if (s->encoding == ENCODING_BASE64) {
		base64_feed(&s->base64, in, out);
		if (last)
			base64_finish(&s->base64, out);
	} else if (s->encoding == ENCODING_QUOTED_PRINTABLE) {
		qp_decode(&s->qp, in, out);
		if (last)
			qp_decode_finish(&s->qp, out);
	} else {
		buf_put(out, in);
	}
}

static bool chunk(struct walker *w, struct stage *s, str in, bool last)
{
	buf *bufs[] = {&w->bytes, &w->utf8, &w->plain, &w->folded};
	for (size_t i = 0; i < 4; i++)
		buf_clear(bufs[i]);
	undo_encoding(s, in, last, &w->bytes);
	charset_feed(&s->charset, buf_str(&w->bytes), &w->utf8);
	if (last)
		charset_finish(&s->charset, &w->utf8);
	str text = buf_str(&w->utf8);
	if (s->is_html) {
		html_text_feed(&s->html, text, &w->plain);
		if (last)
			html_text_finish(&s->html, &w->plain);
		text = buf_str(&w->plain);
	}
	fold_feed(&s->fold, text, &w->folded);
	if (last)
		fold_finish(&s->fold, &w->folded);
	return w->to->text(w->to->ctx, buf_str(&w->folded));
}

/* Nothing is to be undone but letters' case and line ends. */
static bool give_copy(struct walker *w, const struct stage *s, str body)
{
	bool plain = s->encoding != ENCODING_BASE64 && s->encoding != ENCODING_QUOTED_PRINTABLE && !s->is_html &&
		s->charset.kind != CHARSET_TABLE;
	return plain && w->to->copy && str_is_ascii(body) &&
		w->to->copy(w->to->ctx, (size_t)(body.p - w->from->message.p), body.n);
}

static void text_part(struct walker *w, const struct mime_part *p)
{
	struct stage s = {.encoding = p->encoding, .is_html = str_ieq(p->subtype, STR("html"))};
	str body = mime_body(w->from->message, p);
	if (!begin(w, SEARCH_TEXT, (str){NULL, 0}))
		return;
	charset_begin(&s.charset, w->from->charsets, p->charset);
	bool more = !give_copy(w, &s, body);
	for (size_t at = 0; more && at < body.n; at += CHUNK)
		more = chunk(w, &s, str_sub(body, at, CHUNK), body.n - at <= CHUNK);
	end(w);
}

static result walker_result(struct walker *w)
{
	buf *bufs[] = {&w->bytes, &w->utf8, &w->plain, &w->folded};
	result r = OK;
	for (size_t i = 0; i < 4; i++) {
		if (bufs[i]->broken)
			r = buf_result(bufs[i]);
		buf_free(bufs[i]);
	}
	return r;
}

result search_walk(const struct search_source *from, const struct search_sink *to)
{
	buf empty = buf_new(SCRATCH_MAX);
	struct walker w = {from, to, empty, empty, empty, empty, false};
	header(&w, SEARCH_FIELD, &from->parts->parts[0]);
	for (uint32_t i = 0; i < from->parts->n && !w.ended; i++) {
		const struct mime_part *p = &from->parts->parts[i];
		if (i > 0)
			header(&w, SEARCH_INNER_FIELD, p);
		if (!w.ended)
			file_name(&w, p);
		if (!w.ended && has_text(p))
			text_part(&w, p);
	}
	return walker_result(&w);
}
