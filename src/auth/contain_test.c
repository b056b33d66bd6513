/* Contained accounts and the letters about them; the queue and the account's process are played here. */
#include "auth/contain.h"

#include <sys/socket.h>

#include "auth/auth_kit.h"
#include "auth/notices.h"
#include "run/clock.h"
#include "run/net.h"
#include "talk/auth_queue.h"

#define ANNA "anna@example.test"
#define BOSS "boss@example.test"
#define GOOD "four easy words here"

enum { LETTERS = 8, ANNAS = 1 };

static struct play {
	struct auth_world world; /* the kit's, but for these two */
	struct channel *queue, *queue_far, *account, *account_far;
	bool queue_down, account_busy;
	int holds, frees, ends, tried;
	bool released;
	size_t letters;
	uint64_t asked, to[LETTERS];
	trace_id delivery[LETTERS], last_tried;
	bool names_remedy;
	struct fiber *fibers[2];
} t;

/* ---- the neighbours ---- */

static result on_contain(struct arrival *in, struct auth_queue_contain *m, struct auth_queue_contained *answer)
{
	(void)in;
	(void)answer;
	assert_int_equal(m->account, ANNAS);
	t.holds++;
	return OK;
}

static result on_free(struct arrival *in, struct auth_queue_free *m, struct auth_queue_contained *answer)
{
	(void)in;
	t.frees++;
	t.released = m->release;
	answer->recipients = 3;
	return OK;
}

static result on_end(struct arrival *in, struct auth_account_end *m, struct auth_account_ended *answer)
{
	(void)in;
	(void)answer;
	t.ends += m->all;
	return OK;
}

static result on_letter(struct arrival *in, struct auth_account_letter *m, struct auth_account_letter_kept *answer)
{
	(void)in;
	(void)answer;
	t.tried++;
	t.last_tried = m->delivery;
	if (t.account_busy)
		return failure(FAIL_BUSY, "not now");
	assert_true(t.letters < LETTERS);
	t.delivery[t.letters] = m->delivery;
	t.to[t.letters++] = t.asked;
	t.names_remedy = str_find(m->message, STR("\r\n    postern account release " ANNA "\r\n")) != STR_NONE;
	return OK;
}

static result queue(struct channel **out)
{
	static const struct auth_queue_as_queue handlers = {.contain = on_contain, .free = on_free};
	int ends[2];
	if (t.queue_down)
		return failure(FAIL_BUSY, "the queue does not start");
	if (!t.queue) {
		assert_ok(net_pair(SOCK_SEQPACKET, ends));
		assert_ok(auth_queue_open_as_auth(&(struct channel_options){.fd = ends[0], .peer = "queue 0"}, NULL, &t.queue));
		assert_ok(auth_queue_open_as_queue(&(struct channel_options){.fd = ends[1], .peer = "auth 0"}, &handlers,
			&t.queue_far));
	}
	*out = t.queue;
	return OK;
}

static result account(uint64_t number, struct channel **out)
{
	static const struct auth_account_as_account handlers = {.end = on_end, .letter = on_letter};
	int ends[2];
	t.asked = number;
	if (!t.account) {
		assert_ok(net_pair(SOCK_SEQPACKET, ends));
		assert_ok(auth_account_open_as_auth(&(struct channel_options){.fd = ends[0], .peer = "account 1"}, NULL,
			&t.account));
		assert_ok(auth_account_open_as_account(&(struct channel_options){.fd = ends[1], .peer = "auth 0"}, &handlers,
			&t.account_far));
	}
	*out = t.account;
	return OK;
}

/* ---- life ---- */

static void contain_fiber(void *arg)
{
	(void)arg;
	contain_run(&auth);
}

static void notices_fiber(void *arg)
{
	(void)arg;
	notices_run(&auth);
}

static void begin_life(void)
{
	t.world = *auth.world;
	t.world.queue = queue;
	t.world.account = account;
	auth.world = &t.world;
	assert_ok(fiber_start(contain_fiber, NULL, "contain", &t.fibers[0]));
	assert_ok(fiber_start(notices_fiber, NULL, "notices", &t.fibers[1]));
}

static void end_life(void)
{
	struct channel **all[] = {&t.queue, &t.queue_far, &t.account, &t.account_far};
	for (size_t i = 0; i < 2; i++)
		fiber_cancel(t.fibers[i]);
	assert_ok(fiber_sleep(5));
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (*all[i])
			channel_close(all[i]);
}

static void restart(void)
{
	end_life();
	kit_close();
	kit_open();
	begin_life();
}

static void until(bool (*look)(void))
{
	for (int i = 0; i < 5000 && !look(); i++)
		assert_ok(fiber_sleep(1));
	assert_true(look());
}

static bool is_held(void)
{
	return !contain_is_pending(&auth, ANNAS);
}

