#include "supervisor/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/test.h"

static char heard[64];

/* A socket of the abstract name `name`, with `zero` for its first octet, or of the path. */
static int listen_as(const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = strlen(name);
	memcpy(a.sun_path, name, n);
	if (name[0] == '@')
		a.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	return fd;
}

static const char *hear(int fd)
{
	ssize_t n = recv(fd, heard, sizeof heard - 1, 0);
	heard[n < 0 ? 0 : n] = '\0';
	return heard;
}

static void an_abstract_socket_hears_it(void **state)
{
	(void)state;
	char name[64];
	snprintf(name, sizeof name, "@postern-notify-%d", (int)getpid());
	int fd = listen_as(name);
	notify(STR("READY=1"));
	assert_string_equal(hear(fd), "READY=1");
	notify(STR("STOPPING=1"));
	assert_string_equal(hear(fd), "STOPPING=1");
	assert_string_equal(hear(fd), "");
	close(fd);
	notify(STR("READY=1")); /* nobody is there any more */
}

/* Of the longest length that a socket's name has. */
static void a_path_hears_it(void **state)
{
	(void)state;
	char folder[] = "/tmp/postern-notify-XXXXXX", path[sizeof((struct sockaddr_un *)NULL)->sun_path + 2];
	assert_non_null(mkdtemp(folder));
	memset(path, 'x', sizeof path);
	memcpy(path, folder, sizeof folder - 1);
	path[sizeof folder - 1] = '/';
	path[sizeof path - 2] = '\0';
	int fd = listen_as(path);
	notify(STR("READY=1"));
	assert_string_equal(hear(fd), "READY=1");
	close(fd);
	unlink(path);
	rmdir(folder);
}

static void what_is_no_name_is_left_alone(void **state)
{
	(void)state;
	char name[200];
	memset(name, 'x', sizeof name);
	name[0] = '/';
	name[sizeof name - 1] = '\0';
	const char *const names[] = {"", "@", "/", "vsock:2:1", "relative", name};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		assert_int_equal(setenv("NOTIFY_SOCKET", names[i], 1), 0);
		notify(STR("READY=1"));
	}
	unsetenv("NOTIFY_SOCKET");
	notify(STR("READY=1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_abstract_socket_hears_it),
		cmocka_unit_test(a_path_hears_it),
		cmocka_unit_test(what_is_no_name_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
