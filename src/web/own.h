/* What web itself does with some endpoints. */
#ifndef WEB_OWN_H
#define WEB_OWN_H

#include "web/endpoints.h"

void own_set_demo(bool demo);
result own_check_account(const struct ask *q) NODISCARD; /* DENIED: the demo's shortcut elsewhere */
void own_dress_traces(json_t *answer);                   /* each row's fields become an object */
result own_audit_show(const struct ask *q, json_t **answer) NODISCARD; /* suspends */
result own_login(const struct ask *q, json_t **answer) NODISCARD;  /* suspends */
result own_logout(const struct ask *q, json_t **answer) NODISCARD; /* suspends */
result own_status(const struct ask *q, json_t **answer) NODISCARD; /* suspends */

#endif
