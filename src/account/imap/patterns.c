#include "account/imap/patterns.h"

#include "grammar/imap/imap_match.h"
#include "grammar/imap/utf7.h"

/* A pattern that no name can have fits nothing (RFC 9051 6.3.9); "" does the same. */
static result read_one(struct imap_session *s, str reference, str pattern, struct imap_pattern *out)
{
	AUTO_BUF buf text = buf_new(IMAP_COMMAND_MAX);
	result r = imap_name_read_pattern(reference, pattern, imap_utf8(s), &text);
	if (failed(r) && r.kind != FAIL_INPUT)
		return r;
	out->wire = failed(r) && !imap_utf8(s);
	if (failed(r))
		buf_clear(&text);
	if (out->wire) {
		buf_put(&text, reference);
		buf_put(&text, pattern);
	}
	out->text = arena_dup(&s->arena, buf_str(&text));
	return imap_normal(s, &out->text);
}

result imap_patterns_read(struct imap_session *s, const struct imap_list *l, struct imap_patterns *out)
{
	*out = (struct imap_patterns){.v = arena_array(&s->arena, l->patterns.n, sizeof *out->v), .n = l->patterns.n};
	TRY(arena_result(&s->arena));
	for (size_t i = 0; i < out->n; i++)
		if (l->patterns.v[i].n || !l->extended) /* the extended syntax gives "" no meaning */
			TRY(read_one(s, l->reference, l->patterns.v[i], &out->v[i]));
	return arena_result(&s->arena);
}

bool imap_patterns_match(const struct imap_patterns *p, str name)
{
	AUTO_BUF buf wire = buf_new(IMAP_COMMAND_MAX);
	bool found = false;
	for (size_t i = 0; i < p->n && !found; i++) {
		if (p->v[i].wire && !wire.n && failed(utf7_encode(name, &wire)))
			continue;
		found = imap_match(p->v[i].text, p->v[i].wire ? buf_str(&wire) : name);
	}
	return found;
}
