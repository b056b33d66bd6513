/* For the tests of pop3/ only: sessions over socket pairs with a real store on a
 * disk in memory, and dialogues played on them.
 *
 * A dialogue is an array of lines that ends in NULL:
 *   "C: text"   the client sends the line      "C- text"  without its line end
 *   "S: text"   the server's next line is this; "..." stands for anything
 *   "DELIVER x" a small message comes in, of 50 octets and twice x
 *   "REMOVE n"  another session removes the message with that uid
 *   "QUIET"     the server says nothing        "EOF"      it closes
 * "2" before a line: another session. Each is opened at its first line but
 * DELIVER; what it hears first is a step too. In client texts \r and \n are
 * escapes. */
#ifndef ACCOUNT_POP3_STAGE_H
#define ACCOUNT_POP3_STAGE_H

#include "account/pop3/pop3.h"
#include "account/store/kit.h"
#include "run/stream.h"

enum { STAGE_SESSIONS = 2 };

struct stage {
	struct kit *kit;
	struct pop3_home home;
	struct stream *clients[STAGE_SESSIONS];
	arena m;
	const char *at; /* the line that is played, for failures */
};

void stage_open(struct stage *t, struct kit *k);
void stage_close(struct stage *t);
void stage_play(struct stage *t, const char *const *lines);
/* All at once, in a fresh account. */
void stage_run(const char *const *lines);

void stage_deliver(struct stage *t, str message); /* behind a trace block of one field */
void stage_join(struct stage *t, size_t who); /* opens a session; nothing is read yet */
void stage_send(struct stage *t, size_t who, str bytes);
str stage_line(struct stage *t, size_t who); /* the server's next line, in the arena */

#define STAGE_TRACE "Return-Path: <sender@example.net>\r\n"

#endif
