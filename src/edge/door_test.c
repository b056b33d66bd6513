/* What a listener does with those who connect: until they have said who they
 * are, where a proxy speaks for them. */
#include "edge/door.h"
#include "base/test.h"
#include "edge/edge_scenes.h"
#include "run/random.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(struct kit *k, const char *protocol)
{
	int listener, client;
	net_addr at;
	assert_ok(net_parse(STR("127.0.0.1:0"), &at));
	assert_ok(net_listen(&at, &listener));
	assert_ok(net_local(listener, &at));
	door_open(&k->edge, str_from(protocol), listener);
	kit_wait(BANS_WAIT_MS); /* there is no page of bans here */
	assert_ok(net_connect(&at, FIBER_FOREVER, &client));
	return client;
}

static bool is_open(int fd)
{
	char c;
	return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

ON_KIT(a_proxy_has_ten_seconds_for_its_header)
{
	kit_open(k, true);
	assert_ok(options_set(&k->edge.options, OPT_DEMO_PROXY, STR("yes")));
	int fd = connect_to(k, "smtp");
	assert_int_equal(write(fd, "\r\n\r\n", 4), 4); /* so the header begins */
	kit_wait(DOOR_PROXY_MS - 1);
	assert_true(is_open(fd));
	kit_wait(1);
	assert_false(is_open(fd));
	door_close_all(&k->edge);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proxy_has_ten_seconds_for_its_header),
	};
	assert_ok(random_open());
	return cmocka_run_group_tests_name("edge door", tests, NULL, NULL);
}
