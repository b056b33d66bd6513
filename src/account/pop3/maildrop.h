/* The INBOX as one session saw it at login (RFC 1939 section 4: the maildrop),
 * and which of its messages are marked to go. Numbers run from 1. Owns its view.
 * Only maildrop_open, maildrop_close and maildrop_remove suspend. */
#ifndef ACCOUNT_POP3_MAILDROP_H
#define ACCOUNT_POP3_MAILDROP_H

#include "account/store/view.h"

struct maildrop_message {
	uint64_t content; /* for the unique id */
	uint32_t uid;
	uint32_t size;    /* octets */
};

struct maildrop {
	struct view *view; /* never pulled: others' changes stay unseen */
	struct maildrop_message *v;
	bool *marked;
	uint32_t n;
	uint32_t left;   /* how many are not marked, */
	uint64_t octets; /* and their sizes together */
};

result maildrop_open(struct maildrop *d, const struct actor *owner) NODISCARD;
void maildrop_close(struct maildrop *d); /* also one that was never opened */
/* NULL: there is no such message, or it is marked. */
const struct maildrop_message *maildrop_at(const struct maildrop *d, uint64_t number);
void maildrop_mark(struct maildrop *d, uint64_t number); /* one that maildrop_at has */
void maildrop_unmark_all(struct maildrop *d);
/* Removes what is marked: all of it, or on failure nothing. What others have
 * removed meanwhile counts as removed. */
result maildrop_remove(struct maildrop *d) NODISCARD;

#endif
