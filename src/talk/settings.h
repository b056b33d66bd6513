/* The options that the supervisor told a room at its start. Owned by the
 * caller (options_free). INPUT for a name that this program does not know: the
 * two were built from different sources. Nothing suspends. */
#ifndef TALK_SETTINGS_H
#define TALK_SETTINGS_H

#include "config/options.h"
#include "run/net.h"
#include "talk/supervisor_room.h"

struct networks {
	net_cidr *p;
	size_t n;
};

result settings_read(const struct supervisor_room_begin *b, struct options *out) NODISCARD;
/* What the file of a FILE_AT option holds; empty when the option is not set. The
 * view ends with `b`. */
str settings_file(const struct supervisor_room_begin *b, enum option_id id);

/* Option never-ban, or what it means when it is not set; as settings_networks. */
result settings_never_ban(const struct options *o, struct networks *out) NODISCARD;
/* The same of administration-from. */
result settings_admin_from(const struct options *o, struct networks *out) NODISCARD;
/* The networks of a LIST option, checked by the supervisor; the caller's, mem_free. MEMORY. */
result settings_networks(const struct options *o, enum option_id id, struct networks *out) NODISCARD;

#endif
