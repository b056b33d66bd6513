#include "auth/login.h"

#include <sys/socket.h>
#include <unistd.h>

#include "auth/rules.h"
#include "auth/second_factor.h"
#include "auth/unlock.h"
#include "auth/visitor_door.h"
#include "run/clock.h"
#include "run/net.h"
#include "run/secret.h"
#include "talk/auth_account.h"

enum { SESSION_TRIES = 2, SESSION_TAKEN_MS = 20000, SESSIONS_END_MS = 5000, KEY_TEXT = 1 + ADDRESS_MAX };

/* ---- guessing ---- */

struct throttle_key {
	char p[KEY_TEXT];
	size_t n;
};

static str key_of(const struct throttle_key *k)
{
	return str_of(k->p, k->n);
}

static struct throttle_key make_key(char kind, str text)
{
	struct throttle_key k = {.p = {kind}, .n = 1};
	for (size_t i = 0; i < text.n && k.n < sizeof k.p; i++)
		k.p[k.n++] = (char)ascii_lower(str_at(text, i));
	return k;
}

/* An IPv4 address, or of an IPv6 one the /64 that one customer has. */
static struct throttle_key network_of(str client)
{
	net_addr a;
	if (failed(net_parse_ip(client, &a)))
		return make_key('?', client);
	struct throttle_key k = {.p = {'n'}, .n = 1};
	size_t n = net_is_v4(&a) ? 16 : 8;
	memcpy(k.p + 1, a.ip, n);
	k.n += n;
	return k;
}

/* What others do to the name is nothing to somebody who usually comes from there; watch remembers who does. */
static uint32_t count_failure(struct auth *a, const struct login_try *t, uint64_t account)
{
	struct throttle_key network = network_of(t->client), name = make_key('u', t->user);
	uint64_t now = clock_mono_ms();
	uint32_t by_network = throttle_failed(&a->throttle, key_of(&network), now);
	uint32_t by_name = throttle_failed(&a->throttle, key_of(&name), now);
	if (by_name > by_network && a->world->comes_from(account, t->client))
		return by_network;
	return by_network > by_name ? by_network : by_name;
}

static uint32_t wait_of_network(const struct auth *a, const struct login_try *t)
{
	struct throttle_key network = network_of(t->client);
	return throttle_wait(&a->throttle, key_of(&network), clock_mono_ms());
}

/* ---- when a secret changes ---- */

static const char secrets_changed[] = "the account's secrets or rights changed";

/* Logins that are being checked meanwhile notice it by the account's round. */
static void next_round(struct auth *a, uint64_t account)
{
	struct book_account *who = book_account(&a->directory->book, account);
	if (who)
		who->round++;
}

void login_forget(struct auth *a, uint64_t account)
{
	next_round(a, account);
	recent_forget(&a->recent, account);
	tokens_drop_account(&a->tokens, account);
	visitors_end_account(&a->visitors, account, secrets_changed);
	audience_tell(&a->audience); /* what a login was allowed, edges may have kept */
}

void login_forget_app(struct auth *a, uint64_t account, uint64_t app_password)
{
	next_round(a, account);
	tokens_drop_credential(&a->tokens, (struct token_owner){account, app_password});
	if (!app_password) /* the person's own password, which alone opens one */
		visitors_end_account(&a->visitors, account, secrets_changed);
	audience_tell(&a->audience);
}

void login_end_sessions(struct auth *a, uint64_t account, uint64_t credential, bool all)
{
	AUTO_ARENA arena m = arena_new(4096);
	struct channel *c;
	const struct auth_account_end e = {.credential = credential, .all = all};
	struct auth_account_ended ended;
	const struct asking how = {.arena = &m, .timeout_ms = SESSIONS_END_MS};
	result r = a->world->account(account, &c);
	if (!failed(r))
		r = auth_account_end_call_within(c, &how, &e, &ended);
	(void)r;
}

/* ---- who it is ---- */

struct book_account *login_claimed(const struct auth *a, str authzid, str user)
{
	if (authzid.n > 0 && !str_ieq(authzid, user))
		return NULL; /* nobody acts for another here */
	return reach_login(&a->directory->book, user);
}

static enum edge_auth_login_verdict judge(const struct auth *a, const struct proof *p)
{
	const struct book_account *who = book_account(&a->directory->book, p->account); /* it may have gone meanwhile */
	if (p->r.kind == FAIL_DENIED || (!failed(p->r) && !who))
		return EDGE_AUTH_LOGIN_VERDICT_REFUSED;
	if (failed(p->r) || who->round != p->round)
		return EDGE_AUTH_LOGIN_VERDICT_LATER;
	if (who->disabled)
		return EDGE_AUTH_LOGIN_VERDICT_DISABLED;
	return p->barred ? EDGE_AUTH_LOGIN_VERDICT_BARRED : EDGE_AUTH_LOGIN_VERDICT_ACCEPTED;
}

