/* Many sessions at once on one account, each on its own fiber: afterwards every
 * view agrees with a fresh one, and the account is sound. */
#include "account/store/kit.h"

#include <stdio.h>

enum { SESSIONS = 24, TURNS = 60, SEEN_MAX = 4096 };

static const char *const names[] = {"INBOX", "Archive", "made"};

struct crowd {
	struct kit *k;
	unsigned running;
	struct gate done;
	struct letter letter;
	unsigned calls;
};

struct session {
	struct crowd *crowd;
	uint64_t random;
	struct view *view;
	arena m;
	uint32_t uids[SEEN_MAX];
	size_t n;
	unsigned number;
};

static uint64_t below(struct session *s, uint64_t n)
{
	return sim_random(&s->random) % n;
}

/* What may happen while others delete and make mailboxes. */
static void fine(struct session *s, result r)
{
	s->crowd->calls++;
	if (failed(r) && r.kind != FAIL_ABSENT && r.kind != FAIL_EXISTS)
		fail_msg("%s", r.text);
}

static void pull(struct session *s)
{
	struct view_changes c;
	result r = view_pull(s->view, true, &s->m, &c);
	fine(s, r);
	if (failed(r)) {
		view_close(&s->view);
		return;
	}
	for (size_t i = 0; i < c.gone_n; i++) {
		size_t at = c.gone[i].number - 1;
		assert_int_equal(s->uids[at], c.gone[i].uid);
		memmove(s->uids + at, s->uids + at + 1, (--s->n - at) * sizeof *s->uids);
	}
	for (; s->n < c.exists; s->n++)
		s->uids[s->n] = view_uid(s->view, (uint32_t)s->n + 1);
	assert_int_equal(s->n, c.exists);
}

static void enter(struct session *s)
{
	view_close(&s->view);
	fine(s, view_open(&s->crowd->k->owner, str_from(names[below(s, 3)]), below(s, 4) > 0, &s->view));
	s->n = s->view ? view_exists(s->view) : 0;
	for (size_t i = 0; i < s->n; i++)
		s->uids[i] = view_uid(s->view, (uint32_t)i + 1);
}

static void work_on_view(struct session *s)
{
	uint32_t v[4];
	struct uids which = {v, 0}, not;
	struct copied copied;
	struct copy_order order = {.which = &which};
	struct flag_change c = {(enum flag_how)below(s, 3), {below(s, 32), NULL, 0}, false, 0};
	for (size_t i = below(s, 20); i < s->n && which.n < 4; i += 1 + below(s, 10))
		v[which.n++] = s->uids[i];
	if (!view_writes(s->view) || !which.n) {
		pull(s);
		return;
	}
	switch (below(s, 5)) {
	case 0:
		fine(s, message_remove(s->view, &which));
		break;
	case 1:
		order.to = str_from(names[below(s, 3)]);
		fine(s, message_move(s->view, &order, &s->m, &copied));
		break;
	case 2:
		order.to = str_from(names[below(s, 2)]);
		fine(s, message_copy(s->view, &order, &s->m, &copied));
		break;
	default:
		fine(s, message_flags(s->view, &which, &c, &s->m, &not));
	}
	pull(s);
}

static void turn(struct session *s, unsigned number)
{
	struct kit *k = s->crowd->k;
	struct mailbox_status status;
	struct arrived done;
	struct incoming in = {{{0}}, 1, str_from(names[below(s, 3)]), {0}, &s->crowd->letter};
	in.delivery.b[0] = (unsigned char)s->number;
	in.delivery.b[1] = (unsigned char)number;
	switch (below(s, 8)) {
	case 0:
	case 1:
		fine(s, message_deliver(&k->courier, &in, &done));
		in.delivery.b[2] = 1; /* another one, to the same mailbox */
		fine(s, message_deliver(&k->courier, &in, &done));
		break;
	case 2:
		enter(s);
		break;
	case 3:
		if (below(s, 4) == 0)
			fine(s, mailbox_delete(&k->owner, STR("made")));
		else
			fine(s, mailbox_create(&k->owner, STR("made"), 0, &status));
		break;
	case 4:
		if (below(s, 5) == 0)
			fine(s, store_trim(&k->administrator));
		break;
	default:
		if (s->view)
			work_on_view(s);
	}
	arena_clear(&s->m);
}

