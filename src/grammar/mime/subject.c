#include "grammar/mime/subject.h"
#include "base/cursor.h"
#include "grammar/mime/envelope.h"

static bool is_wsp(unsigned char c)
{
	return c == ' ';
}

static bool in_blob(unsigned char c)
{
	return c != '[' && c != ']';
}

/* Step 1: every run of blanks is one. */
static str collapse(str s, arena *a)
{
	char *to = arena_alloc(a, s.n);
	size_t n = 0;
	if (!to)
		return (str){NULL, 0};
	for (size_t i = 0; i < s.n; i++) {
		bool blank = s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\r' || s.p[i] == '\n';
		if (!blank)
			to[n++] = s.p[i];
		else if (n > 0 && to[n - 1] != ' ')
			to[n++] = ' ';
	}
	return str_of(to, n);
}

/* "[" *BLOBCHAR "]" *WSP; the cursor stays when there is none. */
static bool eat_blob(cursor *c)
{
	cursor look = *c;
	if (!cursor_eat(&look, '['))
		return false;
	cursor_while(&look, in_blob);
	if (!cursor_eat(&look, ']'))
		return false;
	cursor_while(&look, is_wsp);
	*c = look;
	return true;
}

/* ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" */
static bool eat_refwd(cursor *c)
{
	if (!cursor_ieat(c, STR("re")) && !cursor_ieat(c, STR("fwd")) && !cursor_ieat(c, STR("fw")))
		return false;
	cursor_while(c, is_wsp);
	eat_blob(c);
	return cursor_eat(c, ':');
}

/* Step 3: what is behind a subj-leader; false when there is none. */
static bool drop_leader(str *s, bool *reply)
{
	cursor c = cursor_on(*s);
	if (cursor_while(&c, is_wsp).n > 0) {
		*s = cursor_rest(&c);
		return true;
	}
	while (eat_blob(&c))
		;
	if (!eat_refwd(&c))
		return false;
	*s = cursor_rest(&c);
	*reply = true;
	return true;
}

/* Step 4. */
static bool drop_blob(str *s)
{
	cursor c = cursor_on(*s);
	if (!eat_blob(&c) || cursor_done(&c))
		return false;
	*s = cursor_rest(&c);
	return true;
}

/* Step 2. */
static void drop_trailers(str *s, bool *reply)
{
	for (;;) {
		while (s->n > 0 && s->p[s->n - 1] == ' ')
			s->n--;
		if (!str_iends(*s, STR("(fwd)")))
			return;
		s->n -= 5;
		*reply = true;
	}
}

str subject_base(str decoded, arena *a, bool *reply)
{
	str s = collapse(text_cut(decoded, SUBJECT_MAX), a);
	*reply = false;
	for (;;) {
		drop_trailers(&s, reply);
		while (drop_leader(&s, reply) || drop_blob(&s))
			;
		if (!str_istarts(s, STR("[fwd:")) || !str_ends(s, STR("]")))
			return s;
		s = str_sub(s, 5, s.n - 6);
		*reply = true;
	}
}
