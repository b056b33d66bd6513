#include <stdio.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/password.h"

/* A hash made elsewhere, from standard input for "-"; else a password that is asked for. */
int ask_with_password(const struct call *c, const char *endpoint, json_t *in, json_t **answer)
{
	struct secret *s = NULL;
	const char *hash = call_option(c, "hash");
	if (hash && !str_eq(str_from(hash), STR("-"))) {
		json_object_set_new(in, "hash", json_string(hash));
		return ask_server(c, endpoint, in, answer);
	}
	result r = password_ask(hash || call_option(c, "password-stdin") != NULL, c->words[0], &s);
	if (!failed(r) && !password_put(in, hash ? "hash" : "password", s))
		r = failure(FAIL_INPUT, "the password must be UTF-8 text");
	secret_free(&s);
	if (failed(r)) {
		password_drop(in);
		return complain(c, STATUS_USAGE, "usage", r.text);
	}
	return password_post(c, endpoint, in, answer);
}

int run_account_add(struct call *c)
{
	const char *name = call_option(c, "name"), *quota = call_option(c, "quota");
	uint64_t octets = 0;
	json_t *answer;
	if (quota && (!size_of_text(str_from(quota), &octets) || octets > INT64_MAX))
		return complain(c, STATUS_USAGE, "usage", "--quota is a number with k, M, G or T behind it, such as 10G");
	json_t *in = json_pack("{s:s, s:s, s:I, s:b}", "address", c->words[0], "name", name ? name : "", "quota",
			       (json_int_t)octets, "admin", call_option(c, "admin") != NULL);
	if (!in)
		return complain(c, STATUS_USAGE, "usage", "address and name must be UTF-8 text");
	int status = ask_with_password(c, "account-add", in, &answer);
	if (status != STATUS_DONE)
		return status;
	if (c->json)
		show_json(answer);
	else
		printf("%s: made, as account %lld\n", c->words[0], (long long)number_of(answer, "account"));
	return finish(status, answer);
}

int run_account_password(struct call *c)
{
	json_t *answer, *in = json_pack("{s:s}", "address", c->words[0]);
	if (!in)
		return complain(c, STATUS_USAGE, "usage", "an address is UTF-8 text");
	int status = ask_with_password(c, "account-password", in, &answer);
	if (status == STATUS_DONE && c->json)
		puts("{\"done\":true}");
	else if (status == STATUS_DONE)
		printf("%s: has a new password\n", c->words[0]);
	return finish(status, answer);
}

int run_account_contain(struct call *c)
{
	const char *reason = call_option(c, "reason");
	json_t *answer, *in = json_pack("{s:s, s:s}", "address", c->words[0], "reason", reason ? reason : "");
	if (!in)
		return complain(c, STATUS_USAGE, "usage", "a reason is UTF-8 text");
	int status = ask_server(c, "account-contain", in, &answer);
	if (status == STATUS_DONE && c->json)
		puts("{\"done\":true}");
	else if (status == STATUS_DONE)
		printf("%s: its mail to other servers is held, everything is logged out, its owner is told\n", c->words[0]);
	return finish(status, answer);
}

static int show_freed(const struct call *c, int status, json_t *answer, const char *said)
{
	if (status == STATUS_DONE && c->json)
		show_json(answer);
	else if (status == STATUS_DONE)
		printf("%s: %s (recipients: %lld)\n", c->words[0], said, (long long)number_of(answer, "recipients"));
	return finish(status, answer);
}

int run_account_release(struct call *c)
{
	json_t *answer, *in = json_pack("{s:s}", "address", c->words[0]);
	int status = in ? ask_server(c, "account-release", in, &answer)
			: complain(c, STATUS_USAGE, "usage", "an address is UTF-8 text");
	return in ? show_freed(c, status, answer, "nothing more is held, and what was held goes out now") : status;
}

int run_account_reset(struct call *c)
{
	json_t *answer, *in = json_pack("{s:s}", "address", c->words[0]);
	int status = in ? ask_with_password(c, "account-reset", in, &answer)
			: complain(c, STATUS_USAGE, "usage", "an address is UTF-8 text");
	return in ? show_freed(c, status, answer, "has a new password and no app passwords; mail that was held waits "
						  "(postern queue list)")
		  : status;
}

int run_account_quota(struct call *c)
{
	uint64_t octets;
	json_t *answer;
	if (!size_of_text(str_from(c->words[1]), &octets) || octets > INT64_MAX)
		return complain(c, STATUS_USAGE, "usage", "a size is a number with k, M, G or T behind it, such as 10G");
	int status = ask_server(c, "account-quota",
				json_pack("{s:s, s:I}", "address", c->words[0], "octets", (json_int_t)octets), &answer);
	AUTO_BUF buf b = buf_new(64);
	str size = octets > 0 ? put_size(&b, octets) : STR("anything");
	if (status == STATUS_DONE && c->json)
		puts("{\"done\":true}");
	else if (status == STATUS_DONE)
		printf("%s: may hold %.*s\n", c->words[0], STR_ARG(size));
	return finish(status, answer);
}

