#include "edge/edge_kit.h"
#include "base/mem.h"
#include "run/clock.h"
#include "run/loop.h"
#include "talk/asker_inspect.h"
#include "talk/courier_account.h"
#include "talk/edge_auth.h"
#include "talk/edge_queue.h"
#include "talk/edge_relay.h"
#include "talk/edge_web.h"
#include "talk/item.h"
#include "talk/principal_vault.h"
#include "run/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* One kit at a time: neighbour() has no handle. */
static struct kit *kit;

/* A failure is the refusal that the call is answered with. */
static result mood(unsigned who)
{
	while (kit->silent & who)
		TRY(gate_wait(&kit->loud, FIBER_FOREVER));
	return kit->refuses & who ? failure(FAIL_BUSY, "a neighbour's own words, which end with the arena") : OK;
}

/* ---- auth ---- */

static bool is_local(str address, str local)
{
	size_t at = str_rchr(address, '@');
	return at == STR_NONE ? str_ieq(address, local)
			      : str_ieq(str_sub(address, 0, at), local) && str_ieq(str_skip(address, at), STR("@here.test"));
}

static void lead_outside(str address, struct edge_auth_recipient_is *answer)
{
	static const str outside[] = {STR_INIT("a@far.test"), STR_INIT("b@far.test"), STR_INIT("c@far.test")};
	static const uint64_t user1[] = {1};
	if (str_iends(address, STR("@back.test"))) {
		answer->verdict = EDGE_AUTH_RECIPIENT_VERDICT_RELAYED;
		answer->route = 7;
		return;
	}
	bool mixed = is_local(address, STR("mixed"));
	if (!mixed && !is_local(address, STR("out")))
		return;
	answer->verdict = EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED;
	answer->outside.p = outside + (mixed ? 2 : 0);
	answer->outside.n = mixed ? 1 : 2;
	if (mixed) {
		answer->accounts.p = user1;
		answer->accounts.n = 1;
	}
}

static result judge_writing(const struct edge_auth_recipient *m, struct edge_auth_recipient_is *answer)
{
	bool limited = str_starts(m->address, STR("limited@"));
	if (m->token.b[0] != 7)
		return failure(FAIL_ABSENT, "forgotten");
	answer->verdict = limited ? EDGE_AUTH_RECIPIENT_VERDICT_LIMITED : EDGE_AUTH_RECIPIENT_VERDICT_ELSEWHERE;
	answer->why = limited ? STR("Enough for now.") : STR("");
	answer->route = str_starts(m->address, STR("routed@")) && str_starts(m->sender, STR("user1@")) ? 9 : 0;
	return OK;
}

static result name_crowd(arena *m, struct edge_auth_recipient_is *answer)
{
	enum { FIRST = 4, CROWD = 40 };
	uint64_t *accounts = arena_array(m, CROWD, sizeof *accounts);
	for (uint64_t i = 0; accounts && i < CROWD; i++)
		accounts[i] = FIRST + i;
	answer->verdict = EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED;
	answer->accounts.p = accounts;
	answer->accounts.n = CROWD;
	return arena_result(m);
}

static result on_recipient(struct arrival *in, struct edge_auth_recipient *m, struct edge_auth_recipient_is *answer)
{
	static const struct {
		const char *local;
		enum edge_auth_recipient_verdict verdict;
		size_t n;
		uint64_t accounts[2];
	} people[] = {
		{"user1", EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED, 1, {1}},
		{"postmaster", EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED, 1, {1}},
		{"user2", EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED, 1, {2}},
		{"both", EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED, 2, {1, 2}},
		{"full", EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED, 1, {3}},
		{"half", EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED, 2, {1, 3}},
		{"unknown", EDGE_AUTH_RECIPIENT_VERDICT_UNKNOWN, 0, {0}},
		{"disabled", EDGE_AUTH_RECIPIENT_VERDICT_DISABLED, 0, {0}},
		{"later", EDGE_AUTH_RECIPIENT_VERDICT_LATER, 0, {0}},
	};
	kit->lookups++;
	TRY(mood(KIT_AUTH));
	answer->verdict = EDGE_AUTH_RECIPIENT_VERDICT_ELSEWHERE;
	for (size_t i = 0; i < sizeof people / sizeof people[0]; i++) {
		if (!is_local(m->address, str_from(people[i].local)))
			continue;
		answer->verdict = people[i].verdict;
		answer->accounts.p = people[i].accounts;
		answer->accounts.n = people[i].n;
	}
	if (is_local(m->address, STR("crowd")))
		TRY(name_crowd(in->arena, answer));
	if (answer->verdict == EDGE_AUTH_RECIPIENT_VERDICT_ELSEWHERE)
		lead_outside(m->address, answer);
	bool elsewhere = answer->verdict == EDGE_AUTH_RECIPIENT_VERDICT_ELSEWHERE ||
		answer->verdict == EDGE_AUTH_RECIPIENT_VERDICT_RELAYED;
	return elsewhere && !trace_is_none(&m->token) ? judge_writing(m, answer) : OK;
}


