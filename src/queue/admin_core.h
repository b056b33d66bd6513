/* What admin_list.c and admin_act.c share. */
#ifndef QUEUE_ADMIN_CORE_H
#define QUEUE_ADMIN_CORE_H

#include "queue/admin.h"
#include "queue/items_core.h"

/* A choice as arguments ?1 to ?5 of the conditions below. */
struct chosen {
	uint64_t item;
	char message[33];
	size_t message_n;
	str sender, destination;
	char at[322]; /* "@destination" */
	size_t at_n;
};
result chosen_of(const struct choice *c, struct chosen *out) NODISCARD; /* INPUT */

#define CHOSEN_ARGS(C) DB_INT((C)->item), DB_TEXT(str_of((C)->message, (C)->message_n)), DB_BLOB((C)->sender), \
	DB_BLOB((C)->destination), DB_BLOB(str_of((C)->at, (C)->at_n))
#define CHOSEN_ITEM " (?1 = 0 OR i.id = ?1) AND (?2 = '' OR substr(lower(hex(i.delivery)), 1, length(?2)) = ?2)" \
	" AND (?3 = x'' OR i.sender = ?3)" \
	" AND (?4 = x'' OR i.recipient = ?4 OR substr(i.recipient, -length(?5)) = ?5) "
#define CHOSEN_MAIL " (?1 = 0 OR r.id = ?1) AND (?2 = '' OR substr(lower(hex(m.delivery)), 1, length(?2)) = ?2)" \
	" AND (?3 = x'' OR m.sender = ?3) AND (?4 = x'' OR r.destination = ?4 OR r.address = ?4" \
	" OR substr(r.address, -length(?5)) = ?5) "

#endif
