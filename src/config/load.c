#include "config/load.h"
#include "base/mem.h"

#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* libconfuse's callbacks have no context pointer of ours, and the file is
 * read once, at start or for --check, so the state of the reading is here. */
static struct reading {
	struct options *o;
	config_check *check;
	buf *problems;
	const char *path;
	buf text;
	bool only_unknown;  /* this pass looks for options nobody knows */
	int unknown;        /* the line of such a one, which ends libconfuse's reading; 0 */
	int lines[OPTIONS]; /* where each option was set */
	unsigned members[OPTIONS];
} reading;

static void problem(int line, str option, const char *what)
{
	if (option.n)
		buf_printf(reading.problems, "%s:%d: %.*s: %s\n", reading.path, line, STR_ARG(option), what);
	else
		buf_printf(reading.problems, "%s:%d: %s\n", reading.path, line, what);
}

/* "no such option 'xyz'" is the one message of libconfuse that can say more. */
static bool unknown_option(const char *message, str *name)
{
	static const char start[] = "no such option '";
	str m = str_from(message);
	if (!str_starts(m, STR("no such option '")))
		return false;
	m = str_skip(m, sizeof start - 1);
	*name = str_sub(m, 0, str_chr(m, '\''));
	return true;
}

__attribute__((format(printf, 2, 0)))
static void on_error(cfg_t *cfg, const char *format, va_list ap)
{
	char message[512], text[800];
	str name;
	vsnprintf(message, sizeof message, format, ap);
	int line = cfg ? cfg->line : 0;
	bool unknown = unknown_option(message, &name);
	if (unknown != reading.only_unknown)
		return;
	if (!unknown) {
		snprintf(text, sizeof text, "%s; every line is `option = value` or `option = { \"a\", \"b\" }`", message);
		problem(line, (str){NULL, 0}, text);
		return;
	}
	const char *near = option_nearest(name);
	if (near)
		snprintf(text, sizeof text, "there is no such option; did you mean `%s`?", near);
	else
		snprintf(text, sizeof text, "there is no such option; `posternd --help` lists them all");
	problem(line, name, text);
	reading.unknown = line;
}

static void join(cfg_opt_t *opt, buf *out)
{
	for (unsigned i = 0; i < cfg_opt_size(opt); i++) {
		const char *v = cfg_opt_getnstr(opt, i);
		if (i > 0)
			buf_putc(out, '\n');
		buf_put(out, str_from(v ? v : ""));
	}
}

static str line_of(int n)
{
	str rest = buf_str(&reading.text);
	for (; n > 1; n--)
		rest = str_skip(rest, str_chr(rest, '\n') + 1);
	return str_sub(rest, 0, str_chr(rest, '\n'));
}

/* A later line of a list does not begin with the name; += adds to what is there. */
static bool begins_assignment(str line, str name)
{
	line = str_trim(line);
	return str_starts(line, name) && str_at(str_trim(str_skip(line, name.n)), 0) == '=';
}

/* libconfuse lets the second win in silence. */
static void look_for_first(int line, enum option_id id)
{
	char text[100];
	str name = str_from(option_row_of(id)->name);
	if (reading.lines[id] == line || !begins_assignment(line_of(line), name))
		return;
	snprintf(text, sizeof text, "this is set in line %d already; keep one of the two", reading.lines[id]);
	if (reading.lines[id])
		problem(line, name, text);
	reading.lines[id] = line;
}

static void bad_value(int line, enum option_id id, const char *why)
{
	char text[400];
	const struct option_row *row = option_row_of(id);
	str words = str_from(row->meaning);
	snprintf(text, sizeof text, "%s (%.*s)", why, STR_ARG(str_sub(words, 0, str_chr(words, ' '))));
	problem(line, str_from(row->name), row->type == CHOICE ? text : why);
}

/* A list is told with each member, and once more at its end. */
static bool is_new(cfg_opt_t *opt, enum option_id id)
{
	unsigned before = reading.members[id];
	reading.members[id] = cfg_opt_size(opt);
	return reading.members[id] > 0 && reading.members[id] != (option_row_of(id)->type == LIST ? before : 0);
}

