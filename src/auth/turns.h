/* Whose secrets wait to be checked. Once TURNS_FREE of the places before
 * Argon2id (CHECKER_WAITING) are taken, a network that holds TURNS_SHARE of them gets no
 * more: who guesses at many connections waits for himself, and others' logins
 * find a place. A network is an IPv4 /24 or an IPv6 /48; clients that have no
 * address are one. Owns its memory; nothing suspends. */
#ifndef AUTH_TURNS_H
#define AUTH_TURNS_H

#include "auth/checker.h"
#include "base/hash.h"
#include "run/net.h"

enum { TURNS_FREE = 64, TURNS_SHARE = 32 };
_Static_assert(TURNS_FREE <= CHECKER_WAITING / 2, "who came first has not taken most of the places");

struct turns {
	hash waiting; /* network -> how many, in the place of a pointer */
	size_t n;     /* of all of them */
};

struct turn {
	net_cidr network;
};

void turns_init(struct turns *t);
void turns_free(struct turns *t);
result turn_take(struct turns *t, str client, struct turn *out) NODISCARD; /* BUSY: the network's share waits; MEMORY */
void turn_give(struct turns *t, const struct turn *turn);

#endif
