#include "auth/auth_kit.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "grammar/text/base64.h"
#include "run/loop.h"
#include "run/net.h"
#include "run/random.h"

struct kit kit;

/* ---- the rooms around ---- */

static result make_folder(uint64_t account)
{
	(void)account;
	if (kit.no_folder)
		return failure(FAIL_DISK, "no folder today");
	kit.folders++;
	return OK;
}

static result remove_folder(uint64_t account)
{
	(void)account;
	kit.folders_removed++;
	return OK;
}

static result erase_key(uint64_t account)
{
	(void)account;
	if (kit.no_vault)
		return failure(FAIL_CLOSED, "the vault has gone");
	kit.keys_erased++;
	return OK;
}

/* Octets of that key alone, in base64. */
static result make_key(const struct signing_wanted *w, buf *public)
{
	if (kit.no_vault)
		return failure(FAIL_CLOSED, "the vault has gone");
	if (kit.no_keys)
		return failure(FAIL_LIMIT, "no more keys");
	kit.keys_made++;
	base64_encode(public, w->name, 0);
	return buf_result(public);
}

/* Octets that name what they are for. */
static result certify(const struct certificate_wish *w, arena *a, struct certificate_made *out)
{
	if (kit.no_vault)
		return failure(FAIL_CLOSED, "the vault has gone");
	if (str_eq(w->public, STR("bad")))
		return failure(FAIL_INPUT, "no key");
	kit.certificates++;
	kit.last_until = w->until;
	AUTO_BUF buf der = buf_new(1024);
	buf_printf(&der, "certificate %d for %.*s", kit.certificates, STR_ARG(w->subject));
	*out = (struct certificate_made){arena_dup(a, buf_str(&der)), STR("the authority")};
	return arena_result(a);
}

static result drop_key(str name)
{
	if (kit.no_vault)
		return failure(FAIL_CLOSED, "the vault has gone");
	kit.keys_dropped++;
	memcpy(kit.last_key, name.p, name.n);
	return OK;
}

static result text_records(str name, arena *a, struct asker_resolve_looked_up *out)
{
	size_t n = kit.dns ? strlen(kit.dns) : 0;
	str *record = arena_array(a, 1, sizeof *record);
	char *rdata = arena_alloc(a, n + 1);
	snprintf(kit.asked, sizeof kit.asked, "%.*s", STR_ARG(name));
	assert_true(record && rdata && n < 256);
	*out = (struct asker_resolve_looked_up){.finding = ASKER_RESOLVE_FINDING_NO_NAME};
	if (!kit.dns)
		return OK;
	rdata[0] = (char)n;
	memcpy(rdata + 1, kit.dns, n);
	*record = str_of(rdata, n + 1);
	out->finding = ASKER_RESOLVE_FINDING_FOUND;
	out->records.p = record;
	out->records.n = 1;
	return OK;
}

static result on_session(struct arrival *in, struct auth_account_session *m, struct auth_account_session_taken *answer)
{
	(void)in;
	answer->shut = kit.shut && !m->opens;
	if (answer->shut)
		return OK;
	if (kit.shut && memcmp(kit.owner.b, m->owner, sizeof m->owner) != 0)
		return failure(FAIL_DENIED, "this is not the key of the account's owner");
	kit.shut = false;
	kit.sessions++;
	kit.session_credential = m->credential;
	assert_true(m->user.n < sizeof kit.session_user);
	memcpy(kit.session_user, m->user.p, m->user.n);
	assert_int_equal(write(m->socket, "* OK\r\n", 6), 6);
	return OK;
}

static result on_lock(struct arrival *in, struct auth_account_lock *m, struct auth_account_lock_set *answer)
{
	(void)in;
	if (kit.no_lock)
		return failure(FAIL_DISK, "no sealing today");
	answer->shut = m->lock ? kit.locked : kit.shut && !m->opens;
	if (answer->shut || m->lock == kit.locked)
		return OK;
	if (m->lock)
		memcpy(kit.owner.b, m->owner, sizeof m->owner);
	else if (kit.shut)
		assert_memory_equal(kit.owner.b, m->owner, sizeof m->owner);
	kit.locks++;
	kit.locked = m->lock;
	kit.shut = false;
	return OK;
}