/* Called at each assignment, while the line is known. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	enum option_id id;
	AUTO_BUF buf value = buf_new(65536);
	if (reading.only_unknown)
		return 0;
	must(option_find(str_from(cfg_opt_name(opt)), &id));
	look_for_first(cfg->line, id);
	join(opt, &value);
	result r = buf_result(&value);
	if (!failed(r))
		r = options_set(reading.o, id, buf_str(&value));
	if (!failed(r) && reading.check && is_new(opt, id))
		r = reading.check(id, str_from(cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1)));
	if (failed(r))
		bad_value(cfg->line, id, r.text);
	return 0;
}

static cfg_opt_t *describe(void)
{
	static char empty_list[] = "{}"; /* libconfuse wants it writable */
	cfg_opt_t *opts = mem_array(OPTIONS + 1, sizeof *opts);
	if (!opts)
		return NULL;
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_row *row = option_row_of((enum option_id)i);
		if (row->type == LIST)
			opts[i] = (cfg_opt_t)CFG_STR_LIST(row->name, empty_list, CFGF_NONE);
		else
			opts[i] = (cfg_opt_t)CFG_STR(row->name, NULL, CFGF_NONE);
	}
	opts[OPTIONS] = (cfg_opt_t)CFG_END();
	return opts;
}

static result read_text(void)
{
	char piece[4096];
	FILE *f = fopen(reading.path, "re");
	for (size_t n = 1; f && n > 0;) {
		n = fread(piece, 1, sizeof piece, f);
		buf_put(&reading.text, str_of(piece, n));
	}
	bool good = f && !ferror(f);
	if (!good)
		buf_printf(reading.problems, "%s: cannot be read (%s); name the file with -c\n", reading.path, strerror(errno));
	if (f)
		fclose(f);
	if (!good)
		return failure(FAIL_DISK, "the configuration file cannot be read");
	if (str_chr(buf_str(&reading.text), '\0') != STR_NONE) {
		buf_printf(reading.problems, "%s: holds a NUL octet; write it with a text editor\n", reading.path);
		return failure(FAIL_INPUT, "the configuration file is no text");
	}
	buf_putc(&reading.text, '\0');
	return buf_result(&reading.text);
}

static result one_pass(void)
{
	AUTO_MEM cfg_opt_t *opts = describe();
	cfg_t *cfg = opts ? cfg_init(opts, CFGF_NONE) : NULL;
	if (!cfg)
		return failure(FAIL_MEMORY, "out of memory");
	for (size_t i = 0; i < OPTIONS; i++)
		cfg_set_validate_func(cfg, option_row_of((enum option_id)i)->name, on_value);
	cfg_set_error_function(cfg, on_error);
	reading.unknown = 0;
	int code = cfg_parse_buf(cfg, reading.text.p);
	cfg_free(cfg);
	return code == CFG_SUCCESS ? OK : failure(FAIL_INPUT, "the configuration file has errors");
}

/* Options nobody knows end libconfuse's reading, so each is told, taken out, and
 * the text read anew; the last pass sees the rest. */
static result every_pass(void)
{
	TRY(read_text());
	reading.only_unknown = true;
	for (;;) {
		result r = one_pass();
		if (r.kind == FAIL_MEMORY)
			return r;
		if (!reading.unknown)
			break;
		str line = line_of(reading.unknown);
		memset(reading.text.p + (line.p - reading.text.p), ' ', line.n);
	}
	reading.only_unknown = false;
	TRY(one_pass());
	return reading.problems->n ? failure(FAIL_INPUT, "the configuration file has errors") : OK;
}

result config_load(const char *path, struct options *o, config_check *check, buf *problems)
{
	reading = (struct reading){
		.o = o, .check = check, .problems = problems, .path = path, .text = buf_new(CONFIG_TEXT_MAX)};
	result r = every_pass();
	buf_free(&reading.text);
	return r;
}

void config_help(buf *out)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_row *row = option_row_of((enum option_id)i);
		buf_printf(out, "  %-24s %s", row->name, row->meaning);
		if (row->preset[0])
			buf_printf(out, " [%s]", row->preset);
		buf_putc(out, '\n');
	}
}
