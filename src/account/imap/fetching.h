/* One FETCH under way, for the files fetch*.c. */
#ifndef ACCOUNT_IMAP_FETCHING_H
#define ACCOUNT_IMAP_FETCHING_H

#include "account/imap/section.h"
#include "account/imap/session.h"
#include "account/store/ahead.h"

struct fetching {
	struct imap_session *s;
	const struct imap_fetch *f;
	unsigned items;
	unsigned want;              /* enum fetch_want; 0: memory has everything */
	bool marks;                 /* what is read becomes \Seen */
	bool tables;                /* some section names a part */
	bool opens;                 /* some section lies in the body */
	struct section_names *names; /* of each section in order */
	arena *batch;               /* what belongs to the rows at hand */
	bool lost;                  /* a message was removed by another session */
	result trouble;             /* the first message that could not be read */
};

/* What is at hand for one message. */
struct fetch_letter {
	const struct fetch_row *row;
	const struct view_message *m;
	struct letter_bytes *bytes; /* NULL until a section needs it */
	struct mime_table parts;
	bool marked; /* it was made \Seen just now: FLAGS are told */
};

/* One section behind its name; suspends. Fails only where the connection ends. */
result fetch_put_section(struct fetching *g, struct fetch_letter *l, const struct imap_section *sec,
	const struct section_names *names) NODISCARD;
result fetch_put_row(struct fetching *g, struct fetch_letter *l) NODISCARD;

#endif
