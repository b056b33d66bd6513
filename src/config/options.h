/* The options of the server: one table, one set of values.
 *
 * The supervisor loads the file (load.h) and tells each room its part as
 * name/value texts; a room keeps them in its own `options`. Lists travel as
 * one text, members separated by LF. options_set copies; views from the
 * getters live as long as the options. Getters of the wrong type are our bug
 * (must). Nothing suspends. */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include "base/fail.h"
#include "base/str.h"

enum option_id {
#define OPTION(ID, ...) ID,
#include "config/options_table.h"
#undef OPTION
	OPTIONS
};

enum option_type { TEXT, LIST, FILE_AT, YESNO, COUNT, SIZE, TIME, CHOICE };

enum option_rooms {
	R_EDGE = 1, R_AUTH = 2, R_ACCOUNT = 4, R_QUEUE = 8, R_WATCH = 16, R_WEB = 32, R_INSPECT = 64,
	R_RESOLVE = 128, R_RELAY = 256, R_FETCH = 512, R_VAULT = 1024,
};

struct option_row {
	const char *name;
	enum option_type type;
	const char *preset;
	uint64_t min, max; /* of the number, the text's length, or a list's members */
	unsigned rooms;
	const char *meaning;
};

struct options {
	char *text[OPTIONS];      /* NULL: the default */
	uint64_t number[OPTIONS]; /* YESNO 0/1, CHOICE the word's index */
};

const struct option_row *option_row_of(enum option_id id);
bool option_find(str name, enum option_id *out);
/* The known name nearest to a misspelt one, NULL when none is near. */
const char *option_nearest(str name);

void options_init(struct options *o); /* every default */
void options_free(struct options *o);
/* Checks and keeps a value; INPUT with a sentence that holds the remedy. */
result options_set(struct options *o, enum option_id id, str value) NODISCARD;

str options_text(const struct options *o, enum option_id id);        /* TEXT, LIST (raw), FILE_AT, CHOICE */
uint64_t options_number(const struct options *o, enum option_id id); /* COUNT, SIZE, TIME (ms), CHOICE */
bool options_yes(const struct options *o, enum option_id id);
/* Walks a LIST: start with an empty *rest set by options_text. */
bool options_next(str *rest, str *member);

#endif
