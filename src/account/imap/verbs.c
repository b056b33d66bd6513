#include "account/imap/verbs.h"

/* These belong to the edge: it speaks to the client until the login. APPEND's
 * messages never lie in the command text, so it is run by the session. */
#define run_STARTTLS NULL
#define run_AUTHENTICATE NULL
#define run_LOGIN NULL

static imap_run *const runs[IMAP_VERBS] = {
#define VERB(ID, NAME, STATES, FLAGS, ARGUMENTS) [IMAP_##ID##_COMMAND] = run_##ID,
#include "grammar/imap/imap_verbs.h"
#undef VERB
};

imap_run *imap_verb_run(enum imap_verb v)
{
	must(v < IMAP_VERBS);
	return runs[v];
}