static result on_seal_for(struct arrival *in, struct auth_account_seal_for *m, struct auth_account_sealed_for *answer)
{
	struct owner_public to;
	unsigned char *sealed = arena_alloc(in->arena, OWNER_SEALED);
	answer->shut = !kit.locked || kit.shut;
	if (answer->shut)
		return OK;
	memcpy(to.b, m->public, sizeof to.b);
	owner_key_seal(&kit.owner, &to, sealed);
	answer->sealed = str_of((const char *)sealed, OWNER_SEALED);
	return OK;
}

static result on_end(struct arrival *in, struct auth_account_end *m, struct auth_account_ended *answer)
{
	(void)in;
	kit.ended_credential = m->credential;
	kit.ended_all = m->all;
	answer->sessions = 1;
	kit.ends++;
	return OK;
}

static result on_quota(struct arrival *in, struct auth_account_quota *m, struct auth_account_quota_set *answer)
{
	(void)in;
	(void)answer;
	kit.quota = m->octets;
	return OK;
}

static result on_usage(struct arrival *in, struct auth_account_usage *m, struct auth_account_usage_is *answer)
{
	(void)in;
	(void)m;
	if (kit.account_number == 0)
		return failure(FAIL_DISK, "broken");
	*answer = (struct auth_account_usage_is){.messages = 3, .octets = 4096, .mailboxes = 6};
	return OK;
}

static result on_check(struct arrival *in, struct auth_account_check *m, struct auth_account_checked *answer)
{
	struct auth_account_finding *v = arena_array(in->arena, 1, sizeof *v);
	assert_non_null(v);
	*v = (struct auth_account_finding){STR("One thing."), m->repair};
	*answer = (struct auth_account_checked){.messages = 3, .octets = 4096, .findings = {v, 1}, .more = 7};
	return OK;
}

static const struct auth_account_as_account account_handlers = {
	.session = on_session, .lock = on_lock, .seal_for = on_seal_for, .end = on_end, .quota = on_quota,
	.usage = on_usage, .check = on_check};

static result account(uint64_t number, struct channel **out)
{
	int ends[2];
	if (kit.account_down)
		return failure(FAIL_BUSY, "the account does not start");
	kit.account_number = number;
	if (!kit.account) {
		assert_ok(net_pair(SOCK_SEQPACKET, ends));
		struct channel_options near = {.fd = ends[0], .peer = "account 1"}, far = {.fd = ends[1], .peer = "auth 0"};
		assert_ok(auth_account_open_as_auth(&near, NULL, &kit.account));
		assert_ok(auth_account_open_as_account(&far, &account_handlers, &kit.account_far));
	}
	*out = kit.account;
	return OK;
}

static void give_up(result why)
{
	assert_true(why.kind == FAIL_DISK || why.kind == FAIL_MEMORY);
	kit.given_up++;
}

static bool comes_from(uint64_t account, str client)
{
	(void)account;
	return str_eq(client, STR(KIT_USUAL_CLIENT));
}

static const struct auth_world world = {
	.comes_from = comes_from,
	.make_folder = make_folder, .remove_folder = remove_folder, .erase_key = erase_key, .make_key = make_key,
	.drop_key = drop_key, .certify = certify, .text_records = text_records, .account = account,
	.give_up = give_up};

/* ---- life ---- */

static void count_event(void *ctx, str record)
{
	(void)ctx;
	kit.events[(unsigned char)record.p[0] | (unsigned)(unsigned char)record.p[1] << 8]++;
	memcpy(kit.last_fields, record.p, record.n);
	kit.last_n = record.n;
}

static void on_directory_changed(struct arrival *in, struct edge_auth_directory_changed *m)
{
	(void)in;
	(void)m;
	kit.news++;
}

static const struct edge_auth_as_edge edge_hears = {.directory_changed = on_directory_changed};

