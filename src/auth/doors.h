/* The handlers of the room's doors, for main.c's table and the tests. */
#ifndef AUTH_DOORS_H
#define AUTH_DOORS_H

#include "talk/edge_auth.h"
#include "talk/queue_auth.h"
#include "talk/relay_auth.h"
#include "talk/visitor_auth.h"
#include "talk/watch_auth.h"
#include "talk/web_auth.h"

struct room_visitor;

extern const struct edge_auth_as_auth edge_handlers;
void edge_left(struct room_visitor *v); /* its logins are forgotten */

extern const struct queue_auth_as_auth queue_handlers;
extern const struct relay_auth_as_auth relay_handlers;
extern const struct visitor_auth_as_auth visitor_handlers;
extern const struct web_auth_as_auth web_handlers;
extern const struct watch_auth_as_auth watch_handlers;

#endif
