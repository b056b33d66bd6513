/* A room that does not keep to its declaration, for tests of its neighbours.
 *
 * It is put in a real room's place, hears the supervisor out, says ready, and
 * then, by LIAR: answers every message of a visitor with octets that are no
 * answer (NONSENSE), ends at once with the message in hand (DIES), or hears
 * everything and says nothing (MUTE), to the supervisor but that it is alive. */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "talk/supervisor_room.h"

enum { SUPERVISOR = 3, FDS = 64, PACKET = 200000 };
enum { NONSENSE = 1, DIES = 2, MUTE = 3 };

static struct pollfd fds[FDS] = {{.fd = SUPERVISOR, .events = POLLIN}};
static nfds_t fds_n = 1;
static char packet[PACKET];

static void tell_supervisor(const char *message, size_t n)
{
	if (send(SUPERVISOR, message, n, 0) < 0)
		_exit(1);
}

static void say_ready(void)
{
	static const char ready[TALK_HEADER + 4] = {SUPERVISOR_ROOM_READY};
	tell_supervisor(ready, sizeof ready);
}

static void say_alive(void)
{
	static const char pong[TALK_HEADER] = {SUPERVISOR_ROOM_PONG};
	tell_supervisor(pong, sizeof pong);
}

/* One packet; a descriptor that comes along is a visitor's channel. */
static ssize_t receive(int fd)
{
	char space[CMSG_SPACE(sizeof(int) * TALK_FDS_MAX)];
	struct iovec iov = {packet, sizeof packet};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (fd == SUPERVISOR && c && c->cmsg_type == SCM_RIGHTS && fds_n < FDS) {
		int visitor;
		memcpy(&visitor, CMSG_DATA(c), sizeof visitor);
		fds[fds_n++] = (struct pollfd){.fd = visitor, .events = POLLIN};
	}
	return n;
}

static void hear_supervisor(void)
{
	ssize_t n = receive(SUPERVISOR);
	if (n == 0 || (n > 0 && packet[0] == SUPERVISOR_ROOM_STOP))
		_exit(0);
	if (n > 0 && packet[0] == SUPERVISOR_ROOM_BEGIN)
		say_ready();
	if (n > 0 && packet[0] == SUPERVISOR_ROOM_PING)
		say_alive();
}

static void hear_visitor(int fd)
{
	if (receive(fd) <= 0)
		return;
	if (LIAR == DIES)
		_exit(9);
	if (LIAR == MUTE)
		return;
	memset(packet + TALK_HEADER, 0xff, 64);
	packet[0]++; /* the answer's number, with the question's request */
	if (send(fd, packet, TALK_HEADER + 64, 0) < 0)
		return;
}

int main(void)
{
	while (poll(fds, fds_n, -1) >= 0) {
		for (nfds_t i = fds_n; i > 0; i--) {
			if (fds[i - 1].revents & POLLIN && i - 1 > 0)
				hear_visitor(fds[i - 1].fd);
			if (i - 1 > 0 && fds[i - 1].revents & (POLLHUP | POLLERR))
				fds[i - 1].fd = -1;
		}
		if (fds[0].revents)
			hear_supervisor();
	}
	return 1;
}
