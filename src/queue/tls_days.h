/* How the sessions with other servers went, counted by day for TLS reports
 * (RFC 8460).
 *
 * Outcomes are counted in memory and written down once a minute and at the end;
 * a crash may lose a minute of counts, never mail. Days are days since 1970 in
 * UTC. Each policy domain gets one report for a day: read what is there, send
 * it, forget it. What nobody fetches is forgotten after TLS_DAYS_KEPT. All calls
 * but tls_days_note suspend. */
#ifndef QUEUE_TLS_DAYS_H
#define QUEUE_TLS_DAYS_H

#include "base/hash.h"
#include "run/fiber.h"
#include "talk/queue_relay.h"

struct queue;

enum {
	TLS_DAYS_KEPT = 7,
	TLS_DAYS_FLUSH_MS = 60000,
	TLS_DAYS_MEMORY = 10000, /* different outcomes in memory; further ones wait for the next minute, uncounted */
	TLS_DAYS_ROWS = 1000,    /* of one domain and day */
	TLS_DAYS_ARENA = 8 << 20,
	TLS_DAYS_OCTETS = 100 << 10, /* of the rows told of one domain and day: they travel in one packet */
	TLS_DAYS_AT_ONCE = 8,        /* domains that are told, so that one whose collector is silent holds up no others */
};

struct tls_days {
	hash counts;
	struct gate some;
	struct gate tell; /* somebody asks for the reports now, */
	bool now;         /* of today too */
	bool off;         /* nothing is counted, nobody told */
};
void tls_days_init(struct tls_days *d);
void tls_days_free(struct tls_days *d);
void tls_days_note(struct tls_days *d, const struct queue_relay_tls_outcome *what, size_t n);
/* Writes down what was counted until cancelled, and then once more. */
void tls_days_run(struct queue *q);
/* Has the days that are over told to their domains, each once, until cancelled (tls_reporter.c). */
void tls_days_tell(struct queue *q);
/* Begins to tell all there is, today's part as well; *n: how many reports that may be. What is counted after it is told
 * when the day is over. */
result tls_days_tell_now(struct queue *q, uint64_t *n) NODISCARD;
struct web_queue_tls_are;
result tls_days_list(struct queue *q, str after, arena *a, struct web_queue_tls_are *out) NODISCARD;
result tls_days_flush(struct queue *q) NODISCARD; /* writes down what was counted */

struct tls_row {
	struct queue_relay_tls_outcome what;
	str name; /* its row's */
	uint64_t sessions;
};
struct tls_from {
	int64_t day;
	str after; /* a domain; empty: from the first on */
};
struct tls_day {
	str domain; /* of the policy; empty: there is no further one */
	struct tls_row *rows;
	size_t n;
};
int64_t tls_days_today(void);
/* The first domain after that one with something of that day. */
result tls_days_next(struct queue *q, struct tls_from from, arena *a, struct tls_day *out) NODISCARD;
/* The first day of which something is left, not after `most`; -1: none. */
result tls_days_oldest(struct queue *q, int64_t most, int64_t *day) NODISCARD;
result tls_days_forget(struct queue *q, int64_t day, str domain) NODISCARD;

#endif
