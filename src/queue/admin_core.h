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
/* Whatever the case: who looks for an address means it however it was written. */
#define LOW(X) "lower(CAST(" X " AS TEXT))"
#define CHOSEN_ITEM " (?1 = 0 OR i.id = ?1) AND (?2 = '' OR substr(lower(hex(i.delivery)), 1, length(?2)) = ?2)" \
	" AND (?3 = x'' OR " LOW("i.sender") " = " LOW("?3") ")" \
	" AND (?4 = x'' OR " LOW("i.recipient") " = " LOW("?4") \
	" OR " LOW("substr(i.recipient, -length(?5))") " = " LOW("?5") ") "
#define CHOSEN_MAIL " (?1 = 0 OR r.id = ?1) AND (?2 = '' OR substr(lower(hex(m.delivery)), 1, length(?2)) = ?2)" \
	" AND (?3 = x'' OR " LOW("m.sender") " = " LOW("?3") ")" \
	" AND (?4 = x'' OR " LOW("r.destination") " = " LOW("?4") " OR " LOW("r.address") " = " LOW("?4") \
	" OR " LOW("substr(r.address, -length(?5))") " = " LOW("?5") ") "

#endif
