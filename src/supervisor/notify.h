/* How the server stands, told to who started it by the protocol of sd_notify(3):
 * a datagram to the socket that NOTIFY_SOCKET names. systemd's own library would
 * bring six others into the process that starts everything.
 *
 * Nothing suspends, nothing fails: who did not start us so hears nothing, and a
 * socket that does not take it at once is told nothing. */
#ifndef SUPERVISOR_NOTIFY_H
#define SUPERVISOR_NOTIFY_H

#include "base/str.h"

/* `state` as sd_notify(3) names it, such as READY=1. */
void notify(str state);

#endif
