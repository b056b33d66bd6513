#include "web/people.h"

#include <unistd.h>

#include "base/mem.h"
#include "grammar/text/json_text.h"
#include "talk/room.h"
#include "talk/settings.h"
#include "talk/visitor_auth.h"
#include "talk/web_auth.h"

enum { ANSWER_ARENA = 4096, SESSION_MS = 20000 };

static struct {
	uid_t admins[PEOPLE_MAX];
	size_t n;
	struct networks from; /* where visitors may come from */
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
	return settings_admin_from(o, &people.from);
}

void people_free(void)
{
	mem_free(people.from.p);
	people.from = (struct networks){0};
}

bool people_may_come(const net_addr *visitor)
{
	return net_in_any(visitor, people.from.p, people.from.n);
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

/* ---- visitors ---- */

static bool read_token(str text, unsigned char out[PEOPLE_TOKEN])
{
	return text.n == 2 * PEOPLE_TOKEN && hex_read(text, out, PEOPLE_TOKEN);
}

static result ask_session(struct caller *c, arena *a)
{
	struct channel *auth;
	struct visitor_auth_session m = {.client = c->client};
	struct visitor_auth_session_is is;
	const struct asking ask = {.arena = a, .timeout_ms = SESSION_MS};
	memcpy(m.token, c->token, sizeof m.token);
	TRY(room_connect(&visitor_auth_as_visitor_kind, "auth", 0, &auth));
	TRY(visitor_auth_session_call_within(auth, &ask, &m, &is));
	c->known = true;
	c->account = is.person.account;
	c->address = is.person.address;
	c->administrator = is.person.administrator;
	return OK;
}

result people_know(const struct http_request *q, arena *a, struct caller *out)
{
	const struct http_from *from = &q->from;
	*out = (struct caller){.visitor = from->visitor, .client = from->client, .trusted = from->trusted,
		.uid = from->uid};
	if (!out->visitor) {
		out->known = true;
		out->administrator = people_may_administrate(from->uid);
		return OK;
	}
	result r = read_token(q->token, out->token) ? ask_session(out, a) : OK;
	return r.kind == FAIL_ABSENT ? OK : r;
}

result people_allow(const struct caller *who, enum audience whom)
{
	if (whom == FOR_STRANGERS)
		return OK;
	if (!who->known)
		return failure(FAIL_DENIED, "log in first: POST /v1/login, and then show its token with each request "
					    "(Authorization: Bearer TOKEN); a session ends after 15 minutes without one");
	if (whom == FOR_ADMINISTRATORS && !who->administrator)
		return failure(FAIL_DENIED, "this user may only ask for what concerns the own account");
	return OK;
}
