#include "base/test.h"
#include "grammar/imap/imap_match.h"

static void patterns(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *name;
		bool want;
	} rows[] = {
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "a/b", true}, {"%", "a", true},
		{"%", "a/b", false},
		{"%/%", "a/b", true}, {"%/%", "a/b/c", false}, {"%/%", "a", false}, {"a/%", "a/", true},
		{"a/%", "a/bc", true},
		{"a/%", "a/b/c", false}, {"a*c", "a/b/c", true}, {"a*c", "a/b/cd", false}, {"*a*b*c*", "xaxbxc", true},
		{"%b", "aab", true}, {"%b", "a/b", false}, {"*%", "a/b", true}, {"%*", "a/b", true},
		{"*/%", "a/b/c", true},
		{"*/%/d", "a/b/c/d", true}, {"foo.*", "foo.bar", true}, {"fo%o/bar", "foxo/bar", true},
		{"%o%", "foo", true},
		{"*x%y", "ax/bxcy", true}, {"*x%y", "axb/cy", false}, {"a", "A", false}, {"**", "a/b", true},
		{"%%", "a", true},
		{"inbox", "INBOX", true}, {"InB%x", "INBOX", true}, {"inbox/a", "INBOX/a", true},
		{"inbox/a", "INBOX/A", false},
		{"inboxes", "INBOXES", false}, {"*box", "INBOX", true}, {"inbox", "inbox", true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (imap_match(str_from(rows[i].pattern), str_from(rows[i].name)) != rows[i].want)
			fail_msg("%s on %s", rows[i].pattern, rows[i].name);
}

/* The cost is bounded, so this ends; a backtracking matcher would not. */
static void hostile_patterns_end(void **state)
{
	(void)state;
	char pattern[IMAP_PATTERN_MAX + 1], name[1000];
	memset(name, 'a', sizeof name);
	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = "*a%a"[i % 4];
	pattern[IMAP_PATTERN_MAX - 1] = 'b';
	assert_false(imap_match(str_of(pattern, IMAP_PATTERN_MAX), str_of(name, sizeof name)));
	memset(pattern, '*', sizeof pattern);
	assert_true(imap_match(str_of(pattern, IMAP_PATTERN_MAX), str_of(name, sizeof name)));
	assert_false(imap_match(str_of(pattern, IMAP_PATTERN_MAX + 1), str_of(name, sizeof name)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns),
		cmocka_unit_test(hostile_patterns_end),
	};
	return cmocka_run_group_tests_name("imap_match", tests, NULL, NULL);
}
