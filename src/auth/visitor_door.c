#include "auth/visitor_door.h"

#include "auth/doors.h"
#include "auth/login.h"
#include "auth/rules.h"
#include "run/clock.h"
#include "run/secret.h"

static bool needs_factor(const struct book_account *who)
{
	return who->admin || who->entry->domain->second_factor;
}

const char *visitor_bars(const struct book_account *who, const struct login_try *t, const struct proof *p)
{
	if (p->app_password)
		return "An app password is for mail programs; log in with the account's own password";
	if (who->second_factor)
		return t->code.n ? NULL : "This account has a second factor; send its code, or a recovery code, as well";
	if (who->admin)
		return "Administrators need a second factor, and this account has none: on the server, "
		       "'postern account second-factor totp --account ADDRESS' makes one";
	return needs_factor(who) ? "This domain demands a second factor, and this account has none; ask the administrator"
		: NULL;
}

/* ---- logging in ---- */

static result refusal_of(arena *m, const struct edge_auth_login_is *is)
{
	switch (is->verdict) {
	case EDGE_AUTH_LOGIN_VERDICT_ACCEPTED:
		return OK;
	case EDGE_AUTH_LOGIN_VERDICT_REFUSED:
		return failure(FAIL_DENIED, "User name, password or code is wrong; the user name is the whole mail address, "
					    "and a code is good once");
	case EDGE_AUTH_LOGIN_VERDICT_DISABLED:
		return failure(FAIL_DENIED, "This account is disabled; ask the administrator of this server");
	case EDGE_AUTH_LOGIN_VERDICT_BARRED:
		return failure(FAIL_DENIED, arena_cstr(m, is->text));
	default:
		return failure(FAIL_BUSY, "The server is busy with other logins; try again in a moment");
	}
}

static result describe(const struct book_account *who, bool factor, arena *m, struct visitor_auth_person *out)
{
	out->account = who->id;
	out->address = arena_dup(m, who->entry->key);
	out->administrator = who->admin && factor;
	return arena_result(m);
}

/* Nothing suspends between the proof and here. */
static result give_session(const struct proof *p, arena *m, struct visitor_auth_logged_in *answer)
{
	const struct book_account *who = book_account(&auth.directory->book, p->account);
	const struct visitor begun = {.account = p->account, .factor = p->factor};
	TRY(describe(who, p->factor, m, &answer->person));
	answer->lasts = VISITOR_LONGEST_MS / 1000;
	return visitors_give(&auth.visitors, begun, clock_mono_ms(), answer->token);
}

static result on_login(struct arrival *in, struct visitor_auth_login *m, struct visitor_auth_logged_in *answer)
{
	const struct login_try t = {.protocol = EDGE_AUTH_PROTOCOL_ADMIN, .user = m->user, .client = m->client,
		.encrypted = true, .code = m->code, .mechanism = m->code.n ? "password and code" : "password",
		.trace = &in->trace, .claimed = login_claimed(&auth, (str){NULL, 0}, m->user)};
	struct edge_auth_login_is is = {0};
	struct proof p;
	prove_begin(&p, &t);
	prove_password(&auth, &t, m->password, &p);
	result r = login_conclude(&auth, &t, &p, &is);
	if (!failed(r))
		r = refusal_of(in->arena, &is);
	if (!failed(r))
		r = give_session(&p, in->arena, answer);
	prove_end(&p);
	result waited = m->trusted || !is.delay ? OK : fiber_sleep(is.delay);
	return failed(waited) ? waited : r;
}

/* ---- a session ---- */

static const result ended = {FAIL_ABSENT, "This session has ended; log in again"};

static result ask_rules(uint64_t account, str client)
{
	struct rule_visit v = {.protocol = EDGE_AUTH_PROTOCOL_ADMIN, .client = client, .places = auth.places};
	const char *why = NULL;
	TRY(rules_ask(auth.directory, account, &v, &why));
	return why ? failure(FAIL_DENIED, why) : OK;
}

static result on_session(struct arrival *in, struct visitor_auth_session *m, struct visitor_auth_session_is *answer)
{
	str token = str_of((const char *)m->token, sizeof m->token);
	const struct visitor *v = visitors_use(&auth.visitors, token, clock_mono_ms());
	if (!v)
		return ended;
	const bool factor = v->factor;
	const struct book_account *who = book_account(&auth.directory->book, v->account);
	if (!who || who->disabled || (needs_factor(who) && !factor)) {
		visitors_end(&auth.visitors, token, "the account may not be used so any more");
		return ended;
	}
	TRY(describe(who, factor, in->arena, &answer->person));
	return who->rules ? ask_rules(answer->person.account, m->client) : OK;
}

static result on_logout(struct arrival *in, struct visitor_auth_logout *m, struct visitor_auth_logged_out *answer)
{
	(void)in;
	(void)answer;
	visitors_end(&auth.visitors, str_of((const char *)m->token, sizeof m->token), "logged out");
	return OK;
}

const struct visitor_auth_as_auth visitor_handlers = {.login = on_login, .session = on_session, .logout = on_logout};
