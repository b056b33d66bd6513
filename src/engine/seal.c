#include "engine/seal.h"
#include "base/mem.h"
#include "engine/seal_run.h"
#include "engine/seal_wal.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

struct seal {
	sqlite3_vfs vfs;
	struct files *files;
	const char *path;
	struct box box;
	bool salvage;
	uint32_t mirror;
	char name[24]; /* of the VFS: VACUUM finds it by name too, so it stays registered */
	struct wal *wal; /* SQLite opens at most one log; NULL while it is shut */
	result trouble;
	unsigned char unit[SEAL_PAGE];
};

struct seal_file {
	sqlite3_file base;
	struct seal *seal;
	struct file *file; /* of the database */
	struct seal_run run;
	struct wal wal;    /* of the log */
	bool broken;
};

static struct seal_file *file_of(sqlite3_file *f)
{
	return (struct seal_file *)(void *)f;
}

/* SQLite knows two of our kinds; the rest is an I/O error with the operation's own code. */
static int to_sqlite(struct seal *s, result r, int code)
{
	if (!failed(r))
		return SQLITE_OK;
	if (!failed(s->trouble) || (r.kind == FAIL_DAMAGE && s->trouble.kind != FAIL_DAMAGE))
		s->trouble = r;
	switch (r.kind) {
	case FAIL_FULL:
		return SQLITE_FULL;
	case FAIL_DAMAGE:
		return SQLITE_IOERR_DATA;
	case FAIL_MEMORY:
		return SQLITE_IOERR_NOMEM;
	case FAIL_BUSY:
		return SQLITE_BUSY;
	default:
		return code;
	}
}

/* The database file. */

/* SQLite asks for the first 100 bytes before it looks at the log. If a crash
 * tore page 1 the log holds it, and all that SQLite takes from this answer is
 * the page size and the reserved bytes. */
static void stand_in_header(unsigned char *page)
{
	static const unsigned char head[24] = "SQLite format 3\0\x10\x00\x02\x02\x28\x40\x20\x20";
	memset(page, 0, SEAL_PAGE);
	memcpy(page, head, sizeof head);
}

static result read_page(struct seal_file *f, uint64_t page, unsigned char *p, size_t *n)
{
	*n = SEAL_PAGE;
	TRY(seal_run_end(&f->run));
	TRY(file_read(f->file, page * SEAL_PAGE, p, n));
	if (*n < SEAL_PAGE) {
		*n = 0; /* a torn extension of the file: nothing was there */
		return OK;
	}
	struct box_name name = {BOX_PAGE, page + 1, 0};
	if (!box_open(&f->seal->box, &name, p, SEAL_PAGE))
		return failure(FAIL_DAMAGE, "a page of the database does not authenticate; restore from a backup");
	return OK;
}

static int main_read(sqlite3_file *sf, void *p, int n, sqlite3_int64 at)
{
	struct seal_file *f = file_of(sf);
	uint64_t page = (uint64_t)at / SEAL_PAGE;
	size_t inside = (size_t)at % SEAL_PAGE, want = (size_t)n, got = 0;
	if (inside + want > SEAL_PAGE)
		return SQLITE_IOERR_READ;
	bool whole = want == SEAL_PAGE;
	unsigned char *unit = whole ? p : f->seal->unit;
	result r = read_page(f, page, unit, &got);
	if (r.kind == FAIL_DAMAGE && page == 0 && !whole) {
		stand_in_header(unit);
		r = OK;
	}
	if (failed(r))
		return to_sqlite(f->seal, r, SQLITE_IOERR_READ);
	if (got == 0) {
		memset(p, 0, want);
		return SQLITE_IOERR_SHORT_READ;
	}
	if (!whole)
		memcpy(p, unit + inside, want);
	return SQLITE_OK;
}

static result write_page(struct seal_file *f, uint64_t at, const unsigned char *page)
{
	struct seal *s = f->seal;
	if (s->wal)
		TRY(wal_carry(s->wal));
	TRY(seal_run_put(&f->run, &s->box, at, page));
	/* What is carried over from the log is flushed before anybody relies on it; other writes do not wait. */
	return s->wal ? OK : seal_run_end(&f->run);
}

