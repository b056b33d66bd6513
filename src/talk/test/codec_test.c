#include "talk/test/asker_teller.h"
#include "talk/test/pair_check.h"

#include "base/mem.h"
#include "base/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static void secrets_are_not_printed(void **state)
{
	(void)state;
	AUTO_BUF buf line = buf_new(10000);
	struct asker_teller_everything m = {
		.name = STR("a\"b\x01"), .password = STR("hunter2"), .verdict = ASKER_TELLER_VERDICT_BUSY, .e = -3};
	asker_teller_everything_print(&m, &line);
	assert_true(str_find(buf_str(&line), STR("hunter2")) == STR_NONE);
	assert_true(str_find(buf_str(&line), STR("password=***")) != STR_NONE);
	assert_true(str_find(buf_str(&line), STR("key=***")) != STR_NONE);
	assert_true(str_find(buf_str(&line), STR("name=\"a\\\"b\\x01\"")) != STR_NONE);
	assert_true(str_find(buf_str(&line), STR("verdict=busy")) != STR_NONE);
	assert_true(str_find(buf_str(&line), STR(" e=-3 ")) != STR_NONE);
}

/* A body of the form "descriptor, size" with whatever descriptor the test likes. */
static result letter_from(int fd, uint64_t size)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	AUTO_BUF buf octets = buf_new(1000);
	struct asker_teller_everything_is m;
	buf_put(&octets, str_of("\0\0\0\0\0\1", 6));
	buf_put(&octets, str_of((const char *)&size, sizeof size));
	struct talk_in in = {.at = cursor_on(buf_str(&octets)), .arena = &a, .fds = {fd}, .fds_n = 1};
	result r = asker_teller_everything_is_decode(&in, &m);
	if (!failed(r))
		asker_teller_everything_is_release(&m);
	talk_in_close(&in);
	return r;
}

static int memory(uint64_t size, int seals)
{
	int fd = memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void bodies_must_be_sealed_and_of_their_size(void **state)
{
	(void)state;
	size_t fds = pair_open_fds();
	int all = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	uint64_t n = TALK_INLINE_MAX + 1;
	assert_ok(letter_from(memory(n, all), n));
	assert_int_equal(letter_from(memory(n, all & ~F_SEAL_WRITE), n).kind, FAIL_PEER);
	assert_int_equal(letter_from(memory(n, all & ~F_SEAL_SHRINK), n).kind, FAIL_PEER);
	assert_int_equal(letter_from(memory(n, all & ~F_SEAL_GROW), n).kind, FAIL_PEER);
	assert_int_equal(letter_from(memory(n, all), n + 1).kind, FAIL_PEER);
	assert_int_equal(letter_from(memory(n - 1, all), n - 1).kind, FAIL_PEER);
	assert_int_equal(letter_from(memory((4 << 20) + 1, all), (4 << 20) + 1).kind, FAIL_PEER);
	assert_int_equal(letter_from(open("/dev/zero", O_RDONLY | O_CLOEXEC), n).kind, FAIL_PEER);
	assert_int_equal(pair_open_fds(), fds);
}

static void a_shared_body_is_copied_once(void **state)
{
	(void)state;
	size_t fds = pair_open_fds();
	static char text[300000];
	memset(text, 'x', sizeof text);
	AUTO_BODY struct body b = body_of(str_of(text, sizeof text));
	assert_ok(body_share(&b));
	assert_true(b.owned && b.memfd > 0 && str_eq(b.bytes, str_of(text, sizeof text)));
	struct asker_teller_everything_is m = {.letter = b};
	struct talk_out out = talk_out_new();
	assert_ok(asker_teller_everything_is_encode(&m, &out));
	assert_int_equal(out.fds[0], b.memfd);
	assert_int_equal(out.made_n, 0);
	talk_out_free(&out);
	struct body small = body_of(STR("short"));
	assert_ok(body_share(&small));
	assert_false(small.owned);
	body_free(&b);
	assert_int_equal(pair_open_fds(), fds);
}

static void packets_have_a_ceiling(void **state)
{
	(void)state;
	static char text[TALK_INLINE_MAX];
	str long_text = str_of(text, sizeof text);
	struct asker_teller_everything_is m = {.text = long_text, .letter = body_of(long_text)};
	struct talk_out out = talk_out_new();
	assert_ok(asker_teller_everything_is_encode(&m, &out));
	assert_int_equal(out.pieces_n, 2);
	assert_true(out.bytes.n < 100);
	assert_int_equal(asker_teller_everything_is_encode(&m, &out).kind, FAIL_LIMIT);
	talk_out_free(&out);
}

static void lists_need_memory(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(100);
	AUTO_BUF buf octets = buf_new(100000);
	uint64_t numbers[100] = {0};
	struct asker_teller_everything m = {.numbers = {numbers, 100}}, back;
	struct talk_out out = talk_out_new();
	assert_ok(asker_teller_everything_encode(&m, &out));
	talk_out_flatten(&out, &octets);
	struct talk_in in = {.at = cursor_on(buf_str(&octets)), .arena = &a};
	assert_int_equal(asker_teller_everything_decode(&in, &back).kind, FAIL_LIMIT);
	AUTO_ARENA arena roomy = arena_new(10000);
	in = (struct talk_in){.at = cursor_on(buf_str(&octets)), .arena = &roomy};
	mem_fail_at(1);
	assert_int_equal(asker_teller_everything_decode(&in, &back).kind, FAIL_MEMORY);
	mem_fail_at(0);
	talk_out_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_not_printed),
		cmocka_unit_test(bodies_must_be_sealed_and_of_their_size),
		cmocka_unit_test(a_shared_body_is_copied_once),
		cmocka_unit_test(packets_have_a_ceiling),
		cmocka_unit_test(lists_need_memory),
	};
	return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
