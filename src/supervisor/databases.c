#include "supervisor/databases.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "run/memfd.h"
#include "run/places.h"

/* What begins the metadata, in the last MARK_WITHIN octets (MaxMind DB format 2.0). */
#define MARK STR("\xab\xcd\xefMaxMind.com")
enum { MARK_WITHIN = 128 * 1024, PIECE = 1 << 20 };

static const enum option_id options_of[DATABASES] = {OPT_COUNTRY_DATABASE, OPT_NETWORK_DATABASE};

/* ---- one file ---- */

static result copy(int from, int to, uint64_t left)
{
	AUTO_BUF buf piece = buf_new(PIECE);
	if (!buf_reserve(&piece, PIECE))
		return buf_result(&piece);
	while (left > 0) {
		ssize_t n = read(from, piece.p, PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failure(FAIL_DISK, "the file cannot be read to its end");
		TRY(memfd_append(to, str_of(piece.p, (size_t)n)));
		left -= (uint64_t)n < left ? (uint64_t)n : left;
	}
	return OK;
}

static result has_mark(int fd, off_t size)
{
	AUTO_BUF buf end = buf_new(MARK_WITHIN);
	off_t from = size > MARK_WITHIN ? size - MARK_WITHIN : 0;
	if (!buf_reserve(&end, MARK_WITHIN))
		return buf_result(&end);
	ssize_t n = pread(fd, end.p, MARK_WITHIN, from);
	if (n < 0 || str_find(str_of(end.p, (size_t)n), MARK) == STR_NONE)
		return failure(FAIL_INPUT, "the file is no MaxMind DB (.mmdb)");
	return OK;
}

static result open_file(const char *path, int *fd, struct stat *st)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would keep us waiting */
	if (*fd < 0)
		return failure(errno == ENOENT ? FAIL_ABSENT : FAIL_DENIED, "the file is not there, or cannot be read");
	if (fstat(*fd, st) == 0 && S_ISREG(st->st_mode) && st->st_size > 0 && st->st_size <= PLACES_FILE_MAX)
		return OK;
	close(*fd);
	return failure(FAIL_INPUT, "this is no file of at most 512 MiB");
}

static result take_open(struct database_file *f, int from, const struct stat *st)
{
	int fd;
	TRY(has_mark(from, st->st_size));
	TRY(memfd_create_empty("places", &fd));
	result r = copy(from, fd, (uint64_t)st->st_size);
	if (!failed(r))
		r = memfd_seal(fd);
	if (failed(r)) {
		close(fd);
		return r;
	}
	if (f->fd >= 0)
		close(f->fd);
	f->fd = fd;
	f->taken = *st;
	return OK;
}

static result take(struct database_file *f)
{
	struct stat st;
	int from;
	TRY(open_file(f->path, &from, &st));
	result r = take_open(f, from, &st);
	close(from);
	return r;
}

result databases_check(str path)
{
	struct stat st;
	int fd;
	if (path.n == 0)
		return OK;
	TRY(open_file(path.p, &fd, &st)); /* an option's text ends with a NUL */
	result r = has_mark(fd, st.st_size);
	close(fd);
	return r;
}

/* ---- both ---- */

result databases_open(struct databases *d, const struct options *o)
{
	for (size_t i = 0; i < DATABASES; i++)
		d->of[i] = (struct database_file){.path = options_text(o, options_of[i]).p, .fd = -1};
	for (size_t i = 0; i < DATABASES; i++)
		if (d->of[i].path[0])
			TRY(take(&d->of[i]));
	return OK;
}

void databases_close(struct databases *d)
{
	for (size_t i = 0; i < DATABASES; i++) {
		if (d->of[i].fd >= 0)
			close(d->of[i].fd);
		d->of[i].fd = -1;
	}
}

bool databases_any(const struct databases *d)
{
	return d->of[0].path[0] || d->of[1].path[0];
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool look_at(struct database_file *f)
{
	struct stat now, before = f->seen;
	if (!f->path[0] || stat(f->path, &now) < 0)
		return false;
	f->seen = now;
	if (same(&now, &f->taken) || !same(&now, &before))
		return false;
	result r = take(f);
	if (!failed(r))
		return true;
	f->taken = now; /* it is looked at again when it changes again */
	log_event(EV_PLACES_REFUSED, NULL, F_STR("file", str_from(f->path)), F_STR("why", str_from(r.text)));
	return false;
}

bool databases_look(struct databases *d)
{
	bool one = look_at(&d->of[0]), other = look_at(&d->of[1]);
	return one || other;
}
