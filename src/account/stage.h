/* For the tests of imap/ and pop3/ only: sessions over socket pairs with a real
 * store on a disk in memory, and dialogues played on them. A test links the
 * stage.c of its protocol too.
 *
 * A dialogue is an array of lines that ends in NULL:
 *   "C: text"   the client sends the line      "C- text"  without its line end
 *   "S: text"   the server's next line is this; "..." stands for anything
 *   "S> text"   lines are passed over until this one
 *   "DELIVER x" a small message with the Subject x comes in
 *   "REMOVE n"  another session removes the INBOX's message with that uid
 *   "QUIET"     the server says nothing        "EOF"      it closes
 * "2" or "3" before a line: another session. Each is opened at its first line
 * but DELIVER and REMOVE. In client texts \r, \n and \0 are escapes. */
#ifndef ACCOUNT_STAGE_H
#define ACCOUNT_STAGE_H

#include "account/imap/imap.h"
#include "account/pop3/pop3.h"
#include "account/store/kit.h"
#include "run/stream.h"

enum { STAGE_SESSIONS = 3 };

struct stage {
	struct kit *kit;
	union { /* the one of the protocol that is played */
		struct imap_home imap;
		struct pop3_home pop3;
	};
	struct stage_session {
		struct stage *stage;
		int socket;
		bool over; /* it has returned */
	} sessions[STAGE_SESSIONS];
	struct stream *clients[STAGE_SESSIONS];
	arena m;
	const char *at; /* the line that is played, for failures */
};

/* What imap/stage.c and pop3/stage.c each know. */
struct stage_protocol {
	void (*open)(struct stage *t);                   /* sets up the home */
	void (*close)(struct stage *t);                  /* ends every session: none is left */
	void (*run)(struct stage *t, int socket);        /* a session, until it has ended */
	void (*greeted)(struct stage *t, size_t who);    /* hears what is no step of a dialogue */
	void (*letter)(str message, arena *m, struct letter *out); /* as the store takes it */
	void (*small)(buf *out, str name);               /* the message of DELIVER */
};
extern const struct stage_protocol stage_protocol;

void stage_open(struct stage *t, struct kit *k);
void stage_close(struct stage *t);
void stage_with(void (*fn)(struct stage *t)); /* opened and closed around it, in a fresh account */
void stage_play(struct stage *t, const char *const *lines);

/* Each test is one dialogue in a fresh account. */
#define DIALOGUE(NAME, ...)                                          \
	static void NAME(void **state)                               \
	{                                                            \
		(void)state;                                         \
		stage_run((const char *const[]){__VA_ARGS__, NULL}); \
	}
void stage_run(const char *const *lines);

/* A test with a stage `t` of its own; the body follows. */
#define ON_STAGE(NAME)                                               \
	static void NAME##_on(struct stage *t);                      \
	static void NAME(void **state)                               \
	{                                                            \
		(void)state;                                         \
		stage_with(NAME##_on);                               \
	}                                                            \
	static void NAME##_on(struct stage *t)

#define STAGE_TRACE "Return-Path: <sender@example.net>\r\n" /* how the trace blocks begin */
void stage_deliver(struct stage *t, str message);
int stage_connect(struct stage *t, size_t who); /* opens a session; the client's end, the caller's */
void stage_join(struct stage *t, size_t who);   /* the same as a stream in `clients` */
void stage_send(struct stage *t, size_t who, str bytes);
str stage_line(struct stage *t, size_t who); /* the server's next line, in the arena */
str stage_octets(struct stage *t, size_t who, size_t n);
/* A whole session: the client says this and ends, whatever it hears. */
void stage_exchange(struct stage *t, str says, buf *heard);

#endif
