#include "relay/relay_kit.h"

#include <openssl/pem.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "grammar/smtp/smtp_data.h"
#include "grammar/dns/rdata.h"
#include "run/clock.h"
#include "run/loop.h"
#include "run/random.h"
#include "run/tls_cert.h"
#include "run/tls_peer.h"
#include "talk/asker_fetch.h"
#include "talk/asker_inspect.h"
#include "talk/item.h"
#include "talk/principal_vault.h"

struct kit kit;

static const unsigned char item_key[ITEM_KEY] = "an item's key";
static const trace_id delivery = {"delivery"};
static char key_hash[SHA256_DIGEST_LENGTH];

/* ---- neighbours ---- */

static result on_look_up(struct arrival *in, struct asker_resolve_look_up *m, struct asker_resolve_looked_up *answer)
{
	str *rows = arena_array(in->arena, KIT_RECORDS, sizeof *rows);
	answer->finding = ASKER_RESOLVE_FINDING_NO_DATA;
	answer->records.p = rows;
	kit.lookups++;
	for (size_t i = 0; i < kit.records_n; i++) {
		const struct kit_record *r = &kit.records[i];
		if (!str_eq(str_from(r->name), m->name) || (r->type != m->type && r->type != 0))
			continue;
		answer->finding = r->finding;
		answer->secure = r->secure;
		if (r->finding == ASKER_RESOLVE_FINDING_FOUND)
			rows[answer->records.n++] = r->rdata;
		else
			answer->why = STR("as the test says");
	}
	return OK;
}

static result on_get(struct arrival *in, struct asker_fetch_get *m, struct asker_fetch_got *answer)
{
	(void)in;
	kit.fetched++;
	assert_str(m->path, STR("/.well-known/mta-sts.txt"));
	answer->finding = kit.sts_policy ? ASKER_FETCH_FINDING_DONE : ASKER_FETCH_FINDING_REFUSED;
	answer->status = 200;
	answer->type = STR("text/plain");
	answer->why = kit.sts_policy ? STR("") : STR("no connection");
	answer->message = body_of(str_from(kit.sts_policy));
	return OK;
}

static result on_way(struct arrival *in, struct relay_auth_way *m, struct relay_auth_way_is *answer)
{
	(void)in;
	(void)m;
	kit.ways_asked++;
	*answer = kit.way;
	answer->port = (uint16_t)options_number(&relay.options, OPT_RELAY_PORT); /* where the servers of the test are */
	return OK;
}

static result on_unwrap(struct arrival *in, struct principal_vault_unwrap *m,
	struct principal_vault_own_key_is *answer)
{
	(void)in;
	kit.unwrapped++;
	if (!str_eq(m->wrapped, STR("wrapped")))
		return failure(FAIL_DAMAGE, "no wrapping");
	memcpy(answer->key, item_key, sizeof item_key);
	return OK;
}

static result on_wrap(struct arrival *in, struct principal_vault_wrap_for *m,
	struct principal_vault_wrapped_key *answer)
{
	(void)in;
	kit.wrapped_for = m->account;
	memcpy(answer->key, item_key, sizeof item_key);
	answer->wrapped = STR("wrapped");
	return OK;
}

static result on_reporter(struct arrival *in, struct relay_auth_reporter *m, struct relay_auth_reporter_is *answer)
{
	static const struct relay_auth_signer signer = {STR_INIT("home.test"), STR_INIT("e1"),
		RELAY_AUTH_ALGORITHM_ED25519_SHA256, STR_INIT("k1")};
	(void)in;
	(void)m;
	answer->domain = STR("home.test");
	answer->signers.p = &signer;
	answer->signers.n = 1;
	return OK;
}

