/* What the demo says when it is ready. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/demo/demo.h"
#include "cli/show.h"
#include "run/sandbox.h"

static void certificate_path(const struct demo *d, char *out, size_t size)
{
	must(demo_path(d, "ca.pem", out, size));
}

/* ---- for programs ---- */

/* admin_url is that of the pages, and there are none yet: `ports` has the API's. */
static void print_json(const struct demo *d)
{
	char ca[sizeof d->dir + 32], user[DEMO_DOMAIN_MAX + 32];
	json_t *ports = json_object(), *users = json_array();
	certificate_path(d, ca, sizeof ca);
	for (size_t i = 0; i < demo_ports_n; i++)
		json_object_set_new(ports, demo_ports[i].name, json_integer((json_int_t)d->base + demo_ports[i].offset));
	for (unsigned i = 1; i <= d->users; i++) {
		snprintf(user, sizeof user, "user%u@%s", i, d->domain);
		json_array_append_new(users, json_string(user));
	}
	json_t *v = json_pack("{s:b, s:i, s:s, s:o, s:o, s:s, s:n, s:s}", "ready", 1, "pid", (int)getpid(), "dir", d->dir,
			      "ports", ports, "users", users, "password", d->password, "admin_url", "ca", ca);
	show_json(v);
	json_decref(v);
}

/* ---- for people ---- */

static const char *const openings[] = {
	"password logins without TLS from this machine (AUTH PLAIN and LOGIN, IMAP LOGIN, POP3 USER)",
	"clients on this machine are never banned, throttled, greylisted or junked unless they use XCLIENT",
	"passwords given with --password need not keep the rules for passwords, and are hashed with 8 MiB of memory",
	"mail servers of other domains may have addresses of private networks and of this machine",
	"XCLIENT (ADDR, PORT, NAME, HELO) is honoured from this machine",
};

static void print_openings(const struct demo *d)
{
	puts("Open in this demo, and closed in a real server:");
	for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++)
		printf("  - %s\n", openings[i]);
	if (d->proxy)
		puts("  - every port expects a PROXY v2 header (--proxy)");
}

/* What becomes of mail to other domains. */
static void print_world(const struct demo *d)
{
	puts("Mail to other domains");
	if (!d->dns) {
		puts("  waits in the queue and is returned when its time is over: without --dns ADDR:PORT the demo makes\n"
		     "  no look-ups, so it cannot find their servers\n");
		return;
	}
	printf("  look-ups      %s\n  their servers port %u; HTTPS (MTA-STS) port %u\n", d->dns, d->relay_port,
		d->https_port);
	printf("  DNSSEC        %s%s\n\n", d->dns_anchor ? "validated from " : "nothing counts as validated: start with ",
	       d->dns_anchor ? d->dns_anchor : "--dns-anchor FILE for DANE");
}

static void print_jail(void)
{
	struct sandbox_state s;
	sandbox_probe(&s);
	if (s.landlock_abi > 0 && s.seccomp)
		return;
	printf("\n*** WARNING: this machine does not offer %s. The server's processes run WITHOUT %s. ***\n"
	       "*** A real server refuses to start like this; the demo goes on. ***\n",
	       s.seccomp ? "Landlock" : s.landlock_abi > 0 ? "seccomp" : "Landlock and seccomp",
	       s.seccomp || s.landlock_abi > 0 ? "a part of their jail" : "a jail");
}

static void print_ports(const struct demo *d)
{
	static const char *const what[] = {"mail from other servers, STARTTLS", "sending, STARTTLS", "sending, TLS",
					   "reading, STARTTLS", "reading, TLS", "fetching, STLS", "fetching, TLS",
					   "administration, TLS (docs/admin-api.md)"};
	for (size_t i = 0; i < demo_ports_n; i++)
		printf("  %-12s 127.0.0.1 port %-6u %s\n", demo_ports[i].name, d->base + demo_ports[i].offset, what[i]);
}

static void print_people(const struct demo *d)
{
	if (d->users > 1)
		printf("  user1@%s ... user%u@%s (user1 is also administrator and postmaster)\n", d->domain, d->users,
		       d->domain);
	else
		printf("  user1@%s (also administrator and postmaster)\n", d->domain);
	printf("  password of each: %s\n", d->password);
}

static void print_page(const struct demo *d)
{
	char ca[sizeof d->dir + 32];
	certificate_path(d, ca, sizeof ca);
	puts("\nPostern's demo is running.\n\nAccounts");
	print_people(d);
	puts("\nPorts");
	print_ports(d);
	printf("\nTry it\n"
	       "  curl -s --user user1@%s:%s imap://127.0.0.1:%u/INBOX -X 'FETCH 1:* (FLAGS ENVELOPE)'\n"
	       "  or point a mail program at those ports; the user name is the whole address\n"
	       "  %s --dir %s status\n\n",
	       d->domain, d->password, d->base + 143, program_invocation_name, d->dir);
	printf("Directory    %s%s\n"
	       "Log          %s/ledger/postern.log\n"
	       "Certificate  %s (the demo's own; a mail program asks you to confirm it)\n\n",
	       d->dir, d->temporary ? " (removed at the end; keep one with --dir)" : "", d->dir, ca);
	print_world(d);
	print_openings(d);
	print_jail();
	puts("\nCtrl-C stops it.");
}

void demo_page(const struct demo *d)
{
	if (d->call->json && d->dns && !d->dns_anchor)
		fputs("postern demo: nothing in DNS counts as validated: start with --dns-anchor FILE for DANE\n", stderr);
	if (d->call->json)
		print_json(d);
	else
		print_page(d);
	fflush(stdout);
}
