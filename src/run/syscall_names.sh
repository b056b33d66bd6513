#!/bin/sh
# Prints the system calls of this machine as a table: syscall_names.sh COMPILER... > syscall_names.h
set -e
echo '/* Made by syscall_names.sh. Flat characters: no pointers to relocate, so rooms share the pages. */'
echo '#include <sys/syscall.h>'
echo 'static const char syscall_names[][32] = {'
echo '#include <sys/syscall.h>' | "$@" -dM -E - | sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/\1/p' | sort | grep -v -x syscalls |
	sed 's/.*/	[__NR_&] = "&",/'
echo '};'
echo 'enum { SYSCALL_NAMES = sizeof(syscall_names) / sizeof(*syscall_names) };'
