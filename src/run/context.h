/* One thread of execution with a stack of its own, and the switch between two.
 *
 * Made with ucontext, switched with _setjmp/_longjmp: swapcontext would make
 * two signal-mask system calls at each switch. Used by fiber.c alone. */
#ifndef RUN_CONTEXT_H
#define RUN_CONTEXT_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/fail.h"

struct context {
	jmp_buf env;
	char *stack; /* lowest usable byte; a guard page lies below */
	size_t size;
	char *top;        /* where the suspended context's stack ends, lowest byte in use */
	void *fake_stack; /* AddressSanitizer's */
	bool entered;
};

/* Of what is mapped the highest `keep` octets are the caller's, zeroed, from stack + size on. MEMORY */
result context_map(struct context *c, size_t keep) NODISCARD;
void context_unmap(struct context *c);
/* Gives the pages below what the suspended context uses back to the machine. */
void context_trim(struct context *c);

/* Leaves `from` and goes on in `to`; returns when somebody switches back. A
 * context that was never entered begins in `entry`, which must not return. */
void context_switch(struct context *from, struct context *to, void (*entry)(void));
/* First thing in `entry`; `from` learns its stack's bounds. */
void context_arrived(struct context *self, struct context *from);

#endif
