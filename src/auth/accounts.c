#include "auth/accounts.h"

#include "auth/login.h"
#include "base/mem.h"
#include "run/fiber.h"
#include "talk/auth_account.h"

static result tell_quota(struct auth *a, uint64_t id, uint64_t octets)
{
	AUTO_ARENA arena m = arena_new(4096);
	struct channel *c;
	struct auth_account_quota q = {.octets = octets};
	struct auth_account_quota_set done;
	const struct asking how = {.arena = &m, .timeout_ms = ACCOUNTS_QUOTA_MS};
	TRY(a->world->account(id, &c));
	result r = auth_account_quota_call_within(c, &how, &q, &done);
	if (failed(r)) /* the refusal's sentence ends with the arena */
		return failure(r.kind, "the account's process does not take its quota; look at its lines in the log");
	return OK;
}

/* In the order that must hold also when it ends in the middle: the key first,
 * for without it the rest is noise; the row last, for it remembers the work. */
static result erase_rest(struct auth *a, uint64_t id)
{
	TRY(directory_doom_account(a->directory, id));
	login_forget(a, id);
	profile_forget(&a->profiles, id);
	TRY(a->world->erase_key(id));
	TRY(a->world->remove_folder(id));
	return directory_forget_account(a->directory, id);
}

static void erase_until_done(struct auth *a, uint64_t id)
{
	uint64_t wait = ACCOUNTS_RETRY_MS;
	result r;
	while (failed(r = erase_rest(a, id))) {
		log_event(EV_ADMIN_REFUSED, NULL, F_STR("act", STR("account erase")), F_U64("account", id),
			  F_STR("why", str_from(r.text)));
		if (failed(fiber_sleep(wait)))
			return;
		wait = wait * 2 < ACCOUNTS_RETRY_MOST_MS ? wait * 2 : ACCOUNTS_RETRY_MOST_MS;
	}
	log_event(EV_ADMIN, NULL, F_STR("act", STR("account erased")), F_U64("account", id));
}

struct unfinished {
	struct auth *a;
	uint64_t id;
};

static void go_on_erasing(void *arg)
{
	struct unfinished *u = arg;
	if (!failed(fiber_sleep(ACCOUNTS_RETRY_MS)))
		erase_until_done(u->a, u->id);
	mem_free(u);
}

/* Not done at the first try: then in the background, or else at the next start. */
static void erase_later(struct auth *a, uint64_t id)
{
	struct unfinished *u = mem_alloc(sizeof *u);
	if (!u)
		return;
	*u = (struct unfinished){a, id};
	if (failed(fiber_start(go_on_erasing, u, "erase", NULL)))
		mem_free(u);
}

result accounts_erase(struct auth *a, uint64_t id)
{
	TRY(directory_doom_account(a->directory, id));
	if (!failed(erase_rest(a, id)))
		return OK;
	erase_later(a, id);
	return failure(FAIL_BUSY, "nobody can use the account any more, but its mail could not be erased yet; the "
		"server goes on trying");
}

/* A new account takes the usual quota by itself when its process first starts,
 * so that it need not start only to be told. */
static result equip(struct auth *a, uint64_t id, uint64_t quota)
{
	TRY(a->world->make_folder(id));
	if (quota != options_number(&a->options, OPT_QUOTA))
		TRY(tell_quota(a, id, quota));
	return directory_finish_account(a->directory, id);
}

result accounts_make(struct auth *a, const struct new_account *n, uint64_t *id)
{
	TRY(directory_begin_account(a->directory, n, id));
	result r = equip(a, *id, n->quota);
	if (!failed(r))
		return OK;
	result undone = accounts_erase(a, *id); /* what of it fails is tried again */
	return failed(undone) && undone.kind != FAIL_BUSY ? undone : r;
}

result accounts_set_quota(struct auth *a, uint64_t id, uint64_t octets)
{
	TRY(tell_quota(a, id, octets));
	return directory_set_quota(a->directory, id, octets);
}

void accounts_finish_leftovers(struct auth *a)
{
	uint64_t id = 0, last = a->directory->last_account;
	while (!failed(directory_next_leftover(a->directory, id, &id)) && id > 0 && id <= last)
		erase_until_done(a, id);
}
