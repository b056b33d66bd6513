#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sanitized.h"
#include "run/carry.h"
#include "run/clock.h"
#include "run/files.h"
#include "run/kit.h"
#include "run/loop.h"
#include "run/net.h"
#include "run/tls.h"
#include "run/tls_cert.h"
#include "run/tls_core.h"

static struct tls_context *server_side, *client_side, *trusting;

static int make_contexts(void **state)
{
	(void)state;
	struct tls_pem pem;
	str names[] = {STR("mail.example.test"), STR("127.0.0.1")};
	assert_ok(tls_self_signed(names, 2, 30, &pem));
	assert_ok(tls_server_context(buf_str(&pem.chain), buf_str(&pem.key), &server_side));
	assert_ok(tls_client_context(STR(""), &client_side));
	assert_ok(tls_client_context(buf_str(&pem.chain), &trusting));
	tls_context_alpn(server_side, STR("\4imap\4smtp"));
	tls_pem_free(&pem);
	return 0;
}

static int free_contexts(void **state)
{
	(void)state;
	tls_context_free(&server_side);
	tls_context_free(&client_side);
	tls_context_free(&trusting);
	return 0;
}

/* Two ends of a connection: a server fiber and a client fiber. */
struct pair {
	int fds[2];
	void (*server)(struct stream *s);
	void (*client)(struct stream *s);
	str name;
	struct tls_context *context;
	result server_tls;
	result client_tls;
};

static void run_server(void *arg)
{
	struct pair *p = arg;
	struct stream *s = NULL;
	assert_ok(stream_open(p->fds[0], &s));
	p->server_tls = stream_start_tls(s, server_side);
	if (!failed(p->server_tls) && p->server)
		p->server(s);
	stream_free(&s);
}

static void run_client(void *arg)
{
	struct pair *p = arg;
	struct stream *s = NULL;
	assert_ok(stream_open(p->fds[1], &s));
	p->client_tls = stream_start_tls_client(s, p->context ? p->context : client_side, p->name);
	if (!failed(p->client_tls) && p->client)
		p->client(s);
	stream_free(&s);
}

static void start_pair(struct pair *p)
{
	assert_ok(net_pair(SOCK_STREAM, p->fds));
	assert_ok(fiber_start(run_server, p, "server", NULL));
	assert_ok(fiber_start(run_client, p, "client", NULL));
}

/* ---- echo ---- */

enum { LINES = 20, SESSIONS = 500 };

static size_t echoed;

static void echo_lines(struct stream *s)
{
	str line;
	while (!failed(stream_read_line(s, 1000, LINE_CRLF, &line))) {
		assert_ok(stream_write(s, line));
		assert_ok(stream_write(s, STR("\r\n")));
		assert_ok(stream_flush(s));
	}
	assert_ok(stream_end(s));
}

static void ask_lines(struct stream *s)
{
	for (int i = 0; i < LINES; i++) {
		char text[32];
		int n = snprintf(text, sizeof(text), "line %d of %d\r\n", i, LINES);
		assert_ok(stream_write(s, str_of(text, (size_t)n)));
		assert_ok(stream_flush(s));
		str line;
		assert_ok(stream_read_line(s, 1000, LINE_CRLF, &line));
		assert_str(line, str_of(text, (size_t)n - 2));
		echoed++;
	}
	assert_ok(stream_end(s));
	assert_int_equal(stream_fill(s).kind, FAIL_CLOSED);
}

static void five_hundred_sessions_echo(void **state)
{
	(void)state;
	static struct pair pairs[SESSIONS];
	echoed = 0;
	for (int i = 0; i < SESSIONS; i++) {
		pairs[i] = (struct pair){.server = echo_lines, .client = ask_lines, .name = STR("mail.example.test")};
		start_pair(&pairs[i]);
	}
	loop_run();
	assert_int_equal(echoed, SESSIONS * LINES);
}