static result on_login(struct arrival *in, struct edge_auth_login *m, struct edge_auth_login_is *answer)
{
	(void)in;
	kit->logins++;
	TRY(mood(KIT_AUTH));
	answer->session = -1;
	answer->delay = kit->delay;
	answer->verdict = EDGE_AUTH_LOGIN_VERDICT_REFUSED;
	if (m->clear != kit->device || !str_eq(m->password, STR("secret")) || !is_local(m->user, STR("user1")))
		return OK;
	answer->verdict = EDGE_AUTH_LOGIN_VERDICT_ACCEPTED;
	answer->account = 1;
	answer->token.b[0] = 7;
	if (!m->session)
		return OK;
	/* An account that greets the owner and ends at once. */
	int ends[2];
	AUTO_BUF buf hello = buf_new(1024);
	buf_put(&hello, m->tag);
	buf_put(&hello, m->protocol == EDGE_AUTH_PROTOCOL_POP3 ? STR("+OK hello\r\n")
							       : STR(" OK hello\r\n* BYE that was all\r\n"));
	must(!failed(net_pair(SOCK_STREAM, ends)));
	must(write(ends[1], hello.p, hello.n) == (ssize_t)hello.n);
	close(ends[1]);
	answer->session = ends[0];
	return OK;
}

static result on_may_send(struct arrival *in, struct edge_auth_may_send *m, struct edge_auth_may_send_is *answer)
{
	(void)in;
	kit->asked_senders++;
	TRY(mood(KIT_AUTH));
	if (m->token.b[0] != 7)
		answer->verdict = EDGE_AUTH_SEND_VERDICT_FORGOTTEN;
	else if (m->address.n == 0 || is_local(m->address, STR("user1")) || str_eq(m->address, STR("@own.test")))
		answer->verdict = EDGE_AUTH_SEND_VERDICT_ALLOWED;
	else
		answer->verdict = EDGE_AUTH_SEND_VERDICT_DENIED;
	return OK;
}

static result on_local_login(struct arrival *in, struct edge_auth_local_login *m, struct edge_auth_login_is *answer)
{
	(void)in;
	TRY(mood(KIT_AUTH));
	answer->session = -1;
	answer->verdict = EDGE_AUTH_LOGIN_VERDICT_REFUSED;
	if (m->uid != KIT_USER)
		return OK;
	answer->verdict = EDGE_AUTH_LOGIN_VERDICT_ACCEPTED;
	answer->account = 1;
	answer->token.b[0] = 7;
	answer->address = STR("user1@here.test");
	return OK;
}

static void on_logout(struct arrival *in, struct edge_auth_logout *m)
{
	(void)in;
	kit->logouts += m->token.b[0] == 7;
}

static void on_wrote(struct arrival *in, struct edge_auth_wrote *m)
{
	(void)in;
	kit->wrote += (unsigned)m->recipients.n;
}

static result on_offers(struct arrival *in, struct edge_auth_offers *m, struct edge_auth_offers_are *answer)
{
	(void)in;
	(void)m;
	TRY(mood(KIT_OFFERS));
	answer->scram = true;
	static const str device = STR_INIT("192.0.2.1");
	answer->clear.p = &device;
	answer->clear.n = kit->device;
	return OK;
}

