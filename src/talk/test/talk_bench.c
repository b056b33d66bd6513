/* What one hop costs: two processes, one channel, calls and answers.
 * talk_bench [SECONDS]: round trips a second and CPU of both sides for each. */
#include "talk/test/asker_teller.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/clock.h"
#include "run/loop.h"

static struct {
	struct channel *channel;
	size_t size;
	struct body shared; /* memfd made once, where shared.memfd > 0 */
	bool long_body;
	uint64_t end_ns;
	uint64_t done;
	struct gate peer_gone;
} bench;

static char text[1 << 20];

static result echo(struct arrival *in, struct asker_teller_ping *m, struct asker_teller_pong *answer)
{
	(void)in;
	answer->payload = m->payload;
	return OK;
}

static result count(struct arrival *in, struct asker_teller_everything *m, struct asker_teller_everything_is *answer)
{
	(void)in;
	answer->verdict = m->letter.bytes.n == sizeof text ? ASKER_TELLER_VERDICT_OK : ASKER_TELLER_VERDICT_DENIED;
	return OK;
}

static void gone(void *ctx, struct channel *c, result why)
{
	(void)ctx;
	(void)c;
	(void)why;
	gate_wake_all(&bench.peer_gone);
}

static void serve(void *arg)
{
	static const struct asker_teller_as_teller handlers = {.ping = echo, .everything = count};
	struct channel_options o = {.fd = *(int *)arg, .peer = "asker 1", .ended = gone};
	gate_init(&bench.peer_gone);
	must(!failed(asker_teller_open_as_teller(&o, &handlers, &bench.channel)));
	must(!failed(gate_wait(&bench.peer_gone, FIBER_FOREVER)));
	channel_close(&bench.channel);
}

static result once(arena *a)
{
	if (!bench.long_body) {
		struct asker_teller_ping q = {.payload = str_of(text, bench.size)};
		struct asker_teller_pong answer;
		return asker_teller_ping_call(bench.channel, NULL, &q, a, &answer);
	}
	struct asker_teller_everything q = {.letter = body_view(&bench.shared)};
	struct asker_teller_everything_is is;
	result r = asker_teller_everything_call(bench.channel, NULL, &q, a, &is);
	must(failed(r) || is.verdict == ASKER_TELLER_VERDICT_OK);
	return r;
}

static void caller(void *arg)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	(void)arg;
	while (clock_mono_ns() < bench.end_ns) {
		must(!failed(once(&a)));
		bench.done++;
		arena_clear(&a);
	}
	if (fiber_count() == 1)
		channel_close(&bench.channel);
}

static double cpu_us(int who)
{
	struct rusage u;
	getrusage(who, &u);
	double seconds = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec);
	return seconds * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void in_child(int fd)
{
	must(!failed(loop_open()) && !failed(fiber_start(serve, &fd, "serve", NULL)));
	loop_run();
	_exit(0);
}

static void measure(const char *what, int callers, double seconds)
{
	int fd[2];
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == 0);
	double children = cpu_us(RUSAGE_CHILDREN);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		close(fd[0]);
		in_child(fd[1]);
	}
	close(fd[1]);
	must(!failed(loop_open()));
	struct channel_options o = {.fd = fd[0], .peer = "teller 1"};
	must(!failed(asker_teller_open_as_asker(&o, NULL, &bench.channel)));
	bench.done = 0;
	double before = cpu_us(RUSAGE_SELF);
	uint64_t start = clock_mono_ns();
	bench.end_ns = start + (uint64_t)(seconds * 1e9);
	for (int i = 0; i < callers; i++)
		must(!failed(fiber_start(caller, NULL, "caller", NULL)));
	loop_run();
	double took = (double)(clock_mono_ns() - start) / 1e9;
	loop_close();
	must(waitpid(child, NULL, 0) == child);
	double mine = cpu_us(RUSAGE_SELF) - before, theirs = cpu_us(RUSAGE_CHILDREN) - children;
	double n = (double)bench.done;
	printf("%-28s %3d callers %9.0f calls/s  %6.2f us CPU asker  %6.2f us CPU teller\n", what, callers, n / took,
	       mine / n, theirs / n);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
	static const struct {
		const char *what;
		size_t size;
	} rows[] = {{"100 octets each way", 100}, {"5 KiB each way", 5120}, {"60 KiB each way", 61440}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bench.size = rows[i].size;
		measure(rows[i].what, 1, seconds);
		measure(rows[i].what, 32, seconds);
	}
	bench.long_body = true;
	bench.shared = body_of(str_of(text, sizeof text));
	measure("1 MiB, a memfd each", 1, seconds);
	must(!failed(body_share(&bench.shared)));
	measure("1 MiB, one memfd shared", 1, seconds);
	measure("1 MiB, one memfd shared", 32, seconds);
	body_free(&bench.shared);
	return 0;
}