static void session(void *arg)
{
	struct session *s = arg;
	enter(s);
	for (unsigned i = 0; i < TURNS; i++)
		turn(s, i);
	if (--s->crowd->running == 0)
		gate_wake_all(&s->crowd->done);
}

static void expect_same(struct session *s, struct kit *k)
{
	if (s->view)
		pull(s);
	if (!s->view)
		return;
	struct view *fresh = NULL;
	assert_ok(view_open(&k->owner, view_name(s->view), false, &fresh));
	assert_int_equal(view_exists(fresh), s->n);
	for (uint32_t i = 1; i <= s->n; i++) {
		struct view_message a, b;
		assert_int_equal(view_uid(fresh, i), s->uids[i - 1]);
		assert_ok(view_at(fresh, i, &a));
		assert_ok(view_at(s->view, i, &b));
		assert_int_equal(a.flags & ~STORE_RECENT, b.flags & ~STORE_RECENT);
		assert_int_equal(a.modseq, b.modseq);
	}
	view_close(&fresh);
}

static void a_crowd(struct kit *k)
{
	static struct session sessions[SESSIONS];
	struct crowd crowd = {.k = k, .running = SESSIONS, .letter = kit_letter(k, "crowd", 700)};
	gate_init(&crowd.done);
	for (unsigned i = 0; i < SESSIONS; i++) {
		sessions[i] = (struct session){.crowd = &crowd, .random = i + 1, .m = arena_new(1 << 20), .number = i};
		assert_ok(fiber_start(session, &sessions[i], "session", NULL));
	}
	while (crowd.running)
		assert_ok(gate_wait(&crowd.done, FIBER_FOREVER));
	for (unsigned i = 0; i < SESSIONS; i++) {
		expect_same(&sessions[i], k);
		view_close(&sessions[i].view);
		arena_free(&sessions[i].m);
	}
	int64_t unlisted = kit_number(k, "SELECT count(*) FROM content WHERE box IS NOT NULL"); /* of those still there */
	printf("%u calls by %d sessions, %d messages were unlisted once\n", crowd.calls, SESSIONS, (int)unlisted);
	assert_true(unlisted > 0);
	kit_expect_sound(k);
	kit_reopen(k);
}

/* All open the mailbox in the same turn of the loop, before its rows are there. */
static void open_and_wait(void *arg)
{
	struct session *s = arg;
	s->view = kit_view(s->crowd->k, "INBOX");
	s->n = view_exists(s->view);
	assert_ok(kit_deliver(s->crowd->k, "", "together", 10));
	if (--s->crowd->running == 0)
		gate_wake_all(&s->crowd->done);
}

static void all_open_at_once(struct kit *k)
{
	static struct session sessions[5]; /* too large for a fiber */
	struct crowd crowd = {.k = k, .running = 5};
	gate_init(&crowd.done);
	assert_ok(kit_deliver(k, "", "before", 10));
	for (unsigned i = 0; i < 5; i++) {
		sessions[i].crowd = &crowd;
		assert_ok(fiber_start(open_and_wait, &sessions[i], "session", NULL));
	}
	while (crowd.running)
		assert_ok(gate_wait(&crowd.done, FIBER_FOREVER));
	assert_int_equal(kit_views(k, "INBOX"), 5); /* one mailbox in memory knows them all */
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(kit_pull(k, sessions[i].view).exists, 6);
		view_close(&sessions[i].view);
	}
}

static void test_crowd(void **state)
{
	(void)state;
	kit_run(a_crowd);
}

static void test_together(void **state)
{
	(void)state;
	kit_run(all_open_at_once);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_together), cmocka_unit_test(test_crowd)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