/* The report, as what it was asked to be made of. */
static result on_bounce(struct arrival *in, struct asker_inspect_bounce *m, struct asker_inspect_bounced *answer)
{
	AUTO_BUF buf b = buf_new(1 << 20);
	struct asker_inspect_signature *s = arena_array(in->arena, 1, sizeof *s);
	kit.bounces++;
	buf_printf(&b, "From: %.*s\r\nTo: %.*s\r\nby %.*s whole %d utf8 %d rows %zu %s %.*s advice %u\r\n\r\n",
		   STR_ARG(m->from_domain), STR_ARG(m->to), STR_ARG(m->reporting_mta), m->whole, m->utf8, m->rows.n,
		   asker_inspect_bounce_action_names[m->rows.p[0].action], STR_ARG(m->rows.p[0].address), m->rows.p[0].advice);
	buf_put(&b, m->message.bytes);
	answer->message = body_of(arena_dup(in->arena, buf_str(&b)));
	answer->facts = body_of(STR("facts"));
	answer->eight_bit = true;
	*s = (struct asker_inspect_signature){.key = STR("k1"), .digest = {7}, .field = STR("DKIM-Signature: b=\r\n"),
		.at = sizeof "DKIM-Signature: b=" - 1};
	answer->signatures.p = s;
	answer->signatures.n = m->signers.n;
	return arena_result(in->arena);
}

static result on_examine(struct arrival *in, struct asker_inspect_examine *m, struct asker_inspect_examined *answer)
{
	struct asker_inspect_signature *s = arena_array(in->arena, 1, sizeof *s);
	answer->facts = body_of(STR("facts"));
	*s = (struct asker_inspect_signature){.key = STR("k1"), .digest = {7}, .field = STR("DKIM-Signature: b=\r\n"),
		.at = sizeof "DKIM-Signature: b=" - 1};
	answer->signatures.p = s;
	answer->signatures.n = m->signers.n;
	return arena_result(in->arena);
}

static result on_post(struct arrival *in, struct asker_fetch_post *m, struct asker_fetch_got *answer)
{
	(void)in;
	assert_str(m->host, STR("reports.example.test"));
	assert_str(m->path, STR("/v1"));
	assert_str(m->type, STR("application/tlsrpt+gzip"));
	buf_clear(&kit.posted);
	buf_put(&kit.posted, m->message.bytes);
	answer->finding = ASKER_FETCH_FINDING_DONE;
	answer->status = kit.post_refused ? 503 : 201;
	return OK;
}

static result on_sign(struct arrival *in, struct principal_vault_sign *m, struct principal_vault_signatures_are *answer)
{
	static const str signature = STR_INIT("signed");
	(void)in;
	assert_int_equal(m->wanted.n, 1);
	assert_str(m->wanted.p[0].key, STR("k1"));
	assert_int_equal(m->wanted.p[0].digest[0], 7);
	answer->signatures.p = &signature;
	answer->signatures.n = 1;
	return OK;
}

static const struct asker_resolve_as_resolve resolve_handlers = {.look_up = on_look_up};
static const struct asker_fetch_as_fetch fetch_handlers = {.get = on_get, .post = on_post};
static const struct relay_auth_as_auth auth_handlers = {.way = on_way, .reporter = on_reporter};
static const struct principal_vault_as_vault vault_handlers = {.unwrap = on_unwrap, .wrap_for = on_wrap,
	.sign = on_sign};
static const struct asker_inspect_as_inspect inspect_handlers = {.bounce = on_bounce, .examine = on_examine};

static const struct {
	const struct channel_kind *near, *far;
	const void *handlers;
} rooms[] = {
	[NEIGHBOUR_RESOLVE] = {&asker_resolve_as_asker_kind, &asker_resolve_as_resolve_kind, &resolve_handlers},
	[NEIGHBOUR_FETCH] = {&asker_fetch_as_asker_kind, &asker_fetch_as_fetch_kind, &fetch_handlers},
	[NEIGHBOUR_AUTH] = {&relay_auth_as_relay_kind, &relay_auth_as_auth_kind, &auth_handlers},
	[NEIGHBOUR_VAULT] = {&principal_vault_as_principal_kind, &principal_vault_as_vault_kind, &vault_handlers},
	[NEIGHBOUR_INSPECT] = {&asker_inspect_as_asker_kind, &asker_inspect_as_inspect_kind, &inspect_handlers},
};
enum { ROOMS = NEIGHBOUR_INSPECT + 1 };
static struct channel *near[ROOMS], *far[ROOMS];