/* ---- why a right secret does not do ---- */

/* Mail programs cannot ask for a code, so a password alone is not enough there. */
static const char *factor_bars(const struct book_account *who, const struct proof *p)
{
	if (p->app_password)
		return NULL;
	if (who->second_factor)
		return "This account has a second factor: use an app password";
	return who->entry->domain->second_factor ? "This domain demands a second factor: use an app password" : NULL;
}

static result ask_rules(struct auth *a, const struct login_try *t, struct proof *p)
{
	struct rule_visit v = {.protocol = t->protocol, .client = t->client, .places = a->places};
	return rules_ask(a->directory, p->account, &v, &p->barred);
}

static result ask_code(struct auth *a, const struct login_try *t, struct proof *p)
{
	result r = second_factor_check(a, p->account, t->code);
	p->factor = !failed(r);
	return r;
}

/* Asked only once the secret was right, the code last, which is good once. Suspends when the account has rules or a
 * code is asked for. */
static void look_for_bars(struct auth *a, const struct login_try *t, struct proof *p)
{
	const struct book_account *who = book_account(&a->directory->book, p->account);
	if (failed(p->r) || p->barred || !who)
		return;
	bool visits = t->protocol == EDGE_AUTH_PROTOCOL_ADMIN, coded = visits && who->second_factor;
	p->barred = visits ? visitor_bars(who, t, p) : factor_bars(who, p);
	if (!p->barred && who->rules)
		p->r = ask_rules(a, t, p);
	if (!failed(p->r) && !p->barred && coded)
		p->r = ask_code(a, t, p);
}

/* ---- the session ---- */

/* An account's process may be ending just now for want of work, so a closed channel is tried once more. */
static result introduce_once(struct auth *a, uint64_t account, const struct login_try *t,
	struct auth_account_session *s, bool *shut)
{
	AUTO_ARENA arena m = arena_new(4096);
	struct channel *c;
	struct auth_account_session_taken taken;
	const struct asking how = {.trace = t->trace, .arena = &m, .timeout_ms = SESSION_TAKEN_MS};
	TRY(a->world->account(account, &c));
	result r = auth_account_session_call_within(c, &how, s, &taken);
	*shut = !failed(r) && taken.shut;
	return failed(r) ? failure(r.kind, "the account does not take the session") : OK;
}

static result introduce(struct auth *a, uint64_t account, const struct login_try *t, struct auth_account_session *s,
	bool *shut)
{
	result r = OK;
	for (int i = 0; i < SESSION_TRIES; i++) {
		r = introduce_once(a, account, t, s, shut);
		if (r.kind != FAIL_CLOSED)
			break;
	}
	return r;
}

/* A locked account that is shut wants its owner's key; only then it is looked for. DENIED: the secret is right and does
 * not open it; p->locked says why. */
static result let_in(struct auth *a, const struct login_try *t, struct proof *p, struct auth_account_session *s)
{
	struct owner_key owner;
	bool shut;
	TRY(introduce(a, p->account, t, s, &shut));
	if (!shut)
		return OK;
	result r = unlock_by(a, p, &owner);
	if (r.kind == FAIL_DENIED)
		p->locked = r.text;
	TRY(r);
	s->opens = true;
	memcpy(s->owner, owner.b, sizeof s->owner);
	r = introduce(a, p->account, t, s, &shut);
	secret_wipe(s->owner, sizeof s->owner);
	if (!failed(r) && shut)
		r = failure(FAIL_BUSY, "the account was shut meanwhile");
	if (!failed(r))
		unlock_spread(a, p->account, &owner);
	secret_wipe(&owner, sizeof owner);
	return r;
}

/* One end of a fresh stream to the account, the other to the edge. */
static result hand_over(struct auth *a, const struct login_try *t, struct proof *p, int *edge_end)
{
	const struct book_account *who = book_account(&a->directory->book, p->account);
	AUTO_BUF buf user = buf_new(ADDRESS_MAX);
	int ends[2];
	buf_put(&user, who->entry->key); /* the account may be erased while this waits */
	TRY(buf_result(&user));
	TRY(net_pair(SOCK_STREAM, ends));
	struct auth_account_session s = {.user = buf_str(&user), .client = t->client, .encrypted = t->encrypted,
		.tag = t->tag, .credential = p->app_password, .socket = ends[1],
		.protocol = (enum auth_account_protocol)(t->protocol - EDGE_AUTH_PROTOCOL_IMAP)};
	result r = let_in(a, t, p, &s);
	close(ends[1]);
	if (failed(r))
		close(ends[0]);
	else
		*edge_end = ends[0];
	return r;
}