enum { BULK = 3 * 1024 * 1024 };
static char bulk[BULK];

static void send_bulk(struct stream *s)
{
	for (size_t i = 0; i < BULK; i++)
		bulk[i] = (char)(i >> 8 ^ i);
	assert_ok(stream_write(s, STR("small ")));
	assert_ok(stream_write(s, str_of(bulk, BULK)));
	assert_ok(stream_end(s));
}

static void take_bulk(struct stream *s)
{
	str got, want = STR("small ");
	for (size_t at = 0; at < BULK + want.n; ) {
		assert_ok(stream_read_some(s, &got));
		for (size_t i = 0; i < got.n; i++, at++)
			assert_true(got.p[i] == (at < want.n ? want.p[at] : bulk[at - want.n]));
		stream_consume(s, got.n);
	}
	assert_int_equal(stream_fill(s).kind, FAIL_CLOSED);
}

static void bulk_goes_through(void **state)
{
	(void)state;
	struct pair p = {.server = send_bulk, .client = take_bulk};
	start_pair(&p);
	loop_run();
	assert_ok(p.server_tls);
	assert_ok(p.client_tls);
}

/* ---- what a session says of itself ---- */

static buf bindings[4];

static void note_server(struct stream *s)
{
	struct tls_facts f;
	tls_facts(stream_tls(s), &f);
	assert_string_equal(f.version, "TLSv1.3");
	assert_true(f.bits >= 128);
	assert_ok(tls_exporter(stream_tls(s), &bindings[0]));
	assert_ok(tls_end_point(stream_tls(s), &bindings[1]));
	str got;
	assert_ok(stream_read_some(s, &got));
}

static void note_client(struct stream *s)
{
	assert_ok(tls_exporter(stream_tls(s), &bindings[2]));
	assert_ok(tls_end_point(stream_tls(s), &bindings[3]));
	assert_ok(stream_write(s, STR("done")));
	assert_ok(stream_end(s));
}

static void both_ends_see_the_same_bindings(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		bindings[i] = buf_new(64);
	struct pair p = {.server = note_server, .client = note_client, .name = STR("mail.example.test"),
		.context = trusting};
	start_pair(&p);
	loop_run();
	assert_ok(p.client_tls);
	assert_int_equal(bindings[0].n, 32);
	assert_str(buf_str(&bindings[0]), buf_str(&bindings[2]));
	assert_int_equal(bindings[1].n, 32);
	assert_str(buf_str(&bindings[1]), buf_str(&bindings[3]));
	for (int i = 0; i < 4; i++)
		buf_free(&bindings[i]);
}

static void a_wrong_name_is_refused_by_the_client(void **state)
{
	(void)state;
	struct pair p = {.name = STR("other.example.test"), .context = trusting};
	start_pair(&p);
	loop_run();
	assert_int_equal(p.client_tls.kind, FAIL_NETWORK);
	assert_int_equal(p.server_tls.kind, FAIL_NETWORK);
}

static void the_key_must_belong_to_the_certificate(void **state)
{
	(void)state;
	struct tls_pem one, other, none;
	str name = STR("mail.example.test");
	assert_ok(tls_self_signed(&name, 1, 30, &one));
	assert_ok(tls_self_signed(&name, 1, 30, &other));
	struct tls_context *c = NULL;
	assert_int_equal(tls_server_context(buf_str(&one.chain), buf_str(&other.key), &c).kind, FAIL_INPUT);
	assert_int_equal(tls_server_context(STR("nonsense"), buf_str(&one.key), &c).kind, FAIL_INPUT);
	assert_int_equal(tls_server_context(buf_str(&one.chain), STR(""), &c).kind, FAIL_INPUT);
	assert_null(c);
	tls_pem_free(&one);
	tls_pem_free(&other);
	str evil = STR("a.test,DNS:b.test");
	assert_int_equal(tls_self_signed(&evil, 1, 30, &none).kind, FAIL_INPUT);
	assert_int_equal(tls_self_signed(&name, 0, 30, &none).kind, FAIL_LIMIT);
	assert_int_equal(tls_self_signed(&name, TLS_CERT_NAMES_MAX + 1, 30, &none).kind, FAIL_LIMIT);
	assert_int_equal(tls_self_signed(&name, 1, TLS_CERT_DAYS_MAX + 1, &none).kind, FAIL_LIMIT);
}

