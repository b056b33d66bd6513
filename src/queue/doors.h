/* The handlers of the room's doors, for main.c's table and the tests. */
#ifndef QUEUE_DOORS_H
#define QUEUE_DOORS_H

#include "talk/auth_queue.h"
#include "talk/edge_queue.h"
#include "talk/web_queue.h"

extern const struct edge_queue_as_queue edge_handlers;
extern const struct web_queue_as_queue web_handlers;
extern const struct auth_queue_as_queue contain_handlers;

#endif
