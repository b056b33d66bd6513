#include "grammar/pop3/pop3.h"
#include "base/test.h"

static struct pop3_command read(const char *line)
{
	struct pop3_command c;
	assert_ok(pop3_parse(str_from(line), &c));
	return c;
}

static void refused(const char *line, enum fail_kind kind)
{
	struct pop3_command c;
	result r = pop3_parse(str_from(line), &c);
	if (r.kind != kind)
		fail_msg("\"%s\": %s", line, fail_name(r.kind));
}

static void names_in_any_case_and_blanks_at_the_end(void **state)
{
	(void)state;
	for (unsigned v = 0; v < POP3_VERBS; v++)
		assert_true(pop3_verb_name((enum pop3_verb)v).n >= 3 && pop3_verb_states((enum pop3_verb)v) != 0);
	assert_int_equal(read("STAT").verb, POP3_STAT);
	assert_int_equal(read("quit").verb, POP3_QUIT);
	assert_int_equal(read("cApA \t ").verb, POP3_CAPA);
	refused("", FAIL_ABSENT);
	refused(" STAT", FAIL_ABSENT);
	refused("STATS", FAIL_ABSENT);
	refused("LAST", FAIL_ABSENT);
	refused("APOP mrose c4c9334bac560ecc979e58001b3e22fb", FAIL_ABSENT);
	refused("NOOP 1", FAIL_INPUT);
}

/* RFC 1939 section 7: PASS takes its argument with the spaces in it. */
static void passwords_are_taken_as_they_stand(void **state)
{
	(void)state;
	assert_str(read("USER mrose@example.test").text, STR("mrose@example.test"));
	assert_str(read("PASS  two words ").text, STR(" two words "));
	assert_str(read("pass \t").text, STR("\t"));
	assert_str(read("PASS p\xc3\xa4ss").text, STR("p\xc3\xa4ss"));
	refused("PASS", FAIL_INPUT);
	refused("PASS ", FAIL_INPUT);
	refused("USER", FAIL_INPUT);
	refused("USER\tmrose", FAIL_INPUT);
}

static void numbers(void **state)
{
	(void)state;
	assert_false(read("LIST").message.given);
	assert_false(read("UIDL ").message.given);
	struct pop3_command c = read("LIST 2");
	assert_true(c.message.given);
	assert_int_equal(c.message.number, 2);
	assert_int_equal(read("RETR 0").message.number, 0);
	assert_true(read("DELE 18446744073709551615").message.number == UINT64_MAX);
	c = read("TOP  3  10 ");
	assert_int_equal(c.verb, POP3_TOP);
	assert_int_equal(c.message.number, 3);
	assert_int_equal(c.message.lines, 10);
	static const char *const bad[] = {"RETR", "RETR x", "RETR 1 2", "RETR -1", "RETR 1x", "DELE", "LIST 1 1",
		"DELE 18446744073709551616", "TOP 1", "TOP", "TOP 1 x", "TOP 1 -1", "TOP 1 2 3", "UIDL all"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		refused(bad[i], FAIL_INPUT);
}

/* RFC 5034 section 4. */
static void logins(void **state)
{
	(void)state;
	struct pop3_auth a = read("AUTH PLAIN").auth;
	assert_str(a.mechanism, STR("PLAIN"));
	assert_false(a.has_initial);
	a = read("AUTH plain dGVzdAB0ZXN0AHRlc3Q=").auth;
	assert_true(a.has_initial);
	assert_str(a.initial, STR("dGVzdAB0ZXN0AHRlc3Q="));
	a = read("AUTH EXTERNAL =").auth;
	assert_true(a.has_initial);
	assert_int_equal(a.initial.n, 0);
	assert_int_equal(read("AUTH").auth.mechanism.n, 0);
	refused("AUTH PLAIN a b", FAIL_INPUT);
}

static void capabilities_are_short_lines(void **state)
{
	(void)state;
	AUTO_BUF buf out = buf_new(4096);
	pop3_put_capabilities(&out);
	assert_ok(buf_result(&out));
	for (str rest = buf_str(&out); rest.n;) {
		size_t end = str_find(rest, STR("\r\n"));
		assert_true(end != STR_NONE && end > 0 && end <= 510 && rest.p[0] != '.'); /* RFC 2449 section 4 */
		rest = str_skip(rest, end + 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_in_any_case_and_blanks_at_the_end),
		cmocka_unit_test(passwords_are_taken_as_they_stand),
		cmocka_unit_test(numbers),
		cmocka_unit_test(logins),
		cmocka_unit_test(capabilities_are_short_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
