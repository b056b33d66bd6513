/* Does a message fit the keys of a SEARCH?
 *
 * In three steps, each asked only where the one before could not tell: what is
 * in memory of every message (flags, numbers, size), what is stored beside it
 * (dates, search text), the whole message (where its search text was cut).
 * Text is compared as grammar/text/fold.h folds it; needles are folded once by
 * search_prepare. Suspends only where a whole message is asked for. */
#ifndef ACCOUNT_IMAP_SEARCH_EVAL_H
#define ACCOUNT_IMAP_SEARCH_EVAL_H

#include "account/imap/session.h"
#include "account/store/fetch.h"
#include "grammar/mime/search_text.h"

/* Sets are settled, keywords looked up, texts folded. BAD or NO with a reason. */
result search_prepare(struct imap_session *s, struct imap_search *q) NODISCARD;
/* enum fetch_want of all keys below. */
unsigned search_wants(const struct imap_key *key);

struct search_subject {
	const struct view_message *m;
	const struct fetch_row *row;         /* NULL: only memory is asked */
	struct body *whole;                  /* the message without its trace; NULL: not read */
	const struct imap_home *home;        /* with `whole` */
	result trouble;
};

enum search_answer search_eval(const struct imap_key *key, struct search_subject *on);

#endif
