/* One function for each command, one file for each function; the names come
 * from grammar/imap/imap_verbs.h. Contract in session.h. Those of the time before
 * login are answered by the session itself. */
#ifndef ACCOUNT_IMAP_VERBS_H
#define ACCOUNT_IMAP_VERBS_H

#include "account/imap/session.h"

#define VERB(ID, NAME, STATES, FLAGS, ARGUMENTS) imap_run run_##ID;
#include "grammar/imap/imap_verbs.h"
#undef VERB

/* NULL for a command that can only come before the login. */
imap_run *imap_verb_run(enum imap_verb v);

#endif
