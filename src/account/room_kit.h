/* For tests of the room's two doors: spoken to as edge, queue and auth speak, over a
 * real store. room.h's calls are played here. Tests only. */
#ifndef ACCOUNT_ROOM_KIT_H
#define ACCOUNT_ROOM_KIT_H

#include "account/store/kit.h"
#include "talk/auth_account.h"
#include "talk/courier_account.h"
#include "talk/item.h"

#define ROOM_MAIL "Subject: hello\r\nFrom: a@example.net\r\n\r\nbody\r\n"

extern struct room_kit {
	struct kit *kit;
	struct channel *courier, *courier_far, *auth, *auth_far, *vault, *vault_far;
	arena m;
	str facts;     /* of ROOM_MAIL; find_facts finds them anew */
	uint32_t idle; /* how often it asked to be ended */
	bool stopping; /* what room_stopping says */
} t;
extern const unsigned char item_key[ITEM_KEY]; /* that the vault unwraps from "wrapping" */

void run_in_room(void (*fn)(void)); /* on a fiber, with a fresh store and open doors */
void find_facts(void *arg);         /* on the loop's stack */
struct courier_account_delivered deliver(unsigned char id, str facts);

#endif
