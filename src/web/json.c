#include "web/json.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "run/secret.h"

result failure_in(arena *a, enum fail_kind kind, const char *format, ...)
{
	char text[TALK_REFUSAL_MAX + 1];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	const char *kept = arena_cstr(a, str_from(text));
	return failure(kind, kept ? kept : "out of memory");
}

/* ---- text ---- */

static bool depth_is_bounded(str text)
{
	size_t depth = 0;
	bool quoted = false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']') && depth > 0)
			depth--;
		if (depth > JSON_DEPTH_MAX)
			return false;
	}
	return true;
}

result json_read(str text, arena *a, json_t **out)
{
	json_error_t e;
	if (!depth_is_bounded(text))
		return failure(FAIL_INPUT, "the request's JSON is nested too deeply");
	json_t *v = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &e);
	if (!v)
		return failure_in(a, FAIL_INPUT, "the request is not JSON: line %d: %s", e.line, e.text);
	if (!json_is_object(v)) {
		json_decref(v);
		return failure(FAIL_INPUT, "the request must be one JSON object");
	}
	*out = v;
	return OK;
}

static int put_piece(const char *p, size_t n, void *out)
{
	buf_put(out, str_of(p, n));
	return 0;
}

void json_write(const json_t *v, buf *out)
{
	json_dump_callback(v, put_piece, out, JSON_COMPACT);
}

json_t *json_text(str s)
{
	json_t *whole = json_stringn(s.p ? s.p : "", s.n);
	if (whole)
		return whole;
	AUTO_BUF buf clean = buf_new(3 * s.n + 1);
	for (size_t i = 0; i < s.n;) {
		size_t n = 1;
		while (n < 4 && n < s.n - i && !str_is_utf8(str_sub(s, i, n)))
			n++;
		bool good = str_is_utf8(str_sub(s, i, n));
		buf_put(&clean, good ? str_sub(s, i, n) : STR("\xef\xbf\xbd"));
		i += good ? n : 1;
	}
	return clean.broken ? NULL : json_stringn(clean.p, clean.n);
}

/* ---- from JSON ---- */

static result wrong(arena *a, const struct talk_field *f, const char *what)
{
	return failure_in(a, FAIL_INPUT, "\"%s\" %s", f->name, what);
}

static result read_number(const struct talk_field *f, const json_t *v, arena *a, void *to)
{
	if (!json_is_integer(v))
		return wrong(a, f, "must be a whole number");
	json_int_t n = json_integer_value(v);
	if (n < 0 && f->type != TALK_I64)
		return wrong(a, f, "must not be negative");
	if (f->size < 8 && n >> (8 * f->size) != 0)
		return wrong(a, f, "is too large a number");
	uint64_t bits = (uint64_t)n;
	unsigned char *p = to;
	memcpy(p, &bits, f->size); /* little-endian machines only: see base/log.h's records */
	return OK;
}

static result read_text(const struct talk_field *f, const json_t *v, arena *a, void *to)
{
	if (!json_is_string(v))
		return wrong(a, f, "must be a text");
	str s = str_of(json_string_value(v), json_string_length(v));
	if (s.n > f->max)
		return failure_in(a, FAIL_INPUT, "\"%s\" is longer than %u octets", f->name, f->max);
	memcpy(to, &s, sizeof s);
	return OK;
}

static result read_bool(const struct talk_field *f, const json_t *v, arena *a, void *to)
{
	bool b = json_is_true(v);
	if (!json_is_boolean(v))
		return wrong(a, f, "must be true or false");
	memcpy(to, &b, sizeof b);
	return OK;
}

/* One of the words that the declaration has. */
static result read_word(const struct talk_field *f, const json_t *v, arena *a, void *to)
{
	const char *word = json_is_string(v) ? json_string_value(v) : "";
	for (unsigned i = 0; i < f->max; i++) {
		if (strcmp(word, f->names[i]) == 0) {
			memcpy(to, &i, sizeof i);
			return OK;
		}
	}
	return wrong(a, f, "must be one of the words that docs/admin-api.md lists");
}

static result read_field(const struct talk_field *f, const json_t *v, arena *a, void *to);

static result read_list(const struct talk_field *f, const json_t *v, arena *a, void *to)
{
	const struct talk_field *e = f->element;
	struct talk_list list = {0};
	if (!json_is_array(v))
		return wrong(a, f, "must be a list");
	list.n = json_array_size(v);
	if (list.n > f->max)
		return failure_in(a, FAIL_INPUT, "\"%s\" has more than %u members", f->name, f->max);
	char *items = arena_array(a, list.n + 1, e->size);
	if (!items)
		return arena_result(a);
	for (size_t i = 0; i < list.n; i++)
		TRY(read_field(e, json_array_get(v, i), a, items + i * e->size));
	list.p = items;
	memcpy(to, &list, sizeof list);
	return OK;
}

