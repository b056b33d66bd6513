/* Requests of the administration API over and over with the N-th allocation
 * refused: each is answered well formed or the connection ends, 200 is said of
 * what was done alone, and the next connection is served. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "run/loop.h"
#include "run/net.h"
#include "run/random.h"
#include "talk/room.h"
#include "talk/web_auth.h"
#include "web/api.h"

enum { SAID_MAX = 65536, ASKED = 4, PATIENCE = 5000 };

#define POST(PATH, BODY_N, BODY, MORE) \
	"POST /v1/" PATH " HTTP/1.1\r\nHost: x\r\nContent-Length: " BODY_N "\r\n" MORE "\r\n" BODY
static const char says[] =
	POST("account-show", "22", "{\"address\":\"a@b.test\"}", "")
	POST("domain-add", "17", "{\"name\":\"b.test\"}", "")
	POST("nonsense", "2", "{}", "")
	POST("account-add", "46", "{\"address\":\"a@b.test\",\"password\":\"four words\"}", "Connection: close\r\n");
static const int well[ASKED] = {200, 200, 404, 200};

static struct {
	struct channel *near, *far;
	int domains, accounts;
	bool hit;
} t;

/* ---- in place of auth and the room ---- */

static result on_show(struct arrival *in, struct web_auth_account_show *m, struct web_auth_account_is *answer)
{
	(void)in;
	answer->row.address = m->address;
	answer->reachable = true;
	return OK;
}

static result on_domain_add(struct arrival *in, struct web_auth_domain_add *m, struct web_auth_done *answer)
{
	(void)in;
	(void)m;
	(void)answer;
	t.domains++;
	return OK;
}

static result on_account_add(struct arrival *in, struct web_auth_account_add *m, struct web_auth_account_added *answer)
{
	(void)in;
	(void)m;
	answer->account = (uint64_t)++t.accounts;
	return OK;
}

static result on_account_of(struct arrival *in, struct web_auth_account_of *m, struct web_auth_account_of_is *answer)
{
	(void)in;
	(void)m;
	answer->account = (uint64_t)t.accounts;
	return OK;
}

static const struct web_auth_as_auth handlers = {
	.account_of = on_account_of,
	.account_show = on_show, .domain_add = on_domain_add, .account_add = on_account_add};

static bool is_whole(void)
{
	return t.near && t.far && channel_is_open(t.near) && channel_is_open(t.far);
}

result room_connect(const struct channel_kind *kind, const char *role, uint64_t number, struct channel **out)
{
	int ends[2];
	(void)number;
	assert_true(kind == &web_auth_as_web_kind && strcmp(role, "auth") == 0);
	if (!is_whole()) {
		channel_close(&t.near);
		channel_close(&t.far);
		TRY(net_pair(SOCK_SEQPACKET, ends));
		struct channel_options near = {.fd = ends[0], .peer = "auth 0"}, far = {.fd = ends[1], .peer = "web 0"};
		result r = web_auth_open_as_web(&near, NULL, &t.near);
		if (failed(r)) {
			close(ends[1]);
			return r;
		}
		TRY(web_auth_open_as_auth(&far, &handlers, &t.far));
	}
	*out = t.near;
	return OK;
}

result room_attest_fields(enum log_name event, const trace_id *trace, const struct log_field *fields)
{
	(void)event;
	(void)trace;
	(void)fields;
	return OK;
}

struct channel *room_supervisor(void)
{
	return NULL;
}

/* ---- a client ---- */

static size_t hear_to_the_end(int fd, char said[SAID_MAX])
{
	size_t n = 0;
	for (int i = 0; i < PATIENCE; i++) {
		ssize_t got = recv(fd, said + n, SAID_MAX - n, MSG_DONTWAIT);
		if (got == 0)
			return n;
		n += got > 0 ? (size_t)got : 0;
		if (got < 0)
			assert_ok(fiber_sleep(1));
	}
	fail_msg("the connection does not end after: %.*s", (int)n, said);
	return n;
}

/* The answers' statuses in their order; how many there were. */
static size_t read_statuses(str said, int status[ASKED])
{
	size_t n = 0;
	while (said.n) {
		uint64_t code = 0;
		size_t at = str_find(said, STR("HTTP/1.1 ")), head, body;
		if (at == STR_NONE)
			break;
		said = str_skip(said, at);
		assert_true(n < ASKED && str_to_u64(str_sub(said, 9, 3), &code));
		status[n++] = (int)code;
		head = str_find(said, STR("\r\n\r\n"));
		body = str_find(said, STR("\n{"));
		assert_true(head == STR_NONE || body == STR_NONE || body >= head);
		said = str_skip(said, 9);
	}
	return n;
}

static size_t speak(uint64_t place, int status[ASKED])
{
	static char said[SAID_MAX];
	int ends[2];
	assert_ok(net_pair(SOCK_STREAM, ends));
	mem_fail_at(place);
	result r = http_add(ends[1]);
	if (failed(r))
		fail_msg("%s", r.text);
	assert_int_equal(send(ends[0], says, sizeof says - 1, MSG_NOSIGNAL), sizeof says - 1);
	size_t n = hear_to_the_end(ends[0], said);
	t.hit = place > 0 && mem_count() >= place;
	mem_fail_at(0);
	close(ends[0]);
	return read_statuses(str_of(said, n), status);
}

static void round_at(uint64_t place)
{
	int status[ASKED] = {0}, domains = t.domains, accounts = t.accounts;
	size_t n = speak(place, status);
	bool hit = t.hit;
	for (size_t i = 0; i < n; i++)
		if (status[i] != well[i] && status[i] < 400)
			fail_msg("allocation %lu: request %zu was answered %d", (unsigned long)place, i, status[i]);
	assert_true(status[1] != 200 || t.domains > domains);
	assert_true(status[3] != 200 || t.accounts > accounts);
	n = speak(0, status);
	assert_int_equal(n, ASKED);
	assert_memory_equal(status, well, sizeof well);
	t.hit = hit;
}

static void rounds(void *arg)
{
	const char *first = getenv("POSTERN_ROUND"); /* begin there, to look at one */
	uint64_t *place = arg;
	*place = 1;
	if (first)
		(void)str_to_u64(str_from(first), place);
	assert_ok(http_open(api_answer));
	assert_ok(http_start());
	do
		round_at(*place);
	while (t.hit && ++*place < 5000);
	http_close();
	channel_close(&t.near);
	channel_close(&t.far);
}

static void every_allocation_may_be_refused(void **state)
{
	uint64_t place;
	(void)state;
	assert_ok(random_open());
	assert_ok(loop_open());
	assert_ok(fiber_start(rounds, &place, "test", NULL));
	loop_run();
	loop_close();
	channel_trim();
	printf("%lu allocations\n", (unsigned long)place - 1);
	assert_true(place > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_be_refused)};
	return cmocka_run_group_tests_name("web memory", tests, NULL, NULL);
}
