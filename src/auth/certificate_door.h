/* What administrators ask about client certificates; handlers of the door that web
 * uses (web_door.c). Every change is an event. */
#ifndef AUTH_CERTIFICATE_DOOR_H
#define AUTH_CERTIFICATE_DOOR_H

#include "talk/web_auth.h"

result certificate_door_add(struct arrival *in, struct web_auth_certificate_add *m,
	struct web_auth_certificate_added *answer) NODISCARD;
result certificate_door_list(struct arrival *in, struct web_auth_certificate_list *m,
	struct web_auth_app_passwords *answer) NODISCARD;
result certificate_door_revoke(struct arrival *in, struct web_auth_certificate_revoke *m, struct web_auth_done *answer)
	NODISCARD;

#endif