static void open_doors(void)
{
	int ends[2];
	assert_ok(net_pair(SOCK_SEQPACKET, ends));
	struct channel_options e = {.fd = ends[0], .peer = "auth 0"}, ef = {.fd = ends[1], .peer = "edge-mx 0",
		.ctx = &kit};
	assert_ok(edge_auth_open_as_edge(&e, &edge_hears, &kit.edge));
	assert_ok(edge_auth_open_as_auth(&ef, &edge_handlers, &kit.edge_far));
	assert_ok(net_pair(SOCK_SEQPACKET, ends));
	struct channel_options w = {.fd = ends[0], .peer = "auth 0"}, wf = {.fd = ends[1], .peer = "web 0", .ctx = &kit};
	assert_ok(web_auth_open_as_web(&w, NULL, &kit.web));
	assert_ok(web_auth_open_as_auth(&wf, &web_handlers, &kit.web_far));
	assert_ok(net_pair(SOCK_SEQPACKET, ends));
	struct channel_options v = {.fd = ends[0], .peer = "auth 0"}, vf = {.fd = ends[1], .peer = "web 0", .ctx = &kit};
	assert_ok(visitor_auth_open_as_visitor(&v, NULL, &kit.visitor));
	assert_ok(visitor_auth_open_as_auth(&vf, &visitor_handlers, &kit.visitor_far));
	assert_ok(net_pair(SOCK_SEQPACKET, ends));
	struct channel_options q = {.fd = ends[0], .peer = "auth 0"}, qf = {.fd = ends[1], .peer = "queue 0", .ctx = &kit};
	assert_ok(queue_auth_open_as_queue(&q, NULL, &kit.queue));
	assert_ok(queue_auth_open_as_auth(&qf, &queue_handlers, &kit.queue_far));
	assert_ok(net_pair(SOCK_SEQPACKET, ends));
	struct channel_options r = {.fd = ends[0], .peer = "auth 0"}, rf = {.fd = ends[1], .peer = "relay 0", .ctx = &kit};
	assert_ok(relay_auth_open_as_relay(&r, NULL, &kit.relay));
	assert_ok(relay_auth_open_as_auth(&rf, &relay_handlers, &kit.relay_far));
}

void kit_open(void)
{
	static const unsigned char key[DIRECTORY_KEY] = "the directory's key";
	options_init(&auth.options);
	assert_ok(options_set(&auth.options, OPT_PASSWORD_MEMORY, STR("8M")));
	auth.world = &world;
	assert_ok(auth_open(&auth, sim_files(kit.sim), key));
	open_doors();
}

void kit_close(void)
{
	if (kit.account_far)
		assert_ok(channel_drain(kit.account_far, 10000));
	assert_ok(channel_drain(kit.edge_far, 10000));
	assert_ok(channel_drain(kit.web_far, 10000));
	assert_ok(channel_drain(kit.visitor_far, 10000));
	assert_ok(channel_drain(kit.queue_far, 10000));
	assert_ok(channel_drain(kit.relay_far, 10000));
	audience_left(&auth.audience, &kit); /* what the room does when the edge has gone */
	struct channel **all[] = {&kit.edge, &kit.edge_far, &kit.web, &kit.web_far, &kit.visitor, &kit.visitor_far,
		&kit.queue, &kit.queue_far, &kit.relay, &kit.relay_far, &kit.account, &kit.account_far};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (*all[i])
			channel_close(all[i]);
	auth_close(&auth);
	options_free(&auth.options);
}

static void run(void *arg)
{
	void (*const *test)(void) = arg;
	kit_open();
	(*test)();
	kit_close();
	loop_end(); /* what would try again later does not wait for that */
}

void kit_run(void (*test)(void))
{
	kit = (struct kit){.sim = sim_new(1), .quota = 10ull << 30}; /* an account starts with the usual quota */
	assert_ok(random_open());
	log_set_sink(count_event, NULL);
	assert_ok(loop_open());
	assert_ok(fiber_start(run, &test, "test", NULL));
	loop_run();
	loop_close();
	channel_trim();
	log_set_sink(NULL, NULL);
	sim_free(&kit.sim);
}

/* ---- questions; a refusal's sentence ends with the arena, its kind is what counts ---- */

result kit_kind(result r)
{
	return failed(r) ? failure(r.kind, "refused") : OK;
}

