#include "grammar/imap/imap_match.h"
#include "grammar/imap/imap_name.h"

/* The places in the pattern that the name so far can have reached, all at once. */
struct places {
	str pattern;
	size_t low, high; /* at[i] is false outside */
	bool at[IMAP_PATTERN_MAX + 1];
};

static bool wild(char c)
{
	return c == '*' || c == '%';
}

/* A wildcard may stand for nothing. */
static void pass_wildcards(struct places *s)
{
	for (size_t i = s->low; i <= s->high && i < s->pattern.n; i++) {
		if (!s->at[i] || !wild(s->pattern.p[i]))
			continue;
		s->at[i + 1] = true;
		if (i + 1 > s->high)
			s->high = i + 1;
	}
}

static bool stays(const struct places *s, size_t i, char c)
{
	if (i == s->pattern.n || !s->at[i])
		return false;
	return s->pattern.p[i] == '*' || (s->pattern.p[i] == '%' && c != IMAP_SEPARATOR);
}

static bool arrives(const struct places *s, size_t i, char c, bool fold)
{
	if (i == 0 || !s->at[i - 1] || wild(s->pattern.p[i - 1]))
		return false;
	char p = s->pattern.p[i - 1];
	return p == c || (fold && ascii_upper((unsigned char)p) == (unsigned char)c);
}

/* Downwards, so that each place is judged by the state before. */
static bool step(struct places *s, char c, bool fold)
{
	size_t top = s->high < s->pattern.n ? s->high + 1 : s->high;
	size_t low = s->pattern.n + 1, high = 0;
	for (size_t i = top + 1; i-- > s->low;) {
		s->at[i] = stays(s, i, c) || arrives(s, i, c, fold);
		if (!s->at[i])
			continue;
		low = i;
		if (i > high)
			high = i;
	}
	s->low = low;
	s->high = high;
	if (low > high)
		return false;
	pass_wildcards(s);
	return true;
}

static bool run(struct places *s, str name)
{
	str inbox = STR("INBOX");
	bool fold = str_starts(name, inbox) && (name.n == inbox.n || name.p[inbox.n] == IMAP_SEPARATOR);
	s->at[0] = true;
	pass_wildcards(s);
	for (size_t i = 0; i < name.n; i++)
		if (!step(s, name.p[i], fold && i < inbox.n))
			return false;
	return true;
}

bool imap_match(str pattern, str name)
{
	if (pattern.n > IMAP_PATTERN_MAX)
		return false;
	struct places s = {.pattern = pattern};
	return run(&s, name) && s.at[pattern.n];
}
