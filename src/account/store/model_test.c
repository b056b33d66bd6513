/* Random operations against a plain model, seen by three clients that believe
 * only what their views tell them. */
#include "account/store/core.h"
#include "account/store/kit.h"

#include <stdio.h>
#include <stdlib.h>

enum { BOXES = 6, CLIENTS = 3, MESSAGES = 400, STEPS = 4000, KEYWORDS = 4 };

static const char *const names[BOXES] = {"INBOX", "Sent", "Archive", "a", "a/b", "a/b/c"};
static const char *const words[KEYWORDS] = {"one", "Two", "$three", "four"};

struct message {
	uint32_t uid;
	uint64_t flags; /* system bits; keyword i is bit 32 + i */
	unsigned letter;
};

struct mailbox {
	bool exists;
	struct message v[MESSAGES];
	size_t n;
	uint32_t uidnext;
	uint32_t uidvalidity;
};

/* What a mail program knows. */
struct client {
	struct view *view;
	size_t box;
	uint32_t uids[MESSAGES];
	uint64_t flags[MESSAGES];
	size_t n;
	uint64_t modseq; /* everything up to here is known */
};

struct model {
	struct kit *k;
	uint64_t random;
	struct mailbox boxes[BOXES];
	struct client clients[CLIENTS];
	unsigned letters;
	uint32_t highest_validity;
	size_t steps, pulls, found; /* unlisted ones, by an opening */
};

static uint64_t below(struct model *m, uint64_t n)
{
	return sim_random(&m->random) % n;
}

static void letter_name(unsigned number, char out[24])
{
	snprintf(out, 24, "letter %u", number);
}

/* ---- what a view says, in the model's terms ---- */

static uint64_t flags_of(const struct view *v, uint64_t flags)
{
	uint64_t out = flags & STORE_SYSTEM;
	for (unsigned i = 0; i < KEYWORDS; i++) {
		unsigned bit = view_keyword_bit(v, str_from(words[i]));
		if (bit && flags >> bit & 1)
			out |= UINT64_C(1) << (32 + i);
	}
	return out;
}

static void learn(struct client *c, size_t i)
{
	struct view_message got;
	if (failed(view_at(c->view, (uint32_t)i + 1, &got)))
		return;
	assert_int_equal(got.uid, c->uids[i]);
	c->flags[i] = flags_of(c->view, got.flags);
}

static void apply_gone(struct client *c, const struct view_changes *v)
{
	for (size_t i = 0; i < v->gone_n; i++) {
		size_t at = v->gone[i].number - 1;
		assert_true(at < c->n);
		assert_int_equal(c->uids[at], v->gone[i].uid);
		c->n--;
		memmove(c->uids + at, c->uids + at + 1, (c->n - at) * sizeof *c->uids);
		memmove(c->flags + at, c->flags + at + 1, (c->n - at) * sizeof *c->flags);
	}
}

static void pull(struct model *m, struct client *c, bool expunge)
{
	struct view_changes v;
	assert_ok(view_pull(c->view, expunge, &m->k->m, &v));
	apply_gone(c, &v);
	size_t before = c->n;
	assert_true(v.exists >= before);
	for (; c->n < v.exists; c->n++)
		c->uids[c->n] = view_uid(c->view, (uint32_t)c->n + 1);
	for (size_t i = before; i < c->n; i++)
		learn(c, i);
	for (size_t i = 0; i < v.flagged_n; i++) {
		assert_int_equal(c->uids[v.flagged[i].number - 1], v.flagged[i].uid);
		learn(c, v.flagged[i].number - 1);
	}
	m->pulls++;
}

static void expect_same(const struct client *c, const struct mailbox *b)
{
	assert_int_equal(c->n, b->n);
	for (size_t i = 0; i < b->n; i++) {
		assert_int_equal(c->uids[i], b->v[i].uid);
		assert_int_equal(c->flags[i], b->v[i].flags);
	}
}

