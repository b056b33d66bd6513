/* Visitors over the network, at the library's real door: who they are is what was said
 * when their connection was added, and what they may ask is what auth says of the token
 * they show, each time. */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "run/clock.h"
#include "run/loop.h"
#include "run/random.h"
#include "talk/room.h"
#include "talk/visitor_auth.h"
#include "talk/web_auth.h"
#include "web/api.h"
#include "web/endpoints.h"

enum { SAID_MAX = 65536, PATIENCE = 5000 };

#define OWNERS "1111111111111111111111111111111111111111111111111111111111111111"
#define NOBODYS "3333333333333333333333333333333333333333333333333333333333333333"
#define GOOD "\"user\":\"a@b.test\",\"password\":\"four words\""
#define CHIEFS "2222222222222222222222222222222222222222222222222222222222222222"

static struct {
	struct channel *web, *web_far, *visitor, *visitor_far;
	int domains, records;
	bool held;    /* time stands still but for waiting */
	char by[100]; /* who the last record of the audit log names */
} t;

/* ---- in place of auth and the room ---- */

static result on_domain_add(struct arrival *in, struct web_auth_domain_add *m, struct web_auth_done *answer)
{
	(void)in;
	(void)m;
	(void)answer;
	t.domains++;
	return OK;
}

static result on_session(struct arrival *in, struct visitor_auth_session *m, struct visitor_auth_session_is *answer)
{
	(void)in;
	if (m->token[0] != 0x11 && m->token[0] != 0x22)
		return failure(FAIL_ABSENT, "This session has ended; log in again");
	if (!str_eq(m->client, STR("192.0.2.7")))
		return failure(FAIL_DENIED, "A rule of this account does not let it be used from your network");
	answer->person = (struct visitor_auth_person){.account = m->token[0], .address = STR("chief@b.test"),
		.administrator = m->token[0] == 0x22};
	return OK;
}

static result on_login(struct arrival *in, struct visitor_auth_login *m, struct visitor_auth_logged_in *answer)
{
	(void)in;
	if (!str_eq(m->password, STR("four words")) || !str_eq(m->client, STR("192.0.2.7")))
		return failure(FAIL_DENIED, "User name, password or code is wrong");
	memset(answer->token, 0x11, sizeof answer->token);
	answer->person = (struct visitor_auth_person){.account = 3, .address = m->user};
	return OK;
}

static const struct web_auth_as_auth web_handlers = {.domain_add = on_domain_add};
static const struct visitor_auth_as_auth visitor_handlers = {.session = on_session, .login = on_login};

static void open_doors(void)
{
	int ends[2];
	assert_ok(net_pair(SOCK_SEQPACKET, ends));
	struct channel_options a = {.fd = ends[0], .peer = "auth 0"}, b = {.fd = ends[1], .peer = "web 0"};
	assert_ok(web_auth_open_as_web(&a, NULL, &t.web));
	assert_ok(web_auth_open_as_auth(&b, &web_handlers, &t.web_far));
	assert_ok(net_pair(SOCK_SEQPACKET, ends));
	struct channel_options c = {.fd = ends[0], .peer = "auth 0"}, d = {.fd = ends[1], .peer = "web 0"};
	assert_ok(visitor_auth_open_as_visitor(&c, NULL, &t.visitor));
	assert_ok(visitor_auth_open_as_auth(&d, &visitor_handlers, &t.visitor_far));
}

static void close_doors(void)
{
	channel_close(&t.web);
	channel_close(&t.web_far);
	channel_close(&t.visitor);
	channel_close(&t.visitor_far);
}

result room_connect(const struct channel_kind *kind, const char *role, uint64_t number, struct channel **out)
{
	(void)role;
	(void)number;
	*out = kind == &web_auth_as_web_kind ? t.web : t.visitor;
	return OK;
}

result room_attest_fields(enum log_name event, const trace_id *trace, const struct log_field *fields)
{
	(void)event;
	(void)trace;
	t.records++;
	t.by[0] = '\0';
	for (; fields->name; fields++)
		if (strcmp(fields->name, "user") == 0 || strcmp(fields->name, "uid") == 0)
			snprintf(t.by, sizeof t.by, "%s %.*s", fields->name, STR_ARG(fields->text));
	return OK;
}