static result room(enum neighbour which, struct channel **out)
{
	must((size_t)which < ROOMS && rooms[which].near);
	if (!near[which]) {
		int ends[2];
		TRY(net_pair(SOCK_SEQPACKET, ends));
		const struct channel_options n = {.fd = ends[0], .peer = "neighbour"}, f = {.fd = ends[1],
			.peer = "relay"};
		TRY(channel_open(&n, rooms[which].near, NULL, &near[which]));
		TRY(channel_open(&f, rooms[which].far, rooms[which].handlers, &far[which]));
	}
	*out = near[which];
	return OK;
}

static const struct relay_world world = {.room = room};

/* ---- servers ---- */

static int listening = -1;
static struct fd_watch *listening_watch;

static void take_data(struct stream *s)
{
	struct smtp_data d = smtp_data_new(SMTP_DATA_REJECT);
	buf_clear(&kit.message);
	while (d.state != SMTP_DATA_DONE) {
		str got;
		if (failed(stream_read_some(s, &got)))
			return;
		stream_consume(s, smtp_data_feed(&d, got, &kit.message));
	}
}

static void take_chunk(struct stream *s)
{
	str line, got;
	uint64_t n;
	assert_ok(stream_read_line(s, 1000, LINE_CRLF, &line));
	assert_true(str_starts(line, STR("BDAT ")) && str_ends(line, STR(" LAST")));
	assert_true(str_to_u64(str_sub(line, 5, line.n - 10), &n));
	buf_clear(&kit.message);
	while (kit.message.n < n) {
		assert_ok(stream_read_some(s, &got));
		got = str_sub(got, 0, (size_t)n - kit.message.n);
		buf_put(&kit.message, got);
		stream_consume(s, got.n);
	}
}

static void expect_line(struct stream *s, str prefix)
{
	str line;
	result r = stream_read_line(s, 4000, LINE_CRLF, &line);
	if (failed(r))
		fail_msg("wanted \"%.*s\": %s", STR_ARG(prefix), r.text);
	if (!str_starts(line, prefix))
		fail_msg("wanted \"%.*s\", got \"%.*s\"", STR_ARG(prefix), STR_ARG(line));
}

static void play(struct stream *s, const char *const *lines)
{
	str unused;
	for (; *lines; lines++) {
		str l = str_from(*lines);
		if (l.p[0] == '>') {
			assert_ok(stream_write(s, str_skip(l, 1)));
			assert_ok(stream_write(s, STR("\r\n")));
		} else if (l.p[0] == '<') {
			expect_line(s, str_skip(l, 1));
		} else if (str_eq(l, STR("tls"))) {
			(void)!stream_flush(s).kind;
			if (failed(stream_start_tls(s, kit.tls)))
				return;
		} else if (str_eq(l, STR("data"))) {
			take_data(s);
		} else if (str_eq(l, STR("bdat"))) {
			take_chunk(s);
		} else {
			(void)!stream_read_some(s, &unused).kind;
		}
	}
	(void)!stream_flush(s).kind;
}

static void serve(void *arg)
{
	struct stream *s = arg;
	const char *const *lines = kit.scripts[kit.played++];
	kit.open++;
	if (kit.open > kit.open_most)
		kit.open_most = kit.open;
	play(s, lines);
	stream_free(&s);
	kit.open--;
}

static void listen_on(void *arg)
{
	(void)arg;
	int client;
	while (!failed(net_accept(listening, listening_watch, &client))) {
		struct stream *s = NULL;
		if (kit.played + kit.open >= kit.scripts_n + kit.open) {
			close(client);
			continue;
		}
		assert_ok(stream_open(client, &s));
		assert_ok(fiber_start(serve, s, "server", NULL));
	}
}

void kit_script(const char *const *lines)
{
	assert_true(kit.scripts_n < KIT_SCRIPTS);
	kit.scripts[kit.scripts_n++] = lines;
}

void kit_record(struct kit_record r)
{
	assert_true(kit.records_n < KIT_RECORDS);
	kit.records[kit.records_n++] = r;
}

void kit_usual_dns(void)
{
	kit_record((struct kit_record){"example.test", DNS_MX, ASKER_RESOLVE_FINDING_FOUND, false,
		STR("\0\12\2mx\7example\4test\0")});
	kit_record((struct kit_record){"mx.example.test", DNS_A, ASKER_RESOLVE_FINDING_FOUND, false,
		STR("\177\0\0\1")});
}

