#include "account/imap/search_eval.h"

struct preparing {
	struct imap_session *s;
	str charset; /* of the texts; empty: UTF-8 */
};

static result refuse_charset(struct imap_session *s, const char *sentence)
{
	return imap_no(s, IMAP_CODE_BADCHARSET " (US-ASCII UTF-8)", sentence);
}

static bool is_plain(str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (str_at(text, i) >= 0x7f || str_at(text, i) == '\r')
			return false;
	return true;
}

/* ASCII folds to its capitals; all else is asked of inspect. */
static result fold_plain(arena *m, str text, str *out)
{
	char *p = arena_alloc(m, text.n ? text.n : 1);
	if (!p)
		return arena_result(m);
	for (size_t i = 0; i < text.n; i++)
		p[i] = (char)ascii_upper(str_at(text, i));
	*out = str_of(p, text.n);
	return OK;
}

static result prepare_text(struct preparing *p, struct imap_key *key)
{
	const struct imap_home *home = p->s->home;
	const struct imap_needle needle = {p->charset, key->text};
	if (!p->charset.n && is_plain(key->text))
		return fold_plain(&p->s->arena, key->text, &key->text);
	if (!p->charset.n && !str_is_utf8(key->text))
		return refuse_charset(p->s, "a text to look for is not UTF-8; name its CHARSET");
	result r = home->fold(home, &needle, &p->s->arena, &key->text);
	if (r.kind == FAIL_ABSENT)
		return refuse_charset(p->s, "this character set is not known here; use UTF-8");
	return r;
}

static result prepare(struct preparing *p, struct imap_key *key)
{
	switch (key->kind) {
	case IMAP_KEY_AND:
	case IMAP_KEY_OR:
		for (struct imap_key *k = key->first; k; k = k->next)
			TRY(prepare(p, k));
		return OK;
	case IMAP_KEY_SET:
	case IMAP_KEY_UID:
		return imap_settle_set(p->s, &key->set, key->kind == IMAP_KEY_UID);
	case IMAP_KEY_KEYWORD:
		key->number = view_keyword_bit(p->s->view, key->text);
		return OK;
	case IMAP_KEY_HEADER:
	case IMAP_KEY_FROM:
	case IMAP_KEY_TO:
	case IMAP_KEY_CC:
	case IMAP_KEY_BCC:
	case IMAP_KEY_SUBJECT:
	case IMAP_KEY_BODY:
	case IMAP_KEY_TEXT:
		return prepare_text(p, key);
	default: /* nothing to prepare */
		return OK;
	}
}

static result read_charset(struct preparing *p, str name)
{
	if (name.n && imap_enabled(p->s, ENABLED_UTF8)) /* RFC 9755 3 */
		return imap_bad(p->s, "after ENABLE UTF8=ACCEPT texts are UTF-8 and SEARCH takes no CHARSET");
	if (!name.n || str_ieq(name, STR("UTF-8")) || str_ieq(name, STR("US-ASCII")))
		return OK;
	const struct imap_needle probe = {name, STR("")};
	str none;
	result r = p->s->home->fold(p->s->home, &probe, &p->s->arena, &none);
	if (r.kind == FAIL_ABSENT)
		return refuse_charset(p->s, "this character set is not known here; use UTF-8");
	p->charset = name;
	return r;
}

result search_prepare(struct imap_session *s, struct imap_search *q)
{
	struct preparing p = {.s = s};
	TRY(read_charset(&p, q->charset));
	return prepare(&p, q->key);
}
