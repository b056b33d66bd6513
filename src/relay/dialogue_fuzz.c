/* A server that says anything at all, to a message for three: every recipient
 * has one outcome that fits the reply it is made of, nobody counts as served
 * unless a reply of success came, and nothing is held afterwards. The last octet
 * chooses protocol and policy. */
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "relay/relay.h"
#include "relay/transaction.h"
#include "run/loop.h"
#include "run/random.h"

enum { LMTP = 1, NEEDS_TLS = 2, EIGHT_BIT = 4, REQUIRES_TLS = 8, BY_RETURN = 16, ASKS_FOR_REPORTS = 32 };

static struct {
	unsigned how;
	str said;
} input;

static void check(const struct errand *e, const struct trouble *t)
{
	bool success = str_find(input.said, STR("2")) != STR_NONE;
	size_t settled = 0;
	for (size_t i = 0; i < e->n; i++) {
		const struct queue_relay_outcome *o = &e->outcomes[i];
		settled += e->settled[i];
		if (!e->settled[i])
			continue;
		must(o->text.n <= RELAY_TEXT_MAX && str_is_utf8(o->text) && o->status.n > 0 && o->status.n <= 12);
		if (o->verdict == QUEUE_RELAY_VERDICT_DELIVERED || o->verdict == QUEUE_RELAY_VERDICT_RELAYED)
			must(success && o->code / 100 == 2);
		else
			must(o->code / 100 != 2 && (o->code / 100 != 4 || o->verdict == QUEUE_RELAY_VERDICT_LATER));
	}
	must(settled + e->left == e->n);
	must(settled > 0 || is_trouble(t));
}

static void use(struct session *s, struct errand *e)
{
	size_t before;
	struct trouble t;
	do {
		before = e->left;
		t = transact(s, e);
	} while (!is_trouble(&t) && e->left > 0 && e->left < before);
	must(is_trouble(&t) || e->left == 0 || e->left == before);
	check(e, &t);
}

static void client(void *arg)
{
	static const struct queue_relay_recipient to[] = {{.address = STR_INIT("a@example.test"), .notify = 2},
		{.address = STR_INIT("no address"), .orcpt = STR_INIT("rfc822;x")}, {.address = STR_INIT("b@example.test")}};
	static const struct host host = {.name = STR_INIT("mx.example.test")};
	const net_addr address = {.ip = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};
	const struct policy policy = {.need = input.how & NEEDS_TLS ? NEED_TLS : NEED_NOTHING, .says = STR("a test")};
	AUTO_ARENA arena a = arena_new(4 << 20);
	struct queue_relay_outcome outcomes[3] = {0};
	bool settled[3] = {0};
	struct errand e = {.arena = &a, .way = {.lmtp = input.how & LMTP}, .recipients = to, .outcomes = outcomes,
		.settled = settled, .n = 3, .left = 3, .letter = {.head = STR("A: b\r\n"), .body = STR("\r\n.\r\n"),
		.flags = (input.how & EIGHT_BIT ? MAIL_8BIT : 0) | (input.how & REQUIRES_TLS ? MAIL_REQUIRETLS : 0),
		.deliver_by = input.how & BY_RETURN ? INT32_MAX : 0, .by_return = input.how & BY_RETURN,
		.ret = input.how & ASKS_FOR_REPORTS ? 2 : 0}};
	const struct call c = {.way = &e.way, .host = &host, .policy = &policy, .address = &address, .arena = &a};
	struct tls_end tls;
	struct session *s = NULL;
	struct trouble t = session_on(&c, *(int *)arg, &tls, &s);
	must(is_trouble(&t) == !s);
	must(!s || !(input.how & NEEDS_TLS));
	if (s)
		use(s, &e);
	session_quit(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static bool ready;
	int ends[2];
	if (n == 0 || n > 30000)
		return 0;
	if (!ready) {
		must(!failed(random_open()));
		options_init(&relay.options);
		must(!failed(tls_peer_context(STR(""), &relay.tls)));
	}
	ready = true;
	input.how = data[n - 1];
	input.said = str_of((const char *)data, n - 1);
	must(!failed(loop_open()) && !failed(net_pair(SOCK_STREAM, ends)));
	must(write(ends[1], input.said.p, input.said.n) == (ssize_t)input.said.n);
	shutdown(ends[1], SHUT_WR);
	must(!failed(fiber_start(client, &ends[0], "client", NULL)));
	loop_run();
	loop_close();
	close(ends[1]);
	return 0;
}