/* ---- sending ---- */

static struct {
	const struct queue_relay_send *m;
	kit_check check, second;
	void (*work)(struct channel *queue);
	struct channel *queue, *relay;
	str asked[2];
	enum edge_relay_verdict verdict[2];
} errand;

struct queue_relay_send kit_mail(const struct queue_relay_recipient *to, size_t n)
{
	static buf sealed;
	const struct item i = {.sender = STR("user1@home.test"), .trace = STR("Received: from here\r\n"),
		.message = STR("Subject: hello\r\n\r\n.dot\r\nbody\r\n")};
	buf_free(&sealed);
	sealed = buf_new(1 << 20);
	assert_ok(item_seal(&i, &delivery, item_key, &sealed));
	struct queue_relay_send m = {.delivery = delivery, .destination = STR("example.test"),
		.sender = STR("user1@home.test"),
		.wrapped = STR("wrapped"), .sealed = body_of(buf_str(&sealed))};
	m.recipients.p = to;
	m.recipients.n = n;
	return m;
}

static void close_all(void)
{
	kept_close(&relay.kept);
	item_keys_close(&relay.keys);
	channel_close(&errand.queue);
	channel_close(&errand.relay);
	for (size_t i = 0; i < ROOMS; i++) {
		channel_close(&near[i]);
		channel_close(&far[i]);
	}
	fd_watch_close(&listening_watch);
	close(listening);
}

static void send_one(kit_check check)
{
	AUTO_ARENA arena a = arena_new(4 << 20);
	struct queue_relay_sent sent;
	const struct asking how = {.arena = &a, .timeout_ms = 20000};
	assert_ok(queue_relay_send_call_within(errand.queue, &how, errand.m, &sent));
	assert_int_equal(sent.outcomes.n, errand.m->recipients.n);
	check(&sent);
}

static void rest(void)
{
	for (uint64_t passed = 0; passed < kit.rest_ms; passed += 1000) {
		clock_test_advance(1000);
		for (int i = 0; i < 10; i++)
			fiber_yield();
	}
	kit.kept_after = relay.kept.n;
}

static void run_sends(void *arg)
{
	(void)arg;
	send_one(errand.check);
	for (int i = 0; errand.second && i < 10; i++)
		fiber_yield(); /* what the server does then arrives */
	if (errand.second)
		send_one(errand.second);
	rest();
	close_all();
}

static void verify_one(size_t i)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct edge_relay_verify q = {.domain = STR("example.test"), .address = errand.asked[i]};
	struct edge_relay_verified is;
	const struct asking how = {.arena = &a, .timeout_ms = 20000};
	assert_ok(edge_relay_verify_call_within(errand.queue, &how, &q, &is));
	assert_int_equal(is.verdict, errand.verdict[i]);
}

static void run_questions(void *arg)
{
	(void)arg;
	verify_one(0);
	verify_one(1);
	close_all();
}

static void open_server(void)
{
	net_addr any, got;
	char port[8];
	assert_ok(net_parse(STR("127.0.0.1:0"), &any));
	assert_ok(net_listen(&any, &listening));
	assert_ok(net_local(listening, &got));
	assert_ok(fd_watch_open(listening, &listening_watch));
	snprintf(port, sizeof port, "%u", got.port);
	assert_ok(options_set(&relay.options, OPT_RELAY_PORT, str_from(port)));
	assert_ok(fiber_start(listen_on, NULL, "listener", NULL));
}

static void run(const struct channel_kind *near_kind, const struct channel_kind *far_kind, const void *handlers,
	void (*fiber)(void *arg))
{
	int ends[2];
	assert_ok(net_pair(SOCK_SEQPACKET, ends));
	const struct channel_options n = {.fd = ends[0], .peer = "relay"}, f = {.fd = ends[1], .peer = "asker"};
	assert_ok(channel_open(&n, near_kind, NULL, &errand.queue));
	assert_ok(channel_open(&f, far_kind, handlers, &errand.relay));
	open_server();
	assert_ok(fiber_start(fiber, NULL, "errand", NULL));
	loop_run();
}

