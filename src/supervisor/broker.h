/* What rooms ask of the supervisor, and who may ask it.
 *
 * The table of routes (policy.h) decides connections; making and removing
 * account folders is auth's alone, the list of processes is web's. */
#ifndef SUPERVISOR_BROKER_H
#define SUPERVISOR_BROKER_H

#include "talk/supervisor_room.h"

extern const struct supervisor_room_as_supervisor broker_handlers;

#endif
