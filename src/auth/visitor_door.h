/* What web asks of people who come over the network: who they are, and what their
 * session may do now. A session holds only while the account is there and enabled and
 * its rules permit the client's address at this hour; it administrates while the
 * account is an administrator's and a code was given. Changes of its secrets end it
 * (login_forget). */
#ifndef AUTH_VISITOR_DOOR_H
#define AUTH_VISITOR_DOOR_H

#include "auth/prove.h"

/* Why a right password does not do for the administration: a sentence; NULL: it does, with a code that is right
 * where the account has a second factor. Does not suspend. */
const char *visitor_bars(const struct book_account *who, const struct login_try *t, const struct proof *p);

#endif
