/* For the tests of imap/ only: sessions over socket pairs with a real store on a
 * disk in memory, and dialogues played on them.
 *
 * A dialogue is an array of lines that ends in NULL:
 *   "C: text"   the client sends the line      "C- text"  without its line end
 *   "S: text"   the server's next line is this; "..." stands for anything
 *   "S> text"   lines are passed over until this one
 *   "DELIVER x" a small message with the Subject x comes in
 *   "QUIET"     the server says nothing        "EOF"      it closes
 * "2" or "3" before a line: another session, opened at its first line. In
 * client texts \r, \n and \0 are escapes. */
#ifndef ACCOUNT_IMAP_STAGE_H
#define ACCOUNT_IMAP_STAGE_H

#include "account/imap/imap.h"
#include "account/store/kit.h"
#include "run/stream.h"

enum { STAGE_SESSIONS = 3 };

struct stage {
	struct kit *kit;
	struct imap_home home;
	struct stream *clients[STAGE_SESSIONS];
	arena m;
	const char *const *at; /* the line that is played, for failures */
};

void stage_open(struct stage *t, struct kit *k);
void stage_close(struct stage *t);
void stage_play(struct stage *t, const char *const *lines);
/* All at once, in a fresh account. */
void stage_run(const char *const *lines);

void stage_deliver(struct stage *t, str message);
void stage_join(struct stage *t, size_t who); /* opens a session and hears its first line */
void stage_send(struct stage *t, size_t who, str bytes);
str stage_line(struct stage *t, size_t who); /* the server's next line, in the arena */
str stage_octets(struct stage *t, size_t who, size_t n);

#endif