static result on_signers(struct arrival *in, struct edge_auth_signers *m, struct edge_auth_signers_are *answer)
{
	static const struct edge_auth_signer rows[] = {
		{STR_INIT("here.test"), STR_INIT("rsa"), EDGE_AUTH_ALGORITHM_RSA_SHA256, STR_INIT("here-rsa")},
		{STR_INIT("here.test"), STR_INIT("ed"), EDGE_AUTH_ALGORITHM_ED25519_SHA256, STR_INIT("here-ed")},
		{STR_INIT("own.test"), STR_INIT("rsa"), EDGE_AUTH_ALGORITHM_RSA_SHA256, STR_INIT("own-rsa")},
	};
	(void)in;
	kit->asked_signers++;
	TRY(mood(KIT_AUTH));
	bool here = str_eq(m->domain, STR("here.test"));
	answer->rows.p = here ? rows : rows + 2;
	answer->rows.n = here ? 2 : str_eq(m->domain, STR("own.test")) ? 1 : 0;
	return OK;
}

static result on_forwarder(struct arrival *in, struct edge_auth_forwarder *m, struct edge_auth_forwarder_is *answer)
{
	(void)in;
	(void)m;
	TRY(mood(KIT_AUTH));
	answer->address = STR("srs=back@here.test");
	return OK;
}

static result on_verify(struct arrival *in, struct edge_relay_verify *m, struct edge_relay_verified *answer)
{
	(void)in;
	TRY(mood(KIT_RELAY));
	must(m->route == 7 && str_eq(m->domain, STR("back.test")));
	answer->verdict = str_starts(m->address, STR("good@")) ? EDGE_RELAY_VERDICT_YES
			  : str_starts(m->address, STR("slow@")) ? EDGE_RELAY_VERDICT_LATER : EDGE_RELAY_VERDICT_NO;
	answer->code = 550;
	answer->text = STR("nobody of that name");
	return OK;
}

/* ---- inspect, vault ---- */

static uint32_t count_received(str message)
{
	uint32_t n = 0;
	for (size_t i = 0; i < message.n; i++)
		n += str_istarts(str_skip(message, i), STR("Received:"));
	return n;
}

/* Signs for the domain of From when a key is of it; a message without Message-ID gets one. */
static result complete(struct arrival *in, struct asker_inspect_examine *m, struct asker_inspect_examined *answer)
{
	AUTO_BUF buf out = buf_new(1 << 20);
	struct asker_inspect_signature *v = arena_array(in->arena, 2, sizeof *v);
	size_t at = str_find(m->message.bytes, STR("From: x@"));
	str domain = str_skip(m->message.bytes, at + sizeof "From: x@" - 1);
	answer->from_domain = at == STR_NONE ? STR("here.test") : str_sub(domain, 0, str_chr(domain, '\r'));
	for (size_t i = 0; v && i < m->signers.n; i++) {
		if (!str_eq(m->signers.p[i].domain, answer->from_domain))
			continue;
		buf_clear(&out);
		buf_printf(&out, "DKIM-Signature: s=%.*s; b=\r\n", STR_ARG(m->signers.p[i].selector));
		v[answer->signatures.n++] = (struct asker_inspect_signature){
			m->signers.p[i].key, {1}, arena_dup(in->arena, buf_str(&out)), (uint32_t)out.n - 2};
	}
	answer->signatures.p = v;
	answer->changed = m->message.bytes.n < 65536 && str_find(m->message.bytes, STR("Message-ID:")) == STR_NONE;
	if (!answer->changed)
		return OK;
	buf_clear(&out);
	buf_printf(&out, "Message-ID: <%.*s>\r\n", STR_ARG(m->message_id));
	buf_put(&out, m->message.bytes);
	answer->message = body_of(arena_dup(in->arena, buf_str(&out)));
	return arena_result(in->arena);
}