static int main_write(sqlite3_file *sf, const void *p, int n, sqlite3_int64 at)
{
	struct seal_file *f = file_of(sf);
	if (n != SEAL_PAGE || at % SEAL_PAGE || f->broken)
		return SQLITE_IOERR_WRITE;
	return to_sqlite(f->seal, write_page(f, (uint64_t)at, p), SQLITE_IOERR_WRITE);
}

static result size_now(struct seal_file *f, uint64_t *size)
{
	TRY(seal_run_end(&f->run));
	return file_size(f->file, size);
}

static int main_truncate(sqlite3_file *sf, sqlite3_int64 size)
{
	struct seal_file *f = file_of(sf);
	uint64_t now;
	result r = size_now(f, &now);
	if (!failed(r) && f->seal->wal)
		r = wal_carry(f->seal->wal);
	/* Pages that the file does not have yet must not come to be as zeros, which open nowhere. */
	if (!failed(r) && (uint64_t)size < now)
		r = file_truncate(f->file, (uint64_t)size);
	return to_sqlite(f->seal, r, SQLITE_IOERR_TRUNCATE);
}

/* After a flush that failed nobody knows what is on disk (the kernel may have
 * forgotten the pages), so nothing is written any more until the next open. */
static int main_sync(sqlite3_file *sf, int flags)
{
	(void)flags;
	struct seal_file *f = file_of(sf);
	result r = seal_run_end(&f->run);
	if (failed(r))
		return to_sqlite(f->seal, r, SQLITE_IOERR_WRITE);
	r = file_flushed(file_sync(f->file));
	f->broken = f->broken || failed(r);
	if (f->broken && f->seal->wal) /* it could not be carried over any more, and would grow */
		f->seal->wal->broken = true;
	return to_sqlite(f->seal, r, SQLITE_IOERR_FSYNC);
}

static int main_size(sqlite3_file *sf, sqlite3_int64 *out)
{
	struct seal_file *f = file_of(sf);
	uint64_t size = 0;
	result r = size_now(f, &size);
	*out = (sqlite3_int64)(size - size % SEAL_PAGE);
	return to_sqlite(f->seal, r, SQLITE_IOERR_FSTAT);
}

static int main_close(sqlite3_file *sf)
{
	struct seal_file *f = file_of(sf);
	result r = seal_run_end(&f->run);
	file_close(&f->file);
	return to_sqlite(f->seal, r, SQLITE_IOERR_CLOSE);
}

/* The log. */

static int log_read(sqlite3_file *sf, void *p, int n, sqlite3_int64 at)
{
	struct seal_file *f = file_of(sf);
	size_t got = (size_t)n;
	result r = wal_read(&f->wal, (uint64_t)at, p, &got);
	if (failed(r))
		return to_sqlite(f->seal, r, SQLITE_IOERR_READ);
	if (got == (size_t)n)
		return SQLITE_OK;
	memset((char *)p + got, 0, (size_t)n - got);
	return SQLITE_IOERR_SHORT_READ;
}

static int log_write(sqlite3_file *sf, const void *p, int n, sqlite3_int64 at)
{
	struct seal_file *f = file_of(sf);
	return to_sqlite(f->seal, wal_write(&f->wal, (uint64_t)at, p, (size_t)n), SQLITE_IOERR_WRITE);
}

static int log_truncate(sqlite3_file *sf, sqlite3_int64 size)
{
	struct seal_file *f = file_of(sf);
	return to_sqlite(f->seal, wal_truncate(&f->wal, (uint64_t)size), SQLITE_IOERR_TRUNCATE);
}

static int log_sync(sqlite3_file *sf, int flags)
{
	(void)flags;
	struct seal_file *f = file_of(sf);
	return to_sqlite(f->seal, wal_sync(&f->wal), SQLITE_IOERR_FSYNC);
}

