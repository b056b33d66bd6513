/* Two ends of a channel in one process, each with handlers that a test sets,
 * and a raw end on which a test may say what it likes. Tests only. */
#ifndef TALK_TEST_CHANNEL_KIT_H
#define TALK_TEST_CHANNEL_KIT_H

#include "talk/test/asker_teller.h"

#include "base/test.h"

struct ends {
	struct channel *asker;
	struct channel *teller;
	int raw;            /* the peer of `teller` where there is no asker */
	int asker_ended;    /* how often, and with what */
	int teller_ended;
	result asker_why;
	result teller_why;
	void *extra;
};

/* Runs fn on a fiber over a fresh loop, then checks that no descriptor and no
 * fiber is left. */
void on_fiber(void (*fn)(void));
void ends_open(struct ends *e, const struct asker_teller_as_teller *teller);
void ends_open_both(struct ends *e, const struct asker_teller_as_teller *teller,
		    const struct asker_teller_as_asker *asker);
/* A teller whose peer is the test itself, on e->raw. */
void ends_open_raw(struct ends *e, const struct asker_teller_as_teller *teller);
void ends_close(struct ends *e);

/* A packet on the raw socket. */
struct raw_packet {
	uint16_t number;
	uint16_t flags; /* 1 call, 2 answer, 4 refused */
	uint32_t request;
	str payload;
	int fds[8];
	size_t fds_n;
};
void raw_send(int fd, const struct raw_packet *p);
/* The next packet's octets with its header; empty when the peer closed. Suspends. */
str raw_receive(int fd, char *space, size_t n);
/* The octets of a message, in the arena. */
str raw_payload(arena *a, const struct talk_shape *s, const void *m);

/* How often EV_ROOM_NONSENSE was logged since the last call. */
int nonsense_logged(void);

#endif
