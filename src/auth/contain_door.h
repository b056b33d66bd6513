/* What administrators and watch ask about accounts that somebody else seems to use. */
#ifndef AUTH_CONTAIN_DOOR_H
#define AUTH_CONTAIN_DOOR_H

#include "talk/web_auth.h"

result contain_door_contain(struct arrival *in, struct web_auth_account_contain *m, struct web_auth_done *answer)
	NODISCARD;
result contain_door_release(struct arrival *in, struct web_auth_account_release *m,
	struct web_auth_account_freed *answer) NODISCARD;
result contain_door_reset(struct arrival *in, struct web_auth_account_reset *m, struct web_auth_account_freed *answer)
	NODISCARD;

#endif
