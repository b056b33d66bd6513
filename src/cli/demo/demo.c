#include "cli/demo/demo.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/commands.h"
#include "grammar/smtp/mailbox.h"
#include "run/net.h"
#include "run/random.h"

const struct demo_port demo_ports[] = {
	{"smtp", "listen-smtp", 25},   {"submission", "listen-submission", 587}, {"submissions", "listen-submissions", 465},
	{"imap", "listen-imap", 143},  {"imaps", "listen-imaps", 993},           {"pop3", "listen-pop3", 110},
	{"pop3s", "listen-pop3s", 995},          {"https", "listen-https", 443},
};
const size_t demo_ports_n = sizeof demo_ports / sizeof demo_ports[0];

result demo_trouble(struct demo *d, enum fail_kind kind, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(d->trouble, sizeof d->trouble, format, args);
	va_end(args);
	return failure(kind, d->trouble);
}

bool demo_path(const struct demo *d, const char *name, char *out, size_t size)
{
	int n = snprintf(out, size, "%s/%s", d->dir, name);
	return n > 0 && (size_t)n < size;
}

/* ---- what was asked for ---- */

static bool read_number(const struct call *c, const char *option, uint32_t most, unsigned *out)
{
	const char *text = call_option(c, option);
	uint32_t n;
	if (!text)
		return true;
	if (!str_to_u32(str_from(text), &n) || n == 0 || n > most)
		return false;
	*out = n;
	return true;
}

enum { DOMAIN_ARENA_MAX = 65536 };

static result read_domain(struct demo *d, const char *name)
{
	AUTO_ARENA arena a = arena_new(DOMAIN_ARENA_MAX);
	str n;
	if (failed(mailbox_domain(str_from(name), &a, &n)) || n.n > DEMO_DOMAIN_MAX || str_chr(n, '.') == STR_NONE
	    || str_chr(n, '[') != STR_NONE)
		return demo_trouble(d, FAIL_INPUT,
			"--domain is the name of a domain, such as example.net, of at most %d octets", DEMO_DOMAIN_MAX);
	memcpy(d->domain, n.p, n.n);
	return OK;
}

/* posternd works in another folder, so it is told the whole path. */
static result read_file_name(struct demo *d, const char *option, char out[4096], const char **set)
{
	const char *path = call_option(d->call, option);
	if (!path)
		return OK;
	if (!realpath(path, out))
		return demo_trouble(d, FAIL_INPUT, "--%s: %s cannot be read: %s", option, path, strerror(errno));
	*set = out;
	return OK;
}

/* Where the world is: its DNS, and the ports of its servers. */
static result read_world(struct demo *d, const struct call *c)
{
	net_addr a;
	const char *domain = call_option(c, "domain");
	d->dns = call_option(c, "dns");
	TRY(read_domain(d, domain ? domain : DEMO_DOMAIN));
	if (d->dns && failed(net_parse(str_from(d->dns), &a)))
		return demo_trouble(d, FAIL_INPUT, "--dns is an address with a port, such as 127.0.0.1:5300");
	if (!d->dns && call_option(c, "dns-anchor"))
		return demo_trouble(d, FAIL_INPUT, "--dns-anchor goes with --dns: without it the demo makes no look-ups");
	if (!read_number(c, "relay-port", PORT_MAX, &d->relay_port))
		return demo_trouble(d, FAIL_INPUT, "--relay-port is a number from 1 to %d", PORT_MAX);
	if (!read_number(c, "https-port", PORT_MAX, &d->https_port))
		return demo_trouble(d, FAIL_INPUT, "--https-port is a number from 1 to %d", PORT_MAX);
	TRY(read_file_name(d, "dns-anchor", d->files[0], &d->dns_anchor));
	return read_file_name(d, "tls-ca", d->files[1], &d->tls_ca);
}

static result read_call(struct demo *d, const struct call *c)
{
	const char *password = call_option(c, "password");
	d->call = c;
	d->empty = call_option(c, "empty");
	d->proxy = call_option(c, "proxy");
	d->base = 12000;
	d->users = 20;
	d->edges = 1;
	d->relay_port = 25;
	d->https_port = 443;
	if (!read_number(c, "port-base", DEMO_BASE_MAX, &d->base))
		return demo_trouble(d, FAIL_INPUT, "--port-base is a number from 1 to %d", DEMO_BASE_MAX);
	if (!read_number(c, "users", DEMO_USERS_MAX, &d->users))
		return demo_trouble(d, FAIL_INPUT, "--users is a number from 1 to %d", DEMO_USERS_MAX);
	if (!read_number(c, "edges", DEMO_EDGES_MAX, &d->edges))
		return demo_trouble(d, FAIL_INPUT, "--edges is a number from 1 to %d", DEMO_EDGES_MAX);
	TRY(read_world(d, c));
	if (password && (strlen(password) == 0 || strlen(password) > DEMO_PASSWORD_MAX || strchr(password, '\n')))
		return demo_trouble(d, FAIL_INPUT, "--password has 1 to %d octets on one line", DEMO_PASSWORD_MAX);
	if (password)
		snprintf(d->password, sizeof d->password, "%s", password);
	return OK;
}

/* From here on a signal is something to read, so that the directory is removed
 * and posternd ends in order. */
static result catch_signals(struct demo *d)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return failure(FAIL_LIMIT, "signals cannot be caught");
	d->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return d->signals < 0 ? failure(FAIL_LIMIT, "signals cannot be caught") : OK;
}

/* ---- its life ---- */

/* The sample mail comes from clients that send no PROXY header (libcurl knows
 * version 1 only), so a demo that shall expect one is started twice. */
static result bring_mail(struct demo *d)
{
	TRY(demo_home_configure(d, false));
	TRY(demo_child_start(d));
	TRY(demo_people(d));
	TRY(demo_mail(d));
	if (!d->proxy)
		return OK;
	demo_child_stop(d);
	TRY(demo_home_configure(d, true));
	return demo_child_start(d);
}

static result set_up(struct demo *d)
{
	char socket[sizeof d->dir + 16];
	TRY(random_open());
	TRY(catch_signals(d));
	TRY(demo_home_open(d));
	must(demo_path(d, "admin.sock", socket, sizeof socket));
	TRY(api_open(socket, d->signals, &d->api));
	if (!d->empty && d->is_new)
		return bring_mail(d);
	TRY(demo_home_configure(d, d->proxy));
	TRY(demo_child_start(d));
	return demo_people(d);
}

/* A signal while it is being set up is no failure. */
static bool was_told_to_end(const struct demo *d)
{
	struct signalfd_siginfo s;
	return d->signals >= 0 && read(d->signals, &s, sizeof s) == (ssize_t)sizeof s;
}

static int live(struct demo *d)
{
	result r = set_up(d);
	if (!failed(r)) {
		demo_page(d);
		r = demo_child_wait(d);
	} else if (was_told_to_end(d)) {
		r = OK;
	}
	if (failed(r))
		fprintf(stderr, "postern demo: %s\n", r.text);
	else if (!d->call->json)
		puts("\nStopping ...");
	fflush(stdout);
	return failed(r) ? STATUS_NO : STATUS_DONE;
}

int run_demo(struct call *c)
{
	struct demo d = {.signals = -1, .child_fd = -1, .ready_fd = -1};
	result r = read_call(&d, c);
	if (failed(r))
		return complain(c, STATUS_USAGE, "usage", r.text);
	int status = live(&d);
	api_close(&d.api);
	demo_child_stop(&d);
	demo_home_close(&d);
	if (d.signals >= 0)
		close(d.signals);
	return status;
}