/* For good: a person is asked, a script that says so or pipes is not. */
int run_account_delete(struct call *c)
{
	char line[8] = "";
	if (!call_option(c, "yes") && !c->json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
		printf("This erases %s and all its mail for good. Type yes to go on: ", c->words[0]);
		fflush(stdout);
		if (!fgets(line, sizeof line, stdin) || !str_eq(str_trim(str_from(line)), STR("yes"))) {
			puts("Nothing was changed.");
			return STATUS_NO;
		}
	}
	return run_plain(c);
}

/* ---- lists ---- */

int run_account_list(struct call *c)
{
	json_t *answer, *row;
	size_t i;
	int status = list_server(c, &(struct api_pages){.name = "account-list", .key = "address"}, &answer);
	if (status != STATUS_DONE || c->json) {
		if (status == STATUS_DONE)
			show_json(answer);
		return finish(status, answer);
	}
	AUTO_BUF buf b = buf_new(TABLE_MAX);
	struct table t = table_new("Address|Number|State|Made|Name");
	json_array_foreach(json_object_get(answer, "rows"), i, row) {
		bool admin = json_is_true(json_object_get(row, "admin"));
		buf_clear(&b);
		table_cell(&t, text_of(row, "address"));
		buf_put_u64(&b, (uint64_t)number_of(row, "account"));
		table_cell(&t, buf_str(&b));
		table_cell(&t, json_is_true(json_object_get(row, "disabled")) ? STR("disabled")
								  : admin ? STR("administrator") : STR("active"));
		table_cell(&t, put_time(&b, number_of(row, "created")));
		table_cell(&t, text_of(row, "name"));
	}
	table_print(&t);
	return finish(status, answer);
}

static void show_list(const char *name, const json_t *list)
{
	size_t i;
	json_t *one;
	json_array_foreach(list, i, one)
		show_line(i == 0 ? name : "", str_of(json_string_value(one), json_string_length(one)));
}

static void show_usage(const json_t *a)
{
	AUTO_BUF buf b = buf_new(1024);
	if (!json_is_true(json_object_get(a, "reachable"))) {
		show_line("Usage:", STR("unknown: the account's process did not answer"));
		return;
	}
	put_size(&b, (uint64_t)number_of(a, "octets"));
	buf_put(&b, STR(" of "));
	if (number_of(a, "quota") > 0)
		put_size(&b, (uint64_t)number_of(a, "quota"));
	else
		buf_put(&b, STR("any size"));
	buf_printf(&b, " in %lld messages and %lld mailboxes", (long long)number_of(a, "messages"),
		   (long long)number_of(a, "mailboxes"));
	show_line("Usage:", buf_str(&b));
	buf_clear(&b);
	buf_put_u64(&b, (uint64_t)number_of(a, "sessions"));
	show_line("Sessions:", buf_str(&b));
}

/* To other servers: what the limits count. */
static void show_sending(const json_t *answer)
{
	AUTO_BUF buf b = buf_new(256);
	buf_printf(&b, "%lld in an hour, %lld in a day", (long long)number_of(answer, "sent_hour"),
		   (long long)number_of(answer, "sent_day"));
	show_line("Sent elsewhere:", buf_str(&b));
	buf_clear(&b);
	buf_printf(&b, "%lld in an hour, %lld in a day; %lld are known", (long long)number_of(answer, "first_hour"),
		   (long long)number_of(answer, "first_day"), (long long)number_of(answer, "known"));
	show_line("To new addresses:", buf_str(&b));
}

static void show_policy(const json_t *a)
{
	AUTO_BUF buf b = buf_new(256);
	bool locked = str_eq(text_of(a, "policy"), STR("locked"));
	buf_put(&b, text_of(a, "policy"));
	if (json_is_true(json_object_get(a, "policy_waits")))
		buf_put(&b, STR(", changes at the owner's next login"));
	else if (locked && json_is_true(json_object_get(a, "shut")))
		buf_put(&b, STR(", shut"));
	else if (locked)
		buf_put(&b, STR(", open now"));
	if (number_of(a, "waiting") > 0)
		buf_printf(&b, "; %lld messages wait for the owner", (long long)number_of(a, "waiting"));
	show_line("Policy:", buf_str(&b));
}

int run_account_show(struct call *c)
{
	json_t *answer;
	int status = ask_server(c, "account-show", json_pack("{s:s}", "address", c->words[0]), &answer);
	if (status != STATUS_DONE || c->json) {
		if (status == STATUS_DONE)
			show_json(answer);
		return finish(status, answer);
	}
	AUTO_BUF buf b = buf_new(1024);
	const json_t *row = json_object_get(answer, "row");
	show_line("Account:", text_of(row, "address"));
	buf_put_u64(&b, (uint64_t)number_of(row, "account"));
	show_line("Number:", buf_str(&b));
	show_line("Name:", text_of(row, "name"));
	show_line("State:", json_is_true(json_object_get(row, "disabled")) ? STR("disabled") : STR("active"));
	if (json_is_true(json_object_get(row, "admin")))
		show_line("Rights:", STR("administrator"));
	show_policy(answer);
	buf_clear(&b);
	show_line("Made:", put_time(&b, number_of(row, "created")));
	show_usage(answer);
	show_sending(answer);
	show_list("Receives as:", json_object_get(answer, "addresses"));
	show_list("Sends also as:", json_object_get(answer, "send_as"));
	return finish(status, answer);
}