static void expect_counts(struct model *m, size_t box)
{
	struct mailbox_status s;
	const struct mailbox *b = &m->boxes[box];
	uint32_t unseen = 0, deleted = 0;
	for (size_t i = 0; i < b->n; i++) {
		unseen += !(b->v[i].flags & STORE_SEEN);
		deleted += !!(b->v[i].flags & STORE_DELETED);
	}
	result r = mailbox_status_of(&m->k->owner, str_from(names[box]), &s);
	assert_int_equal(r.kind, b->exists ? FAIL_NONE : FAIL_ABSENT);
	if (!b->exists)
		return;
	assert_int_equal(s.messages, b->n);
	assert_int_equal(s.unseen, unseen);
	assert_int_equal(s.deleted, deleted);
	assert_int_equal(s.uidnext, b->uidnext);
	assert_int_equal(s.uidvalidity, b->uidvalidity);
}

/* ---- clients ---- */

static void leave(struct client *c)
{
	view_close(&c->view);
	c->n = 0;
}

static void enter(struct model *m, struct client *c)
{
	leave(c);
	do {
		c->box = below(m, BOXES);
	} while (!m->boxes[c->box].exists);
	c->view = kit_view(m->k, names[c->box]);
	c->n = view_exists(c->view);
	for (size_t i = 0; i < c->n; i++) {
		c->uids[i] = view_uid(c->view, (uint32_t)i + 1);
		learn(c, i);
	}
	expect_same(c, &m->boxes[c->box]);
}

static void leave_box(struct model *m, size_t box)
{
	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *c = &m->clients[i];
		struct view_changes v;
		if (c->box != box || !c->view)
			continue;
		assert_int_equal(view_pull(c->view, true, &m->k->m, &v).kind, FAIL_ABSENT);
		enter(m, c);
	}
}

static void sync_all(struct model *m)
{
	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *c = &m->clients[i];
		struct view_changes nothing;
		pull(m, c, true);
		expect_same(c, &m->boxes[c->box]);
		assert_ok(view_pull(c->view, true, &m->k->m, &nothing));
		assert_false(nothing.gone_n || nothing.flagged_n || nothing.arrived || nothing.keywords);
	}
}

/* A program that was away asks what changed since (QRESYNC). */
static void come_back(struct model *m, struct client *c)
{
	struct mailbox_status s;
	struct imap_set gone;
	const struct mailbox *b = &m->boxes[c->box];
	uint64_t since = c->modseq;
	uint32_t uids[MESSAGES];
	uint64_t flags[MESSAGES];
	size_t n = c->n;
	memcpy(uids, c->uids, sizeof uids);
	memcpy(flags, c->flags, sizeof flags);
	pull(m, c, true);
	assert_ok(view_vanished(c->view, since, NULL, &m->k->m, &gone));
	for (size_t i = 0; i < n; i++) {
		uint32_t number = view_number(c->view, uids[i]);
		struct view_message got;
		assert_int_equal(imap_set_has(&gone, uids[i]), !number);
		if (!number)
			continue;
		assert_ok(view_at(c->view, number, &got));
		if (flags_of(c->view, got.flags) != flags[i])
			assert_true(got.modseq > since);
	}
	expect_same(c, b);
	assert_ok(view_status(c->view, &s));
	c->modseq = s.modseq;
}

/* ---- operations ---- */

static struct message *add(struct mailbox *b)
{
	b->v[b->n] = (struct message){.uid = b->uidnext++};
	return &b->v[b->n++];
}

/* As filters and what waited for a locked account bring them: some with flags, some with a mark. */
static void deliver_one(struct model *m, size_t box)
{
	char name[24];
	unsigned word = (unsigned)below(m, KEYWORDS);
	str keyword = str_from(words[word]);
	struct arrivals_mark mark = {{1}, ++m->letters};
	struct arrived done;
	letter_name(m->letters, name);
	size_t to = m->boxes[box].exists ? box : 0;
	if (m->boxes[to].n == MESSAGES)
		return;
	struct letter l = kit_letter(m->k, name, below(m, 2000));
	struct incoming in = {kit_delivery(m->k), 1700000000, str_from(names[box]), {0}, &l};
	if (below(m, 4) == 0)
		in.flags = (struct flag_names){below(m, STORE_SYSTEM + 1), &keyword, below(m, 2)};
	in.mark = below(m, 4) ? NULL : &mark;
	assert_ok(message_deliver(&m->k->courier, &in, &done));
	struct message *added = add(&m->boxes[to]);
	added->letter = m->letters;
	added->flags = in.flags.system | (in.flags.keywords_n ? UINT64_C(1) << (32 + word) : 0);
}

