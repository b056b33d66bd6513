/* Structured events: what a room says about what it did.
 *
 * Every event is a row of log_events.h (name, level, meaning); its fields are
 * typed values, never a formatted sentence, and never a Subject, a body or a
 * secret. log_event() encodes the event into one record and gives it to the
 * sink; a room's sink carries records to watch, a tool's sink prints them.
 * Before a sink is set the records are dropped. Nothing suspends,
 * nothing fails: a record that does not fit in LOG_RECORD_MAX is cut.
 *
 * Record: u16 event, 16 bytes trace id, then per field u8 name length, name,
 * u8 type ('s' text, 'u' unsigned, 'i' signed), and u16 length + bytes or 8
 * bytes little-endian. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

enum { LOG_RECORD_MAX = 4096 };

/* The 128-bit id that follows one letter or one session through every room. */
typedef struct trace_id {
	unsigned char b[16];
} trace_id;
bool trace_is_none(const trace_id *id); /* all zero */

enum log_level { LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING, LOG_ERROR };

enum log_name {
#define EVENT(ID, LEVEL, NAME, MEANING) ID,
#include "base/log_events.h"
#undef EVENT
	LOG_EVENTS
};

struct log_field {
	const char *name; /* NULL ends the list */
	char type;        /* 's', 'u', 'i' */
	str text;
	uint64_t number;
};

#define F_STR(NAME, S) ((struct log_field){.name = (NAME), .type = 's', .text = (S)})
#define F_U64(NAME, N) ((struct log_field){.name = (NAME), .type = 'u', .number = (uint64_t)(N)})
#define F_I64(NAME, N) ((struct log_field){.name = (NAME), .type = 'i', .number = (uint64_t)(int64_t)(N)})

/* log_event(EV_X, trace, F_STR("from", s), F_U64("size", n)); trace may be NULL. */
#define log_event(ID, TRACE, ...) \
	log_fields((ID), (TRACE), (const struct log_field[]){__VA_ARGS__ __VA_OPT__(,)(struct log_field){0}})

void log_fields(enum log_name event, const trace_id *trace, const struct log_field *fields);

/* The record alone, for who brings it to watch by himself. */
struct log_octets {
	size_t n;
	char p[LOG_RECORD_MAX];
};
void log_encode(enum log_name event, const trace_id *trace, const struct log_field *fields, struct log_octets *out);
void log_set_sink(void (*sink)(void *ctx, str record), void *ctx);

struct log_meaning {
	enum log_level level;
	const char *name;
	const char *meaning;
	bool audit; /* is kept in the audit log */
	bool prompt; /* watch hears of it sooner: by these an account is contained, and what it sends until then is gone */
};
const struct log_meaning *log_meaning_of(unsigned event); /* NULL when there is no such row */


#endif
