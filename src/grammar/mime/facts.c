#include "grammar/mime/facts.h"
#include "grammar/mime/bodystructure.h"
#include "grammar/mime/date.h"
#include "grammar/mime/envelope.h"
#include "grammar/mime/search_text.h"
#include "grammar/mime/subject.h"
#include "grammar/mime/words.h"

static bool has_8bit(str s)
{
	uint64_t all = 0;
	size_t i = 0;
	for (; s.n - i >= 64; i += 64) {
		uint64_t w[8];
		memcpy(w, s.p + i, 64);
		all = w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7];
		if (all & 0x8080808080808080u)
			return true;
	}
	for (; i < s.n; i++)
		if (str_at(s, i) > 127)
			return true;
	return false;
}

/* The text between the next "<" and ">", without blanks; false at the end. */
static bool next_id(str *rest, arena *a, str *out)
{
	for (;;) {
		size_t open = str_chr(*rest, '<');
		size_t close = open == STR_NONE ? open : str_chr(str_skip(*rest, open), '>');
		if (close == STR_NONE)
			return false;
		str id = str_sub(*rest, open + 1, close - 1);
		*rest = str_skip(*rest, open + close + 1);
		size_t again = str_rchr(id, '<');
		id = str_skip(id, again == STR_NONE ? 0 : again + 1);
		if (id.n == 0 || id.n > FACTS_ID_MAX)
			continue;
		char *to = arena_alloc(a, id.n);
		size_t n = 0;
		for (size_t i = 0; to && i < id.n; i++)
			if (str_at(id, i) > 32)
				to[n++] = id.p[i];
		*out = str_of(to, n);
		if (n > 0 || !to)
			return to != NULL;
	}
}

/* Some programs leave the brackets out: then it is the value, if that is one word. */
static str message_id(str value, arena *a)
{
	str id, rest = value;
	if (next_id(&rest, a, &id))
		return id;
	bool bare = value.n > 0 && value.n <= FACTS_ID_MAX && str_chr(value, '@') != STR_NONE;
	for (size_t i = 0; i < value.n; i++)
		bare = bare && str_at(value, i) > 32 && value.p[i] != '<' && value.p[i] != '>';
	return bare ? value : (str){NULL, 0};
}

/* The first, and of the others the last ones: threads hang by both ends. */
static result read_ids(const struct header *h, enum header_id which, arena *a, struct facts_ids *out)
{
	str ring[FACTS_IDS_MAX - 1], first = {0}, id;
	str rest = header_value(h, which);
	size_t n = 0;
	while (next_id(&rest, a, &id)) {
		if (n == 0)
			first = id;
		else
			ring[(n - 1) % (FACTS_IDS_MAX - 1)] = id;
		n++;
	}
	size_t kept = n < FACTS_IDS_MAX ? n : FACTS_IDS_MAX;
	str *list = arena_array(a, kept, sizeof *list);
	if (!list || a->broken)
		return arena_result(a);
	for (size_t i = 1; i < kept; i++)
		list[i] = ring[(n - kept + i - 1) % (FACTS_IDS_MAX - 1)];
	if (kept > 0)
		list[0] = first;
	*out = (struct facts_ids){list, (uint32_t)kept};
	return OK;
}

static void read_date(const struct header *h, arena *a, struct facts *f)
{
	struct date_time t;
	str value = header_unfold(a, header_value(h, HEADER_DATE));
	if (value.n == 0 || failed(date_parse(value, &t)))
		return;
	f->flags |= FACTS_DATED;
	f->date = t.seconds;
	f->zone = t.zone;
}

static uint32_t count(const struct header *h, enum header_id id)
{
	uint32_t n = 0;
	for (const struct header_field *f = header_first(h, id); f; f = header_after(h, f))
		n++;
	return n;
}

/* Takes what is in `b` into the arena; `b` is empty again. */
static result keep(buf *b, arena *a, str *out)
{
	TRY(buf_result(b));
	*out = arena_dup(a, buf_str(b));
	buf_clear(b);
	return out->p ? OK : arena_result(a);
}

static result read_header(const struct facts_wants *w, arena *a, struct facts *f, buf *b)
{
	const struct mime_part *root = &f->parts.parts[0];
	const struct header *h = root->header;
	bool reply;
	f->message_id = message_id(header_value(h, HEADER_MESSAGE_ID), a);
	TRY(read_ids(h, HEADER_IN_REPLY_TO, a, &f->in_reply_to));
	TRY(read_ids(h, HEADER_REFERENCES, a, &f->references));
	read_date(h, a, f);
	f->received = count(h, HEADER_RECEIVED);
	words_decode(w->charsets, root->charset, header_value(h, HEADER_SUBJECT), b);
	b->n = text_cut(buf_str(b), FACTS_SUBJECT_MAX).n;
	TRY(keep(b, a, &f->subject));
	f->base_subject = subject_base(f->subject, a, &reply);
	f->flags |= reply ? FACTS_REPLY : 0;
	return a->broken ? arena_result(a) : OK;
}

static result name_parts(const struct facts_wants *w, arena *a, struct facts *f, buf *b)
{
	for (uint32_t i = 0; i < f->parts.n; i++) {
		const struct content_param *p = content_file_name(f->parts.parts[i].content);
		if (!p)
			continue;
		words_param(w->charsets, p, b);
		b->n = text_cut(buf_str(b), FACTS_NAME_MAX).n;
		TRY(keep(b, a, &f->parts.parts[i].name));
	}
	return OK;
}

static result print(arena *a, struct facts *f, buf *b)
{
	envelope_print(f->parts.parts[0].header, a, b);
	TRY(keep(b, a, &f->envelope));
	bodystructure_print(&f->parts, false, a, b);
	TRY(keep(b, a, &f->body));
	bodystructure_print(&f->parts, true, a, b);
	return keep(b, a, &f->structure);
}

static result all(str message, const struct facts_wants *w, arena *a, struct facts *f)
{
	AUTO_BUF buf b = buf_new(FACTS_ENCODED_MAX);
	TRY(mime_parse(message, a, &f->parts));
	f->size = message.n;
	f->flags = (has_8bit(message) ? FACTS_8BIT : 0) | (str_chr(message, '\0') != STR_NONE ? FACTS_NUL : 0);
	TRY(read_header(w, a, f, &b));
	TRY(name_parts(w, a, f, &b));
	TRY(print(a, f, &b));
	if (!w->search_text)
		return OK;
	TRY(search_text_make(&(struct search_source){message, &f->parts, w->charsets}, &b));
	return keep(&b, a, &f->search_text);
}

result facts_of(str message, const struct facts_wants *wants, arena *a, struct facts *out)
{
	struct facts f = {0};
	TRY(all(message, wants, a, &f));
	*out = f;
	return OK;
}
