#include "talk/channel_core.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

/* Packets taken before the loop looks at other descriptors again. */
enum {
	READ_BURST = 32,
	FIRST_MS = 20000, /* for the first message of a room that was just started */
};

/* The one packet being read in this process; what must last is copied. */
static struct {
	char *space;
} desk;

/* Room for one descriptor too many, to see it rather than lose it. */
union rights {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int) * (TALK_FDS_MAX + 1))];
};

static uint64_t get_le(const char *from, size_t n)
{
	uint64_t v = 0;
	for (size_t i = n; i > 0; i--)
		v = v << 8 | (unsigned char)from[i - 1];
	return v;
}

static struct packet_head get_head(const char *p)
{
	struct packet_head h = {.number = (uint16_t)get_le(p, 2), .flags = (uint16_t)get_le(p + 2, 2)};
	h.request = (uint32_t)get_le(p + 4, 4);
	memcpy(h.trace.b, p + 8, sizeof h.trace.b);
	return h;
}

/* All descriptors that came; false when there were more than may come. A cut
 * with room to spare means that this process is at its limit of open files. */
static bool take_fds(struct msghdr *msg, struct talk_in *in)
{
	bool fit = true;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (in->fds_n < TALK_FDS_MAX) {
				in->fds[in->fds_n++] = fd;
			} else {
				close(fd);
				fit = false;
			}
		}
	}
	in->fds_lost = fit && msg->msg_flags & MSG_CTRUNC;
	return fit;
}

static void handle(struct channel *c, const struct packet_head *h, struct talk_in *in)
{
	const struct talk_pair *pair = c->kind->pair;
	const char *why = NULL;
	if (h->flags & FLAG_ANSWER) {
		channel_answered(c, h, in);
		return;
	}
	const struct talk_message *m = h->number >= 1 && h->number <= pair->n ? &pair->messages[h->number] : NULL;
	if (!m || m->by == c->kind->side || m->is_answer)
		why = "a message that this side does not take";
	else if (h->flags != (m->answer ? FLAG_CALL : 0) || (h->request != 0) != (m->answer != 0))
		why = "a message's header does not fit its declaration";
	else if (!channel_heard(c, h->number))
		why = "a message that the channel's state does not permit now, or a second one of once";
	if (why)
		channel_nonsense(c, h, NULL, failure(FAIL_PEER, why));
	else
		channel_serve(c, h, in);
}

static void open_packet(struct channel *c, struct msghdr *msg, size_t n)
{
	struct talk_in in = {.fds_n = 0};
	struct packet_head h = {0};
	bool fit = take_fds(msg, &in);
	if (n >= TALK_HEADER)
		h = get_head(desk.space);
	in.at = cursor_on(str_skip(str_of(desk.space, n), TALK_HEADER));
	c->counts.received++;
	c->counts.octets_in += n;
	if (n < TALK_HEADER || msg->msg_flags & MSG_TRUNC)
		channel_nonsense(c, &h, NULL, failure(FAIL_PEER, "a packet shorter or longer than one may be"));
	else if (!fit)
		channel_nonsense(c, &h, NULL, failure(FAIL_PEER, "more descriptors than a message may carry"));
	else
		handle(c, &h, &in);
	talk_in_close(&in);
	mem_wipe(desk.space, n);
}

static bool ready(void)
{
	if (desk.space)
		return true;
	void *p = mmap(NULL, TALK_HEADER + TALK_PACKET_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	desk.space = p == MAP_FAILED ? NULL : p;
	return desk.space != NULL;
}

static ssize_t receive(int fd, int flags, struct msghdr *msg)
{
	struct iovec v = {desk.space, TALK_HEADER + TALK_PACKET_MAX};
	msg->msg_iov = &v;
	msg->msg_iovlen = 1;
	ssize_t n = recvmsg(fd, msg, flags | MSG_CMSG_CLOEXEC);
	msg->msg_iov = NULL;
	return n;
}

/* False when there is nothing more to read. */
static bool read_one(struct channel *c)
{
	union rights rights;
	struct msghdr msg = {.msg_control = rights.space, .msg_controllen = sizeof rights.space};
	ssize_t n = receive(c->fd, MSG_DONTWAIT, &msg);
	if (n > 0) {
		open_packet(c, &msg, (size_t)n);
		return true;
	}
	/* A peer that closed with our words unread leaves an error in front of its last answers. */
	if (n < 0 && (errno == EINTR || errno == ECONNRESET))
		return true;
	if (n < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM))
		return false;
	channel_shut(c, failure(FAIL_CLOSED, "the other room has gone"));
	return false;
}

bool channel_has_news(const struct channel *c)
{
	struct msghdr nothing = {.msg_iov = NULL};
	if (!c->open || c->peer_gone || c->one_way > 0 || c->calls_in > 0)
		return true;
	return recvmsg(c->fd, &nothing, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

/* The packet on the desk, copied where it lasts and wiped here. */
static result take_first(size_t n, unsigned number, struct talk_in *in)
{
	struct packet_head h = {0};
	if (n >= TALK_HEADER)
		h = get_head(desk.space);
	str kept = arena_dup(in->arena, str_skip(str_of(desk.space, n), TALK_HEADER));
	explicit_bzero(desk.space, n);
	if (!kept.p)
		return arena_result(in->arena);
	in->at = cursor_on(kept);
	if (n < TALK_HEADER || h.number != number || h.flags != 0 || h.request != 0)
		return failure(FAIL_PEER, "the first message is not the one that belongs here");
	return OK;
}

result channel_first(int fd, const struct talk_pair *pair, unsigned number, const struct hearing *h)
{
	union rights rights;
	struct msghdr msg = {.msg_control = rights.space, .msg_controllen = sizeof rights.space};
	struct talk_in in = {.arena = h->arena};
	ssize_t n;
	if (!ready())
		return failure(FAIL_MEMORY, "no memory to read a message into");
	/* The socket does not block, and the room may be quicker than its supervisor. */
	struct pollfd come = {.fd = fd, .events = POLLIN};
	do
		n = poll(&come, 1, FIRST_MS) == 1 ? receive(fd, 0, &msg) : -1;
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return failure(FAIL_CLOSED, "no message came on the channel");
	bool fit = take_fds(&msg, &in) && !(msg.msg_flags & MSG_TRUNC);
	result r = take_first((size_t)n, fit ? number : 0, &in);
	if (!failed(r))
		r = talk_decode(pair->messages[number].shape, &in, h->answer);
	talk_in_close(&in);
	return r;
}

void channel_read(struct channel *c, bool to_end)
{
	if (!ready()) {
		channel_shut(c, failure(FAIL_MEMORY, "no memory to read a message into"));
		return;
	}
	/* Asking once more whether there is another packet costs a system call, as
	 * polling again does; only where packets came in a row it pays. */
	size_t most = c->bursty || c->gathers || to_end ? READ_BURST : 1 + (c->calls_out + c->calls_in > 1);
	size_t n = 0;
	while (n < most && c->open && read_one(c))
		if (++n == 2)
			most = READ_BURST;
	c->bursty = n > 1;
}

void channel_read_trim(void)
{
	if (desk.space)
		munmap(desk.space, TALK_HEADER + TALK_PACKET_MAX);
	desk.space = NULL;
}
