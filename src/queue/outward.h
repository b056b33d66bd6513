/* What the queue room holds in memory of mail for other servers: its settings,
 * what goes next, what is under way. The rows are queue/mail.h's. */
#ifndef QUEUE_OUTWARD_H
#define QUEUE_OUTWARD_H

#include "queue/tls_days.h"
#include "queue/traffic.h"

enum {
	QUEUE_TOGETHER = 50,        /* recipients of one transaction with a server, rows of one report */
	QUEUE_ASK_MS = 20000,       /* for auth */
	QUEUE_SEND_MS = 3600000,    /* for the relay; it has its own, shorter times for each step (RFC 5321 4.5.3.2) */
	QUEUE_REPORT_MS = 120000,   /* for the relay to write a report */
	QUEUE_REPORT_WAIT_MS = 30000, /* before a report that could not be written is tried again */
	QUEUE_ALARMS = 64,          /* messages whose time is looked at in one transaction */
	QUEUE_ALARM_AGAIN_MS = 30000, /* for one that is under way when its time has come */
};

/* By which of auth's tables of routes the rows go. */
struct routes_known {
	uint64_t table;
	uint64_t ask_at; /* on the monotonic clock */
	bool busy;       /* it is asked for, or the rows are changed */
	struct gate done;
};

struct outward {
	struct backoff retry;
	uint64_t expire_ms, warn_ms; /* warn_ms 0: nobody is warned */
	uint64_t suppress_ms;        /* 0: nobody is suppressed */
	bool suppresses;             /* the table of suppressed addresses may have a row; the jobs' of the database */
	unsigned sessions, sessions_each;
	struct traffic traffic;
	struct list parcels; /* under way: struct parcel */
	size_t fresh_n, fresh_octets; /* at hand: queue/fresh.h */
	struct tls_days tls;
	struct routes_known routes;
	size_t carriers;
	uint64_t not_before; /* there is no relay now */
	uint32_t pauses;
	size_t sending;      /* what the relay has now */
	bool alone;          /* one of them has ended a relay before */
	struct gate changed; /* the traffic, or a carrier has ended */
	struct gate calmer;  /* sending became less */
	struct gate alarm, tell;
	int64_t alarm_at;    /* wall clock; INT64_MAX: none */
	uint64_t judged[QUEUE_ALARMS]; /* messages whose time is just looked at */
	size_t judged_n;
	bool to_tell;        /* a recipient's end was written down that is to be reported */
};

/* Sends carriers, looks at the clock, and has reports written, until cancelled. */
void queue_run_outward(struct queue *q);
void queue_run_alarms(struct queue *q);
void queue_run_reports(struct queue *q);

#endif
