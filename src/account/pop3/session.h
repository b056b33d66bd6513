/* What the files of pop3/ share: one session and how its commands speak.
 *
 * A command is a function pop3_run_NAME. It writes its answer into s->out, or returns
 * why not; the session makes the -ERR of that. What ends the connection is kept
 * in s->link, and then nothing is sent any more. */
#ifndef ACCOUNT_POP3_SESSION_H
#define ACCOUNT_POP3_SESSION_H

#include "account/pop3/maildrop.h"
#include "account/pop3/pop3.h"
#include "account/speech.h"
#include "grammar/pop3/pop3.h"

struct pop3_session {
	struct pop3_home *home;
	struct speech speech;
	struct maildrop drop;
	buf out;
	result link;   /* what ended the connection */
	bool ending;   /* no further command */
};

typedef result pop3_run(struct pop3_session *s, const struct pop3_command *c);

/* One for each verb; those of the time before login are the edge's. */
#define VERB(ID, NAME, STATES, ARGUMENTS) pop3_run pop3_run_##ID;
#include "grammar/pop3/pop3_verbs.h"
#undef VERB

/* The message, or why there is none: ABSENT. */
result pop3_message(const struct pop3_session *s, uint64_t number, const struct maildrop_message **out) NODISCARD;
/* Gives what is in s->out to the stream; `now` also sends it. Suspends. */
result pop3_send(struct pop3_session *s, bool now) NODISCARD;
result pop3_send_if_long(struct pop3_session *s) NODISCARD;

#endif
