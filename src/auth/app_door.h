/* What administrators ask about app passwords; handlers of the door that web
 * uses (web_door.c). Every change is an event. */
#ifndef AUTH_APP_DOOR_H
#define AUTH_APP_DOOR_H

#include "talk/web_auth.h"

result app_door_add(struct arrival *in, struct web_auth_app_password_add *m, struct web_auth_app_password_added *answer)
	NODISCARD;
result app_door_list(struct arrival *in, struct web_auth_app_password_list *m, struct web_auth_app_passwords *answer)
	NODISCARD;
result app_door_revoke(struct arrival *in, struct web_auth_app_password_revoke *m, struct web_auth_done *answer)
	NODISCARD;

/* web_door.c: tells the log what was done or refused; gives `r` back. */
result web_report(const struct arrival *in, const char *act, str what, result r) NODISCARD;

#endif
