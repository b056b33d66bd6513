/* The jail of web: see ROOM.md. */
#ifndef WEB_JAIL_H
#define WEB_JAIL_H

#include "base/buf.h"

result web_jail(bool best_effort, buf *lacks) NODISCARD;

#endif
