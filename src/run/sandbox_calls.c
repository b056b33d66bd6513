/* What each kind of room may ask of the kernel. Left out on purpose: everything
 * path-based that Landlock ABI 2 does not cover (truncate, chmod, chown, utime,
 * xattr, link), kill, ptrace, execve, io_uring, and making executable memory. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "run/sandbox_core.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

/* What glibc's pthread_create asks for, exactly. */
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_SIGHAND | CLONE_THREAD | CLONE_SETTLS \
	| CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

#define EQUALS(ARG, VALUE) SANDBOX_EQUALS, (ARG), (uint64_t)(VALUE)
#define WITHOUT(ARG, BITS) SANDBOX_MASKED, (ARG), 0, (uint64_t)(BITS)
#define WITH(ARG, BITS) SANDBOX_MASKED, (ARG), (uint64_t)(BITS), (uint64_t)(BITS)

const struct sandbox_call sandbox_base[] = {
	/* memory, never executable */
	{"brk"}, {"munmap"}, {"mremap"}, {"madvise"}, {"mlock"}, {"mlock2"}, {"munlock"}, {"membarrier"},
	{"mmap", WITHOUT(2, PROT_EXEC)}, {"mprotect", WITHOUT(2, PROT_EXEC)},
	/* threads of its own */
	{"clone", EQUALS(0, THREAD_FLAGS)}, {"futex"}, {"set_robust_list"}, {"rseq"}, {"sched_yield"}, {"gettid"},
	{"sched_getaffinity"}, {"getcpu"}, {"exit"}, {"exit_group"}, {"prctl", EQUALS(0, PR_SET_NAME)},
	{"prctl", EQUALS(0, PR_SET_VMA)},
	/* signals: to itself only, and SIGSYS stays the jail's */
	{"rt_sigaction", SANDBOX_NOT, 0, SIGSYS}, {"rt_sigprocmask"}, {"rt_sigreturn"}, {"sigaltstack"},
	{"restart_syscall"}, {"tgkill", SANDBOX_OWN_PID, 0},
	/* time, randomness, who am I */
	{"clock_gettime"}, {"clock_getres"}, {"clock_nanosleep"}, {"nanosleep"}, {"gettimeofday"}, {"time"},
	{"getrandom"}, {"getpid"}, {"getppid"}, {"getuid"}, {"geteuid"}, {"getgid"}, {"getegid"}, {"getrusage"},
	{"sysinfo"}, {"uname"}, {"prlimit64", EQUALS(2, 0)},
	/* descriptors it holds: the loop, channels, bodies in sealed memory */
	{"epoll_wait"}, {"epoll_pwait"}, {"epoll_ctl"}, {"eventfd2"}, {"poll"}, {"ppoll"},
	{"read"}, {"readv"}, {"pread64"}, {"write"}, {"writev"}, {"pwrite64"}, {"lseek"}, {"close"}, {"fstat"},
	{"newfstatat", WITH(3, AT_EMPTY_PATH)},
	{"recvmsg"}, {"sendmsg"}, {"recvfrom"}, {"sendto"}, {"recvmmsg"}, {"sendmmsg"}, {"shutdown"}, {"getsockopt"},
	{"setsockopt", EQUALS(2, SO_SNDBUF)}, /* how much a channel may hold */
	{"memfd_create"}, {"ftruncate"},
	{"ioctl", EQUALS(1, FIONBIO)}, {"ioctl", EQUALS(1, FIONREAD)}, {"ioctl", EQUALS(1, TCGETS)},
	/* fcntl without F_SETOWN and F_SETSIG, which send signals to others */
	{"fcntl", EQUALS(1, F_GETFD)}, {"fcntl", EQUALS(1, F_SETFD)}, {"fcntl", EQUALS(1, F_GETFL)},
	{"fcntl", EQUALS(1, F_SETFL)}, {"fcntl", EQUALS(1, F_DUPFD_CLOEXEC)}, {"fcntl", EQUALS(1, F_ADD_SEALS)},
	{"fcntl", EQUALS(1, F_GET_SEALS)},
	{0},
};

const struct sandbox_call sandbox_sanitizer[] = {
#if SANITIZED
	{"personality"}, {"getrlimit"}, {"setrlimit"}, {"prctl"}, {"openat"}, {"readlink"}, {"readlinkat"},
#endif
	{0},
};

const struct sandbox_call sandbox_files[] = {
	{"openat"}, {"newfstatat"}, {"getdents64"}, {"mkdirat"}, {"unlinkat"}, {"renameat"},
	{"fsync"}, {"fdatasync"}, {"fallocate"}, {"flock"},
	{0},
};

const struct sandbox_call sandbox_accept[] = {
	{"accept4"}, {"setsockopt"}, {"getsockname"}, {"getpeername"},
	{0},
};

const struct sandbox_call sandbox_connect[] = {
	{"socket", EQUALS(0, AF_INET)}, {"socket", EQUALS(0, AF_INET6)}, {"connect"}, {"bind"}, {"setsockopt"},
	{"getsockname"}, {"getpeername"},
	{0},
};

#define ANSWER(ERROR) SANDBOX_ALWAYS, 0, 0, 0, (ERROR)

const struct sandbox_call sandbox_answered[] = {
	{"clone3", ANSWER(ENOSYS)}, /* its flags lie in memory, where a filter cannot see them; glibc falls back */
	{"statx", ANSWER(ENOSYS)}, {"faccessat2", ANSWER(ENOSYS)},
	{"openat", ANSWER(EACCES)}, {"open", ANSWER(EACCES)}, {"access", ANSWER(EACCES)}, {"faccessat", ANSWER(EACCES)},
	{"stat", ANSWER(EACCES)}, {"lstat", ANSWER(EACCES)}, {"readlink", ANSWER(EACCES)},
	{"readlinkat", ANSWER(EACCES)}, {"getcwd", ANSWER(EACCES)}, {"statfs", ANSWER(EACCES)},
	{"newfstatat", SANDBOX_MASKED, 3, 0, AT_EMPTY_PATH, EACCES},
	{0},
};