/* Those behind the first stay unlisted (unlisted.h), until something else happens. */
static void deliver(struct model *m)
{
	size_t box = below(m, BOXES), n = below(m, 4) ? 1 : below(m, 8);
	for (size_t i = 0; i < n; i++)
		deliver_one(m, box);
}

static void append(struct model *m)
{
	size_t box = below(m, BOXES);
	char name[24];
	uint64_t flags = below(m, STORE_SYSTEM + 1);
	letter_name(++m->letters, name);
	if (m->boxes[box].n == MESSAGES)
		return;
	result r = kit_append(m->k, names[box], flags, name);
	assert_int_equal(r.kind, m->boxes[box].exists ? FAIL_NONE : FAIL_ABSENT);
	if (failed(r))
		return;
	struct message *added = add(&m->boxes[box]);
	added->letter = m->letters;
	added->flags = flags;
}

/* Some of what the client sees, gone ones included. */
static struct uids some(struct model *m, const struct client *c)
{
	static uint32_t v[MESSAGES];
	struct uids out = {v, 0};
	uint64_t one_in = 1 + below(m, 8);
	for (size_t i = 0; i < c->n; i++)
		if (below(m, one_in) == 0)
			v[out.n++] = c->uids[i];
	return out;
}

static struct message *find(struct mailbox *b, uint32_t uid)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].uid == uid)
			return &b->v[i];
	return NULL;
}

static void change_flags(struct model *m)
{
	struct client *c = &m->clients[below(m, CLIENTS)];
	struct uids which = some(m, c), not;
	str keywords[KEYWORDS];
	struct flag_change f = {.how = (enum flag_how)below(m, 3), .flags = {.keywords = keywords}};
	f.flags.system = below(m, STORE_SYSTEM + 1);
	uint64_t mask = f.flags.system;
	for (unsigned i = 0; i < KEYWORDS; i++) {
		if (below(m, 4))
			continue;
		keywords[f.flags.keywords_n++] = str_from(words[i]);
		mask |= UINT64_C(1) << (32 + i);
	}
	assert_ok(message_flags(c->view, &which, &f, &m->k->m, &not));
	assert_int_equal(not.n, 0);
	for (size_t i = 0; i < which.n; i++) {
		struct message *one = find(&m->boxes[c->box], which.v[i]);
		if (!one)
			continue;
		if (f.how == FLAGS_ADD)
			one->flags |= mask;
		else
			one->flags = f.how == FLAGS_REMOVE ? one->flags & ~mask : mask;
	}
}

static bool among(const struct uids *which, uint32_t uid)
{
	for (size_t i = 0; which && i < which->n; i++)
		if (which->v[i] == uid)
			return true;
	return !which;
}

static void drop(struct mailbox *b, const struct uids *which, uint64_t with)
{
	size_t to = 0;
	for (size_t i = 0; i < b->n; i++)
		if (!among(which, b->v[i].uid) || (b->v[i].flags & with) != with)
			b->v[to++] = b->v[i];
	b->n = to;
}

static void expunge(struct model *m)
{
	struct client *c = &m->clients[below(m, CLIENTS)];
	struct uids which = some(m, c);
	unsigned kind = (unsigned)below(m, 4);
	if (kind == 0) {
		assert_ok(message_remove(c->view, &which));
		drop(&m->boxes[c->box], &which, 0);
	} else {
		assert_ok(message_expunge(c->view, kind == 1 ? &which : NULL));
		drop(&m->boxes[c->box], kind == 1 ? &which : NULL, STORE_DELETED);
	}
}

