/* Which account a user of this machine sends as (option local-users): what the
 * local socket knows of its caller is a user id, and nothing else is believed.
 *
 * Read before the jail, since names are the system's to know. There is no rule
 * for everybody: who is not named may not send. Owns its memory; nothing suspends. */
#ifndef AUTH_LOCAL_USERS_H
#define AUTH_LOCAL_USERS_H

#include "auth/auth.h"

/* Of a name nobody has any more, or a rule that is none, nothing is kept; --check tells of both. */
result local_users_read(struct local_users *l, str list) NODISCARD;
void local_users_free(struct local_users *l);
str local_users_address(const struct local_users *l, uint32_t uid); /* empty: not named */

/* The login of a process with that uid, for whoever asks on `channel`. */
result local_users_login(struct auth *a, const void *channel, const struct edge_auth_local_login *m,
			 struct edge_auth_login_is *answer) NODISCARD;

#endif
