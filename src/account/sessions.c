/* The owner's sessions, which auth hands over, and what an administrator asks. */
#include <unistd.h>

#include "account/account.h"
#include "account/opening.h"
#include "account/speech.h"
#include "account/store/check.h"
#include "base/mem.h"
#include "grammar/imap/imap_codes.h"
#include "run/secret.h"
#include "talk/auth_account.h"
#include "talk/room.h"

struct session_entry {
	enum auth_account_protocol protocol;
	int socket;
	trace_id trace;
	uint64_t credential;
	size_t tag_n;
	char tag[AUTH_ACCOUNT_SESSION_TAG_MAX];
};

/* One short line; a client that does not take it at once does not get it. */
static void refuse(int socket, str before, str why)
{
	AUTO_BUF buf line = buf_new(512);
	buf_put(&line, before);
	buf_put(&line, why);
	buf_put(&line, STR("\r\n"));
	ssize_t n = write(socket, line.p, line.n);
	(void)n;
	close(socket);
}

#define IMAP_CLOSED STR(" NO [" IMAP_CODE_UNAVAILABLE "] The account is being closed; log in again")
#define POP3_CLOSED STR("[SYS/TEMP] The account is being closed; log in again")

static void refuse_closed(const struct session_entry *e)
{
	bool pop3 = e->protocol == AUTH_ACCOUNT_PROTOCOL_POP3;
	refuse(e->socket, pop3 ? STR("-ERR ") : str_of(e->tag, e->tag_n), pop3 ? POP3_CLOSED : IMAP_CLOSED);
}

static void speak(void *arg)
{
	struct session_entry *e = arg;
	const struct imap_login_done l = {
		.socket = e->socket, .tag = str_of(e->tag, e->tag_n), .trace = e->trace, .credential = e->credential};
	if (failed(opening_await(OPENING_PATIENCE_MS)))
		refuse_closed(e);
	else if (e->protocol == AUTH_ACCOUNT_PROTOCOL_POP3)
		pop3_session_run(&account.pop3, e->socket, e->credential);
	else
		imap_session_run(&account.imap, &l);
	mem_free(e);
	account.sessions--;
	opening_left();
	idle_stir();
}

static result begin_session(struct arrival *in, struct auth_account_session *m)
{
	struct session_entry *e = mem_alloc(sizeof *e);
	if (!e)
		return failure(FAIL_MEMORY, "out of memory");
	e->protocol = m->protocol;
	e->trace = in->trace;
	e->credential = m->credential;
	e->tag_n = m->tag.n;
	memcpy(e->tag, m->tag.p, m->tag.n);
	e->socket = m->socket;
	result r = fiber_start(speak, e, "session", NULL);
	if (failed(r)) {
		mem_free(e);
		return r;
	}
	talk_take_fd(&m->socket);
	account.sessions++;
	idle_stir();
	return OK;
}

/* Also while it stops because its disk failed a commit: what a session saw then, the next process might deny. */
static bool closing(void)
{
	return !account.store || account.changing || room_stopping();
}

static bool full(void)
{
	return account.sessions >= options_number(&account.options, OPT_SESSIONS);
}

/* OK when it is open; *shut: it is not, and nobody brought the owner's key. */
static result let_in(const struct auth_account_session *m, bool *shut)
{
	struct owner_key owner;
	TRY(opening_await_change());
	*shut = account.lock.locked && !account.store && !m->opens;
	if (!m->opens)
		return OK;
	memcpy(owner.b, m->owner, sizeof owner.b);
	result r = opening_by(&owner);
	secret_wipe(&owner, sizeof owner);
	return r;
}

static result on_session(struct arrival *in, struct auth_account_session *m, struct auth_account_session_taken *answer)
{
	result r = let_in(m, &answer->shut);
	if (r.kind != FAIL_CLOSED) /* told to the client, below */
		TRY(r);
	if (answer->shut)
		return OK;
	switch (m->protocol) {
	case AUTH_ACCOUNT_PROTOCOL_IMAP:
		if (closing())
			refuse(talk_take_fd(&m->socket), m->tag, IMAP_CLOSED);
		else if (full() || failed(begin_session(in, m)))
			refuse(talk_take_fd(&m->socket), m->tag,
				STR(" NO [" IMAP_CODE_LIMIT "] This account has too many sessions; close some mail programs"));
		break;
	case AUTH_ACCOUNT_PROTOCOL_POP3:
		if (closing())
			refuse(talk_take_fd(&m->socket), STR("-ERR "), POP3_CLOSED);
		else if (full() || failed(begin_session(in, m)))
			refuse(talk_take_fd(&m->socket), STR("-ERR "),
				STR("[SYS/TEMP] This account has too many sessions; close some mail programs"));
		break;
	case AUTH_ACCOUNT_PROTOCOL_MANAGESIEVE:
		refuse(talk_take_fd(&m->socket), STR("BYE "), STR("\"ManageSieve is not available\""));
		break;
	}
	return OK;
}

