/* What an edge does about banned networks: it looks on watch's page (talk/ban_page.h)
 * when a client connects, when a proxy or XCLIENT says who the client is, and at each
 * login, and asks nobody.
 *
 * A refused client costs an accept, a look and a close. Its connections are counted by
 * network and told to watch now and then, not one by one. Networks that are never
 * banned are known here too, so that no page can shut the operator out. */
#ifndef EDGE_BANS_H
#define EDGE_BANS_H

#include "base/hash.h"
#include "talk/ban_page.h"
#include "talk/settings.h"

enum bans_limits {
	BANS_WAIT_MS = 2000,    /* at the start, for the first page: then clients are let in without */
	BANS_DELAY_MS = 2000,   /* before a slowed client is greeted, */
	BANS_TARPIT_MS = 20000, /* and one in the tarpit; and before each refused login's answer */
	BANS_TELL_MS = 5000,    /* refusals are told to watch so often */
	BANS_TALLY = 256,       /* networks counted apart between two tellings; the rest together */
};

struct bans {
	struct ban_window *window; /* NULL: there is no watch yet */
	struct networks never;
	hash tally;                /* refused since the last telling */
	uint64_t others;
	bool telling;
};

/* Another page; takes fd, -1 is none. PEER: it is none, and the one in force stays. */
result bans_read(struct bans *b, int fd) NODISCARD;
void bans_free(struct bans *b);

/* BAN_NONE where nothing holds for the address now. */
enum ban_grade bans_look(const struct bans *b, const net_addr *a, struct ban_row *out);
/* Why, for people; one line without its end. */
void bans_put_sentence(buf *out, const struct ban_row *row);
uint64_t bans_pause(enum ban_grade grade); /* milliseconds */
/* A client was refused because of that row: counts it. Starts a fiber now and then. */
void bans_count(struct bans *b, const struct ban_row *row);
/* Suspends until there is a page, for BANS_WAIT_MS at most. */
void bans_await(const struct bans *b);

#endif
