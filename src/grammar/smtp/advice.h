/* What answers of mail servers mean to people: what happened, whose fault it is,
 * what to do.
 *
 * A reply is compared with a table of patterns, the most telling first: its
 * code, its enhanced status (RFC 3463), the end of the server's name, words of
 * its text. The meaning's number is stored in queues and goes from room to
 * room, so numbers are never given anew. Every failure has a meaning, if only
 * that of its status. Constant data; nothing suspends or fails. */
#ifndef GRAMMAR_ADVICE_H
#define GRAMMAR_ADVICE_H

#include "base/str.h"

enum advice_fault {
	ADVICE_NOBODY,    /* in the nature of things: it passes, or was asked for */
	ADVICE_SENDER,    /* the address that was typed, or the message */
	ADVICE_RECIPIENT, /* their mailbox */
	ADVICE_THERE,     /* their server */
	ADVICE_HERE,      /* this server, its network or its domain's records */
};

struct advice {
	const char *name;    /* a word for programs */
	const char *meaning; /* a sentence */
	const char *remedy;  /* a sentence or two */
	enum advice_fault fault;
};

struct advice_reply {
	uint16_t code; /* 0: no server answered; our own words then */
	str status;    /* x.y.z, or empty */
	str host;      /* the server's name; may be empty */
	str text;
};

enum { ADVICE_MAX = 80 };

uint16_t advice_find(const struct advice_reply *r); /* 0: it is no failure */
const struct advice *advice_at(uint16_t number);    /* NULL: there is none of that number */
const char *advice_fault_sentence(enum advice_fault f);

#endif
