#include "watch/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "run/worker.h"
#include "watch/keeper.h"

/* The longest line: every octet of a record escaped. */
enum { LONGEST_LINE = 6 * LOG_RECORD_MAX + 1024, KEPT_MEMORY = 1 << 20 };

static const char *name_of(const struct journal_file *f)
{
	return f->name ? f->name : "postern.log";
}

struct journal {
	buf pending; /* the loop's */
	buf leaving; /* the thread's while a job runs */
	struct journal_file file;
	bool to_file;
	uint64_t dropped;
	struct worker *worker;
	struct keeper keeper;
};

struct writing {
	struct job job; /* first */
	struct journal *journal;
};

/* ---- on the thread ---- */

static result write_all(int fd, str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);
		if (n > 0) {
			s = str_skip(s, (size_t)n);
		} else if (errno == EAGAIN) {
			struct pollfd p = {.fd = fd, .events = POLLOUT};
			poll(&p, 1, -1);
		} else if (errno != EINTR) {
			return failure(errno == ENOSPC ? FAIL_FULL : FAIL_DISK, "the log cannot be written");
		}
	}
	return OK;
}

static void turn_files(const char *name)
{
	char from[64], to[64];
	for (int i = JOURNAL_FILES; i > 0; i--) {
		snprintf(to, sizeof to, "%s.%d", name, i);
		snprintf(from, sizeof from, i > 1 ? "%s.%d" : "%s", name, i - 1);
		renameat(AT_FDCWD, from, AT_FDCWD, to); /* where it fails the file goes on growing, which loses nothing */
	}
}

static bool is_still_there(const struct journal_file *f)
{
	struct stat ours, there;
	return fstat(f->fd, &ours) == 0 && fstatat(AT_FDCWD, name_of(f), &there, 0) == 0 && ours.st_ino == there.st_ino
		&& ours.st_dev == there.st_dev;
}

static result open_file(struct journal_file *f)
{
	struct stat s;
	f->fd = openat(AT_FDCWD, name_of(f), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f->fd < 0 || fstat(f->fd, &s) < 0)
		return failure(FAIL_DISK, "the log file cannot be opened");
	f->size = (uint64_t)s.st_size;
	return OK;
}

static void shut_file(struct journal_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

result journal_file_write(struct journal_file *f, str lines)
{
	if (f->fd >= 0 && f->size >= f->max) {
		shut_file(f);
		turn_files(name_of(f));
	}
	if (f->fd >= 0 && !is_still_there(f))
		shut_file(f);
	if (f->fd < 0)
		TRY(open_file(f));
	TRY(write_all(f->fd, lines));
	f->size += lines.n;
	return OK;
}

static void run_writing(void *ctx, struct job **jobs, size_t n)
{
	struct journal *j = ctx;
	(void)jobs;
	(void)n;
	result r = j->to_file ? journal_file_write(&j->file, buf_str(&j->leaving))
			      : write_all(STDERR_FILENO, buf_str(&j->leaving));
	/* A log that cannot be kept in its file is still shown. */
	if (failed(r) && j->to_file && !j->file.name)
		r = write_all(STDERR_FILENO, buf_str(&j->leaving));
	(void)r;
}

/* ---- on the loop ---- */

static result wait_for_lines(struct journal *j)
{
	result r = keeper_wait(&j->keeper, j->pending.cap + j->leaving.cap > 0);
	if (r.kind != FAIL_TIMEOUT)
		return r;
	buf_free(&j->leaving);
	if (j->pending.n == 0)
		buf_free(&j->pending);
	return OK;
}

static void carry_lines(void *arg)
{
	struct journal *j = arg;
	while (j->pending.n > 0 || !j->keeper.closing) {
		if (j->pending.n == 0) {
			if (failed(wait_for_lines(j)))
				break;
			continue;
		}
		struct writing w = {.journal = j};
		buf full = j->pending;
		j->pending = j->leaving;
		j->leaving = full;
		result r = worker_run_always(j->worker, &w.job);
		(void)r; /* BUSY cannot be: this is the only job */
		buf_clear(&j->leaving);
		if (j->leaving.cap > KEPT_MEMORY)
			buf_free(&j->leaving);
	}
	keeper_ends(&j->keeper);
}

static result open_journal(const char *name, bool to_file, struct journal **out)
{
	struct journal *j = mem_alloc(sizeof *j);
	if (!j)
		return failure(FAIL_MEMORY, "out of memory");
	*j = (struct journal){.to_file = to_file,
			      .file = {.name = name, .fd = -1, .max = JOURNAL_FILE_MAX}};
	j->pending = buf_new(JOURNAL_PENDING_MAX);
	j->leaving = buf_new(JOURNAL_PENDING_MAX);
	keeper_init(&j->keeper);
	struct worker_plan plan = {.run = run_writing, .ctx = j, .name = "log", .queue_max = 1};
	result r = worker_open(&plan, &j->worker);
	if (!failed(r)) {
		r = fiber_start(carry_lines, j, "log", NULL);
		if (failed(r))
			worker_close(&j->worker);
	}
	if (failed(r))
		mem_free(j);
	else
		*out = j;
	return r;
}

result journal_open(bool to_file, struct journal **out)
{
	return open_journal(NULL, to_file, out);
}

result journal_open_file(const char *name, struct journal **out)
{
	return open_journal(name, true, out);
}

buf *journal_lines(struct journal *j)
{
	if (!buf_reserve(&j->pending, LONGEST_LINE)) {
		j->pending.broken = FAIL_NONE;
		j->dropped++;
		return NULL;
	}
	return &j->pending;
}

void journal_kick(struct journal *j)
{
	gate_wake_all(&j->keeper.changed);
}

uint64_t journal_dropped(const struct journal *j)
{
	return j->dropped;
}

void journal_close(struct journal **at)
{
	struct journal *j = *at;
	*at = NULL;
	if (!j)
		return;
	keeper_close(&j->keeper);
	worker_close(&j->worker);
	shut_file(&j->file);
	buf_free(&j->pending);
	buf_free(&j->leaving);
	mem_free(j);
}
