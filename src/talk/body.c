#include "talk/body.h"
#include "talk/shape.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static result fill(int fd, str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failure(FAIL_MEMORY, "no memory for a long message; the machine is short of it");
		s = str_skip(s, (size_t)n);
	}
	if (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) != 0)
		return failure(FAIL_MEMORY, "a memory file could not be sealed");
	return OK;
}

result body_seal(str bytes, int *out)
{
	int fd = memfd_create("body", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return failure(FAIL_LIMIT, "no descriptor for a long message; raise the limit of open files");
	result r = fill(fd, bytes);
	if (failed(r))
		close(fd);
	else
		*out = fd;
	return r;
}

result body_share(struct body *b)
{
	if (b->memfd > 0 || b->bytes.n <= TALK_INLINE_MAX)
		return OK;
	int fd;
	TRY(body_seal(b->bytes, &fd));
	return body_map(fd, b->bytes.n, b);
}

static result check(int fd, uint64_t size)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & SEALS) != SEALS)
		return failure(FAIL_PEER, "a long message is not in a sealed memory file");
	if (fstat(fd, &st) != 0 || st.st_size < 0 || (uint64_t)st.st_size != size || size == 0)
		return failure(FAIL_PEER, "a long message has another size than announced");
	return OK;
}

result body_map(int fd, uint64_t size, struct body *out)
{
	result r = check(fd, size);
	void *p = MAP_FAILED;
	if (!failed(r)) {
		p = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED)
			r = failure(FAIL_MEMORY, "no address space for a long message");
	}
	if (failed(r)) {
		close(fd);
		return r;
	}
	*out = (struct body){str_of(p, (size_t)size), fd, true};
	return OK;
}

void body_free(struct body *b)
{
	if (b->owned) {
		munmap((void *)(uintptr_t)b->bytes.p, b->bytes.n);
		close(b->memfd);
	}
	*b = body_of(str_of(NULL, 0));
}
