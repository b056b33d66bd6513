/* Whose processes may ask for what: administrators for everything, a user of this
 * machine who has an account here (option local-users) for what concerns it. */
#ifndef WEB_PEOPLE_H
#define WEB_PEOPLE_H

#include <sys/types.h>

#include "base/arena.h"
#include "config/options.h"

enum { PEOPLE_MAX = 64 };

result people_read(const struct options *o) NODISCARD;
bool people_may_administrate(uid_t uid);

/* The account of an address; with an empty one that of the user. 0: none. Asks auth; suspends. */
struct person {
	str address;
	uid_t uid;
};
result people_account(const struct person *p, uint64_t *account) NODISCARD;

#endif