result kit_domain(const char *name)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	struct web_auth_domain_add m = {.name = str_from(name)};
	return kit_kind(web_auth_domain_add_call(kit.web, NULL, &m, &a, &done));
}

static result add_account(const struct web_auth_account_add *m)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_account_added added;
	return kit_kind(web_auth_account_add_call(kit.web, NULL, m, &a, &added));
}

result kit_account(const char *address, const char *password)
{
	struct web_auth_account_add m = {.address = str_from(address), .password = str_from(password)};
	return add_account(&m);
}

result kit_account_of(const char *address, uint64_t quota)
{
	struct web_auth_account_add m = {.address = str_from(address), .password = STR("four easy words here"),
		.quota = quota};
	return add_account(&m);
}

result kit_admin(const char *address)
{
	struct web_auth_account_add m = {.address = str_from(address), .password = STR("four easy words here"),
		.admin = true};
	return add_account(&m);
}

result kit_alias(const char *address, const char *to)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	str targets[8], rest = str_from(to);
	size_t n = 0;
	while (rest.n > 0) {
		size_t end = str_chr(rest, ' ');
		targets[n++] = str_sub(rest, 0, end == STR_NONE ? rest.n : end);
		rest = end == STR_NONE ? str_sub(rest, rest.n, 0) : str_skip(rest, end + 1);
	}
	struct web_auth_alias_add m = {.address = str_from(address), .targets = {targets, n}};
	return kit_kind(web_auth_alias_add_call(kit.web, NULL, &m, &a, &done));
}

result kit_delete_account(const char *address)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	struct web_auth_account_delete m = {.address = str_from(address)};
	return kit_kind(web_auth_account_delete_call(kit.web, NULL, &m, &a, &done));
}

void kit_totp(const char *address, struct kit_factor *out)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_second_factor_made is;
	uint64_t bits = 0;
	size_t have = 0, n = 0;
	*out = (struct kit_factor){0};
	assert_ok(web_auth_second_factor_totp_call(kit.web, NULL,
		&(struct web_auth_second_factor_totp){.account = str_from(address)}, &a, &is));
	assert_true(str_starts(is.uri, STR("otpauth://totp/")));
	str coded = str_skip(is.uri, str_find(is.uri, STR("?secret=")) + 8);
	for (size_t i = 0; n < TOTP_SECRET; i++) {
		char c = coded.p[i];
		bits = bits << 5 | (unsigned)(c >= 'A' ? c - 'A' : c - '2' + 26);
		for (have += 5; have >= 8; have -= 8)
			out->secret[n++] = (unsigned char)(bits >> (have - 8));
	}
	assert_int_equal(is.codes.n, RECOVERY_CODES);
	for (size_t i = 0; i < RECOVERY_CODES; i++)
		memcpy(out->recovery[i], is.codes.p[i].p, RECOVERY_TEXT);
}

struct kit_answer kit_recipient(const char *address)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct edge_auth_recipient m = {.address = str_from(address)};
	struct edge_auth_recipient_is is;
	assert_ok(edge_auth_recipient_call(kit.edge, NULL, &m, &a, &is));
	return (struct kit_answer){is.verdict, is.accounts.n, is.accounts.n ? is.accounts.p[0] : 0};
}

struct edge_auth_login_is kit_login(const char *user, const char *password, enum edge_auth_protocol protocol)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct edge_auth_login m = {.protocol = protocol, .user = str_from(user), .password = str_from(password),
		.client = kit.client ? str_from(kit.client) : STR("192.0.2.7"), .encrypted = true, .tag = STR("a1"),
		.session = protocol != EDGE_AUTH_PROTOCOL_SMTP};
	struct edge_auth_login_is is;
	assert_ok(edge_auth_login_call(kit.edge, NULL, &m, &a, &is));
	return is;
}

bool kit_may_send(const trace_id *token, const char *address)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct edge_auth_may_send m = {.token = *token, .address = str_from(address)};
	struct edge_auth_may_send_is is;
	assert_ok(edge_auth_may_send_call(kit.edge, NULL, &m, &a, &is));
	return is.verdict == EDGE_AUTH_SEND_VERDICT_ALLOWED;
}
