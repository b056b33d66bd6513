/* Who asks, and for what they may ask.
 *
 * On the local socket the system names the user: root, the server's own and those of
 * the option administrators may ask for everything, a user who has an account here
 * (option local-users) for what concerns it. Over the network a visitor comes from a
 * network of administration-from, or is refused before anything is read; auth knows the
 * session whose token a request shows, and is asked anew with each. */
#ifndef WEB_PEOPLE_H
#define WEB_PEOPLE_H

#include <sys/types.h>

#include "base/arena.h"
#include "config/options.h"
#include "web/http.h"

enum { PEOPLE_MAX = 64, PEOPLE_TOKEN = 32 };

/* For whom an endpoint is. */
enum audience { FOR_ADMINISTRATORS, FOR_OWNERS, FOR_STRANGERS };

struct caller {
	bool visitor;       /* over the network */
	bool known;         /* a process of this machine, or a visitor with a session */
	bool administrator;
	uid_t uid;          /* of a process */
	str client;         /* a visitor's address */
	bool trusted;       /* a visitor that is not slowed down */
	uint64_t account;   /* a known visitor's */
	str address;
	unsigned char token[PEOPLE_TOKEN];
};

result people_read(const struct options *o) NODISCARD;
void people_free(void);
bool people_may_administrate(uid_t uid);
bool people_may_come(const net_addr *visitor);

/* Views are the request's or the arena's. DENIED: its session may not be used from there or now. A visitor without a
 * session, or with one that has ended, is just not known. Asks auth; suspends. */
result people_know(const struct http_request *q, arena *a, struct caller *out) NODISCARD;
/* DENIED with the sentence. Does not suspend. */
result people_allow(const struct caller *who, enum audience whom) NODISCARD;

/* The account of an address; with an empty one that of the user. 0: none. Asks auth; suspends. */
struct person {
	str address;
	uid_t uid;
};
result people_account(const struct person *p, uint64_t *account) NODISCARD;

#endif
