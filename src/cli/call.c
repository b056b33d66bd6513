#include "cli/call.h"

static bool next_part(str *rest, str *part)
{
	*rest = str_trim(*rest);
	if (rest->n == 0)
		return false;
	size_t end = str_chr(*rest, ' ');
	*part = str_sub(*rest, 0, end);
	*rest = end == STR_NONE ? (str){0} : str_skip(*rest, end + 1);
	return true;
}

/* ---- which command ---- */

static size_t words_in(str name)
{
	size_t n = 0;
	for (str part; next_part(&name, &part);)
		n++;
	return n;
}

static bool begins_with(const struct call *c, str name)
{
	size_t i = 0;
	for (str part; next_part(&name, &part); i++)
		if (i >= c->n || !str_eq(str_from(c->words[i]), part))
			return false;
	return true;
}

/* "account frob": the commands that begin with "account" are of more help than all. */
static void put_unknown(const struct command *table, size_t n, const struct call *c, buf *complaint)
{
	bool begins = false;
	for (size_t i = 0; i < n; i++)
		begins = begins || str_eq(str_sub(str_from(table[i].name), 0, str_chr(str_from(table[i].name), ' ')),
					  str_from(c->words[0]));
	buf_printf(complaint, "there is no command \"%s%s%s\"; `postern help%s%s` lists those there are", c->words[0],
		   c->n > 1 ? " " : "", c->n > 1 ? c->words[1] : "", begins ? " " : "", begins ? c->words[0] : "");
}

static result find_command(const struct command *table, size_t n, struct call *c, buf *complaint)
{
	size_t best = 0;
	for (size_t i = 0; i < n; i++) {
		size_t words = words_in(str_from(table[i].name));
		if (words <= best || !begins_with(c, str_from(table[i].name)))
			continue;
		best = words;
		c->command = &table[i];
	}
	if (c->command) {
		memmove(c->words, c->words + best, (c->n - best) * sizeof c->words[0]);
		c->n -= best;
		return OK;
	}
	if (c->n == 0)
		buf_printf(complaint, "say what to do; `postern help` lists the commands");
	else
		put_unknown(table, n, c, complaint);
	return failure(FAIL_INPUT, "unknown command");
}

/* ---- options ---- */

/* One part of a row's options: "name", "name=WHAT", with "!" before it when it must be given. */
static bool next_option(str *rest, str *part, bool *needed)
{
	if (!next_part(rest, part))
		return false;
	*needed = part->p[0] == '!';
	*part = str_skip(*part, *needed);
	return true;
}

static bool known_option(const char *options, str name, bool *has_value)
{
	str rest = str_from(options);
	bool needed;
	for (str part; next_option(&rest, &part, &needed);) {
		size_t equals = str_chr(part, '=');
		if (!str_eq(str_sub(part, 0, equals), name))
			continue;
		*has_value = equals != STR_NONE;
		return true;
	}
	return false;
}

static bool any_takes_value(const struct command *table, size_t n, str name)
{
	bool has_value = false;
	for (size_t i = 0; i < n; i++)
		if (table[i].options && known_option(table[i].options, name, &has_value))
			return has_value;
	return false;
}

static bool take_global(struct call *c, str name, const char *value)
{
	if (str_eq(name, STR("dir")))
		c->dir = value;
	else if (str_eq(name, STR("socket")))
		c->socket = value;
	else if (str_eq(name, STR("json")))
		c->json = true;
	else if (str_eq(name, STR("help")))
		c->help = true;
	else
		return false;
	return true;
}

static bool is_global_with_value(str name)
{
	return str_eq(name, STR("dir")) || str_eq(name, STR("socket"));
}

struct typed {
	const struct command *table;
	size_t n;
	const char *const *argv;
};

/* An option takes the next argument as its value when any command's option of
 * that name does: the command itself may be named later. */
static result take_option(struct call *c, struct typed *t, buf *complaint)
{
	str whole = str_skip(str_from(*t->argv), 2);
	size_t equals = str_chr(whole, '=');
	str name = str_sub(whole, 0, equals);
	bool wants = is_global_with_value(name) || any_takes_value(t->table, t->n, name);
	const char *value = equals != STR_NONE ? whole.p + equals + 1 : "";
	if (wants && equals == STR_NONE) {
		if (!t->argv[1]) {
			buf_printf(complaint, "--%.*s needs a value", STR_ARG(name));
			return failure(FAIL_INPUT, "missing value");
		}
		value = *++t->argv;
	}
	if (take_global(c, name, value))
		return OK;
	if (c->options_n == CALL_OPTIONS) {
		buf_printf(complaint, "there are too many options");
		return failure(FAIL_INPUT, "too many options");
	}
	c->options[c->options_n].name = name.p;
	c->options[c->options_n].name_n = name.n;
	c->options[c->options_n++].value = value;
	return OK;
}

