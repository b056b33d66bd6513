/* The data directory: which folders there are and whose they are.
 *
 *   DIR/keys DIR/ledger DIR/directory DIR/queue   one room's each, mode 0700
 *   DIR/accounts/ID                               one account's each, mode 0700
 *   DIR/admin.sock                                the administration socket
 *
 * As root each folder belongs to its room's or account's own user id; without
 * root all belong to the caller. Descriptors returned belong to the caller.
 * Errors carry a sentence; nothing suspends. */
#ifndef SUPERVISOR_FOLDERS_H
#define SUPERVISOR_FOLDERS_H

#include "supervisor/policy.h"

struct folders {
	int root;      /* DIR */
	int accounts;  /* DIR/accounts */
	bool as_root;
	uint32_t uid_base;
};

/* What a killed server's last processes still hold is waited for so long, and looked at so often. */
enum { TAKEOVER_MS = 1000, TAKEOVER_LOOK_MS = 20 };

/* Makes what is missing. A lock on DIR keeps a second server away (EXISTS, after TAKEOVER_MS). */
result folders_open(struct folders *f, const char *directory, uint32_t uid_base) NODISCARD;
void folders_close(struct folders *f);

uint32_t folders_uid(const struct folders *f, enum role role, uint64_t number);
/* The folder a room of this role starts in, or -1 when it has none. */
result folders_of_role(const struct folders *f, enum role role, int *out) NODISCARD;
/* ABSENT when the account has no folder. */
result folders_of_account(const struct folders *f, uint64_t account, int *out) NODISCARD;
result folders_make_account(const struct folders *f, uint64_t account) NODISCARD;
result folders_remove_account(const struct folders *f, uint64_t account) NODISCARD;

#endif