static result on_examine(struct arrival *in, struct asker_inspect_examine *m, struct asker_inspect_examined *answer)
{
	(void)in;
	TRY(mood(KIT_INSPECT));
	answer->facts = body_of(STR("facts"));
	answer->received = m->message.bytes.n < 65536 ? count_received(m->message.bytes) : 0;
	answer->tls_optional = str_ifind(m->message.bytes, STR("TLS-Required: No")) != STR_NONE;
	answer->utf8_header = answer->eight_bit = !str_is_ascii(m->message.bytes);
	return m->purpose == ASKER_INSPECT_EXAMINE_PURPOSE_SUBMISSION ? complete(in, m, answer) : OK;
}

static result on_sign(struct arrival *in, struct principal_vault_sign *m, struct principal_vault_signatures_are *answer)
{
	static const char octets[256] = "a signature";
	static const str signatures[] = {{octets, 64}, {octets, 256}};
	(void)in;
	kit->asked_to_sign++;
	TRY(mood(KIT_VAULT));
	must(m->wanted.n <= 2 && m->wanted.p[0].digest[0] == 1);
	answer->signatures.p = signatures;
	answer->signatures.n = m->wanted.n;
	return OK;
}

static result on_wrap(
	struct arrival *in, struct principal_vault_wrap_for *m, struct principal_vault_wrapped_key *answer)
{
	(void)in;
	(void)m;
	kit->asked_keys++;
	if (++kit->sealing > kit->sealing_most)
		kit->sealing_most = kit->sealing;
	fiber_yield();
	kit->sealing--;
	TRY(mood(KIT_VAULT));
	answer->wrapped = STR("a wrapping");
	return OK;
}

/* ---- accounts, queue ---- */

static char *copy(str s)
{
	char *p = mem_alloc(s.n + 1); /* zeroed */
	if (!p)
		p = mem_alloc(s.n + 1);
	must(p != NULL); /* the stage has memory when its players are refused some: asked again it is given */
	if (s.n)
		memcpy(p, s.p, s.n);
	return p;
}

static result on_may_take(
	struct arrival *in, struct courier_account_may_take *m, struct courier_account_may_take_is *answer)
{
	(void)m;
	TRY(mood(KIT_ACCOUNT));
	answer->verdict = kit->too_large ? COURIER_ACCOUNT_TAKE_VERDICT_TOO_LARGE
			  : in->ctx == &kit->far[KIT_ROOMS + 3] ? COURIER_ACCOUNT_TAKE_VERDICT_OVER_QUOTA
							: COURIER_ACCOUNT_TAKE_VERDICT_YES;
	return OK;
}

static result on_deliver(
	struct arrival *in, struct courier_account_deliver *m, struct courier_account_delivered *answer)
{
	kit->delivering++;
	result r = mood(KIT_ACCOUNT);
	kit->delivering--;
	TRY(r);
	answer->verdict = kit->unable ? COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE : COURIER_ACCOUNT_DELIVER_VERDICT_KEPT;
	if (kit->unable)
		return OK;
	must(kit->kept_n < KIT_KEPT_MAX);
	kit->kept[kit->kept_n++] = (struct kit_kept){
		.account = (uint64_t)((struct channel **)in->ctx - &kit->far[KIT_ROOMS]), .recipient = copy(m->recipient),
		.sender = copy(m->sender), .trace = copy(m->trace), .message = copy(m->message.bytes),
		.size = m->message.bytes.n};
	return OK;
}

static result on_keep(struct arrival *in, struct edge_queue_keep *m, struct edge_queue_kept *answer)
{
	(void)in;
	(void)answer;
	TRY(mood(KIT_QUEUE));
	AUTO_BUF buf dsn = buf_new(2048);
	buf_printf(&dsn, "notify %u ret %u envid %.*s orcpt %.*s", m->notify, m->ret, STR_ARG(m->envid), STR_ARG(m->orcpt));
	must(kit->kept_n < KIT_KEPT_MAX);
	kit->kept[kit->kept_n++] = (struct kit_kept){.account = m->account, .queued = true,
		.recipient = copy(m->recipient), .sender = copy(m->sender), .trace = copy(buf_str(&dsn)),
		.message = copy(STR("")), .size = (size_t)m->size};
	return OK;
}

