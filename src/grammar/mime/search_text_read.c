#include "grammar/mime/search_text.h"
#include "grammar/text/fold_ascii.h"

bool search_text_open(str stored, struct search_text *out)
{
	cursor c = cursor_on(stored);
	uint8_t version = cursor_u8(&c);
	*out = (struct search_text){.cut = cursor_u8(&c)};
	out->in = c;
	return !c.bad && version >= SEARCH_VERSION_OLDEST && version <= SEARCH_VERSION;
}

bool search_text_next(struct search_text *t, struct search_piece *out)
{
	if (t->in.bad || cursor_done(&t->in))
		return false;
	uint8_t kind = cursor_u8(&t->in);
	*out = (struct search_piece){.kind = (enum search_kind)(kind & ~SEARCH_COPY), .copied = kind & SEARCH_COPY};
	out->name = cursor_take(&t->in, cursor_u8(&t->in));
	if (out->copied) {
		out->at = cursor_u32(&t->in);
		out->n = cursor_u32(&t->in);
	} else {
		out->text = cursor_take(&t->in, cursor_u32(&t->in));
	}
	t->in.bad |= out->kind > SEARCH_TEXT || (out->copied && out->kind != SEARCH_TEXT);
	return !t->in.bad;
}

bool search_key_wants(const struct search_key *key, enum search_kind kind, str name)
{
	if (key->scope == SEARCH_IN_FIELD)
		return kind == SEARCH_FIELD && str_ieq(name, key->name);
	return key->scope == SEARCH_IN_ALL || kind != SEARCH_FIELD;
}

enum { COPY_CHUNK = 8192 /* on a fiber's stack */ };

/* The text as it would have been stored, piece by piece; what may straddle a
 * cut is folded again with the next piece. */
static bool copy_has(str text, str needle)
{
	char folded[COPY_CHUNK];
	bool cr = false;
	size_t kept = 0;
	while (text.n > 0) {
		size_t n = sizeof folded - kept < text.n ? sizeof folded - kept : text.n;
		size_t have = kept + fold_ascii(str_sub(text, 0, n), &cr, folded + kept);
		text = str_skip(text, n);
		if (str_find(str_of(folded, have), needle) != STR_NONE)
			return true;
		kept = needle.n <= have ? needle.n - 1 : have;
		memmove(folded, folded + have - kept, kept);
	}
	return false;
}

static enum search_answer piece_has(const struct search_piece *p, str message, str needle)
{
	if (!p->copied)
		return str_find(p->text, needle) != STR_NONE ? SEARCH_YES : SEARCH_NO;
	if (!message.p || needle.n > COPY_CHUNK / 2 || p->n > message.n || p->at > message.n - p->n)
		return SEARCH_UNSURE;
	return copy_has(str_sub(message, p->at, p->n), needle) ? SEARCH_YES : SEARCH_NO;
}

enum search_answer search_text_has(str stored, str message, const struct search_key *key)
{
	struct search_text t;
	struct search_piece piece;
	bool unsure = false;
	if (!search_text_open(stored, &t))
		return SEARCH_UNSURE;
	if (key->needle.n == 0 && key->scope != SEARCH_IN_FIELD)
		return SEARCH_YES;
	while (search_text_next(&t, &piece)) {
		if (!search_key_wants(key, piece.kind, piece.name))
			continue;
		enum search_answer a = piece_has(&piece, message, key->needle);
		if (a == SEARCH_YES)
			return SEARCH_YES;
		unsure |= a == SEARCH_UNSURE;
	}
	uint8_t matters = (uint8_t)((key->scope != SEARCH_IN_BODY ? SEARCH_CUT_FIELDS : 0) |
	                            (key->scope != SEARCH_IN_FIELD ? SEARCH_CUT_BODY : 0));
	return unsure || t.in.bad || (t.cut & matters) ? SEARCH_UNSURE : SEARCH_NO;
}

bool search_text_copies(str stored)
{
	struct search_text t;
	struct search_piece piece;
	bool copies = false;
	if (search_text_open(stored, &t))
		while (!copies && search_text_next(&t, &piece))
			copies = piece.copied;
	return copies;
}