struct channel *room_supervisor(void)
{
	return NULL;
}

/* ---- a client ---- */

static char said[SAID_MAX];

static int come(const char *from)
{
	int ends[2];
	struct http_visit v = {.trusted = false};
	assert_ok(net_parse_ip(str_from(from), &v.client));
	assert_ok(net_pair(SOCK_STREAM, ends));
	v.fd = ends[1];
	assert_ok(http_add_visitor(&v));
	return ends[0];
}

static int walk_in(void)
{
	int ends[2];
	assert_ok(net_pair(SOCK_STREAM, ends));
	assert_ok(http_add(ends[1]));
	return ends[0];
}

static void wait_a_little(void)
{
	if (t.held) {
		clock_test_advance(1);
		fiber_yield();
		return;
	}
	assert_ok(fiber_sleep(1));
}

/* Until the end of an answer's body, or of the connection. */
static str hear(int fd, bool to_the_end)
{
	size_t n = 0;
	for (int i = 0; i < PATIENCE; i++) {
		ssize_t got = recv(fd, said + n, sizeof said - n, MSG_DONTWAIT);
		n += got > 0 ? (size_t)got : 0;
		str s = str_of(said, n);
		if (got == 0 || (!to_the_end && str_find(s, STR("\r\n\r\n")) != STR_NONE && str_ends(s, STR("}\n"))))
			return s;
		if (got < 0)
			wait_a_little();
	}
	fail_msg("no answer after: %.*s", (int)n, said);
	return str_of(said, n);
}

static void say(int fd, const char *what)
{
	assert_int_equal(send(fd, what, strlen(what), MSG_NOSIGNAL), strlen(what));
}

static void ask(int fd, const char *name, const char *token, const char *body)
{
	char text[4096];
	snprintf(text, sizeof text, "POST /v1/%s HTTP/1.1\r\nHost: x\r\n%s%s%sContent-Length: %zu\r\n\r\n%s", name,
		token ? "Authorization: Bearer " : "", token ? token : "", token ? "\r\n" : "", strlen(body), body);
	say(fd, text);
}

static int status_of(str answer)
{
	uint32_t code = 0;
	assert_true(str_starts(answer, STR("HTTP/1.1 ")) && str_to_u32(str_sub(answer, 9, 3), &code));
	return (int)code;
}

static int asked(int fd, const char *name, const char *token, const char *body)
{
	ask(fd, name, token, body);
	return status_of(hear(fd, false));
}

static bool heard(const char *part)
{
	return strstr(said, part) != NULL;
}

/* ---- */

/* The socket's other end is this very process: were it asked for its user, everything would be allowed. */
static void a_visitor_is_no_user_of_the_machine(void)
{
	int fd = walk_in();
	assert_int_equal(asked(fd, "domain-add", NULL, "{\"name\":\"b.test\"}"), 200);
	assert_true(str_starts(str_from(t.by), STR("uid ")));
	close(fd);
	fd = come("192.0.2.7");
	int domains = t.domains;
	ask(fd, "domain-add", NULL, "{\"name\":\"b.test\"}");
	assert_int_equal(status_of(hear(fd, true)), 401); /* and the connection ends */
	assert_true(heard("WWW-Authenticate: Bearer") && heard("log in first") && heard("Connection: close"));
	assert_int_equal(t.domains, domains);
	close(fd);
}

