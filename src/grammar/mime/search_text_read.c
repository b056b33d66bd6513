#include "grammar/mime/search_text.h"

bool search_text_open(str stored, struct search_text *out)
{
	cursor c = cursor_on(stored);
	uint8_t version = cursor_u8(&c);
	*out = (struct search_text){.cut = cursor_u8(&c)};
	out->in = c;
	return !c.bad && version == SEARCH_VERSION;
}

bool search_text_next(struct search_text *t, struct search_piece *out)
{
	if (t->in.bad || cursor_done(&t->in))
		return false;
	uint8_t kind = cursor_u8(&t->in);
	out->kind = (enum search_kind)kind;
	out->name = cursor_take(&t->in, cursor_u8(&t->in));
	out->text = cursor_take(&t->in, cursor_u32(&t->in));
	t->in.bad |= kind > SEARCH_TEXT;
	return !t->in.bad;
}

bool search_key_wants(const struct search_key *key, enum search_kind kind, str name)
{
	if (key->scope == SEARCH_IN_FIELD)
		return kind == SEARCH_FIELD && str_ieq(name, key->name);
	return key->scope == SEARCH_IN_ALL || kind != SEARCH_FIELD;
}

enum search_answer search_text_has(str stored, const struct search_key *key)
{
	struct search_text t;
	struct search_piece piece;
	if (!search_text_open(stored, &t))
		return SEARCH_UNSURE;
	if (key->needle.n == 0 && key->scope != SEARCH_IN_FIELD)
		return SEARCH_YES;
	while (search_text_next(&t, &piece))
		if (search_key_wants(key, piece.kind, piece.name) && str_find(piece.text, key->needle) != STR_NONE)
			return SEARCH_YES;
	uint8_t matters = (uint8_t)((key->scope != SEARCH_IN_BODY ? SEARCH_CUT_FIELDS : 0) |
	                            (key->scope != SEARCH_IN_FIELD ? SEARCH_CUT_BODY : 0));
	return t.in.bad || (t.cut & matters) ? SEARCH_UNSURE : SEARCH_NO;
}
