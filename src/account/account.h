/* The account room's one state: its store, its sessions, whether anything goes
 * on. One process is one account. */
#ifndef ACCOUNT_ACCOUNT_H
#define ACCOUNT_ACCOUNT_H

#include "account/arrivals.h"
#include "account/imap/imap.h"
#include "account/lock.h"
#include "account/pop3/pop3.h"
#include "config/options.h"
#include "run/fiber.h"

enum account_limits {
	ACCOUNT_TRIM_MS = 3000,    /* after so long without work caches are given back */
	ACCOUNT_INSPECT_MS = 60000,
	ACCOUNT_VAULT_MS = 30000,
	ACCOUNT_FACTS_ARENA = 64 * 1024 * 1024, /* what one message's facts decode to */
};

struct account {
	struct options options;
	struct files *files;
	struct store *store; /* NULL: not open yet, or shut */
	/* opening.h */
	struct lock lock;
	struct arrivals *arrivals; /* of a locked account; NULL: policy server */
	bool merged;        /* nothing of it waits: letters go into mailboxes */
	bool tried;         /* it was tried */
	bool changing;      /* it is being opened, or everything sealed anew: nothing begins */
	uint64_t left;      /* when the last session ended, on the monotonic clock */
	struct gate opened; /* one of these has changed, or a letter or session has ended */
	struct imap_home imap;
	struct pop3_home pop3;
	uint32_t sessions;
	uint32_t deliveries; /* and checks, under way */
};
extern struct account account;

/* The store as that kind of actor. */
struct actor account_as(enum actor_kind kind);

/* ---- couriers.c, sessions.c: what visitors may ask */
struct courier_account_as_account;
extern const struct courier_account_as_account courier_handlers;
struct auth_account_as_account;
extern const struct auth_account_as_account auth_handlers;

/* ---- couriers.c: what the server itself writes; suspends */
struct arrival;
struct auth_account_letter;
struct auth_account_letter_kept;
result account_on_letter(struct arrival *in, struct auth_account_letter *m, struct auth_account_letter_kept *answer)
	NODISCARD;

/* ---- inspect.c */
/* What is in a message, encoded; in the arena. Suspends. */
result account_facts(struct body *message, arena *m, str *facts) NODISCARD;
imap_examine account_examine;
imap_fold account_fold;
imap_look account_look;

/* ---- idle.c */
result idle_watch_start(void) NODISCARD;
void idle_stir(void); /* something goes on, or has ended */
/* Suspends until no delivery is under way. */
void idle_wait_for_deliveries(void);
/* What a lull does. Suspends; counts as a delivery, so that the store stays open meanwhile. */
void idle_give_back(void);

#endif
