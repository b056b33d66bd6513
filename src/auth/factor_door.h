/* What administrators ask about second factors and rules; handlers of the door
 * that web uses (web_door.c). Every change is an event. */
#ifndef AUTH_FACTOR_DOOR_H
#define AUTH_FACTOR_DOOR_H

#include "talk/web_auth.h"

result factor_door_totp(struct arrival *in, struct web_auth_second_factor_totp *m,
	struct web_auth_second_factor_made *answer) NODISCARD;
result factor_door_off(struct arrival *in, struct web_auth_second_factor_off *m, struct web_auth_done *answer)
	NODISCARD;
result factor_door_show(struct arrival *in, struct web_auth_second_factor_show *m,
	struct web_auth_second_factor_is *answer) NODISCARD;
result factor_door_check(struct arrival *in, struct web_auth_second_factor_check *m, struct web_auth_done *answer)
	NODISCARD;
result factor_door_domain(struct arrival *in, struct web_auth_domain_second_factor *m, struct web_auth_done *answer)
	NODISCARD;
result rule_door_add(struct arrival *in, struct web_auth_rule_add *m, struct web_auth_rule_added *answer) NODISCARD;
result rule_door_list(struct arrival *in, struct web_auth_rule_list *m, struct web_auth_rules *answer) NODISCARD;
result rule_door_delete(struct arrival *in, struct web_auth_rule_delete *m, struct web_auth_done *answer) NODISCARD;

#endif
