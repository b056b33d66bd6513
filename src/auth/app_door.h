/* What administrators ask about app passwords; handlers of the door that web
 * uses (web_door.c). Every change is an event. */
#ifndef AUTH_APP_DOOR_H
#define AUTH_APP_DOOR_H

#include "auth/app_passwords.h"
#include "talk/web_auth.h"

result app_door_add(struct arrival *in, struct web_auth_app_password_add *m, struct web_auth_app_password_added *answer)
	NODISCARD;
result app_door_list(struct arrival *in, struct web_auth_app_password_list *m, struct web_auth_app_passwords *answer)
	NODISCARD;
result app_door_revoke(struct arrival *in, struct web_auth_app_password_revoke *m, struct web_auth_done *answer)
	NODISCARD;

/* For certificates, which are rows of the same kind (certificate_door.c). INPUT, LIMIT; the scope is the arena's. */
struct app_plan {
	str name;
	struct scope_words scope;
	int64_t expires;
};
result app_door_plan(const struct app_plan *p, arena *a, struct app_password *out) NODISCARD;
result app_digits(str octets, arena *a, str *out) NODISCARD; /* of a serial number or fingerprint */
typedef result app_rows(struct directory *d, uint64_t account, arena *a, struct app_passwords *out);
result app_door_rows(str account, app_rows *read, arena *a, struct web_auth_app_passwords *answer) NODISCARD;
/* Once its row has gone: nothing that it opened is left. */
typedef result app_end(struct directory *d, uint64_t account, str name, uint64_t *id);
result app_door_end(str account, str name, app_end *revoke) NODISCARD;

/* web_door.c: a new password, as `account password` sets it. Suspends. */
result web_set_password(const struct web_auth_account_password *m) NODISCARD;
/* web_door.c: tells the log what was done or refused; gives `r` back. */
result web_report(const struct arrival *in, const char *act, str what, result r) NODISCARD;

#endif
