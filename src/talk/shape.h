/* The tables that generate.py makes from the *.talk declarations: which fields
 * a message has and how long each may be, who may send it, and when.
 *
 * One codec (codec.h) and one channel (channel.h) read these tables, so there
 * is one place where a length from another process is checked. All of it is
 * constant; nothing is owned, nothing suspends. */
#ifndef TALK_SHAPE_H
#define TALK_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum talk_limit {
	TALK_PACKET_MAX = 160 * 1024, /* one message with its header */
	TALK_HEADER = 24,             /* u16 number, u16 flags, u32 request, 16 bytes trace */
	TALK_INLINE_MAX = 64 * 1024,  /* a longer body travels in a sealed memfd */
	TALK_FDS_MAX = 4,             /* descriptors with one message, bodies included */
	TALK_REFUSAL_MAX = 200,       /* octets of the sentence of a refusal */
};

enum talk_type {
	TALK_U8, TALK_U16, TALK_U32, TALK_U64, TALK_I64, TALK_BOOL,
	TALK_ID,     /* trace_id */
	TALK_BYTES,  /* unsigned char[max] */
	TALK_STR,    /* str, at most max octets */
	TALK_ENUM,   /* an enum of `max` values */
	TALK_BODY,   /* struct body, at most max octets */
	TALK_FD,     /* int; -1 when an optional one is absent */
	TALK_RECORD, /* the struct of `record` */
	TALK_LIST,   /* struct { const T *p; size_t n; }, at most max elements */
};

struct talk_field {
	const char *name;
	enum talk_type type;
	bool secret;   /* never printed */
	bool optional; /* descriptors only */
	uint32_t offset;
	uint32_t size; /* of the C member; a list's elements lie this far apart in theirs */
	uint32_t max;
	uint32_t wire_min; /* fewest octets it takes in a packet */
	const struct talk_field *element;
	const struct talk_shape *record;
	const char *const *names; /* of an enum's values */
};

struct talk_shape {
	const char *name;
	const struct talk_field *fields;
	size_t n;
	size_t size; /* of the struct */
	unsigned fds; /* most descriptors it may carry */
};

/* Every list member has this layout, whatever it points to. */
struct talk_list {
	const void *p;
	size_t n;
};

enum { TALK_NO_STATE = 0xff };

struct talk_message {
	const struct talk_shape *shape;
	uint8_t by;       /* 0 or 1: the side that sends it */
	uint8_t then;     /* the state after it, or TALK_NO_STATE */
	bool once;
	bool is_answer;   /* sent only as the answer to a call */
	uint16_t answer;  /* number of the answer; 0: one-way */
	uint32_t states;  /* bit set of the states in which it may be sent */
};

struct talk_pair {
	const char *name;
	const char *sides[2];
	const char *const *states;
	size_t states_n;
	const struct talk_message *messages; /* [1 .. n]; [0] is unused */
	size_t n;
};

#endif