static void what_a_token_is_good_for(void)
{
	int fd = come("192.0.2.7");
	assert_int_equal(asked(fd, "domain-add", OWNERS, "{\"name\":\"b.test\"}"), 403);
	assert_true(heard("only ask for what concerns the own account"));
	assert_int_equal(t.domains, 0);
	assert_int_equal(asked(fd, "domain-add", CHIEFS, "{\"name\":\"b.test\"}"), 200);
	assert_int_equal(t.domains, 1);
	assert_int_equal(t.records, 2); /* before and after */
	assert_string_equal(t.by, "user chief@b.test");
	close(fd);
	static const char *const bad[] = {"", "11", OWNERS "11", NOBODYS,
		"zz11111111111111111111111111111111111111111111111111111111111111"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		fd = come("192.0.2.7");
		assert_int_equal(asked(fd, "domain-add", bad[i], "{\"name\":\"b.test\"}"), 401);
		close(fd);
	}
	fd = come("198.51.100.1"); /* by another network a rule keeps it out */
	assert_int_equal(asked(fd, "domain-add", CHIEFS, "{\"name\":\"b.test\"}"), 403);
	close(fd);
	assert_int_equal(t.domains, 1);
}

static void logging_in(void)
{
	int fd = come("192.0.2.7");
	assert_int_equal(asked(fd, "login", NULL, "{" GOOD "}"), 200);
	assert_true(heard("\"token\":\"" OWNERS "\"") && heard("\"address\":\"a@b.test\""));
	assert_true(heard("\"administrator\":false"));
	assert_int_equal(asked(fd, "login", NULL, "{\"user\":\"a@b.test\"}"), 400);
	/* the client's address is the edge's word, not the client's */
	assert_int_equal(asked(fd, "login", NULL, "{" GOOD ",\"client\":\"::1\"}"), 400);
	assert_int_equal(asked(fd, "login", NULL, "{" GOOD ",\"trusted\":true}"), 400);
	ask(fd, "login", NULL, "{\"user\":\"a@b.test\",\"password\":\"wrong\"}");
	assert_int_equal(status_of(hear(fd, true)), 401);
	assert_true(heard("User name, password or code is wrong"));
	close(fd);
	fd = walk_in();
	assert_int_equal(asked(fd, "login", NULL, "{" GOOD "}"), 409);
	assert_int_equal(asked(fd, "logout", NULL, "{}"), 409);
	close(fd);
}

static void answers_are_not_kept_nor_shown_as_pages(void)
{
	int fd = come("192.0.2.7");
	say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(status_of(hear(fd, false)), 405);
	assert_true(heard("Strict-Transport-Security: max-age=") && heard("X-Content-Type-Options: nosniff") &&
		    heard("Cache-Control: no-store") && heard("Content-Security-Policy: default-src 'none'") &&
		    heard("Allow: POST") && !heard("Set-Cookie") && !heard("Access-Control"));
	close(fd);
}

static void garbage_and_too_much(void)
{
	static char large[HTTP_BODY_MAX + 2];
	char head[200];
	int fd = come("192.0.2.7");
	say(fd, "EHLO mail.example.net\r\n\r\n");
	assert_int_equal(status_of(hear(fd, true)), 400);
	close(fd);
	fd = come("192.0.2.7");
	memset(large, 'x', sizeof large - 1);
	snprintf(head, sizeof head, "POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", sizeof large - 1);
	say(fd, head);
	for (size_t at = 0; at < sizeof large - 1;) {
		ssize_t n = send(fd, large + at, sizeof large - 1 - at, MSG_DONTWAIT | MSG_NOSIGNAL);
		at += n > 0 ? (size_t)n : 0;
		assert_ok(fiber_sleep(1));
	}
	assert_int_equal(status_of(hear(fd, false)), 413);
	close(fd);
}

static void who_is_slow_is_told(void)
{
	int slow = come("192.0.2.7"), quick = come("192.0.2.7");
	clock_test_hold(1700000000000);
	t.held = true;
	say(slow, "POST /v1/login HTTP/1.1\r\nHo");
	assert_int_equal(asked(quick, "domain-add", CHIEFS, "{\"name\":\"b.test\"}"), 200);
	for (int i = 0; i < 20; i++) /* the library is done with the answer */
		wait_a_little();
	clock_test_advance(HTTP_REQUEST_MS + 1);
	assert_int_equal(status_of(hear(slow, true)), 408);
	assert_int_equal(hear(quick, true).n, 0); /* between two requests there is nothing to say */
	clock_test_release();
	close(slow);
	close(quick);
}

