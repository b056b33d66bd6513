#include "web/people.h"

#include <unistd.h>

#include "talk/room.h"
#include "talk/web_auth.h"

enum { ANSWER_ARENA = 4096 };

static struct {
	uid_t admins[PEOPLE_MAX];
	size_t n;
} people;

result people_read(const struct options *o)
{
	str rest = options_text(o, OPT_ADMINS), one;
	while (options_next(&rest, &one)) {
		uint32_t uid;
		if (!str_to_u32(str_trim(one), &uid) || people.n == PEOPLE_MAX)
			return failure(FAIL_INPUT, "administrators: give at most 64 numbers; `id -u NAME` tells a user's");
		people.admins[people.n++] = uid;
	}
	return OK;
}

bool people_may_administrate(uid_t uid)
{
	if (uid == 0 || uid == geteuid())
		return true;
	for (size_t i = 0; i < people.n; i++)
		if (people.admins[i] == uid)
			return true;
	return false;
}

result people_account(const struct person *p, uint64_t *account)
{
	AUTO_ARENA arena a = arena_new(ANSWER_ARENA);
	struct channel *auth;
	const struct web_auth_account_of m = {.address = p->address, .uid = p->uid};
	struct web_auth_account_of_is is;
	*account = 0;
	if (p->address.n > WEB_AUTH_ACCOUNT_OF_ADDRESS_MAX)
		return OK;
	TRY(room_connect(&web_auth_as_web_kind, "auth", 0, &auth));
	result r = web_auth_account_of_call(auth, NULL, &m, &a, &is);
	if (failed(r)) /* the refusal's sentence ends with the arena */
		return failure(r.kind, "the accounts cannot be asked for now; try again");
	*account = is.account;
	return OK;
}