static bool both_told(void)
{
	return t.letters == 2;
}

static void anna_and_boss(void)
{
	t = (struct play){.queue = NULL};
	assert_ok(kit_domain("example.test"));
	assert_ok(kit_account(ANNA, GOOD));
	assert_ok(kit_admin(BOSS));
	begin_life();
}

static result contain(void)
{
	const struct suspicion s = {.account = ANNAS, .by = STR("travel"), .why = STR("two\r\nplaces")};
	return contain_begin(&auth, &s);
}

static const struct word from_a_new_country = {
	.about = {.account = ANNAS, .by = STR_INIT("newcomer"), .why = STR_INIT("a new country")}, .owner = true};

static result free_it(bool release, uint64_t *n)
{
	result r = contain_end(&auth, ANNAS, release, n);
	return kit_kind(r);
}

/* ---- */

static void contained(void)
{
	uint64_t n = 0;
	anna_and_boss();
	struct edge_auth_login_is in = kit_login(ANNA, GOOD, EDGE_AUTH_PROTOCOL_SMTP);
	assert_true(kit_may_send(&in.token, ANNA));
	assert_ok(contain());
	assert_true(contain_since(&auth, ANNAS) > 0);
	assert_false(kit_may_send(&in.token, ANNA)); /* it is logged out */
	assert_int_equal(t.ends, 1);
	until(is_held);
	until(both_told);
	assert_true(t.to[0] != t.to[1] && t.names_remedy);
	assert_ok(contain()); /* again: nothing */
	assert_ok(fiber_sleep(5));
	assert_int_equal(t.holds, 1);
	assert_int_equal(t.ends, 1);
	assert_int_equal(t.letters, 2);
	assert_ok(free_it(true, &n));
	assert_true(n == 3 && t.released);
	assert_int_equal(contain_since(&auth, ANNAS), 0);
	assert_int_equal(free_it(true, &n).kind, FAIL_ABSENT);
	end_life();
}

/* Until the queue has said so nothing may be sent, and it is told again; so is whoever is logged in then. */
static void over_a_restart(void)
{
	uint64_t n = 0;
	anna_and_boss();
	t.queue_down = true;
	assert_ok(contain());
	assert_ok(fiber_sleep(5));
	assert_true(contain_is_pending(&auth, ANNAS));
	assert_int_equal(free_it(true, &n).kind, FAIL_BUSY);
	assert_true(contain_since(&auth, ANNAS) > 0);
	until(both_told);
	t.ends = 0;
	restart();
	assert_true(contain_is_pending(&auth, ANNAS));
	t.queue_down = false;
	until(is_held);
	assert_int_equal(t.ends, 1); /* who was logged in when the last process ended may not have heard of it */
	assert_int_equal(t.letters, 2);
	assert_ok(free_it(false, &n));
	assert_false(t.released);
	restart();
	assert_ok(fiber_sleep(5));
	assert_int_equal(contain_since(&auth, ANNAS), 0);
	assert_int_equal(t.holds, 1);
	end_life();
}

/* A letter that could not be kept is tried again under the same id, also by the next process. */
static void a_letter_that_waits(void)
{
	anna_and_boss();
	t.account_busy = true;
	assert_ok(contain_tell(&auth, &from_a_new_country));
	assert_ok(fiber_sleep(5));
	assert_int_equal(t.tried, 1);
	const trace_id first = t.last_tried;
	restart();
	assert_ok(fiber_sleep(5));
	assert_int_equal(t.tried, 2);
	t.account_busy = false;
	notices_wake(&auth);
	assert_ok(fiber_sleep(5));
	assert_int_equal(t.letters, 1);
	assert_memory_equal(first.b, t.delivery[0].b, sizeof first.b);
	assert_int_equal(t.to[0], ANNAS);
	restart();
	assert_ok(fiber_sleep(5));
	assert_int_equal(t.letters, 1);
	end_life();
}

/* Letters that cannot be brought do not keep an account from being contained. */
static void a_full_box(void)
{
	anna_and_boss();
	t.account_busy = true;
	for (int i = 0; i < NOTICES_EACH + 5; i++)
		assert_ok(contain_tell(&auth, &from_a_new_country));
	assert_ok(contain());
	until(is_held);
	end_life();
}

#define ON_KIT(NAME) static void NAME##_test(void **state) { (void)state; kit_run(NAME); }
ON_KIT(contained)
ON_KIT(over_a_restart)
ON_KIT(a_letter_that_waits)
ON_KIT(a_full_box)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contained_test),
		cmocka_unit_test(over_a_restart_test),
		cmocka_unit_test(a_letter_that_waits_test),
		cmocka_unit_test(a_full_box_test),
	};
	return cmocka_run_group_tests_name("contained accounts", tests, NULL, NULL);
}
