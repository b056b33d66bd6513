/* Second factors and rules, for people. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/password.h"

static json_t *account_of(const struct call *c)
{
	return json_pack("{s:s}", "account", call_option(c, "account"));
}

/* Asks; what it answers is shown as JSON when that is wished, and is the caller's otherwise. */
static int ask_and_show(struct call *c, const char *endpoint, json_t *in, json_t **answer)
{
	if (!in)
		return complain(c, STATUS_USAGE, "usage", "names must be UTF-8 text");
	int status = ask_server(c, endpoint, in, answer);
	if (status == STATUS_DONE && c->json)
		show_json(*answer);
	return status;
}

int run_second_factor_totp(struct call *c)
{
	json_t *answer, *code;
	size_t i;
	int status = ask_and_show(c, "second-factor-totp", account_of(c), &answer);
	if (status != STATUS_DONE || c->json)
		return finish(status, answer);
	str uri = text_of(answer, "uri");
	printf("%.*s\n\nGive this to the program that makes the codes. Recovery codes, each good once:\n", STR_ARG(uri));
	json_array_foreach(json_object_get(answer, "codes"), i, code)
		printf("  %s\n", json_string_value(code));
	printf("None of this is shown again. Mail programs need app passwords from now on.\n");
	return finish(status, answer);
}

int run_second_factor_off(struct call *c)
{
	json_t *answer;
	int status = ask_server(c, "second-factor-off", account_of(c), &answer);
	if (status == STATUS_DONE && c->json)
		puts("{\"done\":true}");
	else if (status == STATUS_DONE)
		printf("%s: has no second factor any more\n", call_option(c, "account"));
	return finish(status, answer);
}

int run_second_factor_show(struct call *c)
{
	json_t *answer;
	int status = ask_and_show(c, "second-factor-show", account_of(c), &answer);
	if (status != STATUS_DONE || c->json)
		return finish(status, answer);
	AUTO_BUF buf b = buf_new(256);
	bool on = json_is_true(json_object_get(answer, "on"));
	show_line("Second factor:", on ? STR("codes by time") : STR("none"));
	if (on) {
		show_line("Since:", put_time(&b, number_of(answer, "since")));
		buf_clear(&b);
		buf_put_u64(&b, (uint64_t)number_of(answer, "codes"));
		show_line("Recovery codes left:", buf_str(&b));
	}
	if (json_is_true(json_object_get(answer, "demanded")))
		show_line("Demanded:", STR("by the domain"));
	return finish(status, answer);
}

int run_second_factor_check(struct call *c)
{
	json_t *answer;
	char line[80] = "";
	if (!fgets(line, sizeof line, stdin))
		return complain(c, STATUS_USAGE, "usage", "give the code on standard input");
	str code = str_trim(str_from(line));
	json_t *in = json_pack("{s:s, s:s%}", "account", call_option(c, "account"), "code", code.p, code.n);
	if (!in)
		return complain(c, STATUS_USAGE, "usage", "a code is text");
	int status = ask_server(c, "second-factor-check", in, &answer);
	if (status == STATUS_DONE)
		puts(c->json ? "{\"done\":true}" : "That is right.");
	return finish(status, answer);
}

int run_domain_second_factor(struct call *c)
{
	json_t *answer;
	bool on = str_eq(str_from(c->words[1]), STR("on"));
	if (!on && !str_eq(str_from(c->words[1]), STR("off")))
		return complain(c, STATUS_USAGE, "usage", "say on or off");
	json_t *in = json_pack("{s:s, s:b}", "name", c->words[0], "demanded", on);
	int status = in ? ask_server(c, "domain-second-factor", in, &answer)
			: complain(c, STATUS_USAGE, "usage", "a domain is UTF-8 text");
	if (status != STATUS_DONE)
		return status;
	if (c->json)
		puts("{\"done\":true}");
	else
		printf("%s: %s\n", c->words[0], on ? "every account needs a second factor, and app passwords for mail" :
			"a second factor is each account's own affair");
	return finish(status, answer);
}

/* ---- rules ---- */

int run_rule_add(struct call *c)
{
	const char *hours = call_option(c, "hours");
	bool others = call_option(c, "not-country") != NULL;
	if (others && call_option(c, "country"))
		return complain(c, STATUS_USAGE, "usage", "a rule names the countries that it is for, or those that it is not");
	json_t *answer, *in = json_pack("{s:s, s:o, s:o, s:s, s:o, s:b}", "account", call_option(c, "account"), "protocols",
		words_of(c, "protocol"), "networks", words_of(c, "network"), "hours", hours ? hours : "", "countries",
		words_of(c, others ? "not-country" : "country"), "others", others);
	int status = ask_and_show(c, "rule-add", in, &answer);
	if (status == STATUS_DONE && !c->json)
		printf("%s: rule %lld is in force\n", call_option(c, "account"), (long long)number_of(answer, "rule"));
	return finish(status, answer);
}

static void countries_cell(struct table *t, const json_t *row)
{
	AUTO_BUF buf b = buf_new(TABLE_MAX);
	buf_put(&b, json_is_true(json_object_get(row, "others")) ? STR("all but ") : STR(""));
	joined(json_object_get(row, "countries"), "all", &b);
	table_cell(t, buf_str(&b));
}

int run_rule_list(struct call *c)
{
	json_t *answer, *row;
	size_t i;
	int status = ask_and_show(c, "rule-list", account_of(c), &answer);
	if (status != STATUS_DONE || c->json)
		return finish(status, answer);
	struct table t = table_new("Rule|Protocols|Networks|Countries|Hours");
	json_array_foreach(json_object_get(answer, "rows"), i, row) {
		AUTO_BUF buf b = buf_new(TABLE_MAX);
		buf_put_u64(&b, (uint64_t)number_of(row, "rule"));
		table_cell(&t, buf_str(&b));
		table_cell(&t, joined(json_object_get(row, "protocols"), "all", &b));
		table_cell(&t, joined(json_object_get(row, "networks"), "anywhere", &b));
		countries_cell(&t, row);
		table_cell(&t, text_of(row, "hours").n ? text_of(row, "hours") : STR("always"));
	}
	table_print(&t);
	puts("Rules for admin concern the administration over HTTPS; its local socket asks the system who calls.");
	return finish(status, answer);
}
