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
	buf *problems;
	const char *path;
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
	if (!unknown_option(message, &name)) {
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

/* Called at each assignment, while the line is known. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	enum option_id id;
	AUTO_BUF buf value = buf_new(65536);
	must(option_find(str_from(cfg_opt_name(opt)), &id));
	join(opt, &value);
	result r = buf_result(&value);
	if (!failed(r))
		r = options_set(reading.o, id, buf_str(&value));
	if (failed(r))
		problem(cfg->line, str_from(cfg_opt_name(opt)), r.text);
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

static result parse_file(cfg_t *cfg)
{
	for (size_t i = 0; i < OPTIONS; i++)
		cfg_set_validate_func(cfg, option_row_of((enum option_id)i)->name, on_value);
	cfg_set_error_function(cfg, on_error);
	int code = cfg_parse(cfg, reading.path);
	if (code == CFG_FILE_ERROR) {
		buf_printf(reading.problems, "%s: cannot be read (%s); name the file with -c\n", reading.path,
			   strerror(errno));
		return failure(FAIL_DISK, "the configuration file cannot be read");
	}
	if (code != CFG_SUCCESS || reading.problems->n)
		return failure(FAIL_INPUT, "the configuration file has errors");
	return OK;
}

result config_load(const char *path, struct options *o, buf *problems)
{
	AUTO_MEM cfg_opt_t *opts = describe();
	if (!opts)
		return failure(FAIL_MEMORY, "out of memory");
	cfg_t *cfg = cfg_init(opts, CFGF_NONE);
	if (!cfg)
		return failure(FAIL_MEMORY, "out of memory");
	reading = (struct reading){o, problems, path};
	result r = parse_file(cfg);
	cfg_free(cfg);
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
