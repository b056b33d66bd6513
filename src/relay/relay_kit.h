/* A relay whose neighbours live in the test, and servers on loopback that say
 * what a script says. Tests only.
 *
 * A script's lines: ">text" is sent with CRLF; "<prefix" must begin the next
 * line that comes; "tls" begins TLS as the server; "data" takes a message up to
 * its dot, undone, into kit.message; "bdat" takes a BDAT command and its octets;
 * "wait" until the relay ends the connection; the script's end closes. Each
 * connection plays the next script. */
#ifndef RELAY_KIT_H
#define RELAY_KIT_H

#include "relay/relay.h"
#include "run/kit.h"
#include "talk/asker_resolve.h"
#include "talk/relay_auth.h"

enum { KIT_SCRIPTS = 8, KIT_RECORDS = 16 };

struct kit_record {
	const char *name;
	uint16_t type;
	enum asker_resolve_finding finding;
	bool secure;
	str rdata; /* rows of the same name and type add up */
};

struct kit {
	const char *const *scripts[KIT_SCRIPTS];
	size_t scripts_n, played;
	size_t open, open_most; /* connections */
	struct kit_record records[KIT_RECORDS];
	size_t records_n;
	struct relay_auth_way_is way;
	buf message;
	struct tls_context *tls;
	str tls_key_hash; /* SHA-256 of the server's public key */
	size_t lookups;
	const char *sts_policy; /* what fetch gets; NULL: refused */
	size_t fetched;
	str wanted; /* of kit_refused, and of a test's own checks */
	size_t bounces;
	buf posted; /* by HTTPS */
	bool post_refused;
	uint64_t wrapped_for;
	struct tls_context *trusts_nobody;
	uint64_t rest_ms;  /* so long passes, by a clock that the test holds, before all is closed */
	unsigned ways_asked;      /* how often auth was asked for one, */
	unsigned unwrapped;       /* and vault for an item's key */
	size_t kept_after; /* sessions kept then */
};

extern struct kit kit;

int kit_relay_open(void **state);  /* cmocka set-up and tear-down of each test */
int kit_relay_close(void **state);
int kit_group_open(void **state);
int kit_group_close(void **state);
#define IN_RELAY(NAME) cmocka_unit_test_setup_teardown(NAME, kit_relay_open, kit_relay_close)

void kit_script(const char *const *lines); /* for the next connection */
void kit_record(struct kit_record r);
/* "example.test" with one server mx.example.test at 127.0.0.1. */
void kit_usual_dns(void);

/* Sends over a real channel and runs `check` with the answer; the loop ends then. */
typedef void (*kit_check)(const struct queue_relay_sent *sent);
void kit_send(const struct queue_relay_send *m, kit_check check);
/* The first recipient has it, from mx.example.test. */
void kit_delivered(const struct queue_relay_sent *s);
/* That server was reached, and the first recipient failed with the status kit.wanted. */
void kit_refused(const struct queue_relay_sent *s);
/* Runs `work` on a fiber with the queue's end of a real channel. */
void kit_ask(void (*work)(struct channel *queue));
void kit_again(const struct queue_relay_send *m, kit_check check); /* on a new loop, with what is remembered */
void kit_send_twice(const struct queue_relay_send *m, kit_check first, kit_check second); /* one after the other */
/* Asks for two addresses of example.test, one after the other. */
void kit_verify(str one, enum edge_relay_verdict first, str two, enum edge_relay_verdict second);
/* A message for these addresses at example.test. */
struct queue_relay_send kit_mail(const struct queue_relay_recipient *to, size_t n);

#endif
