#include "account/imap/search_eval.h"

#include "run/fiber.h"

enum { UTF8_GROWTH = 3, FOLD_GROWTH = 18 * UTF8_GROWTH }; /* NFKD makes up to 18 letters of one */

struct preparing {
	struct imap_session *s;
	str charset; /* of the texts; empty: UTF-8 */
	struct charsets *charsets;
};

struct folding {
	struct preparing *p;
	str text;
	buf utf8;
	buf out;
};

/* On the loop's stack: ICU needs more than a fiber's. */
static void fold_text(void *arg)
{
	struct folding *f = arg;
	if (!f->p->charset.n) {
		search_fold(f->text, &f->out);
		return;
	}
	charset_text(f->p->charsets, f->p->charset, f->text, &f->utf8);
	search_fold(buf_str(&f->utf8), &f->out);
}

static result prepare_text(struct preparing *p, struct imap_key *key)
{
	struct folding f = {.p = p, .text = key->text};
	f.utf8 = buf_new(UTF8_GROWTH * IMAP_COMMAND_MAX);
	f.out = buf_new(FOLD_GROWTH * IMAP_COMMAND_MAX);
	if (!p->charset.n && !str_is_utf8(key->text))
		return imap_no(p->s, "BADCHARSET (US-ASCII UTF-8)", "a text to look for is not UTF-8; name its CHARSET");
	fiber_on_loop_stack(fold_text, &f);
	result r = buf_result(&f.out);
	key->text = arena_dup(&p->s->arena, buf_str(&f.out));
	buf_free(&f.utf8);
	buf_free(&f.out);
	return failed(r) ? r : arena_result(&p->s->arena);
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

static result known_charset(struct preparing *p, str name)
{
	if (!name.n || str_ieq(name, STR("UTF-8")) || str_ieq(name, STR("US-ASCII")))
		return OK;
	if (imap_enabled(p->s, ENABLED_UTF8)) /* RFC 9755 3 */
		return imap_bad(p->s, "after ENABLE UTF8=ACCEPT texts are UTF-8 and SEARCH takes no CHARSET");
	p->charsets = charsets_new();
	if (!p->charsets)
		return failure(FAIL_MEMORY, "the server has no memory for this search; try again later");
	p->charset = name;
	if (!charset_known(p->charsets, name))
		return imap_no(p->s, "BADCHARSET (US-ASCII UTF-8)", "this character set is not known here; use UTF-8");
	return OK;
}

result search_prepare(struct imap_session *s, struct imap_search *q)
{
	struct preparing p = {.s = s};
	result r = known_charset(&p, q->charset);
	if (!failed(r))
		r = prepare(&p, q->key);
	charsets_free(&p.charsets);
	return r;
}
