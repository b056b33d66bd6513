/* posternd: reads the configuration, binds the ports, starts the rooms.
 *
 *   posternd -c FILE            runs in the foreground
 *   posternd --check -c FILE    names every mistake: file, line, remedy
 *   posternd --help, --version
 *
 * Exit status: 0 ended in order, 1 could not start or the configuration has
 * errors, 2 usage. */
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config/load.h"
#include "run/loop.h"
#include "run/random.h"
#include "supervisor/check.h"
#include "supervisor/house.h"
#include "supervisor/notify.h"
#include "supervisor/pulse.h"
#include "supervisor/voice.h"

enum { PEM_MAX = 32768 };

static void usage(FILE *to)
{
	AUTO_BUF buf options = buf_new(65536);
	config_help(&options);
	fprintf(to,
		"usage: posternd -c FILE            run in the foreground\n"
		"       posternd --check -c FILE    check the configuration only\n"
		"       posternd --version\n\nOptions of the configuration file (`name = value`, default in brackets):\n%.*s",
		(int)options.n, options.p ? options.p : "");
}

struct arguments {
	const char *file;
	bool check;
};

/* -1: go on; otherwise the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *out)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'k'},
		{"help", no_argument, NULL, 'h'},         {"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	for (int c; (c = getopt_long(argc, argv, "c:h", known, NULL)) != -1;) {
		if (c == 'c') {
			out->file = optarg;
		} else if (c == 'k') {
			out->check = true;
		} else if (c == 'V') {
			puts("posternd " POSTERN_VERSION);
			return 0;
		} else {
			usage(c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 2;
		}
	}
	if (out->file && optind == argc)
		return -1;
	fprintf(stderr, "posternd: name the configuration file: posternd -c FILE; `posternd --help` tells more\n");
	return 2;
}

static int complain(const char *what, result r)
{
	fprintf(stderr, "posternd: %s: %s\n", what, r.text);
	return 1;
}

/* The folder that holds posternd also holds the rooms; installed, it is the
 * libexec folder. */
static result find_programs(struct programs *p)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n > 0) {
		self[n] = '\0';
		char *slash = strrchr(self, '/');
		*slash = '\0';
		if (!failed(programs_open(p, self)))
			return OK;
		strncat(self, "/rooms", sizeof self - strlen(self) - 1);
		if (!failed(programs_open(p, self)))
			return OK;
	}
	return programs_open(p, POSTERN_LIBEXEC);
}

/* Many accounts mean many channels, and an edge has two descriptors a session. Above the limit that the shell or
 * systemd gave only root may go; nobody else loses by the attempt. */
static void raise_limits(void)
{
	struct rlimit files, most = {0, 0};
	for (size_t i = 0; i < ROLES; i++) {
		rlim_t wanted = role_row_of((enum role)i)->files;
		most.rlim_max = wanted > most.rlim_max ? wanted : most.rlim_max;
	}
	most.rlim_cur = most.rlim_max;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	if (files.rlim_max < most.rlim_max && setrlimit(RLIMIT_NOFILE, &most) == 0)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

/* For all rooms: who is woken waits for who works, up to a slice of the scheduler's, instead of driving it off the
 * processor. A letter is handed over eight times, and under load a room that is let finish finds more to do at once. A
 * kernel that says no costs nothing else. */
static void wake_gently(void)
{
	(void)sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0});
}

static result set_up(struct house *h, buf *problems)
{
	TRY(find_programs(&h->programs));
	TRY(folders_open(&h->folders, options_text(h->options, OPT_DIRECTORY).p,
			 (uint32_t)options_number(h->options, OPT_UID_BASE)));
	if (fchdir(h->folders.root) < 0)
		return failure(FAIL_DISK, "the data directory cannot be entered");
	TRY(databases_open(&h->databases, h->options));
	TRY(listeners_open(&h->listeners, h->options, problems));
	return house_open(h);
}

static void on_child(void *ctx)
{
	house_reap(ctx);
}

/* SIGTERM and SIGINT end this wait; a second one is not needed. */
static struct gate ending;

static void on_end(void *ctx)
{
	struct house *h = ctx;
	h->ending = true;
	gate_wake_all(&ending);
}

struct life {
	struct house *house;
	int status;
};

static void look_at_databases(void *arg)
{
	struct house *h = arg;
	while (!h->ending && !failed(fiber_sleep(DATABASES_LOOK_MS)))
		if (databases_look(&h->databases))
			house_publish_places(h);
}

static void live(void *arg)
{
	struct life *l = arg;
	struct house *h = l->house;
	result r = house_start(h);
	if (failed(r) && !h->ending) {
		l->status = complain("cannot start", r);
	} else if (!failed(r)) {
		notify(STR("READY=1"));
		voice_open(h);
		r = fiber_start(pulse_watch, h, "pulse", NULL);
		if (!failed(r) && databases_any(&h->databases))
			r = fiber_start(look_at_databases, h, "databases", NULL);
		while (!h->ending)
			if (failed(gate_wait(&ending, FIBER_FOREVER)))
				break;
	}
	notify(STR("STOPPING=1"));
	house_stop(h);
	voice_close();
	loop_end();
}

static int run(struct house *h)
{
	struct life l = {.house = h};
	gate_init(&ending);
	result r = loop_on_signal(SIGCHLD, on_child, h);
	if (!failed(r))
		r = loop_on_signal(SIGTERM, on_end, h);
	if (!failed(r))
		r = loop_on_signal(SIGINT, on_end, h);
	if (!failed(r))
		r = fiber_start(live, &l, "life", NULL);
	if (failed(r))
		return complain("cannot start", r);
	loop_run();
	return l.status;
}

static int start(struct house *h, const char *file)
{
	AUTO_BUF buf problems = buf_new(CONFIG_PROBLEMS_MAX);
	h->best_effort = options_yes(h->options, OPT_ALLOW_UNJAILED) || options_yes(h->options, OPT_DEMO);
	raise_limits();
	wake_gently();
	signal(SIGPIPE, SIG_IGN);
	voice_stderr();
	result r = random_open();
	if (!failed(r))
		r = loop_open();
	if (!failed(r))
		r = set_up(h, &problems);
	if (failed(r)) {
		if (problems.n > 0)
			fwrite(problems.p, 1, problems.n, stderr);
		return complain(file, r);
	}
	int status = run(h);
	listeners_close(&h->listeners);
	databases_close(&h->databases);
	programs_close(&h->programs);
	unlink("admin.sock");
	if (options_text(h->options, OPT_LISTEN_LOCAL).n > 0)
		unlink(options_text(h->options, OPT_LISTEN_LOCAL).p);
	folders_close(&h->folders);
	house_close(h);
	return status;
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	struct options options;
	struct house house = {.options = &options, .certificate = buf_new(PEM_MAX), .private_key = buf_new(PEM_MAX)};
	AUTO_BUF buf problems = buf_new(CONFIG_PROBLEMS_MAX);
	int status = read_arguments(argc, argv, &a);
	if (status >= 0)
		return status;
	options_init(&options);
	result r = config_load(a.file, &options, check_value, &problems);
	result pems = check_certificate(&options, &house.certificate, &house.private_key, &problems);
	if (!failed(pems))
		pems = check_digest(&options, buf_str(&house.certificate));
	if (problems.n > 0)
		fwrite(problems.p, 1, problems.n, stderr);
	status = failed(r) || failed(pems);
	if (a.check && !status)
		printf("%s: no problem found\n", a.file);
	if (!a.check && !status)
		status = start(&house, a.file);
	options_free(&options);
	buf_free(&house.certificate);
	buf_free(&house.private_key);
	return status;
}
