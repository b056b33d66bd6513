#include "auth/login.h"

#include <sys/socket.h>
#include <unistd.h>

#include "run/clock.h"
#include "run/net.h"
#include "run/secret.h"
#include "talk/auth_account.h"

enum { SESSION_TRIES = 2, SESSION_TAKEN_MS = 20000, KEY_TEXT = 1 + ADDRESS_MAX };

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

static uint32_t count_failure(struct auth *a, const struct edge_auth_login *m)
{
	struct throttle_key network = network_of(m->client), name = make_key('u', m->user);
	uint64_t now = clock_mono_ms();
	uint32_t by_network = throttle_failed(&a->throttle, key_of(&network), now);
	uint32_t by_name = throttle_failed(&a->throttle, key_of(&name), now);
	return by_network > by_name ? by_network : by_name;
}

static uint32_t wait_of_network(const struct auth *a, const struct edge_auth_login *m)
{
	struct throttle_key network = network_of(m->client);
	return throttle_wait(&a->throttle, key_of(&network), clock_mono_ms());
}

void login_forget(struct auth *a, uint64_t account)
{
	recent_forget(&a->recent, account);
	tokens_drop_account(&a->tokens, account);
}

/* ---- the password ---- */

static result stored_hash(struct auth *a, uint64_t account, struct account_record *out)
{
	result r = directory_read_account(a->directory, account, out);
	return r.kind == FAIL_ABSENT ? OK : r; /* an empty hash is checked as long as another */
}

/* OK, DENIED, or what keeps us from knowing. */
static result prove(struct auth *a, uint64_t account, str password)
{
	struct account_record record = {0}, now = {0};
	if (account && recent_knows(&a->recent, account, password, clock_mono_ms()))
		return OK;
	TRY(stored_hash(a, account, &record));
	result r = checker_verify(a->checker, str_from(record.hash), password);
	/* The password may have been changed meanwhile: then this one is not kept. */
	if (!failed(r) && !failed(stored_hash(a, account, &now)) && memcmp(record.hash, now.hash, sizeof now.hash) == 0)
		recent_keep(&a->recent, account, password, clock_mono_ms());
	secret_wipe(&record, sizeof record);
	secret_wipe(&now, sizeof now);
	return r;
}

static enum edge_auth_login_verdict judge(struct auth *a, const struct edge_auth_login *m, struct book_account **out)
{
	const struct book_account *claimed = reach_login(&a->directory->book, m->user);
	uint64_t id = claimed ? claimed->id : 0;
	if (m->authzid.n > 0 && !str_ieq(m->authzid, m->user))
		id = 0; /* nobody acts for another here */
	result r = prove(a, id, m->password);
	struct book_account *who = book_account(&a->directory->book, id); /* it may have gone meanwhile */
	if (r.kind == FAIL_DENIED || (!failed(r) && !who))
		return EDGE_AUTH_LOGIN_VERDICT_REFUSED;
	if (failed(r))
		return EDGE_AUTH_LOGIN_VERDICT_LATER;
	*out = who;
	return who->disabled ? EDGE_AUTH_LOGIN_VERDICT_DISABLED : EDGE_AUTH_LOGIN_VERDICT_ACCEPTED;
}

/* ---- the session ---- */

static result introduce(struct auth *a, uint64_t account, const struct login_question *q,
	struct auth_account_session *s)
{
	AUTO_ARENA arena m = arena_new(4096);
	struct channel *c;
	struct auth_account_session_taken taken;
	const struct asking how = {.trace = q->trace, .arena = &m, .timeout_ms = SESSION_TAKEN_MS};
	TRY(a->world->account(account, &c));
	result r = auth_account_session_call_within(c, &how, s, &taken);
	return failed(r) ? failure(r.kind, "the account does not take the session") : OK;
}

/* One end of a fresh stream to the account, the other to the edge. An account's
 * process may be ending just now for want of work, so a closed channel is
 * tried once more. */
static result hand_over(struct auth *a, const struct login_question *q, const struct book_account *who, int *edge_end)
{
	const struct edge_auth_login *m = q->asked;
	uint64_t account = who->id;
	AUTO_BUF buf user = buf_new(ADDRESS_MAX);
	int ends[2];
	buf_put(&user, who->entry->key); /* the account may be erased while this waits */
	TRY(buf_result(&user));
	TRY(net_pair(SOCK_STREAM, ends));
	struct auth_account_session s = {.user = buf_str(&user), .client = m->client, .encrypted = m->encrypted,
		.tag = m->tag,
		.socket = ends[1], .protocol = (enum auth_account_protocol)(m->protocol - EDGE_AUTH_PROTOCOL_IMAP)};
	result r = OK;
	for (int i = 0; i < SESSION_TRIES; i++) {
		r = introduce(a, account, q, &s);
		if (r.kind != FAIL_CLOSED)
			break;
	}
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

static enum edge_auth_login_verdict admit(struct auth *a, const struct login_question *q,
	const struct book_account *who,
					  struct edge_auth_login_is *answer)
{
	answer->account = who->id;
	if (q->asked->protocol == EDGE_AUTH_PROTOCOL_SMTP)
		return failed(tokens_give(&a->tokens, q->channel, who->id, &answer->token)) ?
			EDGE_AUTH_LOGIN_VERDICT_LATER : EDGE_AUTH_LOGIN_VERDICT_ACCEPTED;
	if (q->asked->session && failed(hand_over(a, q, who, &answer->session)))
		return EDGE_AUTH_LOGIN_VERDICT_UNAVAILABLE;
	return EDGE_AUTH_LOGIN_VERDICT_ACCEPTED;
}

static void report(const struct login_question *q, const struct edge_auth_login_is *answer)
{
	const struct edge_auth_login *m = q->asked;
	bool in = answer->verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED;
	log_event(in ? EV_LOGIN : EV_LOGIN_FAILED, q->trace, F_STR("user", m->user), F_STR("client", m->client),
		  F_STR("protocol", str_from(edge_auth_protocol_names[m->protocol])), F_U64("account", answer->account),
		  F_STR("verdict", str_from(edge_auth_login_verdict_names[answer->verdict])));
}

result login_answer(struct auth *a, const struct login_question *q, struct edge_auth_login_is *answer)
{
	struct book_account *who = NULL;
	answer->session = -1;
	answer->verdict = judge(a, q->asked, &who);
	if (answer->verdict == EDGE_AUTH_LOGIN_VERDICT_REFUSED)
		answer->delay = count_failure(a, q->asked);
	else
		answer->delay = wait_of_network(a, q->asked);
	if (answer->verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED)
		answer->verdict = admit(a, q, who, answer);
	report(q, answer);
	return fiber_cancelled() ? failure(FAIL_CANCELLED, "the room is ending") : OK;
}
