/* The options, as programs have given them to sendmail for forty years. */
#include <string.h>
#include <sysexits.h>

#include "cli/sendmail/sendmail.h"

/* Of an option's argument. */
enum argument {
	NONE,
	ATTACHED, /* behind the letter, or none */
	NEXT,     /* behind the letter, else the next word */
};

struct row {
	char letter;
	enum argument argument;
	int (*take)(struct wishes *w, const char *value); /* NULL: understood, and of no meaning here */
};

static int take_mode(struct wishes *w, const char *value)
{
	switch (*value) {
	case 'm':
	case 'a':
		w->mode = MODE_SEND;
		return EX_OK;
	case 's':
		w->mode = MODE_SMTP;
		return EX_OK;
	case 'p':
		w->mode = MODE_QUEUE;
		return EX_OK;
	case 'i':
		w->mode = MODE_NOTHING; /* aliases are where postern alias keeps them: nothing to rebuild */
		return EX_OK;
	default:
		return complain_about(EX_USAGE, "-b%s is nothing this server does by sendmail: posternd is the daemon, "
				      "`postern` administers it", value);
	}
}

static int take_dots(struct wishes *w, const char *value)
{
	(void)value;
	w->dots = true;
	return EX_OK;
}

static int take_header(struct wishes *w, const char *value)
{
	(void)value;
	w->from_header = true;
	return EX_OK;
}

static int take_verbose(struct wishes *w, const char *value)
{
	(void)value;
	w->verbose = true;
	return EX_OK;
}

/* -oi is -i; -oem, -oep, -odi and all others say how the old sendmail should go about it. */
static int take_old(struct wishes *w, const char *value)
{
	if (strcmp(value, "i") == 0)
		w->dots = true;
	return EX_OK;
}

static int take_sender(struct wishes *w, const char *value)
{
	w->has_sender = true;
	w->sender = strcmp(value, "<>") == 0 ? "" : value;
	return EX_OK;
}

static int take_name(struct wishes *w, const char *value)
{
	w->name = value;
	return EX_OK;
}

static int take_body(struct wishes *w, const char *value)
{
	w->body = value;
	return strcasecmp(value, "7BIT") == 0 || strcasecmp(value, "8BITMIME") == 0
		? EX_OK : complain_about(EX_USAGE, "-B takes 7BIT or 8BITMIME");
}

static int take_notify(struct wishes *w, const char *value)
{
	w->notify = value;
	return EX_OK;
}

static int take_ret(struct wishes *w, const char *value)
{
	w->ret = strcasecmp(value, "hdrs") == 0 ? "HDRS" : strcasecmp(value, "full") == 0 ? "FULL" : NULL;
	return w->ret ? EX_OK : complain_about(EX_USAGE, "-R takes full or hdrs");
}

static int take_envid(struct wishes *w, const char *value)
{
	w->envid = value;
	return EX_OK;
}

static const struct row rows[] = {
	{'A', NEXT, NULL},  {'B', NEXT, take_body}, {'C', NEXT, NULL}, {'D', NEXT, NULL}, {'F', NEXT, take_name},
	{'G', NONE, NULL},  {'L', NEXT, NULL},      {'M', NEXT, NULL}, {'N', NEXT, take_notify}, {'O', NEXT, NULL},
	{'R', NEXT, take_ret}, {'U', NONE, NULL},   {'V', NEXT, take_envid}, {'X', NEXT, NULL},
	{'b', ATTACHED, take_mode}, {'d', ATTACHED, NULL}, {'e', ATTACHED, NULL}, {'f', NEXT, take_sender},
	{'h', NEXT, NULL},  {'i', NONE, take_dots}, {'m', NONE, NULL}, {'n', NONE, NULL}, {'o', ATTACHED, take_old},
	{'p', NEXT, NULL},  {'q', ATTACHED, NULL},  {'r', NEXT, take_sender}, {'t', NONE, take_header},
	{'v', NONE, take_verbose}, {'x', NONE, NULL},
};

static const struct row *find(char letter)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].letter == letter)
			return &rows[i];
	return NULL;
}

/* -q with nothing else to do: the queue runs by itself. */
static void note_queue_run(struct wishes *w, char letter)
{
	if (letter == 'q')
		w->mode = MODE_NOTHING;
}

/* One word, which may hold several letters ("-ti"). *used: the next word belonged to it. */
static int take_word(struct wishes *w, const char *word, const char *next, bool *used)
{
	*used = false;
	for (const char *p = word; *p; p++) {
		const struct row *row = find(*p);
		const char *value = p + 1;
		if (!row)
			return complain_about(EX_USAGE, "there is no option -%c here; postern-sendmail(8) lists them", *p);
		if (row->argument == NEXT && !*value) {
			if (!next)
				return complain_about(EX_USAGE, "-%c lacks its argument", *p);
			value = next;
			*used = true;
		}
		note_queue_run(w, *p);
		int status = row->take ? row->take(w, value) : EX_OK;
		if (status != EX_OK || row->argument != NONE)
			return status;
	}
	return EX_OK;
}

static bool is_called(const char *as, const char *name)
{
	const char *slash = strrchr(as, '/');
	return strcmp(slash ? slash + 1 : as, name) == 0;
}

int wishes_read(int argc, const char *const *argv, struct wishes *w)
{
	int i = 1;
	*w = (struct wishes){.mode = MODE_SEND};
	if (is_called(argv[0], "mailq"))
		w->mode = MODE_QUEUE;
	if (is_called(argv[0], "newaliases"))
		w->mode = MODE_NOTHING;
	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		bool used;
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		int status = take_word(w, argv[i] + 1, i + 1 < argc ? argv[i + 1] : NULL, &used);
		if (status != EX_OK)
			return status;
		i += used;
	}
	w->recipients = argv + i;
	w->recipients_n = (size_t)(argc - i);
	if (w->mode == MODE_NOTHING && (w->recipients_n || w->from_header))
		w->mode = MODE_SEND; /* a letter, and -q or -bi beside it */
	return EX_OK;
}