/* They say goodbye by themselves, each on its fiber. */
static result on_end(struct arrival *in, struct auth_account_end *m, struct auth_account_ended *answer)
{
	(void)in;
	answer->sessions = speech_revoke(&account.imap.sessions, m->credential, m->all) +
			   speech_revoke(&account.pop3.sessions, m->credential, m->all);
	return OK;
}

static bool is_shut(void)
{
	return account.arrivals && !account.store;
}

static result on_lock(struct arrival *in, struct auth_account_lock *m, struct auth_account_lock_set *answer)
{
	struct owner_key owner;
	(void)in;
	TRY(opening_await_change());
	memcpy(owner.b, m->owner, sizeof owner.b);
	result r = OK;
	if (!m->lock && is_shut() && m->opens)
		r = opening_by(&owner);
	if (!failed(r) && !m->lock && !is_shut())
		r = opening_await(FIBER_FOREVER);
	answer->shut = m->lock ? account.lock.locked : is_shut();
	if (!failed(r) && !answer->shut && m->lock != account.lock.locked)
		r = opening_change(m->lock ? &owner : NULL);
	secret_wipe(&owner, sizeof owner);
	return r;
}

static result on_seal_for(struct arrival *in, struct auth_account_seal_for *m, struct auth_account_sealed_for *answer)
{
	unsigned char sealed[OWNER_SEALED];
	struct owner_public to;
	answer->shut = !account.lock.open;
	if (answer->shut)
		return OK;
	memcpy(to.b, m->public, sizeof to.b);
	owner_key_seal(&account.lock.owner, &to, sealed);
	answer->sealed = arena_dup(in->arena, str_of((const char *)sealed, sizeof sealed));
	return arena_result(in->arena);
}

/* A change of policy takes the quota along, or throws it away with what it was noted in: it waits for that. */
static result on_quota(struct arrival *in, struct auth_account_quota *m, struct auth_account_quota_set *answer)
{
	(void)in;
	(void)answer;
	idle_stir();
	TRY(opening_await_change());
	if (is_shut())
		return opening_quota(m->octets);
	if (!account.store)
		return failure(FAIL_BUSY, "the account is being closed");
	const struct actor administrator = account_as(ACTOR_ADMINISTRATOR);
	account.deliveries++; /* counts as one, as on_check does */
	result r = store_quota_set(&administrator, m->octets);
	account.deliveries--;
	idle_stir();
	return r;
}

static result usage_while_shut(struct auth_account_usage_is *answer)
{
	*answer = (struct auth_account_usage_is){.messages = account.lock.notice.messages, .shut = true,
		.waiting = arrivals_count(account.arrivals)};
	opening_noted(&answer->octets, &answer->quota);
	return OK;
}

static result on_usage(struct arrival *in, struct auth_account_usage *m, struct auth_account_usage_is *answer)
{
	const struct actor administrator = account_as(ACTOR_ADMINISTRATOR);
	struct store_usage u;
	(void)in;
	(void)m;
	if (is_shut())
		return usage_while_shut(answer);
	if (!account.store)
		return failure(FAIL_BUSY, "the account is being closed");
	TRY(store_usage_of(&administrator, &u));
	*answer = (struct auth_account_usage_is){
		.messages = u.messages,
		.octets = u.octets,
		.quota = u.quota,
		.mailboxes = u.mailboxes,
		.sessions = account.sessions,
		.waiting = account.arrivals ? arrivals_count(account.arrivals) : 0,
	};
	return OK;
}

/* ---- check ---- */

static result put_findings(arena *m, const struct findings *f, struct auth_account_checked *answer)
{
	struct auth_account_finding *v = arena_array(m, f->n + 1, sizeof *v);
	if (!v)
		return arena_result(m);
	for (size_t i = 0; i < f->n; i++)
		v[i] = (struct auth_account_finding){f->v[i].sentence, f->v[i].mended};
	answer->findings.p = v;
	answer->findings.n = f->n;
	answer->more = f->more;
	return OK;
}

static result check(arena *m, bool repair, struct auth_account_checked *answer)
{
	const struct actor administrator = account_as(ACTOR_ADMINISTRATOR);
	struct findings f;
	struct store_usage u;
	TRY(store_check(&administrator, repair, m, &f));
	TRY(store_usage_of(&administrator, &u));
	answer->messages = u.messages;
	answer->octets = u.octets;
	return put_findings(m, &f, answer);
}

/* Counts as a delivery: the process is not idle meanwhile, and the store stays open. */
static result on_check(struct arrival *in, struct auth_account_check *m, struct auth_account_checked *answer)
{
	if (is_shut())
		return failure(FAIL_CONFLICT, "the account is locked; it can be checked while its owner is logged in");
	if (!account.store)
		return failure(FAIL_BUSY, "the account is being closed");
	account.deliveries++;
	result r = check(in->arena, m->repair, answer);
	account.deliveries--;
	idle_stir();
	return r;
}

const struct auth_account_as_account auth_handlers = {
	.session = on_session, .lock = on_lock, .seal_for = on_seal_for, .end = on_end, .quota = on_quota,
	.letter = account_on_letter, .usage = on_usage, .check = on_check};
