/* What the auth room holds, and the rooms it asks. One process has one. */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "auth/app_passwords.h"
#include "auth/audience.h"
#include "auth/checker.h"
#include "auth/directory.h"
#include "auth/exchanges.h"
#include "auth/profile.h"
#include "auth/recent.h"
#include "auth/signing.h"
#include "auth/throttle.h"
#include "auth/tokens.h"
#include "auth/turns.h"
#include "auth/visitors.h"
#include "config/options.h"
#include "run/places.h"
#include "talk/asker_resolve.h"
#include "talk/channel.h"

/* A client certificate by the vault's authority; `public`: SubjectPublicKeyInfo. What is made is DER, the arena's. */
struct certificate_wish {
	uint64_t account;
	str subject, public;
	unsigned char serial[APP_SERIAL];
	int64_t until;
};
struct certificate_made {
	str certificate, authority;
};

/* The other rooms, as calls, so that tests can stand in for them. All suspend. */
struct auth_world {
	result (*make_folder)(uint64_t account);
	result (*remove_folder)(uint64_t account); /* stops its process too */
	result (*erase_key)(uint64_t account);
	result (*make_key)(const struct signing_wanted *w, buf *public); /* appends: base64 */
	result (*drop_key)(str name);
	result (*certify)(const struct certificate_wish *w, arena *a, struct certificate_made *out);
	result (*text_records)(str name, arena *a, struct asker_resolve_looked_up *out);
	result (*account)(uint64_t account, struct channel **out); /* a channel that speaks auth-account; the room's */
	bool (*comes_from)(uint64_t account, str client); /* does it usually log in from there? False: not that we know */
	result (*queue)(struct channel **out); /* auth-queue */
	void (*give_up)(result why); /* the disk failed: a new process opens the directory again */
};
extern const struct auth_world auth_world_of_rooms;

struct local_users {
	hash users; /* by uid, to an address */
};

struct auth {
	struct options options;
	struct directory *directory;
	struct checker *checker;
	struct recent recent, wrong; /* secrets that were right, and that were not */
	struct throttle throttle;
	struct turns turns;
	struct tokens tokens;
	struct visitors visitors;
	struct audience audience;
	struct signing signing;
	struct profiles profiles;
	struct local_users local_users;
	struct app_salts salts;
	struct app_uses app_uses;
	struct exchanges exchanges;
	struct places *places; /* NULL: no database was given */
	hash contained;          /* account -> struct contained (contain.c) */
	struct gate containing, notices;
	bool notices_due;
	const struct auth_world *world;
	bool opened;
};

/* Takes over what a running auth needs from its database and options; the
 * caller has filled options and world. Suspends. */
struct files;
result auth_open(struct auth *a, struct files *f, const unsigned char key[DIRECTORY_KEY]) NODISCARD;
/* Also what was opened by half. Suspends only while changes are under way. */
void auth_close(struct auth *a);

/* The room's one auth: what the handlers of its doors work on. */
extern struct auth auth;

#endif
