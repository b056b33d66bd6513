/* What was typed: which command, with which words and options.
 *
 * A row of the table describes a command; words in capitals are what its user
 * gives, "[X]" may be left out, "X..." may be repeated (only at the end).
 * Options are "name" (a flag) or "name=WHAT", "!name=WHAT" when it must be given. Global ones (--dir, --socket,
 * --json, --help) may stand anywhere; "--" ends options. Owns nothing: views
 * of argv. Errors: INPUT, with the sentence in `complaint`. */
#ifndef CLI_CALL_H
#define CLI_CALL_H

#include "base/buf.h"

enum { CALL_WORDS = 128, CALL_OPTIONS = 16 };

struct call;

struct command {
	const char *name;    /* "account send-as add" */
	const char *words;   /* "ADDRESS [SIZE]" */
	const char *options; /* "account=ADDRESS password-stdin"; NULL: none */
	const char *about;
	int (*run)(struct call *c); /* the exit status */
	/* For commands that only pass on what was typed (plain.c). */
	const char *endpoint;
	const char *fields; /* one for each word: "name", "item#" (a number), "targets*" (all the rest) */
	const char *fixed;  /* further members, as JSON */
	const char *said;   /* what to tell when it is done */
};

struct call {
	const struct command *command;
	const char *dir, *socket;
	bool json, help;
	const char *words[CALL_WORDS];
	size_t n;
	struct {
		const char *name; /* without dashes, as in the row */
		size_t name_n;
		const char *value; /* "" of a flag */
	} options[CALL_OPTIONS];
	size_t options_n;
};

result call_parse(const struct command *table, size_t n, const char *const *argv, struct call *out, buf *complaint)
	NODISCARD;
const char *call_option(const struct call *c, const char *name); /* NULL: not given */
void call_usage(const struct command *c, buf *out);             /* "postern account add ADDRESS [--admin]" */

/* 10G, 512M, 64k, 1000; false when it is none. */
bool size_of_text(str text, uint64_t *out);

#endif
