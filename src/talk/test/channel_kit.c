#include "talk/test/channel_kit.h"
#include "talk/test/pair_check.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log_read.h"
#include "run/loop.h"

static int nonsense;

static void count_event(void *ctx, str record)
{
	struct log_record r;
	(void)ctx;
	must(log_read(record, &r));
	nonsense += r.event == EV_ROOM_NONSENSE;
}

int nonsense_logged(void)
{
	int n = nonsense;
	nonsense = 0;
	return n;
}

static void run(void *arg)
{
	void (*const *fn)(void) = arg;
	(*fn)();
}

void on_fiber(void (*fn)(void))
{
	assert_ok(loop_open()); /* the library keeps two descriptors from its first loop on */
	loop_close();
	size_t fds = pair_open_fds();
	nonsense = 0;
	log_set_sink(count_event, NULL);
	assert_ok(loop_open());
	assert_ok(fiber_start(run, &fn, "test", NULL));
	loop_run();
	loop_close();
	channel_trim();
	log_set_sink(NULL, NULL);
	assert_int_equal(pair_open_fds(), fds);
}

static void asker_ended(void *ctx, struct channel *c, result why)
{
	struct ends *e = ctx;
	must(c == e->asker);
	e->asker_ended++;
	e->asker_why = why;
}

static void teller_ended(void *ctx, struct channel *c, result why)
{
	struct ends *e = ctx;
	must(c == e->teller);
	e->teller_ended++;
	e->teller_why = why;
}

static void pair_of_sockets(int fd[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
}

void ends_open_both(struct ends *e, const struct asker_teller_as_teller *teller,
		    const struct asker_teller_as_asker *asker)
{
	int fd[2];
	void *extra = e->extra;
	pair_of_sockets(fd);
	*e = (struct ends){.raw = -1, .extra = extra};
	struct channel_options a = {.fd = fd[0], .peer = "teller 7", .ctx = e, .ended = asker_ended};
	struct channel_options t = {.fd = fd[1], .peer = "asker 1", .ctx = e, .ended = teller_ended};
	assert_ok(asker_teller_open_as_asker(&a, asker, &e->asker));
	assert_ok(asker_teller_open_as_teller(&t, teller, &e->teller));
}

void ends_open(struct ends *e, const struct asker_teller_as_teller *teller)
{
	ends_open_both(e, teller, NULL);
}

void ends_open_raw(struct ends *e, const struct asker_teller_as_teller *teller)
{
	int fd[2];
	void *extra = e->extra;
	pair_of_sockets(fd);
	*e = (struct ends){.raw = fd[0], .extra = extra};
	struct channel_options t = {.fd = fd[1], .peer = "asker 1", .ctx = e, .ended = teller_ended};
	assert_ok(asker_teller_open_as_teller(&t, teller, &e->teller));
}

void ends_close(struct ends *e)
{
	if (e->teller)
		assert_ok(channel_drain(e->teller, 10000));
	if (e->asker)
		assert_ok(channel_drain(e->asker, 10000));
	channel_close(&e->asker);
	channel_close(&e->teller);
	if (e->raw >= 0)
		close(e->raw);
	e->raw = -1;
}

void raw_send(int fd, const struct raw_packet *p)
{
	char head[TALK_HEADER] = {0};
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * 8)];
	} rights = {0};
	memcpy(head, &p->number, 2);
	memcpy(head + 2, &p->flags, 2);
	memcpy(head + 4, &p->request, 4);
	struct iovec v[2] = {{head, sizeof head}, {(void *)(uintptr_t)p->payload.p, p->payload.n}};
	struct msghdr msg = {.msg_iov = v, .msg_iovlen = 2};
	if (p->fds_n) {
		msg.msg_control = &rights;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * p->fds_n);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * p->fds_n);
		memcpy(CMSG_DATA(c), p->fds, sizeof(int) * p->fds_n);
	}
	assert_true(sendmsg(fd, &msg, MSG_NOSIGNAL) >= 0);
}

str raw_receive(int fd, char *space, size_t n)
{
	for (int i = 0; i < 2000; i++) {
		ssize_t got = recv(fd, space, n, MSG_DONTWAIT);
		if (got >= 0)
			return str_of(space, (size_t)got);
		if (errno == ECONNRESET)
			return str_of(space, 0);
		assert_int_equal(errno, EAGAIN);
		assert_ok(fiber_sleep(1));
	}
	fail_msg("nothing came on the raw socket");
	return str_of(space, 0);
}

str raw_payload(arena *a, const struct talk_shape *s, const void *m)
{
	struct talk_out out = talk_out_new();
	buf octets = buf_new(1 << 20);
	assert_ok(talk_encode(s, m, &out));
	talk_out_flatten(&out, &octets);
	str kept = arena_dup(a, buf_str(&octets));
	buf_free(&octets);
	talk_out_free(&out);
	return kept;
}