static void copy_or_move(struct model *m)
{
	struct client *c = &m->clients[below(m, CLIENTS)];
	struct uids which = some(m, c);
	size_t to = below(m, BOXES);
	bool move = below(m, 2);
	struct mailbox *a = &m->boxes[c->box], *b = &m->boxes[to];
	struct copied done;
	if (b->n + which.n > MESSAGES)
		return;
	struct copy_order order = {&which, str_from(names[to]), false};
	result r = (move ? message_move : message_copy)(c->view, &order, &m->k->m, &done);
	assert_int_equal(r.kind, b->exists ? FAIL_NONE : FAIL_ABSENT);
	if (failed(r))
		return;
	size_t n = 0;
	for (size_t i = 0; i < which.n; i++) {
		struct message *one = find(a, which.v[i]);
		if (!one)
			continue;
		assert_int_equal(done.from[n], which.v[i]);
		assert_int_equal(done.to[n++], b->uidnext);
		struct message copy = *one;
		copy.uid = b->uidnext++;
		b->v[b->n++] = copy;
	}
	assert_int_equal(done.n, n);
	assert_int_equal(done.uidvalidity, b->uidvalidity);
	if (move)
		drop(a, &which, 0);
}

static void create_or_delete(struct model *m)
{
	size_t box = 1 + below(m, BOXES - 1);
	struct mailbox *b = &m->boxes[box];
	struct mailbox_status s;
	if (!b->exists) {
		assert_ok(mailbox_create(&m->k->owner, str_from(names[box]), 0, &s));
		assert_true(s.uidvalidity > m->highest_validity);
		m->highest_validity = s.uidvalidity;
		*b = (struct mailbox){.exists = true, .uidnext = 1, .uidvalidity = s.uidvalidity};
		return;
	}
	assert_int_equal(mailbox_create(&m->k->owner, str_from(names[box]), 0, &s).kind, FAIL_EXISTS);
	if (below(m, 3))
		return;
	assert_ok(mailbox_delete(&m->k->owner, str_from(names[box])));
	*b = (struct mailbox){.exists = false};
	leave_box(m, box);
}

/* INBOX's messages to a mailbox that is not there; else "a" away and back with all below it. */
static void rename_some(struct model *m)
{
	struct mailbox_status s;
	size_t to = 1 + below(m, BOXES - 1);
	struct mailbox *b = &m->boxes[to];
	if (b->exists) {
		assert_int_equal(mailbox_rename(&m->k->owner, STR("INBOX"), str_from(names[to])).kind, FAIL_EXISTS);
		result r = mailbox_rename(&m->k->owner, STR("a"), STR("z"));
		bool any = m->boxes[3].exists || m->boxes[4].exists || m->boxes[5].exists;
		assert_int_equal(r.kind, any ? FAIL_NONE : FAIL_ABSENT);
		if (any)
			assert_ok(mailbox_rename(&m->k->owner, STR("z"), STR("a")));
		for (size_t i = 3; i < BOXES; i++) {
			if (!m->boxes[i].exists)
				continue;
			assert_ok(mailbox_status_of(&m->k->owner, str_from(names[i]), &s));
			assert_true(s.uidvalidity >= m->boxes[i].uidvalidity);
			m->boxes[i].uidvalidity = s.uidvalidity;
			if (s.uidvalidity > m->highest_validity)
				m->highest_validity = s.uidvalidity;
		}
		return;
	}
	assert_ok(mailbox_rename(&m->k->owner, STR("inbox"), str_from(names[to])));
	assert_ok(mailbox_status_of(&m->k->owner, str_from(names[to]), &s));
	*b = m->boxes[0];
	for (size_t i = 0; i < b->n; i++)
		b->v[i].uid = (uint32_t)i + 1;
	b->uidnext = (uint32_t)b->n + 1;
	b->uidvalidity = m->highest_validity = s.uidvalidity;
	m->boxes[0].n = 0;
}

