/* The jail of watch: see ROOM.md. */
#ifndef WATCH_JAIL_H
#define WATCH_JAIL_H

#include "base/buf.h"

result watch_jail(bool best_effort, buf *lacks) NODISCARD;

#endif