/* The vault's stand-in wraps a key of zeroes. */
static void open_posted(const struct edge_queue_post *m, struct kit_kept *k)
{
	static const unsigned char key[ITEM_KEY];
	AUTO_BUF buf plain = buf_new(1 << 26), again = buf_new(1 << 26);
	struct item i;
	if (failed(item_open(m->sealed.bytes, &m->delivery, key, &plain, &i))) /* as in copy() */
		must(!failed(item_open(m->sealed.bytes, &m->delivery, key, &again, &i)));
	must(str_eq(i.sender, m->sender) && i.received == m->received && i.message.n == m->size);
	k->trace = copy(i.trace);
	k->message = copy(i.message);
}

static result on_post(struct arrival *in, struct edge_queue_post *m, struct edge_queue_kept *answer)
{
	AUTO_BUF buf to = buf_new(1 << 20);
	(void)in;
	(void)answer;
	TRY(mood(KIT_QUEUE));
	for (size_t i = 0; i < m->recipients.n; i++)
		buf_printf(&to, "%.*s %u %.*s%s,", STR_ARG(m->recipients.p[i].address), m->recipients.p[i].notify,
			   STR_ARG(m->recipients.p[i].orcpt), m->recipients.p[i].delivered ? " delivered" : "");
	must(kit->kept_n < KIT_KEPT_MAX && m->recipients.n > 0);
	struct kit_kept *k = &kit->kept[kit->kept_n++];
	*k = (struct kit_kept){.account = m->account, .posted = true, .recipients = (unsigned)m->recipients.n,
		.flags = m->flags, .routed = m->routed, .route = m->recipients.p[0].route,
		.sender = copy(m->sender), .recipient = copy(buf_str(&to)),
		.size = (size_t)m->size};
	k->hold_until = m->hold_until;
	k->deliver_by = m->by_return ? -m->deliver_by : m->deliver_by;
	open_posted(m, k);
	return OK;
}

/* Says who came, and ends at once. */
static result on_visit(struct arrival *in, struct edge_web_visit *m, struct edge_web_visited *answer)
{
	AUTO_BUF buf hello = buf_new(1024);
	int ends[2];
	(void)in;
	TRY(mood(KIT_WEB));
	buf_printf(&hello, "HTTP/1.1 200 OK\r\n%s %.*s\r\n", m->trusted ? "trusted" : "stranger", STR_ARG(m->client));
	must(!failed(net_pair(SOCK_STREAM, ends)));
	must(write(ends[1], hello.p, hello.n) == (ssize_t)hello.n);
	close(ends[1]);
	answer->socket = ends[0];
	return OK;
}

/* ---- the neighbours' channels ---- */

static void on_directory_changed(struct arrival *in, struct edge_auth_directory_changed *m)
{
	(void)in;
	(void)m;
	recipients_drop(&kit->edge.recipients);
	signers_drop(&kit->edge.signers);
	offers_forget(&kit->edge);
}

void kit_change_directory(struct kit *k)
{
	const struct edge_auth_directory_changed m = {0};
	must(!failed(edge_auth_directory_changed_offer(k->far[NEIGHBOUR_AUTH], NULL, &m)));
}

static const struct edge_auth_as_edge from_auth = {.directory_changed = on_directory_changed};

static const struct edge_auth_as_auth auth_handlers = {
	.recipient = on_recipient, .login = on_login, .may_send = on_may_send, .logout = on_logout,
	.local_login = on_local_login, .wrote = on_wrote, .signers = on_signers,
	.offers = on_offers, .forwarder = on_forwarder};
static const struct asker_inspect_as_inspect inspect_handlers = {.examine = on_examine};
static const struct edge_queue_as_queue queue_handlers = {.keep = on_keep, .post = on_post};
static const struct principal_vault_as_vault vault_handlers = {.wrap_for = on_wrap, .sign = on_sign};
static const struct edge_relay_as_relay relay_handlers = {.verify = on_verify};
static const struct edge_web_as_web web_handlers = {.visit = on_visit};
static const struct courier_account_as_account account_handlers = {.may_take = on_may_take, .deliver = on_deliver};

struct sides {
	const struct channel_kind *near, *far;
	const void *handlers;
	const void *hears; /* of the edge */
};

