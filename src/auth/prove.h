/* Does a secret prove who somebody is: a person's password, or an app password.
 *
 * A secret that is wrong, one of nobody and one that was revoked look alike and
 * take the same time. Suspends. */
#ifndef AUTH_PROVE_H
#define AUTH_PROVE_H

#include "auth/auth.h"

/* One attempt to log in, whatever its mechanism; views of the caller's. */
struct login_try {
	enum edge_auth_protocol protocol;
	str user, client, tag;
	bool encrypted, session;
	str code;   /* of the second factor; the administration API alone asks for it */
	bool clear; /* only an app password that was made for a device without TLS will do */
	const char *mechanism;
	const void *channel; /* where the token is given */
	const trace_id *trace;
	struct book_account *claimed; /* whom the name concerns; NULL: nobody. Until the first suspension */
};

/* Callers wipe it. */
struct proof {
	result r; /* OK, DENIED, or what keeps us from knowing */
	uint64_t account;
	uint64_t round;        /* of the account's secrets when it began (book_account) */
	uint64_t app_password; /* or certificate; 0: the person's own password */
	bool certificate;      /* which of the two */
	str name;              /* of that; in the arena */
	const char *barred;    /* the secret is right and does not do here or now: a sentence; NULL: it does */
	bool factor;           /* a code was right too */
	bool repeat;    /* it is wrong, and no guess: tried with that name before, or a certificate that was good once */
	uint32_t names; /* that this wrong one was tried with lately; 0: not known */
	const char *locked;      /* it does not open the account's mail: a sentence; NULL */
	str password;            /* the person's own, where it was that; a view of the caller's */
	struct scram_key client; /* ClientKey of an app password. Either opens a locked account (unlock.h) */
	arena arena;
};

void prove_begin(struct proof *p, const struct login_try *t);
void prove_end(struct proof *p);
void prove_password(struct auth *a, const struct login_try *t, str password, struct proof *p);

/* For those who know rows of app passwords (SCRAM). Reads them with the arena of the proof. */
result prove_rows(struct auth *a, struct proof *p, struct app_passwords *out) NODISCARD;
/* The secret was this one's. */
void prove_found(struct proof *p, const struct login_try *t, const struct app_password *row);

#endif
