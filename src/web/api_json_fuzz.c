/* Properties: whatever a client sends either is refused with a sentence or
 * becomes a message that keeps to its declared limits; that message's JSON
 * becomes the same message again. */
#include "web/endpoints.h"
#include "web/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct talk_field *f, const void *at)
{
	str s;
	memcpy(&s, at, sizeof s);
	must(s.n <= f->max && str_is_utf8(s));
}

static void check_limits(const struct talk_shape *s, const char *m)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct talk_field *f = &s->fields[i];
		struct talk_list list;
		if (f->type == TALK_STR)
			check_text(f, m + f->offset);
		if (f->type != TALK_LIST)
			continue;
		memcpy(&list, m + f->offset, sizeof list);
		must(list.n <= f->max);
		for (size_t k = 0; k < list.n && f->element->type == TALK_STR; k++)
			check_text(f->element, (const char *)list.p + k * f->element->size);
	}
}

static void check_shape(const struct talk_shape *s, const json_t *in, arena *a)
{
	void *m = arena_alloc(a, s->size + 1), *again = arena_alloc(a, s->size + 1);
	must(m && again);
	result r = message_of_json(s, in, a, m);
	must(!failed(r) || r.text);
	if (failed(r))
		return;
	check_limits(s, m);
	json_t *out = json_of_message(s, m);
	must(out && !failed(message_of_json(s, out, a, again)));
	json_t *twice = json_of_message(s, again);
	must(json_equal(out, twice));
	json_decref(out);
	json_decref(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA arena a = arena_new(4 << 20);
	json_t *in = NULL;
	result r = json_read(str_of((const char *)data, size), &a, &in);
	must(!failed(r) || r.text);
	if (failed(r))
		return 0;
	for (size_t i = 0; i < endpoints_n; i++)
		if (endpoint_message(&endpoints[i]))
			check_shape(endpoint_message(&endpoints[i])->shape, in, &a);
	json_decref(in);
	return 0;
}