static const struct sides sides[] = {
	[NEIGHBOUR_AUTH] = {&edge_auth_as_edge_kind, &edge_auth_as_auth_kind, &auth_handlers, &from_auth},
	[NEIGHBOUR_INSPECT] = {&asker_inspect_as_asker_kind, &asker_inspect_as_inspect_kind, &inspect_handlers},
	[NEIGHBOUR_QUEUE] = {&edge_queue_as_edge_kind, &edge_queue_as_queue_kind, &queue_handlers},
	[NEIGHBOUR_VAULT] = {&principal_vault_as_principal_kind, &principal_vault_as_vault_kind, &vault_handlers},
	[NEIGHBOUR_RELAY] = {&edge_relay_as_edge_kind, &edge_relay_as_relay_kind, &relay_handlers},
	[NEIGHBOUR_WEB] = {&edge_web_as_edge_kind, &edge_web_as_web_kind, &web_handlers},
	[KIT_ROOMS] = {&courier_account_as_courier_kind, &courier_account_as_account_kind, &account_handlers},
};
_Static_assert((int)KIT_ROOMS == (int)NEIGHBOUR_WEB + 1 && KIT_WEB == 1 << NEIGHBOUR_WEB, "a bit for each neighbour");

static result open_pair(size_t i, const struct sides *s)
{
	int ends[2];
	channel_close(&kit->near[i]);
	channel_close(&kit->far[i]);
	TRY(net_pair(SOCK_SEQPACKET, ends));
	struct channel_options near = {.fd = ends[0], .peer = "neighbour"};
	struct channel_options far = {.fd = ends[1], .peer = "edge", .ctx = &kit->far[i]};
	result r = channel_open(&near, s->near, s->hears, &kit->near[i]);
	if (failed(r)) {
		close(ends[1]);
		return r;
	}
	return channel_open(&far, s->far, s->handlers, &kit->far[i]);
}

static bool is_whole(size_t i)
{
	return kit->near[i] && kit->far[i] && channel_is_open(kit->near[i]) && channel_is_open(kit->far[i]);
}

static result connect_to(size_t i, struct channel **out)
{
	const struct sides *s = &sides[i < KIT_ROOMS ? i : KIT_ROOMS];
	if (kit->gone & (i < KIT_ROOMS ? 1u << i : KIT_ACCOUNT))
		return failure(FAIL_CLOSED, "the other room has gone");
	if (fiber_cancelled())
		return failure(FAIL_CANCELLED, "the process is ending");
	if (!is_whole(i))
		TRY(open_pair(i, s));
	*out = kit->near[i];
	return OK;
}

result neighbour(enum neighbour which, struct channel **out)
{
	return connect_to(which, out);
}

result neighbour_account(uint64_t account, struct channel **out)
{
	must(account < KIT_ACCOUNTS);
	return connect_to(KIT_ROOMS + account, out);
}

/* ---- the kit ---- */

void kit_open(struct kit *k, bool demo)
{
	*k = (struct kit){.client = -1};
	kit = k;
	gate_init(&k->loud);
	edge_init(&k->edge);
	options_init(&k->edge.options);
	must(!failed(options_set(&k->edge.options, OPT_HOSTNAME, STR("mx.here.test"))));
	k->edge.demo = demo;
	k->edge.transit = budget_new(8 << 20);
	limits_init(&k->edge.limits, &(struct limits_most){.all = 100, .address = 10, .network = 100});
	clock_test_hold(1700000000000);
}

void kit_close(struct kit *k)
{
	kit_hang_up(k);
	must(k->edge.transit.taken == 0 && !k->edge.sealing && k->edge.limits.now == 0);
	k->silent = 0;
	gate_wake_all(&k->loud);
	for (size_t i = 0; i < sizeof k->far / sizeof k->far[0]; i++) {
		if (k->far[i])
			must(!failed(channel_drain(k->far[i], FIBER_FOREVER)));
		channel_close(&k->near[i]);
		channel_close(&k->far[i]);
	}
	for (size_t i = 0; i < k->kept_n; i++) {
		mem_free(k->kept[i].recipient);
		mem_free(k->kept[i].sender);
		mem_free(k->kept[i].trace);
		mem_free(k->kept[i].message);
	}
	limits_free(&k->edge.limits);
	quotas_free(&k->edge.quotas);
	recipients_free(&k->edge.recipients);
	signers_drop(&k->edge.signers);
	item_keys_close(&k->edge.relay_keys);
	options_free(&k->edge.options);
	clock_test_release();
	fiber_yield();
}