static int log_size(sqlite3_file *sf, sqlite3_int64 *out)
{
	*out = (sqlite3_int64)wal_size(&file_of(sf)->wal);
	return SQLITE_OK;
}

static int log_close(sqlite3_file *sf)
{
	struct seal_file *f = file_of(sf);
	wal_close(&f->wal);
	f->seal->wal = NULL;
	return SQLITE_OK;
}

/* Both files. */

static int no_lock(sqlite3_file *f, int level)
{
	(void)f;
	(void)level;
	return SQLITE_OK; /* the whole file is locked from its open on */
}

static int not_reserved(sqlite3_file *f, int *out)
{
	(void)f;
	*out = 0;
	return SQLITE_OK;
}

static int control(sqlite3_file *f, int what, void *arg)
{
	(void)f;
	if (what == SQLITE_FCNTL_PERSIST_WAL) {
		*(int *)arg = 1;
		return SQLITE_OK;
	}
	return SQLITE_NOTFOUND;
}

static int sector(sqlite3_file *f)
{
	(void)f;
	return SEAL_PAGE;
}

static int device(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE; /* no padding of commits; see the crash tests */
}

static const sqlite3_io_methods main_methods = {1, main_close, main_read, main_write, main_truncate, main_sync,
	main_size, no_lock, no_lock, not_reserved, control, sector, device};
static const sqlite3_io_methods log_methods = {1, log_close, log_read, log_write, log_truncate, log_sync,
	log_size, no_lock, no_lock, not_reserved, control, sector, device};

/* The VFS. */

static struct seal *seal_of(sqlite3_vfs *vfs)
{
	return vfs->pAppData;
}

static result open_main(struct seal *s, struct seal_file *f, int flags)
{
	enum files_how how = flags & SQLITE_OPEN_CREATE ? FILES_CREATE : FILES_WRITE;
	TRY(files_open(s->files, s->path, how, &f->file));
	uint64_t size = 0;
	result r = file_lock(f->file);
	if (!failed(r))
		r = file_size(f->file, &size);
	/* SQLite would take an empty file for a new database, and drop the log. */
	if (!failed(r) && size < SEAL_PAGE && !(flags & SQLITE_OPEN_CREATE))
		r = failure(FAIL_DAMAGE, "the database's file was cut off; restore from a backup");
	if (failed(r))
		file_close(&f->file);
	else
		f->run.file = f->file;
	return r;
}

static result open_log(struct seal *s, struct seal_file *f, const char *name)
{
	f->wal.box = &s->box;
	f->wal.is_new = true; /* who made it may have ended before its name was durable */
	f->wal.window = s->mirror;
	enum files_how how = s->mirror ? FILES_CREATE | FILES_BLOCKS | FILES_FLUSHED : FILES_CREATE;
	TRY(files_open(s->files, name, how, &f->wal.file));
	result r = wal_open(&f->wal, s->salvage);
	if (failed(r))
		wal_close(&f->wal);
	else
		s->wal = &f->wal;
	return r;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *sf, int flags, int *out_flags)
{
	struct seal *s = seal_of(vfs);
	struct seal_file *f = file_of(sf);
	memset(f, 0, sizeof *f);
	f->seal = s;
	result r;
	if (name && flags & SQLITE_OPEN_MAIN_DB && strcmp(name, s->path) == 0)
		r = open_main(s, f, flags);
	else if (name && flags & SQLITE_OPEN_WAL && !s->wal)
		r = open_log(s, f, name);
	else
		return SQLITE_CANTOPEN; /* nothing else may ever reach the disk */
	if (failed(r))
		return to_sqlite(s, r, SQLITE_CANTOPEN);
	f->base.pMethods = flags & SQLITE_OPEN_WAL ? &log_methods : &main_methods;
	if (out_flags)
		*out_flags = flags;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	(void)name;
	(void)sync;
	return SQLITE_IOERR_DELETE; /* SQLite has no file of its own to delete here */
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	(void)flags;
	struct seal *s = seal_of(vfs);
	bool there = false;
	result r = files_exists(s->files, name, &there);
	*out = there;
	return to_sqlite(s, r, SQLITE_IOERR_ACCESS);
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
	(void)vfs;
	size_t size = strlen(name) + 1;
	if (size > (size_t)n)
		return SQLITE_CANTOPEN;
	memcpy(out, name, size);
	return SQLITE_OK;
}