static void replace_context(struct stream *s)
{
	struct tls_context *old = server_side;
	server_side = NULL;
	tls_context_free(&old); /* the session goes on with what it began with */
	assert_ok(stream_write(s, STR("still here")));
	assert_ok(stream_end(s));
}

static void read_still_here(struct stream *s)
{
	str got;
	assert_ok(stream_read_some(s, &got));
	assert_str(got, STR("still here"));
}

static void a_replaced_certificate_leaves_sessions_running(void **state)
{
	(void)state;
	struct pair p = {.server = replace_context, .client = read_still_here};
	start_pair(&p);
	loop_run();
	assert_ok(p.client_tls);
	free_contexts(NULL);
	assert_int_equal(make_contexts(NULL), 0);
}

static void see_hello(struct stream *s)
{
	str got;
	AUTO_BUF buf none = buf_new(64);
	assert_int_equal(tls_exporter(stream_tls(s), &none).kind, FAIL_ABSENT); /* only 1.2 is offered here */
	assert_ok(stream_read_some(s, &got));
	assert_str(got, STR("hello"));
}

/* A bare OpenSSL client, for what only a client chooses: ALPN and resumption. */
static SSL_SESSION *ticket;
static struct tls_facts facts;
static char agreed[16];

static int keep_ticket(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	SSL_SESSION_free(ticket);
	ticket = session;
	return 1;
}

static void note_facts(struct stream *s)
{
	tls_facts(stream_tls(s), &facts);
	must(facts.alpn.n < sizeof(agreed));
	memcpy(agreed, facts.alpn.n ? facts.alpn.p : "", facts.alpn.n);
	facts.alpn.p = agreed;
	assert_ok(stream_write(s, STR("hello")));
	assert_ok(stream_end(s));
}

static void run_bare_client(void *arg)
{
	struct pair *p = arg;
	SSL *ssl = SSL_new(client_side->ssl);
	assert_int_equal(SSL_set_fd(ssl, p->fds[1]), 1);
	SSL_set_connect_state(ssl);
	assert_int_equal(SSL_set_alpn_protos(ssl, (const unsigned char *)p->name.p, (unsigned)p->name.n), 0);
	if (ticket)
		assert_int_equal(SSL_set_session(ssl, ticket), 1);
	char got[16];
	int n;
	while ((n = SSL_read(ssl, got, sizeof(got))) <= 0 && SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ)
		fiber_yield();
	assert_int_equal(n, 5);
	SSL_shutdown(ssl); /* a session that ended otherwise is not resumed */
	SSL_free(ssl);
	close(p->fds[1]);
}

static void meet_bare_client(const char *alpn)
{
	struct pair p = {.server = note_facts, .name = str_from(alpn)};
	assert_ok(net_pair(SOCK_STREAM, p.fds));
	assert_ok(fiber_start(run_server, &p, "server", NULL));
	assert_ok(fiber_start(run_bare_client, &p, "client", NULL));
	loop_run();
	assert_ok(p.server_tls);
}

