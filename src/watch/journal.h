/* The log's lines on their way out: to stderr, or to postern.log in the
 * current folder.
 *
 * Lines are gathered in memory and written by a thread of their own, so that a
 * reader of stderr that stalls or a slow disk stops neither counting nor the
 * other rooms. Above JOURNAL_PENDING_MAX lines are dropped and counted. A file
 * that reaches JOURNAL_FILE_MAX becomes postern.log.1, the older ones move up,
 * the oldest goes; one that somebody moved away is made anew. The journal owns
 * its memory, its thread and the file. */
#ifndef WATCH_JOURNAL_H
#define WATCH_JOURNAL_H

#include "base/buf.h"

enum {
	JOURNAL_PENDING_MAX = 16 << 20, /* octets of lines that wait to be written */
	JOURNAL_FILE_MAX = 64 << 20,
	JOURNAL_FILES = 5, /* postern.log.1 to .5 */
};

struct journal;

result journal_open(bool to_file, struct journal **out) NODISCARD; /* after the jail */
/* One like it, in a file of that name (a literal); what its disk refuses is lost. */
result journal_open_file(const char *name, struct journal **out) NODISCARD;
/* Where the next line goes, NULL when it is to be dropped; journal_kick when it
 * is there. */
buf *journal_lines(struct journal *j);
void journal_kick(struct journal *j);
uint64_t journal_dropped(const struct journal *j); /* lines */
void journal_close(struct journal **j); /* writes what waits; suspends */

/* For tests: one write, and turning the files, as the thread does it. */
struct journal_file {
	const char *name; /* NULL: postern.log */
	int fd; /* -1: not open */
	uint64_t size;
	uint64_t max;
};
result journal_file_write(struct journal_file *f, str lines) NODISCARD;

#endif
