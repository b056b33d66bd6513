/* A whole auth on a disk in memory, with stand-ins for the rooms around it.
 * Tests only. */
#ifndef AUTH_AUTH_KIT_H
#define AUTH_AUTH_KIT_H

#include "base/test.h"

#include "auth/auth.h"
#include "auth/doors.h"
#include "auth/second_factor.h"
#include "engine/files_sim.h"
#include "talk/owner_key.h"
#include "talk/auth_account.h"

#define KIT_USUAL_CLIENT "203.0.113.1" /* whoever comes from there usually does */

struct kit {
	struct sim *sim;
	struct channel *edge, *edge_far;  /* the edge's end and auth's */
	struct channel *web, *web_far, *visitor, *visitor_far; /* web speaks both */
	struct channel *queue, *queue_far, *relay, *relay_far;
	const char *client; /* logins come from there; NULL: 192.0.2.7 */
	int news; /* how often the edge heard that the directory changed */
	int folders, folders_removed, keys_erased;
	int given_up;
	int keys_made, keys_dropped;
	int certificates;
	int64_t last_until; /* of a certificate */
	char last_key[KEY_NAME + 1];  /* the one dropped last */
	bool no_keys;                 /* the vault takes no more */
	const char *dns;              /* the TXT record that every name has; NULL: none */
	char asked[400];              /* the name asked for last */
	bool no_folder, no_vault, account_down;
	struct channel *account, *account_far; /* auth's end and the account's */
	uint64_t account_number, quota;
	int sessions, ends; /* handed over; how often some had to end */
	uint64_t session_credential, ended_credential;
	bool ended_all;
	char session_user[ADDRESS_MAX + 1];
	bool locked, shut, no_lock; /* the account's policy; its owner is away; it cannot change that now */
	struct owner_key owner;     /* what it is locked by */
	int locks;                  /* how often it was sealed anew */
	int events[LOG_EVENTS];
	char last_fields[4096]; /* of the last event, as its record */
	size_t last_n;
};
extern struct kit kit;

void kit_run(void (*test)(void)); /* on a fiber, with a fresh disk, opened and closed around it */
void kit_open(void);
void kit_close(void);

/* A refusal without its sentence, which ends with the arena of the answer. */
result kit_kind(result r);

/* Web's questions; the answers' results. */
result kit_domain(const char *name);
result kit_account(const char *address, const char *password);
result kit_account_of(const char *address, uint64_t quota); /* another quota than the usual one */
result kit_admin(const char *address);
result kit_alias(const char *address, const char *to);
result kit_delete_account(const char *address);

/* Turns codes by time on. */
struct kit_factor {
	unsigned char secret[TOTP_SECRET];
	char recovery[RECOVERY_CODES][RECOVERY_TEXT + 1];
};
void kit_totp(const char *address, struct kit_factor *out);

/* An edge's questions. */
struct kit_answer {
	enum edge_auth_recipient_verdict verdict;
	size_t n;
	uint64_t first;
};
struct kit_answer kit_recipient(const char *address);
struct edge_auth_login_is kit_login(const char *user, const char *password, enum edge_auth_protocol protocol);
bool kit_may_send(const trace_id *token, const char *address);

#endif