static result read_field(const struct talk_field *f, const json_t *v, arena *a, void *to)
{
	switch (f->type) {
	case TALK_U8:
	case TALK_U16:
	case TALK_U32:
	case TALK_U64:
	case TALK_I64:
		return read_number(f, v, a, to);
	case TALK_BOOL:
		return read_bool(f, v, a, to);
	case TALK_STR:
		return read_text(f, v, a, to);
	case TALK_LIST:
		return read_list(f, v, a, to);
	case TALK_ENUM:
		return read_word(f, v, a, to);
	case TALK_ID:
	case TALK_BYTES:
	case TALK_BODY:
	case TALK_FD:
	case TALK_RECORD:
		break;
	}
	return wrong(a, f, "cannot be given here");
}

static const struct talk_field *field_named(const struct talk_shape *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(str_from(s->fields[i].name), str_from(name)))
			return &s->fields[i];
	return NULL;
}

result message_of_json(const struct talk_shape *s, const json_t *v, arena *a, void *m)
{
	const char *name;
	json_t *member;
	memset(m, 0, s->size);
	json_object_foreach((json_t *)(uintptr_t)v, name, member) {
		const struct talk_field *f = field_named(s, name);
		if (!f)
			return failure_in(a, FAIL_INPUT, "this request has no \"%.60s\"", name);
		TRY(read_field(f, member, a, (char *)m + f->offset));
	}
	return OK;
}

/* A text, or a list of texts. */
static void wipe_value(const json_t *v)
{
	const json_t *member;
	size_t i;
	if (json_is_string(v))
		secret_wipe((void *)(uintptr_t)json_string_value(v), json_string_length(v));
	json_array_foreach(v, i, member)
		if (json_is_string(member))
			secret_wipe((void *)(uintptr_t)json_string_value(member), json_string_length(member));
}

void json_wipe_secrets(const struct talk_shape *s, const json_t *v)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->fields[i].secret)
			wipe_value(json_object_get(v, s->fields[i].name));
}

bool shape_has_secrets(const struct talk_shape *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->fields[i].secret)
			return true;
	return false;
}

void message_wipe_secrets(const struct talk_shape *s, const void *m)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct talk_field *f = &s->fields[i];
		const char *at = (const char *)m + f->offset;
		struct talk_list texts = {.p = at, .n = 1};
		if (f->type == TALK_LIST)
			memcpy(&texts, at, sizeof texts);
		bool are_texts = f->type == TALK_STR || (f->type == TALK_LIST && f->element->type == TALK_STR);
		for (size_t k = 0; f->secret && are_texts && k < texts.n; k++)
			secret_wipe((void *)(uintptr_t)((const str *)texts.p)[k].p, ((const str *)texts.p)[k].n);
	}
}

/* ---- to JSON ---- */

static json_t *number_of(const struct talk_field *f, const void *from)
{
	uint64_t n = 0;
	memcpy(&n, from, f->size);
	if (f->type != TALK_I64 && n > INT64_MAX)
		n = INT64_MAX;
	return json_integer((json_int_t)n);
}

json_t *json_hex(const void *from, size_t n)
{
	AUTO_BUF buf hex = buf_new(2 * n + 1);
	for (size_t i = 0; i < n; i++)
		buf_printf(&hex, "%02x", ((const unsigned char *)from)[i]);
	return hex.broken ? NULL : json_stringn(hex.p, hex.n);
}

static json_t *json_of_field(const struct talk_field *f, const void *from);

static json_t *json_of_list(const struct talk_field *f, const void *from)
{
	struct talk_list list;
	json_t *v = json_array();
	memcpy(&list, from, sizeof list);
	for (size_t i = 0; v && i < list.n; i++) {
		if (json_array_append_new(v, json_of_field(f->element, (const char *)list.p + i * f->element->size)) < 0) {
			json_decref(v);
			return NULL;
		}
	}
	return v;
}

static json_t *word_of(const struct talk_field *f, const void *from)
{
	unsigned n = 0;
	memcpy(&n, from, f->size < sizeof n ? f->size : sizeof n);
	return json_string(n < f->max ? f->names[n] : "unknown");
}

static json_t *json_of_field(const struct talk_field *f, const void *from)
{
	str s;
	bool b;
	switch (f->type) {
	case TALK_BOOL:
		memcpy(&b, from, sizeof b);
		return json_boolean(b);
	case TALK_STR:
		memcpy(&s, from, sizeof s);
		return json_text(s);
	case TALK_ID:
		return json_hex(from, sizeof(trace_id));
	case TALK_ENUM:
		return word_of(f, from);
	case TALK_RECORD:
		return json_of_message(f->record, from);
	case TALK_LIST:
		return json_of_list(f, from);
	case TALK_BYTES:
		return json_hex(from, f->max);
	case TALK_BODY:
	case TALK_FD:
		return json_null(); /* no answer to web has one */
	case TALK_U8:
	case TALK_U16:
	case TALK_U32:
	case TALK_U64:
	case TALK_I64:
		break;
	}
	return number_of(f, from);
}

json_t *json_of_message(const struct talk_shape *s, const void *m)
{
	json_t *v = json_object();
	for (size_t i = 0; v && i < s->n; i++) {
		const struct talk_field *f = &s->fields[i];
		if (json_object_set_new(v, f->name, json_of_field(f, (const char *)m + f->offset)) < 0) {
			json_decref(v);
			return NULL;
		}
	}
	return v;
}