_Static_assert((int)EDGE_AUTH_PROTOCOL_POP3 - (int)EDGE_AUTH_PROTOCOL_IMAP == (int)AUTH_ACCOUNT_PROTOCOL_POP3 &&
	       (int)EDGE_AUTH_PROTOCOL_MANAGESIEVE - (int)EDGE_AUTH_PROTOCOL_IMAP == (int)AUTH_ACCOUNT_PROTOCOL_MANAGESIEVE,
	       "the mailbox protocols stand in the same order in both declarations");

static enum edge_auth_login_verdict open_session(struct auth *a, const struct login_try *t, struct proof *p,
	struct edge_auth_login_is *answer)
{
	unlock_settle(a, p);
	if (!book_account(&a->directory->book, p->account))
		return EDGE_AUTH_LOGIN_VERDICT_REFUSED;
	if (!failed(hand_over(a, t, p, &answer->session)))
		return EDGE_AUTH_LOGIN_VERDICT_ACCEPTED;
	if (!p->locked)
		return EDGE_AUTH_LOGIN_VERDICT_UNAVAILABLE;
	answer->text = str_from(p->locked);
	return EDGE_AUTH_LOGIN_VERDICT_LOCKED;
}

static enum edge_auth_login_verdict admit(struct auth *a, const struct login_try *t, struct proof *p,
	struct edge_auth_login_is *answer)
{
	const struct token_owner owner = {p->account, p->app_password};
	answer->account = p->account;
	if (t->protocol == EDGE_AUTH_PROTOCOL_SMTP)
		return failed(tokens_give(&a->tokens, t->channel, owner, &answer->token)) ?
			EDGE_AUTH_LOGIN_VERDICT_LATER : EDGE_AUTH_LOGIN_VERDICT_ACCEPTED;
	return t->session ? open_session(a, t, p, answer) : EDGE_AUTH_LOGIN_VERDICT_ACCEPTED;
}

/* While the session was being handed over the secret may have been revoked. */
static enum edge_auth_login_verdict stay(const struct auth *a, const struct proof *p, struct edge_auth_login_is *answer)
{
	enum edge_auth_login_verdict v = judge(a, p);
	if (v != EDGE_AUTH_LOGIN_VERDICT_ACCEPTED && answer->session >= 0) {
		close(answer->session);
		answer->session = -1;
	}
	return v;
}

/* The account is told also where nobody got in: its owner may see who tried. */
static void report(const struct login_try *t, const struct proof *p, const struct edge_auth_login_is *answer)
{
	bool in = answer->verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED;
	log_event(in ? EV_LOGIN : EV_LOGIN_FAILED, t->trace, F_STR("user", t->user), F_STR("client", t->client),
		  F_STR("protocol", str_from(edge_auth_protocol_names[t->protocol])), F_U64("account", p->account),
		  F_STR("verdict", str_from(edge_auth_login_verdict_names[answer->verdict])),
		  F_STR("mechanism", str_from(t->mechanism)), F_STR(p->certificate ? "certificate" : "app", p->name),
		  F_STR("why", answer->text),
		  F_U64("repeat", p->repeat), F_U64("names", p->names));
}

static void note_use(struct auth *a, const struct login_try *t, const struct proof *p)
{
	const struct app_use use = {.at = clock_wall_s(), .protocol = t->protocol, .client = t->client};
	if (p->app_password)
		app_used(&a->app_uses, p->app_password, &use);
}

result login_conclude(struct auth *a, const struct login_try *t, struct proof *p, struct edge_auth_login_is *answer)
{
	answer->session = -1;
	look_for_bars(a, t, p);
	answer->verdict = judge(a, p);
	answer->delay = answer->verdict == EDGE_AUTH_LOGIN_VERDICT_REFUSED ? count_failure(a, t, p->account)
									   : wait_of_network(a, t);
	if (answer->verdict == EDGE_AUTH_LOGIN_VERDICT_BARRED) {
		answer->account = p->account;
		answer->text = str_from(p->barred);
	}
	if (answer->verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED)
		answer->verdict = admit(a, t, p, answer);
	if (answer->verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED)
		answer->verdict = stay(a, p, answer);
	if (answer->verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED)
		note_use(a, t, p);
	report(t, p, answer);
	return fiber_cancelled() ? failure(FAIL_CANCELLED, "the room is ending") : OK;
}

result login_answer(struct auth *a, const struct login_question *q, struct edge_auth_login_is *answer)
{
	const struct edge_auth_login *m = q->asked;
	const struct login_try t = {.protocol = m->protocol, .user = m->user, .client = m->client, .tag = m->tag,
		.encrypted = m->encrypted, .session = m->session, .clear = m->clear,
		.mechanism = m->clear ? "PLAIN without TLS" : "PLAIN", .channel = q->channel, .trace = q->trace,
		.claimed = login_claimed(a, m->authzid, m->user)};
	struct proof p;
	prove_begin(&p, &t);
	prove_password(a, &t, m->password, &p);
	result r = login_conclude(a, &t, &p, answer);
	prove_end(&p);
	return r;
}
