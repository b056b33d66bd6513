#include "auth/contain_door.h"

#include "auth/app_door.h"
#include "auth/contain.h"
#include "auth/doors.h"
#include "auth/login.h"

/* ---- administrators ---- */

static result contain(const struct web_auth_account_contain *m)
{
	struct book_account *who;
	TRY(directory_find_account(auth.directory, m->address, &who));
	const struct suspicion s = {.account = who->id, .by = STR("administrator"), .why = m->reason};
	return contain_begin(&auth, &s);
}

result contain_door_contain(struct arrival *in, struct web_auth_account_contain *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "account contain", m->address, contain(m));
}

static result release(str address, uint64_t *recipients)
{
	struct book_account *who;
	TRY(directory_find_account(auth.directory, address, &who));
	return contain_end(&auth, who->id, true, recipients);
}

result contain_door_release(struct arrival *in, struct web_auth_account_release *m,
	struct web_auth_account_freed *answer)
{
	return web_report(in, "account release", m->address, release(m->address, &answer->recipients));
}

/* Also where the account is not contained: whoever lost a password resets it. */
static result reset(const struct web_auth_account_reset *m, uint64_t *recipients)
{
	const struct web_auth_account_password p = {.address = m->address, .password = m->password};
	struct book_account *who;
	TRY(directory_find_account(auth.directory, m->address, &who));
	uint64_t id = who->id;
	TRY(web_set_password(&p));
	TRY(app_passwords_revoke_all(auth.directory, id));
	login_forget(&auth, id);
	login_end_sessions(&auth, id, 0, true);
	result r = contain_end(&auth, id, false, recipients);
	return r.kind == FAIL_ABSENT ? OK : r;
}

result contain_door_reset(struct arrival *in, struct web_auth_account_reset *m, struct web_auth_account_freed *answer)
{
	return web_report(in, "account reset", m->address, reset(m, &answer->recipients));
}

/* ---- watch ---- */

static result on_contain(struct arrival *in, struct watch_auth_contain *m, struct watch_auth_done *answer)
{
	const struct suspicion s = {.account = m->account, .by = m->detector, .why = m->evidence};
	(void)in;
	(void)answer;
	return contain_begin(&auth, &s);
}

static result on_notice(struct arrival *in, struct watch_auth_notice *m, struct watch_auth_done *answer)
{
	const struct word w = {.about = {.account = m->account, .by = m->detector, .why = m->evidence}, .owner = m->owner,
			       .admin = m->admin};
	(void)in;
	(void)answer;
	return contain_tell(&auth, &w);
}

const struct watch_auth_as_auth watch_handlers = {.contain = on_contain, .notice = on_notice};
