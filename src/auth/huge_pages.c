#include "auth/huge_pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sanitized.h"

static _Thread_local bool wanted;
static _Thread_local size_t made;

void huge_pages_begin(void)
{
	wanted = true;
	made = 0;
}

size_t huge_pages_end(void)
{
	wanted = false;
	return made;
}

#if !SANITIZED

/* With 64-bit offsets <sys/mman.h> calls it mmap64; libsodium's own calls are to mmap. */
void *huge_pages_map(void *at, size_t n, int protection, int flags, int fd, off_t offset) __asm__("mmap");

static void *ask_kernel(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	return (void *)syscall(SYS_mmap, at, n, protection, flags, fd, offset);
}

/* Asks for a huge page more and cuts off what lies before the first one and behind the last. */
static void *map_aligned(size_t n, int protection, int flags)
{
	unsigned char *whole = ask_kernel(NULL, n + HUGE_PAGE, protection, flags & ~MAP_POPULATE, -1, 0);
	if (whole == MAP_FAILED)
		return whole;
	size_t before = (HUGE_PAGE - (uintptr_t)whole % HUGE_PAGE) % HUGE_PAGE;
	unsigned char *p = whole + before;
	if (before)
		munmap(whole, before);
	if (before < HUGE_PAGE)
		munmap(p + n, HUGE_PAGE - before);
	/* Advice: without huge pages, or on a kernel before 5.14, it is filled in as it is used. */
	(void)!madvise(p, n, MADV_HUGEPAGE);
	(void)!madvise(p, n, MADV_POPULATE_WRITE);
	made++;
	return p;
}

void *huge_pages_map(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	bool fits = n >= HUGE_PAGE && n < SIZE_MAX - HUGE_PAGE && n % (size_t)getpagesize() == 0;
	if (wanted && !at && (flags & MAP_ANONYMOUS) && fits)
		return map_aligned(n, protection, flags);
	return ask_kernel(at, n, protection, flags, fd, offset);
}

#endif
