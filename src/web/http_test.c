/* The HTTP server by itself, with its clients in the same process: its limits. */
#include "base/test.h"
#include "run/clock.h"
#include "run/fiber.h"
#include "run/loop.h"
#include "run/net.h"
#include "web/http.h"

#include <sys/socket.h>
#include <unistd.h>

enum { LARGE = HTTP_ANSWER_MAX / 2 }; /* more than sockets hold */

static void answer(struct http_request *q)
{
	if (str_eq(q->path, STR("/large")))
		for (size_t i = 0; i < LARGE; i++)
			buf_putc(&q->answer, 'x');
	else
		buf_printf(&q->answer, "%zu octets", q->body.n);
}

static int connect_one(result *added)
{
	int ends[2];
	assert_ok(net_pair(SOCK_STREAM, ends));
	*added = http_add(ends[1]);
	return ends[0];
}

/* The answer's status; 0: the connection ended. */
static unsigned ask(int fd, size_t octets)
{
	AUTO_BUF buf text = buf_new(2 * HTTP_BODY_MAX);
	char got[4096];
	size_t sent = 0;
	uint32_t status = 0;
	buf_printf(&text, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", octets);
	for (size_t i = 0; i < octets; i++)
		buf_putc(&text, 'x');
	for (int i = 0; i < 2000; i++) {
		ssize_t n = sent < text.n ? send(fd, text.p + sent, text.n - sent, MSG_NOSIGNAL) : 0;
		sent += n > 0 ? (size_t)n : 0;
		n = recv(fd, got, sizeof got, 0);
		if (n == 0)
			return 0;
		if (n > 0 && str_starts(str_of(got, (size_t)n), STR("HTTP/1.1 ")))
			return str_to_u32(str_of(got + 9, 3), &status) ? status : 0;
		assert_ok(fiber_sleep(1));
	}
	fail_msg("the server answers nothing");
	return 0;
}

/* The library notices those that have gone a moment later. */
static int connect_soon(void)
{
	result added;
	int fd = connect_one(&added);
	for (int i = 0; failed(added) && i < 2000; i++) {
		close(fd);
		assert_ok(fiber_sleep(1));
		fd = connect_one(&added);
	}
	assert_ok(added);
	return fd;
}

static void a_body_has_a_limit(void)
{
	int fd = connect_soon();
	assert_int_equal(ask(fd, HTTP_BODY_MAX), 200);
	close(fd);
	fd = connect_soon();
	assert_int_equal(ask(fd, HTTP_BODY_MAX + 1), 413);
	close(fd);
}

static void connections_have_a_limit(void)
{
	static int fds[HTTP_CONNECTIONS];
	result added;
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
		fds[i] = connect_soon();
	int more = connect_one(&added);
	assert_int_equal(added.kind, FAIL_LIMIT);
	assert_int_equal(ask(more, 1), 0);
	close(more);
	assert_int_equal(ask(fds[HTTP_CONNECTIONS - 1], 1), 200);
	close(fds[0]);
	fds[0] = connect_soon();
	assert_int_equal(ask(fds[0], 1), 200);
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
		close(fds[i]);
}

/* Until the connection ends; how many octets came. */
static size_t take_all(int fd)
{
	static char got[65536];
	size_t whole = 0;
	for (int i = 0; i < 2000; i++) {
		ssize_t n = recv(fd, got, sizeof got, 0);
		if (n == 0)
			return whole;
		whole += n > 0 ? (size_t)n : 0;
		if (n < 0)
			assert_ok(fiber_sleep(1));
	}
	fail_msg("the connection does not end");
	return whole;
}

static void an_answer_is_taken_in_time(void)
{
	static const char question[] = "POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";
	int ends[2];
	struct http_visit v = {.trusted = false};
	assert_ok(net_parse_ip(STR("192.0.2.7"), &v.client));
	assert_ok(net_pair(SOCK_STREAM, ends));
	v.fd = ends[1];
	assert_ok(http_add_visitor(&v));
	assert_int_equal(send(ends[0], question, sizeof question - 1, MSG_NOSIGNAL), sizeof question - 1);
	clock_test_hold(1700000000000);
	for (int i = 0; i < 50; i++) /* what the sockets hold */
		fiber_yield();
	clock_test_advance(HTTP_ANSWER_MS + 1);
	for (int i = 0; i < 50; i++)
		fiber_yield();
	clock_test_release();
	assert_in_range(take_all(ends[0]), 1, LARGE);
	close(ends[0]);
}

static void serve(void *arg)
{
	(void)arg;
	assert_ok(http_start());
	a_body_has_a_limit();
	an_answer_is_taken_in_time();
	connections_have_a_limit();
	http_close();
}

/* One process, one server. */
static void limits(void **state)
{
	(void)state;
	assert_ok(loop_open());
	assert_ok(http_open(answer));
	assert_ok(fiber_start(serve, NULL, "test", NULL));
	loop_run();
	loop_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
