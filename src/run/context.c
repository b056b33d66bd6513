/* FORTIFY's longjmp only accepts jumps up the same stack; ours go elsewhere. */
#undef _FORTIFY_SOURCE

#include "run/context.h"

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sanitized.h"
#include "run/fiber.h"

#if SANITIZED
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
enum { STACK_BYTES = 4 * FIBER_STACK }; /* its red zones make frames several times larger */
#else
enum { STACK_BYTES = FIBER_STACK };
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13 */
#endif

static size_t page_size(void)
{
	static size_t size;
	if (!size)
		size = (size_t)sysconf(_SC_PAGESIZE);
	return size;
}

/* A guard by madvise leaves neighbouring stacks in one kernel mapping; mprotect
 * makes two of each, and a process may have 65,530. */
static bool guard(void *page)
{
	return madvise(page, page_size(), MADV_GUARD_INSTALL) == 0 || mprotect(page, page_size(), PROT_NONE) == 0;
}

result context_map(struct context *c, size_t keep)
{
	enum { LINE = 64 };
	size_t all = STACK_BYTES + page_size(), kept = (keep + LINE - 1) / LINE * LINE;
	char *p = MAP_FAILED;
	if (!mem_refused())
		p = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return failure(FAIL_MEMORY, "There is no memory for another session's stack.");
	if (!guard(p)) {
		munmap(p, all);
		return failure(FAIL_MEMORY, "There is no memory for another session's stack.");
	}
	/* A huge page would make one small stack cost 2 MiB. */
	madvise(p, all, MADV_NOHUGEPAGE);
	*c = (struct context){.stack = p + page_size(), .size = STACK_BYTES - kept};
	return OK;
}

void context_unmap(struct context *c)
{
	if (!c->stack)
		return;
#if SANITIZED
	ASAN_UNPOISON_MEMORY_REGION(c->stack, c->size);
#endif
	munmap(c->stack - page_size(), STACK_BYTES + page_size());
	c->stack = NULL;
}

void context_trim(struct context *c)
{
	enum { RED_ZONE = 512 }; /* context_switch's own frame and the 128 bytes the ABI allows below it */
	size_t unused = (size_t)(c->top - c->stack);
	if (unused < RED_ZONE)
		return;
	unused = (unused - RED_ZONE) / page_size() * page_size();
	if (unused)
		madvise(c->stack, unused, MADV_DONTNEED);
}

static void announce(struct context *from, const struct context *to)
{
#if SANITIZED
	__sanitizer_start_switch_fiber(&from->fake_stack, to->stack, to->size);
#else
	(void)from;
	(void)to;
#endif
}

void context_arrived(struct context *self, struct context *from)
{
#if SANITIZED
	const void *stack = NULL;
	size_t size = 0;
	__sanitizer_finish_switch_fiber(self->fake_stack, &stack, &size);
	if (from && !from->stack) {
		from->stack = (char *)(uintptr_t)stack;
		from->size = size;
	}
#else
	(void)self;
	(void)from;
#endif
}

/* Its frame is left behind without a return, so AddressSanitizer must not put red zones there. */
__attribute__((noinline, no_sanitize("address"))) static _Noreturn void begin(struct context *c, void (*entry)(void))
{
	ucontext_t u;
	must(getcontext(&u) == 0);
	u.uc_stack.ss_sp = c->stack;
	u.uc_stack.ss_size = c->size;
	u.uc_link = NULL;
	makecontext(&u, entry, 0);
	setcontext(&u);
	must_failed("setcontext returned", __FILE__, __LINE__);
}

__attribute__((noinline)) void context_switch(struct context *from, struct context *to, void (*entry)(void))
{
	from->top = __builtin_frame_address(0);
	announce(from, to);
	if (_setjmp(from->env) == 0) {
		if (to->entered)
			_longjmp(to->env, 1);
		to->entered = true;
		begin(to, entry);
	}
	context_arrived(from, NULL);
}
