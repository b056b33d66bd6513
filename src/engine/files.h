/* The one seam to files of mail: everything the engine reads or writes passes
 * here, so that tests can lose, tear and refuse writes (files_sim.h).
 *
 * Paths are relative to the folder the implementation was made for and are
 * given as C strings made by us, never by a client. A file belongs to who
 * opened it; file_close leaves NULL. Offsets and sizes are bytes. Nothing
 * suspends a fiber: calls block their thread. Errors: ABSENT (no such file),
 * EXISTS, BUSY (locked by another process), FULL (no room), DISK (the rest).
 *
 * System calls of the local implementation: openat, pread64, pwrite64,
 * fdatasync, fsync, ftruncate, unlinkat, renameat, fstat, newfstatat, flock,
 * close, and getdents64 for files_list. */
#ifndef ENGINE_FILES_H
#define ENGINE_FILES_H

#include "base/fail.h"
#include "base/str.h"

struct files;

/* Implementations put this first into their own file. */
struct file {
	struct files *owner;
};

enum files_how {
	FILES_READ = 0,
	FILES_WRITE = 1,      /* read and write */
	FILES_CREATE = 2 | 1, /* made when it is missing */
	FILES_NEW = 4 | 3,    /* must not be there: EXISTS */
	FILES_BLOCKS = 8,     /* with one of the others: file_write_blocks will be used */
	FILES_FLUSHED = 16,   /* and with that: also with `flush` */
};

enum { FILES_BLOCK = 4096 };

struct files_ops {
	result (*open)(struct files *f, const char *path, enum files_how how, struct file **out);
	void (*close)(struct file *file);
	result (*read)(struct file *file, uint64_t at, void *p, size_t *n);
	result (*write)(struct file *file, uint64_t at, str bytes);
	result (*write_blocks)(struct file *file, uint64_t at, str bytes, bool flush);
	result (*sync)(struct file *file);
	result (*truncate)(struct file *file, uint64_t size);
	result (*size)(struct file *file, uint64_t *out);
	result (*lock)(struct file *file);
	result (*rename)(struct files *f, const char *from, const char *to);
	result (*unlink)(struct files *f, const char *path);
	result (*exists)(struct files *f, const char *path, bool *out);
	result (*sync_folder)(struct files *f);
	result (*list)(struct files *f, result (*each)(void *ctx, str name), void *ctx);
};

struct files {
	const struct files_ops *ops;
};

/* Files below an open folder (AT_FDCWD: the working directory). The caller
 * keeps the descriptor open. */
struct files_local {
	struct files base;
	int folder;
};
struct files_local files_local(int folder);

result files_open(struct files *f, const char *path, enum files_how how, struct file **out) NODISCARD;
void file_close(struct file **file);
/* Reads up to *n bytes and sets *n to what was there: less only at the end of the file. */
result file_read(struct file *file, uint64_t at, void *p, size_t *n) NODISCARD;
result file_write(struct file *file, uint64_t at, str bytes) NODISCARD; /* all of it, or an error */
/* The same for whole blocks: place, length and memory are multiples of FILES_BLOCK. Where the file system lets it, the
 * system keeps no copy of them: cheaper for what is written once, and dear to read.
 * With `flush` these blocks, and no others, are durable when it returns OK, at one call less than by file_sync. FULL:
 * they were not all written, and nothing was flushed; any other failure: nobody knows. */
result file_write_blocks(struct file *file, uint64_t at, str bytes, bool flush) NODISCARD;
result file_sync(struct file *file) NODISCARD;                         /* contents and size are durable */
/* Of a flush: FULL becomes DISK. Callers take a lack of room for a write that was refused; a flush that failed says
 * nothing of the kind. */
result file_flushed(result r) NODISCARD;
result file_truncate(struct file *file, uint64_t size) NODISCARD;
result file_size(struct file *file, uint64_t *out) NODISCARD;
result file_lock(struct file *file) NODISCARD; /* exclusive, until closed; BUSY at once when held */
result files_rename(struct files *f, const char *from, const char *to) NODISCARD; /* replaces */
result files_unlink(struct files *f, const char *path) NODISCARD;
result files_unlink_if_there(struct files *f, const char *path) NODISCARD;
result files_exists(struct files *f, const char *path, bool *out) NODISCARD;
result files_sync_folder(struct files *f) NODISCARD; /* names made, renamed and removed are durable */
/* Calls each once per name, without "." and ".."; its error ends the walk and is returned. */
result files_list(struct files *f, result (*each)(void *ctx, str name), void *ctx) NODISCARD;

#define AUTO_FILE __attribute__((cleanup(file_close)))

#endif