static result check_options(const struct call *c, buf *complaint)
{
	bool has_value;
	for (size_t i = 0; i < c->options_n; i++) {
		str name = str_of(c->options[i].name, c->options[i].name_n);
		if (c->command->options && known_option(c->command->options, name, &has_value))
			continue;
		buf_printf(complaint, "`postern %s` has no option --%.*s", c->command->name, STR_ARG(name));
		return failure(FAIL_INPUT, "unknown option");
	}
	return OK;
}

static bool is_given(const struct call *c, str name)
{
	for (size_t i = 0; i < c->options_n; i++)
		if (str_eq(str_of(c->options[i].name, c->options[i].name_n), name))
			return true;
	return false;
}

static result check_needed(const struct call *c, buf *complaint)
{
	str rest = str_from(c->command->options);
	bool needed;
	for (str part; next_option(&rest, &part, &needed);) {
		if (!needed || is_given(c, str_sub(part, 0, str_chr(part, '='))))
			continue;
		buf_put(complaint, STR("an option is missing; it is: "));
		call_usage(c->command, complaint);
		return failure(FAIL_INPUT, "missing option");
	}
	return OK;
}

/* ---- words ---- */

static result check_words(const struct call *c, buf *complaint)
{
	size_t least = 0, most = 0;
	str rest = str_from(c->command->words);
	for (str part; next_part(&rest, &part);) {
		least += part.p[0] != '[';
		most = str_ends(part, STR("...")) || str_ends(part, STR("...]")) ? CALL_WORDS : most + 1;
	}
	if (c->n >= least && c->n <= most)
		return OK;
	buf_put(complaint, c->n < least ? STR("something is missing; it is: ") : STR("there is a word too many; it is: "));
	call_usage(c->command, complaint);
	return failure(FAIL_INPUT, "wrong words");
}

result call_parse(const struct command *table, size_t n, const char *const *argv, struct call *out, buf *complaint)
{
	struct typed t = {table, n, argv};
	struct call c = {0};
	bool options_end = false;
	for (; *t.argv; t.argv++) {
		str word = str_from(*t.argv);
		if (!options_end && str_eq(word, STR("--"))) {
			options_end = true;
		} else if (!options_end && str_starts(word, STR("--"))) {
			TRY(take_option(&c, &t, complaint));
		} else if (c.n == CALL_WORDS) {
			buf_printf(complaint, "there are too many words");
			return failure(FAIL_INPUT, "too many words");
		} else {
			c.words[c.n++] = *t.argv;
		}
	}
	result found = find_command(table, n, &c, complaint);
	if (c.help) {
		buf_clear(complaint); /* help tells of all that begins with these words */
	} else {
		TRY(found);
		TRY(check_options(&c, complaint));
		TRY(check_needed(&c, complaint));
		TRY(check_words(&c, complaint));
	}
	*out = c;
	return OK;
}

const char *call_option(const struct call *c, const char *name)
{
	for (size_t i = 0; i < c->options_n; i++)
		if (str_eq(str_of(c->options[i].name, c->options[i].name_n), str_from(name)))
			return c->options[i].value;
	return NULL;
}

void call_usage(const struct command *c, buf *out)
{
	str rest = str_from(c->options);
	bool needed;
	buf_printf(out, "postern %s%s%s", c->name, c->words[0] ? " " : "", c->words);
	for (str part; next_option(&rest, &part, &needed);) {
		size_t equals = str_chr(part, '=');
		buf_printf(out, needed ? " --%.*s" : " [--%.*s", STR_ARG(str_sub(part, 0, equals)));
		if (equals != STR_NONE)
			buf_printf(out, " %.*s", STR_ARG(str_skip(part, equals + 1)));
		if (!needed)
			buf_putc(out, ']');
	}
}

bool size_of_text(str text, uint64_t *out)
{
	static const char units[] = "kmgt";
	unsigned shift = 0;
	for (size_t i = 0; text.n > 0 && i < sizeof units - 1; i++)
		if (ascii_lower(str_at(text, text.n - 1)) == units[i])
			shift = 10 * (unsigned)(i + 1);
	uint64_t n;
	if (!str_to_u64(str_sub(text, 0, text.n - (shift ? 1 : 0)), &n) || n > UINT64_MAX >> shift)
		return false;
	*out = n << shift;
	return true;
}
