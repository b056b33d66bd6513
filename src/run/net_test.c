#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"
#include "run/loop.h"
#include "run/net.h"

static void print_equals(const net_addr *a, const char *ip, const char *whole, const char *literal)
{
	AUTO_BUF buf out = buf_new(1024);
	net_put_ip(&out, a);
	assert_str(buf_str(&out), str_from(ip));
	buf_clear(&out);
	net_put(&out, a);
	assert_str(buf_str(&out), str_from(whole));
	buf_clear(&out);
	net_put_literal(&out, a);
	assert_str(buf_str(&out), str_from(literal));
}

static void addresses_are_read_and_printed(void **state)
{
	(void)state;
	net_addr a;
	assert_ok(net_parse(STR("192.0.2.1:25"), &a));
	print_equals(&a, "192.0.2.1", "192.0.2.1:25", "[192.0.2.1]");
	assert_true(net_is_v4(&a));
	assert_ok(net_parse(STR("[2001:db8::1]:65535"), &a));
	print_equals(&a, "2001:db8::1", "[2001:db8::1]:65535", "[IPv6:2001:db8::1]");
	assert_false(net_is_v4(&a));
	assert_ok(net_parse_ip(STR("::ffff:192.0.2.7"), &a));
	print_equals(&a, "192.0.2.7", "192.0.2.7:0", "[192.0.2.7]");
	assert_ok(net_parse_ip(STR("127.9.9.9"), &a));
	assert_true(net_is_loopback(&a));
	assert_ok(net_parse_ip(STR("::1"), &a));
	assert_true(net_is_loopback(&a));
	assert_ok(net_parse_ip(STR("128.0.0.1"), &a));
	assert_false(net_is_loopback(&a));
}

static void what_the_internet_does_not_route_is_not_public(void **state)
{
	(void)state;
	static const char *const kept[] = {"10.1.2.3", "127.0.0.1", "172.31.255.255", "192.168.0.1", "169.254.1.1",
		"100.127.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::", "::1", "fe80::1", "fd00::1",
		"ff02::1", "2001:db8::1", "::ffff:10.0.0.1"};
	static const char *const public[] = {"9.255.255.255", "11.0.0.0", "172.32.0.1", "192.169.0.1", "100.128.0.1",
		"223.255.255.255", "2a00::1", "2001:db9::1", "64:ff9b::1"};
	net_addr a;
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		assert_ok(net_parse_ip(str_from(kept[i]), &a));
		assert_false(net_is_public(&a));
	}
	for (size_t i = 0; i < sizeof(public) / sizeof(*public); i++) {
		assert_ok(net_parse_ip(str_from(public[i]), &a));
		assert_true(net_is_public(&a));
	}
}

static void a_network_is_private_as_a_whole_or_not(void **state)
{
	static const char *const private[] = {"10.0.0.0/8", "192.168.7.0/24", "127.0.0.2", "fd00:7::/64", "2001:db8::/32"};
	static const char *const not[] = {"0.0.0.0/0", "192.0.0.0/8", "172.16.0.0/11", "8.8.8.8", "::/0", "2a00::/16"};
	net_cidr c;
	(void)state;
	for (size_t i = 0; i < sizeof(private) / sizeof(*private); i++) {
		assert_ok(net_parse_cidr(str_from(private[i]), &c));
		assert_true(net_cidr_is_private(&c));
	}
	for (size_t i = 0; i < sizeof(not) / sizeof(*not); i++) {
		assert_ok(net_parse_cidr(str_from(not[i]), &c));
		assert_false(net_cidr_is_private(&c));
	}
}

static void what_is_no_address_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3:4",
		"2001:db8::1:25", "[1.2.3.4]:25", "[::1]", "[::1]25", "01.2.3.4:5", "1.2.3.4:25 ", "[fe80::1%eth0]:25",
		"11111111111111111111111111111111111111111111111111111111111111:1"};
	net_addr a;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(net_parse(str_from(bad[i]), &a).kind, FAIL_INPUT);
	assert_int_equal(net_parse_ip(STR("1.2.3.4\0"), &a).kind, FAIL_INPUT);
}

static bool in(const char *network, const char *ip)
{
	net_cidr c;
	net_addr a;
	assert_ok(net_parse_cidr(str_from(network), &c));
	assert_ok(net_parse_ip(str_from(ip), &a));
	return net_in_any(&a, &c, 1);
}

