/* Commands that pass on what was typed and say that it is done. */
#include <stdio.h>

#include "cli/commands.h"

static bool put_number(json_t *in, str name, const char *word)
{
	uint64_t n;
	if (!str_to_u64(str_from(word), &n) || n > INT64_MAX)
		return false;
	return json_object_setn_new(in, name.p, name.n, json_integer((json_int_t)n)) == 0;
}

/* One field of the row; moves on in the words. */
static bool put_field(json_t *in, str field, const struct call *c, size_t *word)
{
	char kind = field.p[field.n - 1];
	str name = kind == '#' || kind == '*' ? str_sub(field, 0, field.n - 1) : field;
	if (kind == '#')
		return put_number(in, name, c->words[(*word)++]);
	if (kind != '*')
		return json_object_setn_new(in, name.p, name.n, json_string(c->words[(*word)++])) == 0;
	json_t *list = json_array();
	while (*word < c->n)
		json_array_append_new(list, json_string(c->words[(*word)++]));
	return json_object_setn_new(in, name.p, name.n, list) == 0;
}

static json_t *request_of(const struct call *c)
{
	json_t *in = c->command->fixed ? json_loads(c->command->fixed, 0, NULL) : json_object();
	str rest = str_from(c->command->fields);
	for (size_t word = 0; rest.n > 0 && word < c->n;) {
		size_t end = str_chr(rest, ' ');
		if (!put_field(in, str_sub(rest, 0, end), c, &word)) {
			json_decref(in);
			return NULL;
		}
		rest = end == STR_NONE ? (str){0} : str_skip(rest, end + 1);
	}
	return in;
}

static int pass_on(const struct call *c, json_t *in)
{
	json_t *answer;
	int status = ask_server(c, c->command->endpoint, in, &answer);
	if (status != STATUS_DONE)
		return status;
	if (c->json)
		puts("{\"done\":true}");
	else
		printf("%s: %s\n", c->words[0], c->command->said);
	return finish(status, answer);
}

int run_plain(struct call *c)
{
	json_t *in = request_of(c);
	if (!in)
		return complain(c, STATUS_USAGE, "usage", "that must be a number, or text in UTF-8");
	return pass_on(c, in);
}

int run_plain_of(struct call *c)
{
	const char *account = call_option(c, "account");
	json_t *in = request_of(c);
	if (!in || json_object_set_new(in, "account", json_string(account)) < 0) {
		json_decref(in);
		return complain(c, STATUS_USAGE, "usage", "an address is UTF-8 text");
	}
	return pass_on(c, in);
}