static void guest(void *arg)
{
	struct kit *k = arg;
	struct client *c = &k->guest;
	if (!failed(limits_enter(&k->edge.limits, &c->address, c->trusted))) {
		client_session(c);
		if (!c->uncounted)
			limits_leave(&k->edge.limits, &c->address, c->trusted);
	}
	stream_free(&c->stream);
	k->over = true;
}

void kit_begin(struct kit *k, enum client_protocol protocol)
{
	int ends[2];
	net_addr a;
	must(!failed(net_pair(SOCK_STREAM, ends)));
	k->client = ends[0];
	k->over = false;
	k->said_n = 0;
	k->guest = (struct client){.edge = &k->edge, .protocol = protocol, .from_loopback = k->edge.demo};
	must(!failed(stream_open(ends[1], &k->guest.stream)));
	must(!failed(net_parse_ip(k->edge.demo ? STR("127.0.0.1") : STR("192.0.2.1"), &a)));
	client_set_address(&k->guest, &a, false);
	k->guest.session = trace_new();
	must(!failed(fiber_start(guest, k, "guest", &k->fiber)));
}

void kit_say(struct kit *k, str bytes)
{
	for (int i = 0; bytes.n && i < KIT_PATIENCE; i++) {
		ssize_t n = write(k->client, bytes.p, bytes.n);
		if (n > 0)
			bytes = str_skip(bytes, (size_t)n);
		else if (errno == EPIPE || errno == ECONNRESET)
			return; /* the session has ended; what it said is still to be heard */
		else
			fiber_yield();
	}
	must(bytes.n == 0);
}

void kit_wait(uint64_t ms)
{
	for (int i = 0; i < 50; i++)
		fiber_yield();
	clock_test_advance(ms);
	for (int i = 0; i < 50; i++)
		fiber_yield();
}

static _Noreturn void stuck(const struct kit *k)
{
	fprintf(stderr, "\"%.*s\": the session answers nothing\n", STR_ARG(k->step));
	abort();
}

bool kit_hear(struct kit *k, str *line)
{
	for (int i = 0; i < KIT_PATIENCE; i++) {
		size_t lf = str_chr(str_of(k->said, k->said_n), '\n');
		if (lf != STR_NONE) {
			static char heard[sizeof k->said];
			must(lf > 0 && k->said[lf - 1] == '\r');
			memcpy(heard, k->said, lf - 1);
			*line = str_of(heard, lf - 1);
			k->said_n -= lf + 1;
			memmove(k->said, k->said + lf + 1, k->said_n);
			return true;
		}
		must(k->said_n < sizeof k->said);
		ssize_t n = read(k->client, k->said + k->said_n, sizeof k->said - k->said_n);
		if (n > 0)
			k->said_n += (size_t)n;
		else if (n == 0 || errno == ECONNRESET)
			return false;
		else
			fiber_yield();
	}
	stuck(k);
}

void kit_hang_up(struct kit *k)
{
	if (k->client < 0)
		return;
	close(k->client);
	k->client = -1;
	for (int i = 0; i < KIT_PATIENCE && !k->over; i++)
		kit_wait(1000); /* it may be waiting for a silent neighbour */
	must(k->over);
}

/* ---- running ---- */

static void run(void *arg)
{
	void (*const *fn)(struct kit *) = arg;
	struct kit *k = mem_alloc(sizeof *k);
	must(k != NULL);
	(*fn)(k);
	kit_close(k);
	mem_free(k);
}

void kit_run(void (*fn)(struct kit *k))
{
	must(!failed(loop_open()) && !failed(fiber_start(run, &fn, "test", NULL)));
	loop_run();
	loop_close();
	channel_trim();
}