static void a_ticket_resumes_and_alpn_is_agreed(void **state)
{
	(void)state;
	static char keys[TLS_TICKET_KEYS] = "not secret in a test";
	assert_ok(tls_context_ticket_keys(server_side, str_of(keys, sizeof(keys))));
	assert_int_equal(tls_context_ticket_keys(server_side, str_of(keys, 79)).kind, FAIL_INPUT);
	SSL_CTX_set_session_cache_mode(client_side->ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(client_side->ssl, keep_ticket);
	meet_bare_client("\4pop3\4smtp\4imap");
	assert_false(facts.resumed);
	assert_str(facts.alpn, STR("imap")); /* the server's order */
	assert_non_null(ticket);
	struct tls_context *first = client_side, *other = server_side;
	client_side = server_side = NULL;
	tls_context_free(&trusting);
	assert_int_equal(make_contexts(NULL), 0); /* another worker of the pool, with the same keys */
	tls_context_free(&client_side);
	client_side = first;
	assert_ok(tls_context_ticket_keys(server_side, str_of(keys, sizeof(keys))));
	meet_bare_client("\4imap");
	assert_true(facts.resumed);
	tls_context_free(&other);
	SSL_SESSION_free(ticket);
	ticket = NULL;
}

static void refuse_bare_client(void *arg)
{
	struct pair *p = arg;
	SSL *ssl = SSL_new(client_side->ssl);
	int n;
	assert_int_equal(SSL_set_fd(ssl, p->fds[1]), 1);
	assert_int_equal(SSL_set_alpn_protos(ssl, (const unsigned char *)p->name.p, (unsigned)p->name.n), 0);
	while ((n = SSL_connect(ssl)) <= 0 && SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ)
		fiber_yield();
	assert_int_not_equal(n, 1);
	SSL_free(ssl);
	close(p->fds[1]);
}

/* Whoever was led here by somebody else (ALPACA) offers HTTP. */
static void another_protocol_is_refused(void **state)
{
	(void)state;
	struct pair p = {.name = STR("\2h2\10http/1.1")};
	assert_ok(net_pair(SOCK_STREAM, p.fds));
	assert_ok(fiber_start(run_server, &p, "server", NULL));
	assert_ok(fiber_start(refuse_bare_client, &p, "client", NULL));
	loop_run();
	assert_int_equal(p.server_tls.kind, FAIL_NETWORK);
}

static void old_versions_are_refused(void **state)
{
	(void)state;
	SSL_CTX_set_max_proto_version(client_side->ssl, TLS1_1_VERSION);
	SSL_CTX_set_min_proto_version(client_side->ssl, TLS1_VERSION);
	struct pair p = {.name = STR("mail.example.test")};
	start_pair(&p);
	loop_run();
	assert_int_equal(p.server_tls.kind, FAIL_NETWORK);
	SSL_CTX_set_max_proto_version(client_side->ssl, TLS1_2_VERSION);
	SSL_CTX_set_min_proto_version(client_side->ssl, TLS1_2_VERSION);
	p = (struct pair){.server = note_facts, .client = see_hello};
	start_pair(&p);
	loop_run();
	assert_ok(p.server_tls);
	assert_string_equal(facts.version, "TLSv1.2");
	SSL_CTX_set_max_proto_version(client_side->ssl, 0);
}

/* ---- bad days ---- */

static void starttls_with_leftovers(void *arg)
{
	struct stream *s = NULL;
	assert_ok(stream_open(*(int *)arg, &s));
	str line;
	assert_ok(stream_read_line(s, 100, LINE_CRLF, &line));
	assert_str(line, STR("STARTTLS"));
	assert_true(stream_pending(s));
	assert_int_equal(stream_start_tls(s, server_side).kind, FAIL_CONFLICT);
	stream_free(&s);
}

static void bytes_behind_starttls_are_a_conflict(void **state)
{
	(void)state;
	int fds[2];
	assert_ok(net_pair(SOCK_STREAM, fds));
	assert_int_equal(write(fds[1], "STARTTLS\r\nRCPT TO:<x>\r\n", 23), 23);
	assert_ok(fiber_start(starttls_with_leftovers, &fds[0], "server", NULL));
	loop_run();
	close(fds[1]);
}

static result outcome;

static void handshake_only(void *arg)
{
	struct stream *s = NULL;
	assert_ok(stream_open(*(int *)arg, &s));
	stream_set_deadline(s, 30);
	outcome = stream_start_tls(s, server_side);
	stream_free(&s);
}

static void a_silent_client_ends_the_handshake(void **state)
{
	(void)state;
	int fds[2];
	assert_ok(net_pair(SOCK_STREAM, fds));
	assert_ok(fiber_start(handshake_only, &fds[0], "server", NULL));
	loop_run();
	assert_int_equal(outcome.kind, FAIL_TIMEOUT);
	close(fds[1]);
}

static void nonsense_ends_the_handshake(void **state)
{
	(void)state;
	int fds[2];
	assert_ok(net_pair(SOCK_STREAM, fds));
	assert_int_equal(write(fds[1], "EHLO this is no TLS\r\n", 21), 21);
	assert_ok(fiber_start(handshake_only, &fds[0], "server", NULL));
	loop_run();
	assert_int_equal(outcome.kind, FAIL_NETWORK);
	assert_true(strlen(tls_error()) > 0);
	close(fds[1]);
}

static void end_soon(void *arg)
{
	(void)arg;
	assert_ok(fiber_sleep(5));
	loop_end();
}

static void a_handshake_ends_by_cancel(void **state)
{
	(void)state;
	int fds[2];
	assert_ok(net_pair(SOCK_STREAM, fds));
	assert_ok(fiber_start(handshake_only, &fds[0], "server", NULL));
	assert_ok(fiber_start(end_soon, NULL, "end", NULL));
	loop_run();
	assert_int_equal(outcome.kind, FAIL_CANCELLED);
	close(fds[1]);
}

static void vanish(struct stream *s)
{
	assert_ok(stream_write(s, STR("half a li")));
	assert_ok(stream_flush(s));
}

static void see_it_vanish(struct stream *s)
{
	str line;
	assert_int_equal(stream_read_line(s, 100, LINE_CRLF, &line).kind, FAIL_NETWORK);
	assert_int_equal(stream_fill(s).kind, FAIL_NETWORK);
}

static void an_end_without_close_notify_is_no_end_in_order(void **state)
{
	(void)state;
	struct pair p = {.server = vanish, .client = see_it_vanish};
	start_pair(&p);
	loop_run();
}

/* ---- memory of an idle session ---- */

static uint64_t private_bytes(void)
{
	AUTO_BUF buf text = buf_new(65536);
	assert_ok(file_load("/proc/self/smaps_rollup", &text));
	uint64_t kib = 0;
	static const char *const rows[] = {"Private_Dirty:", "Private_Clean:"};
	for (size_t i = 0; i < 2; i++) {
		size_t at = str_find(buf_str(&text), str_from(rows[i]));
		assert_true(at != STR_NONE);
		str rest = str_trim(str_skip(buf_str(&text), at + strlen(rows[i])));
		uint64_t n = 0;
		assert_true(str_to_u64(str_sub(rest, 0, str_chr(rest, ' ')), &n));
		kib += n;
	}
	return kib * 1024;
}

#if SANITIZED
enum { IDLE = 100, IDLE_MAX = 1 << 20 };
#else
enum { IDLE = 2000, IDLE_MAX = 36 * 1024 };
#endif

static size_t settled;
static int idle_fds[IDLE];

static void idle_server(void *arg)
{
	struct stream *s = NULL;
	assert_ok(stream_open(*(int *)arg, &s));
	assert_ok(stream_start_tls(s, server_side));
	str line;
	assert_ok(stream_write(s, STR("220 mail.example.test\r\n")));
	assert_ok(stream_flush(s));
	assert_ok(stream_read_line(s, 1000, LINE_CRLF, &line));
	assert_ok(stream_write(s, STR("250 hello\r\n")));
	assert_ok(stream_flush(s));
	settled++;
	stream_set_idle(s, 600000);
	assert_int_equal(stream_read_line(s, 1000, LINE_CRLF, &line).kind, FAIL_CANCELLED);
	stream_free(&s);
}

static void idle_client(void *arg)
{
	struct stream *s = NULL;
	assert_ok(stream_open(*(int *)arg, &s));
	assert_ok(stream_start_tls_client(s, client_side, STR("mail.example.test")));
	str line;
	assert_ok(stream_read_line(s, 1000, LINE_CRLF, &line));
	assert_ok(stream_write(s, STR("EHLO client.example.test\r\n")));
	assert_ok(stream_flush(s));
	assert_ok(stream_read_line(s, 1000, LINE_CRLF, &line));
	assert_true(failed(stream_read_line(s, 1000, LINE_CRLF, &line)));
	stream_free(&s);
}

static void run_clients(int *fds)
{
	for (int i = 0; i < IDLE; i++)
		close(idle_fds[i]);
	assert_ok(loop_open());
	for (int i = 0; i < IDLE; i++)
		assert_ok(fiber_start(idle_client, &fds[i], "client", NULL));
	loop_run();
	_exit(0);
}

static void measure(void *arg)
{
	uint64_t before = *(uint64_t *)arg;
	while (settled < IDLE)
		assert_ok(fiber_sleep(20));
	uint64_t hot = private_bytes();
	assert_ok(fiber_sleep(7000)); /* the sweep has trimmed stacks and heap by then */
	uint64_t idle = private_bytes();
	uint64_t began = clock_mono_ns();
	malloc_trim(0);
	printf("trimming the heap again: %lu us\n", (unsigned long)(clock_mono_ns() - began) / 1000);
	struct mallinfo2 heap = mallinfo2();
	printf("an idle TLS session: %lu bytes private (%lu before its stack was trimmed), "
		"of which %lu are in use on the heap, %lu free there\n", (unsigned long)((idle - before) / IDLE),
		(unsigned long)((hot - before) / IDLE), (unsigned long)(heap.uordblks / IDLE),
		(unsigned long)(heap.fordblks / IDLE));
	assert_in_range((idle - before) / IDLE, 1, IDLE_MAX);
	loop_end();
}

static void an_idle_session_is_small(void **state)
{
	(void)state;
	struct rlimit files;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	if (files.rlim_max < 2 * IDLE + 100)
		skip();
	static int client_fds[IDLE];
	for (int i = 0; i < IDLE; i++) {
		int fds[2];
		assert_ok(net_pair(SOCK_STREAM, fds));
		idle_fds[i] = fds[0];
		client_fds[i] = fds[1];
	}
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child)
		run_clients(client_fds);
	for (int i = 0; i < IDLE; i++)
		close(client_fds[i]);
	assert_ok(loop_open());
	settled = 0;
	uint64_t before = private_bytes();
	for (int i = 0; i < IDLE; i++)
		assert_ok(fiber_start(idle_server, &idle_fds[i], "server", NULL));
	assert_ok(fiber_start(measure, &before, "measure", NULL));
	loop_run();
	loop_close();
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_session_is_small), ON_LOOP(five_hundred_sessions_echo), ON_LOOP(bulk_goes_through),
		ON_LOOP(both_ends_see_the_same_bindings), ON_LOOP(a_ticket_resumes_and_alpn_is_agreed),
		ON_LOOP(another_protocol_is_refused),
		ON_LOOP(old_versions_are_refused), ON_LOOP(a_wrong_name_is_refused_by_the_client),
		ON_LOOP(the_key_must_belong_to_the_certificate), ON_LOOP(a_replaced_certificate_leaves_sessions_running),
		ON_LOOP(bytes_behind_starttls_are_a_conflict), ON_LOOP(a_silent_client_ends_the_handshake),
		ON_LOOP(nonsense_ends_the_handshake), ON_LOOP(a_handshake_ends_by_cancel),
		ON_LOOP(an_end_without_close_notify_is_no_end_in_order),
	};
	return cmocka_run_group_tests(tests, make_contexts, free_contexts);
}
