/* For tests: a whole queue on a disk in memory, with a relay, an auth and
 * accounts that do as `world` says. Time is moved by pass() alone. */
#ifndef QUEUE_KIT_H
#define QUEUE_KIT_H

#include "base/test.h"
#include "engine/files_sim.h"
#include "queue/admin.h"
#include "run/clock.h"

enum { START = 1000000, EACH = 8, SESSIONS = 12, SEEN = 1024 };

enum manner { TAKES, RELAYS, LATER, FAILS, FAILS_ODD, UNREACHED, SLOWLY, DIES_OF_ONE, MANNERS };

extern struct world {
	struct sim *sim;
	enum manner manner;
	bool slow_down, relay_absent, auth_absent, auth_dead, report_fails, account_unable, no_suppression, by_return;
	bool spoilt, stopping, tls_unwanted, delivered;
	unsigned char poison;      /* the message that a relay ends with */
	uint64_t way;              /* that the edge knows from auth; 0: it does not */
	uint64_t route;            /* that auth says, */
	uint64_t table;            /* and by which table */
	int routes_asked;
	uint64_t tls_slow_ms;      /* how long the first report takes */
	uint64_t reader_account;   /* who reads reports; 0 and no outside: nobody */
	const char *reader_outside;
	uint64_t report_octets, octets; /* of a report, of a message; 0: few */
	uint8_t notify;
	int64_t hold, by;
	int sends, recipients, reports, tls_reports, at_once, at_once_most, kept[8], given_up;
	char last_destination[256];
	uint64_t last_route;
	size_t last_sender_n, last_rows, tls; /* how many TLS outcomes the relay tells of */
	uint32_t last_flags;
	int64_t last_until;
	enum queue_relay_action last_action;
	int seen[SEEN]; /* by the message's number: at which send it came first */
	int events[LOG_EVENTS];
	struct gate go; /* SLOWLY waits for it */
	struct files *disk; /* NULL: in memory */
	uint64_t retry_ms;  /* 0: five minutes */
} world;

void kit_run(void (*test)(void));
void kit_on_disk(uint64_t octets); /* instead: the real clock, the current folder, messages of that size */
#define KIT_TEST(NAME) static void NAME##_test(void **state) { (void)state; kit_run(NAME); }

void open_queue(void);
void close_queue(void);
void settle(void); /* until nothing moves any more at this time */
void pass(uint64_t ms); /* in steps of ten minutes */
void leap(uint64_t ms); /* in one */

void post(unsigned char message, const char *sender, ...); /* the recipients, then NULL */
enum fail_kind post_result(unsigned char message, const char *recipient);
void post_as(uint64_t account, unsigned message, const char *sender, const char *recipient);
void post_many(unsigned char message, unsigned n, const char *domain);

uint64_t queued(void);
uint64_t listed(const char *message, const char *sender, const char *destination);
uint64_t choose_retry(const char *message, const char *sender, const char *destination);
uint64_t choose_hold(const char *message, const char *sender, const char *destination);
uint64_t choose_release(const char *message, const char *sender, const char *destination);
uint64_t choose_drop(const char *message, const char *sender, const char *destination);
enum fail_kind lift(const char *address);
int body_files(void);
uint64_t tell_tls(void);
uint64_t listed_tls(void); /* sessions that nobody was told of */

#endif
