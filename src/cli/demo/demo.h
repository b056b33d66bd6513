/* `postern demo`: a complete server on loopback, to look at and to test with.
 *
 * The demo makes a directory (or goes on with one it made before), starts
 * posternd on it, makes domains and accounts through the administration API,
 * delivers sample mail through the SMTP port, tells how to connect, and ends
 * posternd when it is told to end. posternd is killed with it. Files it adds to
 * the server's directory: demo.conf, demo-password, certificate.pem, ca.pem, ca.crl,
 * private-key.pem. Calls block; troubles are told in `trouble`. */
#ifndef CLI_DEMO_DEMO_H
#define CLI_DEMO_DEMO_H

#include <sys/types.h>

#include "cli/api.h"
#include "cli/call.h"

#define DEMO_DOMAIN "example.test"

enum {
	PORT_MAX = 65535,
	DEMO_USERS_MAX = 100000,
	DEMO_BASE_MAX = 65535 - 995,
	DEMO_PASSWORD_MAX = 200,
	DEMO_EDGES_MAX = 64,
	DEMO_READY_S = 60,
	DEMO_STOP_S = 20,
	DEMO_HASH_MEMORY = 8 << 20, /* least that the server takes: thousands of logins in a test take no time */
	DEMO_TROUBLE = 1024,
	DEMO_DOMAIN_MAX = 200, /* octets; the host is "mail." and it */
};

struct demo {
	const struct call *call;
	unsigned base, users, edges;
	unsigned relay_port, https_port;        /* of the others' servers */
	const char *dns, *dns_anchor, *tls_ca; /* NULL: not given; files are absolute paths */
	char domain[DEMO_DOMAIN_MAX + 1];
	bool empty, proxy;
	char dir[4096]; /* absolute */
	bool temporary, is_new;
	char password[DEMO_PASSWORD_MAX + 1];
	char files[2][4096]; /* where dns_anchor and tls_ca are kept */
	int signals; /* readable when the demo shall end */
	pid_t child; /* posternd, 0: none */
	int child_fd, ready_fd;
	struct api *api;
	char trouble[DEMO_TROUBLE];
};

struct demo_port {
	const char *name, *option;
	unsigned offset;
};
extern const struct demo_port demo_ports[];
extern const size_t demo_ports_n;

result demo_trouble(struct demo *d, enum fail_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool demo_path(const struct demo *d, const char *name, char *out, size_t size); /* dir/name */

/* home.c: the directory with certificate and configuration. */
result demo_home_open(struct demo *d) NODISCARD;
result demo_home_configure(struct demo *d, bool proxy) NODISCARD;
void demo_home_close(struct demo *d); /* removes a temporary one */

/* certificate.c: one (PEM) for the demo's names, by an authority of its own; kept while it is good. */
result demo_certificate(struct demo *d) NODISCARD;

/* child.c */
result demo_child_start(struct demo *d) NODISCARD; /* returns when posternd is ready */
void demo_child_stop(struct demo *d);
/* Waits for a signal (OK) or for posternd's end (CLOSED, and why). */
result demo_child_wait(struct demo *d) NODISCARD;

result demo_people(struct demo *d) NODISCARD; /* people.c: domains and accounts */
result demo_mail(struct demo *d) NODISCARD;   /* mail.c: sample mail through SMTP */
void demo_page(const struct demo *d);         /* page.c: tells people, or programs, how to connect */

#endif
