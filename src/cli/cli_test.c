#include <stdio.h>

#include "base/test.h"
#include "cli/commands.h"

/* Stands in for the commands' functions: the table is tested without a server. */
#define NOT_RUN(NAME)                 \
	int NAME(struct call *c)      \
	{                             \
		(void)c;              \
		return STATUS_USAGE;  \
	}
NOT_RUN(run_plain)
NOT_RUN(run_account_add)
NOT_RUN(run_account_list)
NOT_RUN(run_account_show)
NOT_RUN(run_account_check)
NOT_RUN(run_account_password)
NOT_RUN(run_account_quota)
NOT_RUN(run_account_policy)
NOT_RUN(run_account_recover)
NOT_RUN(run_account_delete)
NOT_RUN(run_plain_of)
NOT_RUN(run_app_password_add)
NOT_RUN(run_app_password_list)
NOT_RUN(run_second_factor_totp)
NOT_RUN(run_second_factor_off)
NOT_RUN(run_second_factor_show)
NOT_RUN(run_second_factor_check)
NOT_RUN(run_domain_second_factor)
NOT_RUN(run_certificate_add)
NOT_RUN(run_certificate_list)
NOT_RUN(run_rule_add)
NOT_RUN(run_rule_list)
NOT_RUN(run_domain_list)
NOT_RUN(run_domain_records)
NOT_RUN(run_alias_list)
NOT_RUN(run_queue_list)
NOT_RUN(run_route_add)
NOT_RUN(run_route_list)
NOT_RUN(run_queue_show)
NOT_RUN(run_queue_act)
NOT_RUN(run_queue_suppressed)
NOT_RUN(run_queue_tls)
NOT_RUN(run_trace)
NOT_RUN(run_audit_verify)
NOT_RUN(run_ban_list)
NOT_RUN(run_ban_export)
NOT_RUN(run_account_contain)
NOT_RUN(run_account_release)
NOT_RUN(run_account_reset)
NOT_RUN(run_ban_add)
NOT_RUN(run_ban_why)
NOT_RUN(run_audit_path)
NOT_RUN(run_audit_checkpoint)
NOT_RUN(run_audit_show)
NOT_RUN(run_unlock)
NOT_RUN(run_master_key)
NOT_RUN(run_master_key_rotate)
NOT_RUN(run_master_key_passphrase)
NOT_RUN(run_status)
NOT_RUN(run_pentest)
NOT_RUN(run_demo)
NOT_RUN(run_help)
NOT_RUN(run_version)

static buf said;
static struct call call;

static int clear(void **state)
{
	(void)state;
	buf_free(&said);
	said = buf_new(65536);
	call = (struct call){0};
	return 0;
}

#define PARSE(...) call_parse(commands, commands_n, (const char *[]){__VA_ARGS__, NULL}, &call, &said)

/* ---- what is typed ---- */

static void test_the_longest_name_is_the_command(void **state)
{
	(void)state;
	assert_ok(PARSE("account", "show", "a@b"));
	assert_string_equal(call.command->name, "account show");
	assert_int_equal(call.n, 1);
	assert_string_equal(call.words[0], "a@b");
	assert_ok(PARSE("account", "send-as", "remove", "x@b", "--account", "a@b"));
	assert_string_equal(call.command->name, "account send-as remove");
	assert_string_equal(call_option(&call, "account"), "a@b");
	assert_string_equal(call.words[0], "x@b");
}

static void test_options_stand_anywhere(void **state)
{
	(void)state;
	assert_ok(PARSE("--dir", "/srv", "account", "--json", "add", "--quota=5G", "a@b", "--admin", "--name", "Anna B"));
	assert_string_equal(call.command->name, "account add");
	assert_string_equal(call.dir, "/srv");
	assert_true(call.json);
	assert_string_equal(call_option(&call, "quota"), "5G");
	assert_string_equal(call_option(&call, "admin"), "");
	assert_string_equal(call_option(&call, "name"), "Anna B");
	assert_null(call_option(&call, "password-stdin"));
	assert_ok(PARSE("demo", "--port-base", "12000", "--users", "5", "--password", "p", "--empty", "--proxy",
			"--dir", "d"));
	assert_string_equal(call_option(&call, "password"), "p");
}

static void test_two_dashes_end_the_options(void **state)
{
	(void)state;
	assert_ok(PARSE("trace", "--", "--json"));
	assert_false(call.json);
	assert_string_equal(call.words[0], "--json");
}

static void test_wrong_calls_are_refused_with_a_reason(void **state)
{
	(void)state;
	assert_int_equal(PARSE("acount", "list").kind, FAIL_INPUT);
	assert_str(buf_str(&said), STR("there is no command \"acount list\"; `postern help` lists those there are"));
	clear(NULL);
	assert_int_equal(PARSE("account", "show").kind, FAIL_INPUT);
	assert_str(buf_str(&said), STR("something is missing; it is: postern account show ADDRESS"));
	clear(NULL);
	assert_int_equal(PARSE("domain", "add", "a.example", "b.example").kind, FAIL_INPUT);
	assert_int_equal(PARSE("domain", "add", "a.example", "--admin").kind, FAIL_INPUT);
	clear(NULL);
	assert_int_equal(PARSE("account", "send-as", "add", "x@b").kind, FAIL_INPUT);
	assert_str(buf_str(&said),
		   STR("an option is missing; it is: postern account send-as add ADDRESS --account ADDRESS"));
	assert_int_equal(PARSE("status", "--dir").kind, FAIL_INPUT);
	assert_int_equal(PARSE("account", "add", "a@b", "--password", "secret").kind, FAIL_INPUT);
	assert_int_equal(PARSE("--json").kind, FAIL_INPUT);
}