static int vfs_random(sqlite3_vfs *vfs, int n, char *out)
{
	(void)vfs;
	randombytes_buf(out, (size_t)n);
	return n;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
	(void)vfs;
	return microseconds; /* nobody else can hold a lock, so there is nothing to wait for */
}

static int vfs_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
	(void)vfs;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	*out = 210866760000000 + (sqlite3_int64)now.tv_sec * 1000 + now.tv_nsec / 1000000; /* Julian day, in ms */
	return SQLITE_OK;
}

static int vfs_time(sqlite3_vfs *vfs, double *out)
{
	sqlite3_int64 ms;
	int rc = vfs_time_ms(vfs, &ms);
	*out = (double)ms / 86400000.0;
	return rc;
}

static int vfs_last_error(sqlite3_vfs *vfs, int n, char *out)
{
	(void)vfs;
	(void)n;
	(void)out;
	return 0;
}

result seal_start(void)
{
	static _Atomic int state; /* 0 not started, 1 starting, 2 started */
	int idle = 0;
	if (!atomic_compare_exchange_strong(&state, &idle, 1))
		return OK;
	char draw;
	if (sodium_init() < 0)
		return failure(FAIL_DISK, "libsodium can't start: the kernel gives no random bytes");
	TRY(aead_start());
	sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1);
	if (sqlite3_initialize() != SQLITE_OK)
		return failure(FAIL_MEMORY, "SQLite can't start");
	sqlite3_randomness(1, &draw); /* its generator opens /dev/urandom once */
	state = 2;
	return OK;
}

result seal_new(const struct seal_options *options, struct seal **out)
{
	struct seal *s = mem_alloc(sizeof *s);
	if (!s)
		return failure(FAIL_MEMORY, "out of memory");
	s->files = options->files;
	s->path = options->path;
	s->salvage = options->salvage;
	s->mirror = options->mirror;
	memcpy(s->box.key, options->key, BOX_KEY);
	memcpy(s->box.id, options->id, BOX_ID);
	snprintf(s->name, sizeof s->name, "seal-%p", (void *)s);
	s->vfs = (sqlite3_vfs){
		.iVersion = 2,
		.szOsFile = sizeof(struct seal_file),
		.mxPathname = 512,
		.zName = s->name,
		.pAppData = s,
		.xOpen = vfs_open,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_full_name,
		.xRandomness = vfs_random,
		.xSleep = vfs_sleep,
		.xCurrentTime = vfs_time,
		.xCurrentTimeInt64 = vfs_time_ms,
		.xGetLastError = vfs_last_error,
	};
	if (sqlite3_vfs_register(&s->vfs, 0) != SQLITE_OK) {
		seal_free(&s);
		return failure(FAIL_MEMORY, "SQLite does not take the seal");
	}
	*out = s;
	return OK;
}

void seal_free(struct seal **seal)
{
	if (*seal) {
		sqlite3_vfs_unregister(&(*seal)->vfs);
		box_wipe(&(*seal)->box);
		sodium_memzero((*seal)->unit, SEAL_PAGE);
		mem_free(*seal);
	}
	*seal = NULL;
}

int seal_connect(struct seal *s, int flags, sqlite3 **out)
{
	return sqlite3_open_v2(s->path, out, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, s->name);
}

const char *seal_trouble(const struct seal *s, enum fail_kind *kind)
{
	*kind = s->trouble.kind;
	return s->trouble.text;
}

uint32_t seal_log_frames(const struct seal *s)
{
	return s->wal ? s->wal->frames : 0;
}

void seal_trim(struct seal *s)
{
	if (s->wal)
		wal_trim(s->wal);
}
