/* What the files of the mail share, and nobody else. */
#ifndef QUEUE_MAIL_CORE_H
#define QUEUE_MAIL_CORE_H

#include "queue/items_core.h"
#include "queue/mail.h"
#include "talk/mail_flags.h"

/* A recipient on its way into the queue. */
struct entry {
	struct way way;
	const struct edge_queue_recipient *to;
	bool suppressed;
	str why; /* then */
	uint64_t number; /* of its row */
};

struct posting {
	struct queue *q;
	const struct edge_queue_post *m;
	struct entry *entries;
	size_t n;
	int64_t now, alarm;
	struct blob_key body;
	bool in_file;
	uint64_t id; /* 0: it was there already */
	bool to_tell;
	bool contained; /* its account is: nothing of it goes */
};

/* Fills it, without looking at the disk: routes from auth, the order of the recipients. Suspends. */
result posting_prepare(struct posting *p, arena *a) NODISCARD;
result posting_body(struct posting *p) NODISCARD;          /* a large one goes into a file; suspends */
result posting_insert(struct db *db, struct posting *p) NODISCARD; /* within the transaction */
void posting_kept(struct posting *p);                      /* shows it to the traffic */
void posting_drop_body(struct posting *p, result write);   /* after a failure, or when it was there */

struct queue_auth_route;
struct queue_auth_route_is;
result route_ask(struct queue *q, const struct queue_auth_route *m, struct queue_auth_route_is *is) NODISCARD;

/* Does this message's sender want to hear that? */
bool mail_wants(const struct parcel *p, uint8_t notify, enum mail_tell what);
/* A message without recipients goes; *body its file. */
result mail_close(struct db *db, uint64_t message, struct blob_key *body, bool *has_body) NODISCARD;

result mail_read_message(struct db *db,
	struct parcel *p) NODISCARD; /* p->message is set; content in a row comes along */
/* A wall clock time of a row, on the monotonic clock. */
uint64_t mail_when(const struct queue *q, int64_t wall_ms);
void mail_alarm(struct queue *q, int64_t at); /* look again at that time at the latest */
int64_t mail_turn_of(uint64_t account, str sender);

/* An address that servers called unknown (mail_suppress.c). */
struct suppress_note {
	str address, status, text;
	int64_t now;
	uint64_t for_ms;
};
result suppress_find(struct db *db, const struct suppress_note *n, arena *a, str *why) NODISCARD; /* *why empty: no */
result suppress_unknown(struct db *db, const struct suppress_note *n) NODISCARD;
result suppress_known(struct db *db, str address) NODISCARD;
bool suppress_counts(str status); /* is it a code of an unknown address? */

#endif
