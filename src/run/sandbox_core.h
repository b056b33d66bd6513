/* What sandbox.c and sandbox_fs.c share. */
#ifndef RUN_SANDBOX_CORE_H
#define RUN_SANDBOX_CORE_H

#include "base/sanitized.h"
#include "run/sandbox.h"

/* AddressSanitizer's run time reads /proc/self/maps at every abandoned stack, so
 * its builds, and only they, may open files below /proc and stay dumpable; this
 * table is empty in others. */
extern const struct sandbox_call sandbox_sanitizer[];

int landlock_abi(int abi_max); /* that would be used; 0 when there is none or it is older than the floor */
result landlock_enter(const struct sandbox *s, int *abi) NODISCARD;

#endif
