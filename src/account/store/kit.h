/* For the store's tests only: a store on a disk in memory or in a temporary
 * folder, fibers to run in, letters to keep. */
#ifndef ACCOUNT_STORE_KIT_H
#define ACCOUNT_STORE_KIT_H

#include "account/store/check.h"
#include "account/store/fetch.h"
#include "account/store/message.h"
#include "base/test.h"
#include "engine/files_sim.h"
#include "run/fiber.h"

struct kit {
	struct sim *sim;
	struct files_local local;
	struct files *files;
	char folder[64]; /* empty: the disk is in memory */
	const unsigned char *key; /* NULL: one for tests */
	uint64_t quota;
	bool watched; /* as if somebody looked: no letter is only kept (kept.h) */
	void (*give_up)(result why); /* as in store_options */
	struct store *store;
	struct actor owner, courier, administrator;
	arena m;
	uint32_t deliveries;
};

/* Runs fn(kit) on a fiber with an open store, then checks every invariant and closes. */
void kit_run(void (*fn)(struct kit *k));
void kit_run_watched(void (*fn)(struct kit *k));
void kit_run_on_disk(void (*fn)(struct kit *k)); /* the same in a temporary folder */
void kit_on_fiber(void (*fn)(void *arg), void *arg); /* opens and closes the loop around it */

result kit_open(struct kit *k) NODISCARD;
void kit_close(struct kit *k);
void kit_reopen(struct kit *k);
result kit_gather_bodies(void *names, str name) NODISCARD; /* for files_list: body files' names, into a buf */
void kit_expect_sound(struct kit *k); /* store_check finds nothing */

struct letter kit_letter(struct kit *k, const char *subject, size_t body);
trace_id kit_delivery(struct kit *k); /* a fresh one */
result kit_deliver(struct kit *k, const char *mailbox, const char *subject, size_t body) NODISCARD;
result kit_append(struct kit *k, const char *mailbox, uint64_t flags, const char *subject) NODISCARD;
struct view *kit_view(struct kit *k, const char *mailbox);
struct uids kit_uids(struct kit *k, size_t n, ...); /* of uint32_t */
struct view_changes kit_pull(struct kit *k, struct view *v);
str kit_bytes(struct kit *k, struct view *v, uint32_t uid); /* the whole message */
struct actor *kit_view_actor(struct view *v);
size_t kit_views(const struct kit *k, const char *mailbox); /* that its rows in memory know of */
uint32_t kit_last_uid(struct kit *k, const char *mailbox);
int64_t kit_number(struct kit *k, const char *sql);    /* what the database answers */
void kit_write(struct kit *k, const char *sql);       /* another hand writes */
uint64_t kit_modseq(const struct kit *k); /* the account's */
uint64_t kit_flags(struct view *v, uint32_t uid);           /* without \Recent; UINT64_MAX when it is gone */

#endif