static void there_is_room_for_the_machine(void)
{
	int fds[HTTP_VISITORS], ends[2];
	struct http_visit v = {.trusted = false};
	for (size_t i = 0; i < HTTP_VISITORS; i++)
		fds[i] = come("192.0.2.7");
	assert_int_equal(asked(fds[HTTP_VISITORS - 1], "domain-add", OWNERS, "{}"), 403); /* all have begun */
	assert_ok(net_pair(SOCK_STREAM, ends));
	v.fd = ends[1];
	assert_int_equal(http_add_visitor(&v).kind, FAIL_LIMIT);
	close(ends[0]);
	int fd = walk_in();
	assert_int_equal(asked(fd, "domain-add", NULL, "{\"name\":\"b.test\"}"), 200);
	close(fd);
	for (size_t i = 0; i < HTTP_VISITORS; i++)
		close(fds[i]);
}

/* The N-th allocation refused: an answer or the connection's end, and nobody gets in by it. True: it was reached. */
static bool asks_without_memory(const char *token, uint64_t place)
{
	int domains = t.domains;
	char shown[200];
	snprintf(shown, sizeof shown, "%s\r\nConnection: close", token);
	if (!channel_is_open(t.web) || !channel_is_open(t.web_far) || !channel_is_open(t.visitor) ||
	    !channel_is_open(t.visitor_far)) {
		close_doors();
		open_doors();
	}
	mem_fail_at(place);
	int fd = come("192.0.2.7");
	ask(fd, "domain-add", shown, "{\"name\":\"b.test\"}");
	str answer = hear(fd, true);
	bool reached = mem_count() >= place;
	mem_fail_at(0);
	close(fd);
	bool done = answer.n > 0 && status_of(answer) == 200;
	assert_true(answer.n == 0 || done || status_of(answer) >= 400);
	assert_true(!done || strcmp(token, CHIEFS) == 0);
	assert_true(t.domains == domains || strcmp(token, CHIEFS) == 0);
	return reached;
}

static void want_of_memory_opens_nothing(void)
{
	static const char *const tokens[] = {"", NOBODYS, OWNERS, CHIEFS};
	for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
		uint64_t place = 1;
		while (asks_without_memory(tokens[i], place) && place < 1000)
			place++;
		assert_in_range(place, 5, 999);
	}
	assert_true(t.domains > 0);
}

/* ---- */

static void run(void *arg)
{
	void (*const *test)(void) = arg;
	open_doors();
	assert_ok(http_open(api_answer));
	assert_ok(http_start());
	(*test)();
	http_close();
	close_doors();
}

static void on_a_server(void (*test)(void))
{
	memset(&t, 0, sizeof t);
	assert_ok(random_open());
	assert_ok(loop_open());
	assert_ok(fiber_start(run, &test, "test", NULL));
	loop_run();
	loop_close();
	channel_trim();
}

#define SERVED(NAME) static void NAME##_test(void **state) { (void)state; on_a_server(NAME); }
SERVED(a_visitor_is_no_user_of_the_machine)
SERVED(what_a_token_is_good_for)
SERVED(logging_in)
SERVED(answers_are_not_kept_nor_shown_as_pages)
SERVED(garbage_and_too_much)
SERVED(who_is_slow_is_told)
SERVED(there_is_room_for_the_machine)
SERVED(want_of_memory_opens_nothing)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_visitor_is_no_user_of_the_machine_test),
		cmocka_unit_test(what_a_token_is_good_for_test),
		cmocka_unit_test(logging_in_test),
		cmocka_unit_test(answers_are_not_kept_nor_shown_as_pages_test),
		cmocka_unit_test(garbage_and_too_much_test),
		cmocka_unit_test(who_is_slow_is_told_test),
		cmocka_unit_test(there_is_room_for_the_machine_test),
		cmocka_unit_test(want_of_memory_opens_nothing_test),
	};
	return cmocka_run_group_tests_name("web visitors", tests, NULL, NULL);
}
