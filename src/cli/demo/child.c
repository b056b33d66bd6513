/* posternd as the demo's child. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/demo/demo.h"
#include "run/clock.h"
#include "run/random.h"

/* posternd says READY=1 to the socket named in NOTIFY_SOCKET, as it does to
 * systemd (sd_notify(3)). An abstract name needs no path of limited length. */
static result open_notify(struct demo *d, char name[64])
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int n = snprintf(name, 64, "@postern-demo-%d-%016llx", (int)getpid(), (unsigned long long)random_u64());
	memcpy(a.sun_path + 1, name + 1, (size_t)n - 1);
	d->ready_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n);
	if (d->ready_fd < 0 || bind(d->ready_fd, (const struct sockaddr *)&a, size) < 0)
		return demo_trouble(d, FAIL_NETWORK, "no socket can be made to hear from posternd: %s", strerror(errno));
	return OK;
}

static bool find_posternd(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	if (n > 0) {
		path[n] = '\0';
		char *slash = strrchr(path, '/');
		size_t left = size - (size_t)(slash + 1 - path);
		if (snprintf(slash + 1, left, "posternd") < (int)left && access(path, X_OK) == 0)
			return true;
	}
	return snprintf(path, size, "%s/posternd", POSTERN_SBIN) < (int)size && access(path, X_OK) == 0;
}

struct starting {
	char program[4096], config[4200], notify[64];
	pid_t parent;
};

/* In the child. Standard output is the demo's own. */
static _Noreturn void become_posternd(const struct starting *s)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != s->parent)
		_exit(1);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	setenv("NOTIFY_SOCKET", s->notify, 1);
	setpgid(0, 0); /* Ctrl-C is the demo's to answer */
	execl(s->program, "posternd", "-c", s->config, (char *)NULL);
	dprintf(STDERR_FILENO, "postern demo: %s cannot be started: %s\n", s->program, strerror(errno));
	_exit(1);
}

static result begin(struct demo *d)
{
	struct starting s = {.parent = getpid()};
	if (!find_posternd(s.program, sizeof s.program))
		return failure(FAIL_ABSENT, "posternd is neither beside this command nor installed; build or install it");
	must(demo_path(d, "demo.conf", s.config, sizeof s.config));
	TRY(open_notify(d, s.notify));
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		become_posternd(&s);
	if (pid < 0)
		return demo_trouble(d, FAIL_LIMIT, "posternd cannot be started: %s", strerror(errno));
	d->child = pid;
	d->child_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return d->child_fd < 0 ? demo_trouble(d, FAIL_LIMIT, "posternd cannot be watched: %s", strerror(errno)) : OK;
}

static result describe_end(struct demo *d)
{
	int status = 0;
	waitpid(d->child, &status, 0);
	d->child = 0;
	if (WIFSIGNALED(status))
		return demo_trouble(d, FAIL_CLOSED, "posternd was ended by signal %d (%s); what it said is above",
				    WTERMSIG(status), strsignal(WTERMSIG(status)));
	return demo_trouble(d, FAIL_CLOSED, "posternd ended with status %d; what it said is above (when a port is taken: "
			    "choose others with --port-base, now %u)", WEXITSTATUS(status), d->base);
}

static bool is_ready(const struct demo *d)
{
	char text[512];
	ssize_t n = recv(d->ready_fd, text, sizeof text, 0);
	return n > 0 && str_find(str_of(text, (size_t)n), STR("READY=1")) != STR_NONE;
}

enum { ON_SIGNAL, ON_END, ON_READY, EVENTS };

static int wait_events(const struct demo *d, struct pollfd p[EVENTS], int ms)
{
	p[ON_SIGNAL] = (struct pollfd){.fd = d->signals, .events = POLLIN};
	p[ON_END] = (struct pollfd){.fd = d->child_fd, .events = POLLIN};
	p[ON_READY] = (struct pollfd){.fd = d->ready_fd, .events = POLLIN};
	return poll(p, EVENTS, ms);
}

result demo_child_start(struct demo *d)
{
	struct pollfd p[EVENTS];
	TRY(begin(d));
	uint64_t until = clock_mono_ms() + DEMO_READY_S * 1000;
	for (;;) {
		uint64_t now = clock_mono_ms();
		if (now >= until)
			return demo_trouble(d, FAIL_TIMEOUT, "posternd was not ready after %d seconds", DEMO_READY_S);
		wait_events(d, p, (int)(until - now));
		if (p[ON_SIGNAL].revents)
			return failure(FAIL_CANCELLED, "interrupted");
		if (p[ON_READY].revents && is_ready(d))
			return OK;
		if (p[ON_END].revents)
			return describe_end(d);
	}
}

result demo_child_wait(struct demo *d)
{
	struct pollfd p[EVENTS];
	for (;;) {
		wait_events(d, p, -1);
		if (p[ON_SIGNAL].revents)
			return OK;
		if (p[ON_END].revents)
			return describe_end(d);
		if (p[ON_READY].revents)
			is_ready(d);
	}
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void demo_child_stop(struct demo *d)
{
	struct pollfd p = {.fd = d->child_fd, .events = POLLIN};
	if (d->child > 0) {
		kill(d->child, SIGTERM);
		while (poll(&p, 1, DEMO_STOP_S * 1000) < 0 && errno == EINTR)
			;
		if (!p.revents) {
			fprintf(stderr, "postern demo: posternd did not end in time and is killed\n");
			kill(d->child, SIGKILL);
		}
		waitpid(d->child, NULL, 0);
	}
	d->child = 0;
	shut(&d->child_fd);
	shut(&d->ready_fd);
}
