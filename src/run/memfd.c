#include "run/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

enum { WINDOW_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE };

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U /* Linux 6.3 */
#endif

result memfd_create_empty(const char *name, int *fd)
{
	int got = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	if (got < 0 && errno == EINVAL)
		got = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (got < 0 && (errno == EMFILE || errno == ENFILE))
		return failure(FAIL_LIMIT, "Too many descriptors are open to hold another message.");
	if (got < 0)
		return failure(FAIL_MEMORY, "There is no memory to hold another message.");
	*fd = got;
	return OK;
}

result memfd_append(int fd, str bytes)
{
	while (bytes.n) {
		ssize_t n = write(fd, bytes.p, bytes.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failure(FAIL_MEMORY, "There is no memory to hold the message.");
		bytes = str_skip(bytes, (size_t)n);
	}
	return OK;
}

result memfd_seal(int fd)
{
	if (fcntl(fd, F_ADD_SEALS, SEALS) != 0)
		return failure(FAIL_CONFLICT, "The memory cannot be sealed: something still maps it for writing.");
	return OK;
}

result memfd_of(str bytes, int *fd)
{
	int made = -1;
	TRY(memfd_create_empty("body", &made));
	result r = memfd_append(made, bytes);
	if (!failed(r))
		r = memfd_seal(made);
	if (failed(r)) {
		close(made);
		return r;
	}
	*fd = made;
	return OK;
}

result memfd_check(int fd, uint64_t max, uint64_t *size)
{
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & SEALS) != SEALS)
		return failure(FAIL_PEER, "A descriptor that should be sealed memory is not.");
	struct stat st;
	if (fstat(fd, &st) != 0 || st.st_size < 0 || (uint64_t)st.st_size > max)
		return failure(FAIL_PEER, "Sealed memory is larger than was agreed.");
	*size = (uint64_t)st.st_size;
	return OK;
}

result memfd_map(int fd, uint64_t max, enum memfd_for what, str *out)
{
	uint64_t size = 0;
	TRY(memfd_check(fd, max, &size));
	if (!size) {
		*out = str_of("", 0);
		return OK;
	}
	/* MAP_SHARED of a write-sealed memfd: nothing is copied, nothing can change. */
	void *p = mmap(NULL, size, PROT_READ, MAP_SHARED | (what == MEMFD_READING ? MAP_POPULATE : 0), fd, 0);
	if (p == MAP_FAILED)
		return failure(FAIL_MEMORY, "There is no address space to read the message.");
	*out = str_of(p, size);
	return OK;
}

void memfd_unmap(str *view)
{
	if (view->n)
		munmap((void *)(uintptr_t)view->p, view->n);
	*view = str_of(NULL, 0);
}

/* ---- windows ---- */

static bool has_size(int fd, size_t size)
{
	struct stat st;
	return fstat(fd, &st) == 0 && st.st_size >= 0 && (uint64_t)st.st_size == size;
}

result memfd_window_make(const char *name, size_t size, int *fd)
{
	int made = -1;
	TRY(memfd_create_empty(name, &made));
	if (ftruncate(made, (off_t)size) != 0) {
		close(made);
		return failure(FAIL_MEMORY, "There is no memory for what rooms share.");
	}
	*fd = made;
	return OK;
}

result memfd_window_write(int fd, size_t size, void **out)
{
	if (!has_size(fd, size))
		return failure(FAIL_PEER, "Shared memory is of another size than was agreed.");
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & WINDOW_SEALS))
		return failure(FAIL_CONFLICT, "Shared memory has a writer already.");
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return failure(FAIL_MEMORY, "There is no address space for what rooms share.");
	if (fcntl(fd, F_ADD_SEALS, WINDOW_SEALS) != 0) {
		munmap(p, size);
		return failure(FAIL_CONFLICT, "Shared memory cannot be sealed (Linux 5.1 or later can).");
	}
	*out = p;
	return OK;
}

bool memfd_window_is_shut(int fd, size_t size)
{
	int seals = fcntl(fd, F_GET_SEALS);
	return seals >= 0 && (seals & WINDOW_SEALS) == WINDOW_SEALS && has_size(fd, size);
}

result memfd_window_read(int fd, size_t size, const void **out)
{
	if (!memfd_window_is_shut(fd, size))
		return failure(FAIL_PEER, "Shared memory is not sealed as was agreed.");
	void *p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return failure(FAIL_MEMORY, "There is no address space for what rooms share.");
	*out = p;
	return OK;
}

void memfd_window_unmap(const void *p, size_t size)
{
	if (p)
		munmap((void *)(uintptr_t)p, size);
}
