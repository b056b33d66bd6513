/* What the files of room.h share; nobody else includes this. */
#ifndef TALK_ROOM_CORE_H
#define TALK_ROOM_CORE_H

#include "talk/room.h"

/* room_peers.c: channels that this room asked for. */
void room_peers_open(const struct room *r);
void room_peers_close(void); /* no fiber may be left */

/* room_log.c: event records on their way to watch. */
void room_log_open(void);
void room_log_finish(void); /* suspends, at most a second: hands over what is gathered */
void room_log_close(void);

/* room_visit.c: channels that other rooms asked for. */
void room_visit_open(const struct room *r);
void room_visit(struct supervisor_room_channel *m);
void room_visit_drain(void); /* suspends */
void room_visit_close(void); /* no fiber may be left */

/* room_jail.c */
result room_jail(const struct room *r, bool best_effort, buf *lacks) NODISCARD;
void room_jail_print(const struct room *r);

/* room.c */
void room_blame(const char *role, uint64_t number);

#endif