void kit_send_twice(const struct queue_relay_send *m, kit_check first, kit_check second)
{
	errand.m = m;
	errand.check = first;
	errand.second = second;
	run(&queue_relay_as_queue_kind, &queue_relay_as_relay_kind, &relay_queue_handlers, run_sends);
}

void kit_send(const struct queue_relay_send *m, kit_check check)
{
	kit_send_twice(m, check, NULL);
}

void kit_again(const struct queue_relay_send *m, kit_check check)
{
	loop_close();
	assert_ok(loop_open());
	kept_open(&relay.kept);
	kit_send(m, check);
}

void kit_verify(str one, enum edge_relay_verdict first, str two, enum edge_relay_verdict second)
{
	errand.asked[0] = one;
	errand.asked[1] = two;
	errand.verdict[0] = first;
	errand.verdict[1] = second;
	run(&edge_relay_as_edge_kind, &edge_relay_as_relay_kind, &relay_edge_handlers, run_questions);
}

static void run_work(void *arg)
{
	(void)arg;
	errand.work(errand.queue);
	close_all();
}

void kit_ask(void (*work)(struct channel *queue))
{
	errand.work = work;
	run(&queue_relay_as_queue_kind, &queue_relay_as_relay_kind, &relay_queue_handlers, run_work);
}

void kit_delivered(const struct queue_relay_sent *s)
{
	assert_int_equal(s->outcomes.p[0].verdict, QUEUE_RELAY_VERDICT_DELIVERED);
	assert_true(s->reached);
	assert_str(s->host, STR("mx.example.test"));
	assert_str(s->address, STR("127.0.0.1"));
}

void kit_refused(const struct queue_relay_sent *s)
{
	assert_int_equal(s->outcomes.p[0].verdict, QUEUE_RELAY_VERDICT_FAILED);
	assert_str(s->outcomes.p[0].status, kit.wanted);
	assert_true(s->reached);
}

/* ---- life ---- */

static void hash_key(str chain)
{
	BIO *in = BIO_new_mem_buf(chain.p, (int)chain.n);
	X509 *cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	assert_true(n > 0);
	SHA256(der, (size_t)n, (unsigned char *)key_hash);
	OPENSSL_free(der);
	X509_free(cert);
	BIO_free(in);
}

static struct tls_context *trusts_server;

int kit_group_open(void **state)
{
	(void)state;
	struct tls_pem pem;
	str name = STR("mx.example.test");
	assert_ok(random_open());
	assert_ok(tls_self_signed(&name, 1, 30, &pem));
	assert_ok(tls_server_context(buf_str(&pem.chain), buf_str(&pem.key), &kit.tls));
	assert_ok(tls_peer_context(buf_str(&pem.chain), &trusts_server));
	assert_ok(tls_peer_context(STR(""), &kit.trusts_nobody));
	hash_key(buf_str(&pem.chain));
	tls_pem_free(&pem);
	return 0;
}

int kit_group_close(void **state)
{
	(void)state;
	tls_context_free(&kit.tls);
	tls_context_free(&trusts_server);
	tls_context_free(&kit.trusts_nobody);
	return 0;
}

int kit_relay_open(void **state)
{
	kit = (struct kit){.tls = kit.tls, .trusts_nobody = kit.trusts_nobody, .message = buf_new(1 << 20),
		.posted = buf_new(1 << 20),
		.tls_key_hash = {key_hash, sizeof key_hash}};
	relay = (struct relay){.world = &world, .tls = trusts_server};
	memset(near, 0, sizeof near);
	memset(far, 0, sizeof far);
	options_init(&relay.options);
	assert_ok(options_set(&relay.options, OPT_RELAY_PRIVATE, STR("yes")));
	assert_ok(options_set(&relay.options, OPT_HOSTNAME, STR("home.test")));
	kept_open(&relay.kept);
	sts_open(&relay.sts);
	ways_open(&relay.ways);
	return kit_open_loop(state);
}

int kit_relay_close(void **state)
{
	buf_free(&kit.message);
	buf_free(&kit.posted);
	options_free(&relay.options);
	sts_close(&relay.sts);
	ways_close(&relay.ways);
	return kit_close_loop(state);
}