static void test_too_many_words_are_refused(void **state)
{
	(void)state;
	const char *many[CALL_WORDS + 2];
	for (size_t i = 0; i <= CALL_WORDS; i++)
		many[i] = "a@b";
	many[0] = "alias";
	many[1] = "add";
	many[CALL_WORDS + 1] = NULL;
	assert_int_equal(call_parse(commands, commands_n, many, &call, &said).kind, FAIL_INPUT);
	many[CALL_WORDS] = NULL;
	assert_ok(call_parse(commands, commands_n, many, &call, &said));
	assert_int_equal(call.n, CALL_WORDS - 2);
}

static void test_help_needs_no_words(void **state)
{
	(void)state;
	assert_ok(PARSE("--help"));
	assert_true(call.help && !call.command);
	assert_ok(PARSE("account", "add", "--help"));
	assert_string_equal(call.command->name, "account add");
	assert_ok(PARSE("account", "--help"));
	assert_true(call.help && !call.command && call.n == 1);
}

static void test_sizes_are_read(void **state)
{
	(void)state;
	uint64_t n;
	assert_true(size_of_text(STR("10G"), &n) && n == (uint64_t)10 << 30);
	assert_true(size_of_text(STR("512m"), &n) && n == (uint64_t)512 << 20);
	assert_true(size_of_text(STR("1000"), &n) && n == 1000);
	assert_true(size_of_text(STR("0"), &n) && n == 0);
	assert_false(size_of_text(STR(""), &n));
	assert_false(size_of_text(STR("G"), &n));
	assert_false(size_of_text(STR("-1"), &n));
	assert_false(size_of_text(STR("10 G"), &n));
	assert_false(size_of_text(STR("99999999999T"), &n));
}

/* ---- the table ---- */

static void test_rows_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < commands_n; i++) {
		const struct command *c = &commands[i];
		assert_non_null(c->run);
		assert_true(strlen(c->about) > 0);
		bool plain = c->run == run_plain || c->run == run_plain_of || c->run == run_account_delete;
		assert_int_equal(plain || c->run == run_queue_act, c->endpoint != NULL);
		assert_true(!plain || (c->fields && c->said));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(commands[k].name, c->name);
	}
}

static void test_the_manual_has_every_command(void **state)
{
	(void)state;
	static char page[65536];
	FILE *f = fopen(POSTERN_DOCS "/postern.1", "r");
	assert_non_null(f);
	str text = str_of(page, fread(page, 1, sizeof page, f));
	fclose(f);
	for (size_t i = 0; i < commands_n; i++) {
		AUTO_BUF buf want = buf_new(1024);
		buf_printf(&want, ".It Cm %s", commands[i].name);
		size_t at = str_find(text, buf_str(&want));
		char after = at == STR_NONE ? 'x' : text.p[at + want.n];
		if (after != ' ' && after != '\n')
			fail_msg("docs/postern.1 does not have \"%s\"", commands[i].name);
	}
}

/* ---- what is shown ---- */

static void test_text_for_a_terminal_is_clean(void **state)
{
	(void)state;
	assert_str(clean(&said, STR("a\x1b[2Jb\r\n\x7f")), STR("a?[2Jb???"));
	assert_str(clean(&said, STR("\xc2\x9b" "31m")), STR("?31m"));
	assert_str(clean(&said, STR("x\xe2\x80\xae" "gpj.exe")), STR("x?gpj.exe"));
	assert_str(clean(&said, STR("Gr\xc3\xbc\xc3\x9f" "e \xe2\x82\xac")), STR("Gr\xc3\xbc\xc3\x9f" "e \xe2\x82\xac"));
}

static void test_values_are_for_people(void **state)
{
	(void)state;
	assert_str(put_size(&said, 0), STR("0 octets"));
	assert_str(put_size(&said, 1536), STR("1.5 KiB"));
	assert_str(put_size(&said, (uint64_t)10 << 30), STR("10.0 GiB"));
	assert_str(put_span(&said, 59), STR("59 s"));
	assert_str(put_span(&said, 3 * 86400 + 4 * 3600), STR("3 d 4 h"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_longest_name_is_the_command, clear),
		cmocka_unit_test_setup(test_options_stand_anywhere, clear),
		cmocka_unit_test_setup(test_two_dashes_end_the_options, clear),
		cmocka_unit_test_setup(test_wrong_calls_are_refused_with_a_reason, clear),
		cmocka_unit_test_setup(test_too_many_words_are_refused, clear),
		cmocka_unit_test_setup(test_help_needs_no_words, clear),
		cmocka_unit_test_setup(test_sizes_are_read, clear),
		cmocka_unit_test_setup(test_rows_are_whole, clear),
		cmocka_unit_test_setup(test_the_manual_has_every_command, clear),
		cmocka_unit_test_setup(test_text_for_a_terminal_is_clean, clear),
		cmocka_unit_test_setup(test_values_are_for_people, clear),
	};
	int failures = cmocka_run_group_tests(tests, NULL, NULL);
	buf_free(&said);
	return failures;
}