static void read_one(struct model *m)
{
	struct client *c = &m->clients[below(m, CLIENTS)];
	const struct mailbox *b = &m->boxes[c->box];
	if (b->n == 0)
		return;
	const struct message *one = &b->v[below(m, b->n)];
	char name[24];
	struct fetched f;
	letter_name(one->letter, name);
	struct uids which = {&one->uid, 1};
	assert_ok(fetch_rows(c->view, &which, FETCH_ENVELOPE | FETCH_HEADER, &m->k->m, &f));
	assert_true(f.rows[0].present);
	assert_str(f.rows[0].envelope, str_from(name));
	assert_true(str_find(kit_bytes(m->k, c->view, one->uid), str_from(name)) != STR_NONE);
}

static void come_and_go(struct model *m)
{
	struct client *c = &m->clients[below(m, CLIENTS)];
	struct mailbox_status s;
	switch (below(m, 6)) {
	case 0:
		enter(m, c);
		assert_ok(view_status(c->view, &s));
		c->modseq = s.modseq;
		break;
	case 1:
		assert_ok(store_trim(&m->k->administrator));
		break;
	case 2:
		pull(m, c, true);
		assert_ok(view_status(c->view, &s));
		c->modseq = s.modseq;
		break;
	default:
		pull(m, c, below(m, 2));
	}
}

static void one_step(struct model *m)
{
	static void (*const steps[])(struct model *) = {deliver, deliver, append, change_flags, change_flags, expunge,
		copy_or_move, create_or_delete, rename_some, read_one, come_and_go, come_and_go, come_and_go};
	steps[below(m, sizeof steps / sizeof *steps)](m);
	if (++m->steps % 10 == 0)
		sync_all(m);
	if (m->steps % 50 == 0) {
		struct client *c = &m->clients[below(m, CLIENTS)];
		struct mailbox_status s;
		assert_ok(view_status(c->view, &s));
		c->modseq = s.modseq;
		for (int i = 0; i < 5; i++)
			change_flags(m);
		expunge(m);
		come_back(m, c);
	}
	for (size_t i = 0; i < BOXES; i++)
		expect_counts(m, i);
	arena_clear(&m->k->m);
}

static void start(struct model *m)
{
	for (size_t i = 0; i < BOXES; i++) {
		struct mailbox_status s;
		m->boxes[i].exists = !failed(mailbox_status_of(&m->k->owner, str_from(names[i]), &s));
		if (!m->boxes[i].exists)
			continue;
		m->boxes[i].uidnext = 1;
		m->boxes[i].uidvalidity = s.uidvalidity;
	}
	m->highest_validity = m->boxes[2].uidvalidity;
	for (size_t i = 0; i < CLIENTS; i++)
		enter(m, &m->clients[i]);
}

static void reopen(struct model *m)
{
	for (size_t i = 0; i < CLIENTS; i++)
		leave(&m->clients[i]);
	kit_expect_sound(m->k);
	deliver(m);
	kit_reopen(m->k);
	m->found += m->k->store->lists.unlisted.n;
	for (size_t i = 0; i < CLIENTS; i++)
		enter(m, &m->clients[i]);
}

static uint64_t seed = 1;

static void random_walk(struct kit *k)
{
	static struct model m;
	m = (struct model){.k = k, .random = seed};
	start(&m);
	while (m.steps < STEPS) {
		one_step(&m);
		if (m.steps % 100 == 0)
			reopen(&m);
	}
	for (size_t i = 0; i < CLIENTS; i++)
		leave(&m.clients[i]);
	printf("seed %lu: %zu steps, %u letters, %zu pulls, %zu unlisted at openings\n", (unsigned long)seed, m.steps,
		m.letters, m.pulls, m.found);
	assert_true(m.found > 0);
}

static void test_model(void **state)
{
	(void)state;
	const char *first = getenv("POSTERN_SEED");
	uint64_t number = 1;
	if (first)
		(void)str_to_u64(str_from(first), &number);
	for (seed = number; seed < number + 3; seed++)
		kit_run(random_walk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_model)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
