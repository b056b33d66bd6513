/* Logins in force: the random token an edge shows when it asks what the owner
 * may do, bound to the channel it was given on.
 *
 * Bounded: when TOKENS_MAX logins are in force the oldest is forgotten, whose
 * owner then has to log in again. Owns its memory; nothing suspends. */
#ifndef AUTH_TOKENS_H
#define AUTH_TOKENS_H

#include "base/hash.h"
#include "base/list.h"
#include "base/log.h"

enum { TOKENS_MAX = 100000 };

/* What a login has asked leave for and not yet sent (profile.h). */
struct sending {
	uint32_t sent, first;
	uint64_t since; /* milliseconds on the monotonic clock */
};

struct tokens {
	hash table;
	struct list oldest;
	void (*ended)(uint64_t account, struct sending *s); /* a login that held something; may be NULL */
};

void tokens_init(struct tokens *t);
void tokens_free(struct tokens *t);

/* Whose login it is, and by what. */
struct token_owner {
	uint64_t account;
	uint64_t credential; /* the app password; 0: the person's own password */
};

/* `channel` is only compared. */
result tokens_give(struct tokens *t, const void *channel, struct token_owner o, trace_id *out) NODISCARD;
/* The account, 0 when the token was not given on this channel or is forgotten. */
uint64_t tokens_account(const struct tokens *t, const void *channel, const trace_id *token);
struct sending *tokens_sending(const struct tokens *t, const void *channel, const trace_id *token); /* or NULL */
void tokens_drop(struct tokens *t, const void *channel, const trace_id *token);
void tokens_drop_channel(struct tokens *t, const void *channel);
void tokens_drop_account(struct tokens *t, uint64_t account);
void tokens_drop_credential(struct tokens *t, struct token_owner o);

#endif