static void networks_hold_their_addresses(void **state)
{
	(void)state;
	assert_true(in("192.0.2.0/24", "192.0.2.255"));
	assert_false(in("192.0.2.0/24", "192.0.3.0"));
	assert_true(in("192.0.2.77/24", "192.0.2.1"));
	assert_true(in("10.0.0.1", "10.0.0.1"));
	assert_false(in("10.0.0.1/32", "10.0.0.2"));
	assert_true(in("10.0.0.0/31", "10.0.0.1"));
	assert_true(in("0.0.0.0/0", "203.0.113.9"));
	assert_false(in("0.0.0.0/0", "2001:db8::1"));
	assert_true(in("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(in("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(in("::/0", "203.0.113.9"));
	assert_true(in("2001:db8::5/128", "2001:db8::5"));
	net_cidr c;
	static const char *const bad[] = {"", "/", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/x", "x/8"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(net_parse_cidr(str_from(bad[i]), &c).kind, FAIL_INPUT);
}

/* ---- sockets ---- */

enum { CLIENTS = 20 };

static struct {
	int listener;
	net_addr at;
	int accepted;
	struct fiber *acceptor;
} world;

static void acceptor(void *arg)
{
	(void)arg;
	struct fd_watch *w = NULL;
	assert_ok(fd_watch_open(world.listener, &w));
	result r;
	for (int fd; !failed(r = net_accept(world.listener, w, &fd)); world.accepted++) {
		net_addr peer;
		assert_ok(net_peer(fd, &peer));
		assert_true(net_is_loopback(&peer));
		close(fd);
		if (world.accepted == CLIENTS - 1)
			fiber_cancel(fiber_self());
	}
	assert_int_equal(r.kind, FAIL_CANCELLED);
	fd_watch_close(&w);
}

static void caller(void *arg)
{
	(void)arg;
	int fd = -1;
	assert_ok(net_connect(&world.at, 1000, &fd));
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	close(fd);
}

static void connections_are_accepted(void **state)
{
	(void)state;
	assert_ok(loop_open());
	assert_ok(net_parse(STR("127.0.0.1:0"), &world.at));
	assert_ok(net_listen(&world.at, &world.listener));
	assert_ok(net_local(world.listener, &world.at));
	assert_int_not_equal(world.at.port, 0);
	int beside = -1;
	assert_int_equal(net_listen(&world.at, &beside).kind, FAIL_EXISTS);
	assert_ok(net_listen_beside(&world.at, &beside));
	close(beside);
	assert_ok(fiber_start(acceptor, NULL, "acceptor", NULL));
	for (int i = 0; i < CLIENTS; i++)
		assert_ok(fiber_start(caller, NULL, "caller", NULL));
	loop_run();
	assert_int_equal(world.accepted, CLIENTS);
	close(world.listener);
	loop_close();
}

static void call_nobody(void *arg)
{
	(void)arg;
	int fd = -1;
	assert_int_equal(net_connect(&world.at, 1000, &fd).kind, FAIL_NETWORK);
	assert_int_equal(fd, -1);
}

static void nobody_listening_is_a_failure(void **state)
{
	(void)state;
	assert_ok(loop_open());
	assert_ok(fiber_start(call_nobody, NULL, "caller", NULL)); /* the port of the test before */
	loop_run();
	loop_close();
}

static void a_local_socket_knows_its_peer(void **state)
{
	(void)state;
	char path[] = "/tmp/net_test.XXXXXX";
	assert_non_null(mkdtemp(path));
	char name[64];
	snprintf(name, sizeof(name), "%s/s", path);
	int listener = -1, fd = -1;
	assert_int_equal(net_connect_unix(name, &fd).kind, FAIL_ABSENT);
	assert_ok(net_listen_unix(name, &listener));
	assert_ok(net_connect_unix(name, &fd));
	pid_t pid = 0;
	uid_t uid = 0;
	assert_ok(net_peer_user(fd, &pid, &uid));
	assert_int_equal(pid, getpid());
	assert_int_equal(uid, getuid());
	close(fd);
	close(listener);
	unlink(name);
	rmdir(path);
	char longer[300];
	memset(longer, 'x', sizeof(longer));
	longer[299] = 0;
	assert_int_equal(net_listen_unix(longer, &listener).kind, FAIL_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_printed), cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(what_the_internet_does_not_route_is_not_public),
		cmocka_unit_test(a_network_is_private_as_a_whole_or_not),
		cmocka_unit_test(networks_hold_their_addresses), cmocka_unit_test(connections_are_accepted),
		cmocka_unit_test(nobody_listening_is_a_failure), cmocka_unit_test(a_local_socket_knows_its_peer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
