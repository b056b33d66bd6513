#include "account/store/kit.h"

#include <stdio.h>

static void a_new_account_has_its_mailboxes(struct kit *k)
{
	static const char *const names[] = {"INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"};
	static const unsigned uses[] = {0, 2, 4, 16, 32, 64};
	struct mailbox_entries e;
	assert_ok(mailbox_list(&k->owner, &k->m, &e));
	assert_int_equal(e.n, 6);
	for (size_t i = 0; i < e.n; i++) {
		assert_str(e.v[i].name, str_from(names[i]));
		assert_true(e.v[i].exists && e.v[i].subscribed);
		assert_int_equal(e.v[i].use, uses[i]);
	}
}

static str joined(struct kit *k, const struct letter *l)
{
	char *p = arena_alloc(&k->m, l->trace.n + l->body.n);
	memcpy(p, l->trace.p, l->trace.n);
	memcpy(p + l->trace.n, l->body.p, l->body.n);
	return str_of(p, l->trace.n + l->body.n);
}

static void deliver_sizes(struct kit *k, const size_t *sizes, size_t n)
{
	struct view *v = kit_view(k, "INBOX");
	for (size_t i = 0; i < n; i++) {
		struct letter l = kit_letter(k, "size", sizes[i]);
		struct incoming a = {kit_delivery(k), 1700000000, STR(""), {0}, &l};
		struct arrived done;
		assert_ok(message_deliver(&k->courier, &a, &done));
		assert_false(done.duplicate);
		struct view_changes c = kit_pull(k, v);
		assert_true(c.arrived);
		assert_int_equal(c.exists, i + 1);
		str got = kit_bytes(k, v, (uint32_t)i + 1);
		assert_true(str_eq(got, joined(k, &l)));
		struct view_message m;
		assert_ok(view_at(v, (uint32_t)i + 1, &m));
		assert_int_equal(m.size, got.n);
	}
	view_close(&v);
}

static void letters_come_back_byte_for_byte(struct kit *k)
{
	static const size_t sizes[] = {0, 1, 4096, 65536, 200000, 300000, 600000, 1100000, 3000000};
	deliver_sizes(k, sizes, sizeof sizes / sizeof *sizes);
	kit_reopen(k);
	struct view *v = kit_view(k, "INBOX");
	assert_int_equal(view_exists(v), sizeof sizes / sizeof *sizes);
	struct letter l = kit_letter(k, "size", sizes[8]);
	assert_true(str_eq(kit_bytes(k, v, 9), joined(k, &l)));
	view_close(&v);
}

static void ranges_touch_header_and_file(struct kit *k)
{
	struct letter l = kit_letter(k, "ranges", 3000000);
	struct incoming a = {kit_delivery(k), 1, STR(""), {0}, &l};
	struct arrived done;
	assert_ok(message_deliver(&k->courier, &a, &done));
	struct view *v = kit_view(k, "INBOX");
	str all = joined(k, &l);
	struct letter_bytes *b = NULL;
	assert_ok(fetch_open(v, 1, &b));
	assert_int_equal(fetch_header_size(b), l.trace.n + l.header_size);
	uint64_t state = 3;
	for (int i = 0; i < 200; i++) {
		AUTO_BUF buf out = buf_new(4 << 20);
		uint64_t from = sim_random(&state) % (all.n + 10), n = sim_random(&state) % 100000;
		assert_ok(fetch_bytes(b, from, n, &out));
		assert_true(str_eq(buf_str(&out), str_sub(all, from, n)));
	}
	assert_ok(message_remove(v, &(struct uids){(uint32_t[]){1}, 1}));
	AUTO_BUF buf late = buf_new(4 << 20);
	assert_ok(fetch_bytes(b, 1000000, 10, &late)); /* what is open stays readable */
	fetch_close(&b);
	assert_int_equal(fetch_open(v, 1, &b).kind, FAIL_ABSENT);
	view_close(&v);
}

static void a_delivery_is_kept_once(struct kit *k)
{
	struct letter l = kit_letter(k, "twice", 400000);
	struct incoming a = {kit_delivery(k), 1, STR("Junk"), {0}, &l};
	struct arrived done;
	assert_ok(message_deliver(&k->courier, &a, &done));
	assert_false(done.duplicate);
	kit_reopen(k);
	assert_ok(message_deliver(&k->courier, &a, &done));
	assert_true(done.duplicate);
	struct mailbox_status s;
	assert_ok(mailbox_status_of(&k->owner, STR("Junk"), &s));
	assert_int_equal(s.messages, 1);
}

static void a_missing_mailbox_means_inbox(struct kit *k)
{
	struct mailbox_status s;
	assert_ok(kit_deliver(k, "No/Such", "x", 10));
	assert_ok(mailbox_status_of(&k->owner, STR("inbox"), &s));
	assert_int_equal(s.messages, 1);
	assert_int_equal(s.unseen, 1);
	assert_int_equal(s.recent, 1);
}

static void columns_come_in_batches(struct kit *k)
{
	char subject[20];
	for (int i = 1; i <= 30; i++) {
		snprintf(subject, sizeof subject, "number %d", i);
		assert_ok(kit_append(k, "Sent", STORE_SEEN, subject));
	}
	struct view *v = kit_view(k, "Sent");
	uint32_t uids[40];
	for (uint32_t i = 0; i < 40; i++)
		uids[i] = i + 1;
	struct fetched f;
	assert_ok(fetch_rows(v, &(struct uids){uids, 40}, 255, &k->m, &f));
	assert_int_equal(f.n, 40);
	for (uint32_t i = 0; i < 40; i++) {
		assert_int_equal(f.rows[i].present, i < 30);
		if (i >= 30)
			continue;
		snprintf(subject, sizeof subject, "number %u", i + 1);
		assert_str(f.rows[i].envelope, str_from(subject));
		assert_str(f.rows[i].search, str_from(subject));
		assert_str(f.rows[i].parts, STR("parts"));
		assert_true(str_starts(f.rows[i].header, f.rows[i].trace));
		assert_true(str_ends(f.rows[i].header, STR("\r\n\r\n")));
		assert_int_equal(f.rows[i].header.n, f.rows[i].header_size);
		assert_int_equal(f.rows[i].date, 1700000001);
		assert_int_equal(f.rows[i].minutes, 60);
	}
	assert_ok(fetch_rows(v, &(struct uids){uids, 1}, FETCH_BASIC, &k->m, &f));
	assert_str(f.rows[0].basic, STR("(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1)"));
	assert_null(f.rows[0].header.p);
	view_close(&v);
}

static void a_long_header_is_not_in_the_row(struct kit *k)
{
	struct letter l = kit_letter(k, "long", 900000);
	l.header_size = 700000;
	struct incoming a = {kit_delivery(k), 1, STR(""), {0}, &l};
	struct arrived done;
	assert_ok(message_deliver(&k->courier, &a, &done));
	struct view *v = kit_view(k, "INBOX");
	struct fetched f;
	assert_ok(fetch_rows(v, &(struct uids){(uint32_t[]){1}, 1}, FETCH_HEADER, &k->m, &f));
	assert_null(f.rows[0].header.p);
	assert_int_equal(f.rows[0].header_size, l.trace.n + 700000);
	assert_true(str_eq(kit_bytes(k, v, 1), joined(k, &l)));
	view_close(&v);
}

static result set_flags(struct kit *k, struct view *v, const struct uids *which, struct flag_change c, struct uids *not)
{
	return message_flags(v, which, &c, &k->m, not);
}

static void flags_and_keywords(struct kit *k)
{
	for (int i = 0; i < 4; i++)
		assert_ok(kit_deliver(k, "", "flags", 10));
	struct view *v = kit_view(k, "INBOX"), *other = kit_view(k, "INBOX");
	str words[] = {STR("$Work"), STR("Home")};
	struct uids two = kit_uids(k, 2, 1, 3), not;
	assert_ok(set_flags(k, v, &two, (struct flag_change){FLAGS_ADD, {STORE_SEEN, words, 2}, false, 0}, &not));
	unsigned work = view_keyword_bit(v, STR("$work"));
	assert_true(work >= STORE_KEYWORD_BIT);
	assert_str(view_keyword(v, work), STR("$Work"));
	uint64_t both = STORE_SEEN | UINT64_C(1) << work | UINT64_C(1) << view_keyword_bit(v, STR("Home"));
	assert_int_equal(kit_flags(v, 1), both);
	assert_int_equal(kit_flags(v, 2), 0);
	struct view_changes c = kit_pull(k, v), d = kit_pull(k, other);
	assert_int_equal(c.flagged_n, 2);
	assert_true(c.keywords && c.flagged[0].own);
	assert_int_equal(d.flagged_n, 2);
	assert_int_equal(d.flagged[1].uid, 3);
	assert_false(d.flagged[1].own);
	str none[] = {STR("Nowhere")};
	assert_ok(set_flags(k, v, &two, (struct flag_change){FLAGS_REMOVE, {STORE_SEEN, none, 1}, false, 0}, &not));
	assert_int_equal(kit_flags(v, 3), both & ~STORE_SEEN);
	assert_int_equal(view_keyword_bit(v, STR("nowhere")), 0);
	assert_ok(set_flags(k, v, &two, (struct flag_change){FLAGS_REPLACE, {STORE_DRAFT, NULL, 0}, false, 0}, &not));
	assert_int_equal(kit_flags(v, 3), STORE_DRAFT);
	kit_reopen((view_close(&v), view_close(&other), k));
	v = kit_view(k, "INBOX");
	assert_int_equal(kit_flags(v, 3), STORE_DRAFT);
	assert_str(view_keyword(v, work), STR("$Work"));
	view_close(&v);
}

struct flagger {
	struct kit *k;
	struct view *v;
	uint64_t flag;
	bool done;
};

static void flag_three(void *arg)
{
	struct flagger *f = arg;
	struct uids all = kit_uids(f->k, 3, 1, 2, 3), not;
	assert_ok(set_flags(f->k, f->v, &all, (struct flag_change){FLAGS_ADD, {f->flag, NULL, 0}, false, 0}, &not));
	f->done = true;
}

/* The second knows its rows from before the first: it must read them again. */
static void flags_of_two_at_once_are_both_kept(struct kit *k)
{
	for (int i = 0; i < 3; i++)
		assert_ok(kit_deliver(k, "", "two", 10));
	struct view *v = kit_view(k, "INBOX");
	struct flagger a = {k, v, STORE_SEEN, false}, b = {k, v, STORE_FLAGGED, false};
	assert_ok(fiber_start(flag_three, &a, "first", NULL));
	assert_ok(fiber_start(flag_three, &b, "second", NULL));
	while (!a.done || !b.done)
		fiber_yield();
	for (uint32_t uid = 1; uid <= 3; uid++)
		assert_int_equal(kit_flags(v, uid), STORE_SEEN | STORE_FLAGGED);
	view_close(&v);
}

/* What is read ahead is there, and is given back like what a view has left. */
static void a_mailbox_is_read_ahead(struct kit *k)
{
	assert_ok(kit_deliver(k, "", "ahead", 10));
	view_expect(&k->owner, STR("INBOX"));
	view_expect(&k->owner, STR("No such"));
	struct view *v = kit_view(k, "INBOX");
	assert_int_equal(view_exists(v), 1);
	view_expect(&k->owner, STR("INBOX"));
	view_close(&v);
	assert_ok(store_trim(&k->administrator));
	view_expect(&k->owner, STR("INBOX"));
}

static void the_last_keyword_is_refused(struct kit *k)
{
	assert_ok(kit_deliver(k, "", "keywords", 10));
	struct view *v = kit_view(k, "INBOX");
	struct uids one = kit_uids(k, 1, 1), not;
	char name[16];
	for (int i = 0; i <= STORE_KEYWORDS_MAX; i++) {
		snprintf(name, sizeof name, "k%d", i);
		str word = str_from(name);
		struct flag_change c = {FLAGS_ADD, {0, &word, 1}, false, 0};
		result r = message_flags(v, &one, &c, &k->m, &not);
		assert_int_equal(r.kind, i < STORE_KEYWORDS_MAX ? FAIL_NONE : FAIL_LIMIT);
	}
	assert_int_equal(kit_flags(v, 1), ~(STORE_SYSTEM | STORE_RECENT));
	view_close(&v);
}

static void unchangedsince_tells_the_changed(struct kit *k)
{
	for (int i = 0; i < 3; i++)
		assert_ok(kit_deliver(k, "", "since", 10));
	struct view *v = kit_view(k, "INBOX");
	struct uids all = kit_uids(k, 3, 1, 2, 3), one = kit_uids(k, 1, 2), not;
	struct mailbox_status s;
	assert_ok(view_status(v, &s));
	struct flag_change seen = {FLAGS_ADD, {STORE_SEEN, NULL, 0}, false, 0};
	assert_ok(message_flags(v, &one, &seen, &k->m, &not));
	seen.conditional = true;
	seen.unchanged_since = s.modseq;
	assert_ok(message_flags(v, &all, &seen, &k->m, &not));
	assert_int_equal(not.n, 1);
	assert_int_equal(not.v[0], 2);
	assert_int_equal(kit_flags(v, 3), STORE_SEEN);
	view_close(&v);
}

static void expunge_and_what_a_second_view_sees(struct kit *k)
{
	for (int i = 0; i < 6; i++)
		assert_ok(kit_append(k, "INBOX", i % 2 ? STORE_DELETED : 0, "expunge"));
	struct view *v = kit_view(k, "INBOX"), *other = kit_view(k, "INBOX");
	struct uids some = kit_uids(k, 3, 1, 2, 4);
	struct mailbox_status before;
	assert_ok(view_status(v, &before));
	assert_int_equal(before.deleted, 3);
	assert_ok(message_expunge(v, &some));
	struct view_changes c = kit_pull(k, v);
	assert_int_equal(c.gone_n, 2);
	assert_int_equal(c.gone[0].number, 2);
	assert_int_equal(c.gone[1].number, 3);
	assert_int_equal(c.gone[1].uid, 4);
	assert_int_equal(c.exists, 4);
	struct view_changes d;
	assert_ok(view_pull(other, false, &k->m, &d));
	assert_int_equal(d.gone_n, 0);
	assert_int_equal(d.exists, 6);
	struct view_message m;
	assert_int_equal(view_at(other, 2, &m).kind, FAIL_ABSENT);
	assert_ok(message_expunge(v, NULL));
	d = kit_pull(k, other);
	assert_int_equal(d.gone_n, 3);
	assert_int_equal(d.gone[2].number, 4);
	assert_int_equal(d.exists, 3);
	struct imap_set gone;
	assert_ok(view_vanished(v, before.modseq, NULL, &k->m, &gone));
	assert_int_equal(imap_set_count(&gone), 2); /* 6 has its number still */
	assert_false(imap_set_has(&gone, 6));
	assert_true(view_modseq(v) < view_modseq(other));
	assert_ok(view_pull(v, false, &k->m, &c));
	assert_true(view_holds_back(v) && !view_holds_back(other));
	kit_pull(k, v);
	assert_true(view_modseq(v) == view_modseq(other) && !view_holds_back(v));
	assert_ok(view_vanished(v, before.modseq, NULL, &k->m, &gone));
	assert_int_equal(imap_set_count(&gone), 3);
	assert_true(imap_set_has(&gone, 6));
	struct imap_range only = {4, 5};
	struct imap_set known = {&only, 1, false, true};
	assert_ok(view_vanished(v, before.modseq, &known, &k->m, &gone));
	assert_int_equal(imap_set_count(&gone), 1);
	view_close(&v);
	view_close(&other);
}

static void copies_share_and_moves_move(struct kit *k)
{
	assert_ok(kit_append(k, "INBOX", STORE_FLAGGED, "shared"));
	assert_ok(kit_deliver(k, "", "large", 900000));
	struct view *v = kit_view(k, "INBOX"), *to;
	str word = STR("Kept");
	struct uids both = kit_uids(k, 3, 1, 2, 9), not;
	struct flag_change c = {FLAGS_ADD, {0, &word, 1}, false, 0};
	assert_ok(message_flags(v, &both, &c, &k->m, &not));
	struct copied done;
	struct copy_order nowhere = {&both, STR("Nowhere"), false};
	assert_int_equal(message_copy(v, &nowhere, &k->m, &done).kind, FAIL_ABSENT);
	assert_ok(message_copy(v, &(struct copy_order){&both, STR("Archive"), false}, &k->m, &done));
	assert_int_equal(done.n, 2);
	assert_int_equal(done.from[1], 2);
	assert_int_equal(done.to[1], 2);
	assert_ok(message_move(v, &(struct copy_order){&both, STR("Archive"), false}, &k->m, &done));
	assert_int_equal(done.n, 2);
	assert_int_equal(kit_pull(k, v).exists, 0);
	to = kit_view(k, "Archive");
	assert_int_equal(view_exists(to), 4);
	struct view_message a, b;
	assert_ok(view_at(to, 1, &a));
	assert_ok(view_at(to, 3, &b));
	assert_int_equal(a.content, b.content);
	assert_int_equal(a.flags & ~STORE_RECENT, STORE_FLAGGED | UINT64_C(1) << view_keyword_bit(to, STR("kept")));
	str first = kit_bytes(k, to, 2);
	kit_expect_sound(k);
	assert_ok(message_remove(to, &(struct uids){(uint32_t[]){1, 2}, 2}));
	assert_true(str_eq(first, kit_bytes(k, to, 4)));
	assert_ok(message_remove(to, &(struct uids){(uint32_t[]){3, 4}, 2}));
	struct store_usage u;
	assert_ok(store_usage_of(&k->owner, &u));
	assert_int_equal(u.messages, 0);
	assert_int_equal(u.octets, 0);
	view_close(&v);
	view_close(&to);
}

static void append_is_all_or_nothing(struct kit *k)
{
	struct letter l = kit_letter(k, "many", 500);
	struct append_item items[3];
	for (int i = 0; i < 3; i++)
		items[i] = (struct append_item){&l, {0}, 5, 0};
	struct appended done;
	struct append a = {STR("Drafts"), items, 3};
	assert_ok(message_append(&k->owner, &a, &done));
	assert_int_equal(done.first_uid, 1);
	assert_ok(store_quota_set(&k->administrator, 4 * (l.trace.n + l.body.n)));
	assert_int_equal(message_append(&k->owner, &a, &done).kind, FAIL_FULL);
	struct mailbox_status s;
	assert_ok(mailbox_status_of(&k->owner, STR("Drafts"), &s));
	assert_int_equal(s.messages, 3);
	a.mailbox = STR("Nowhere");
	assert_int_equal(message_append(&k->owner, &a, &done).kind, FAIL_ABSENT);
	a.n = STORE_APPEND_MAX + 1;
	assert_int_equal(message_append(&k->owner, &a, &done).kind, FAIL_LIMIT);
	uint64_t room;
	assert_ok(store_may_take(&k->courier, 10, &room));
	assert_int_equal(store_may_take(&k->courier, 100000, &room).kind, FAIL_LIMIT);
	assert_ok(kit_deliver(k, "", "what was announced may overshoot", 5000));
	assert_int_equal(store_may_take(&k->courier, 0, &room).kind, FAIL_FULL);
	struct view *v = kit_view(k, "Drafts");
	struct copied moved;
	struct uids one = kit_uids(k, 1, 1);
	assert_int_equal(message_copy(v, &(struct copy_order){&one, STR("Trash"), false}, &k->m, &moved).kind, FAIL_FULL);
	assert_ok(message_move(v, &(struct copy_order){&one, STR("Trash"), false}, &k->m, &moved));
	view_close(&v);
}

static void wake_after_delivery(void *arg)
{
	assert_ok(kit_deliver(arg, "", "wake", 10));
}

static void a_waiting_view_is_woken(struct kit *k)
{
	struct view *v = kit_view(k, "INBOX");
	assert_int_equal(view_wait(v, 1).kind, FAIL_TIMEOUT);
	assert_ok(fiber_start(wake_after_delivery, k, "courier", NULL));
	assert_ok(view_wait(v, 10000));
	assert_true(kit_pull(k, v).arrived);
	view_close(&v);
}

static void recent_goes_to_the_first(struct kit *k)
{
	assert_ok(kit_deliver(k, "", "one", 10));
	assert_ok(kit_deliver(k, "", "two", 10));
	struct view *reader = NULL;
	assert_ok(view_open(&k->owner, STR("INBOX"), false, &reader));
	assert_int_equal(view_recent(reader), 2);
	struct view *v = kit_view(k, "INBOX"), *other = kit_view(k, "INBOX");
	assert_int_equal(view_recent(v), 2);
	assert_int_equal(view_recent(other), 0);
	assert_ok(kit_deliver(k, "", "three", 10));
	assert_int_equal(kit_pull(k, other).recent, 1);
	assert_int_equal(kit_pull(k, v).recent, 2);
	struct uids one = kit_uids(k, 1, 1), not;
	struct flag_change c = {FLAGS_ADD, {STORE_SEEN, NULL, 0}, false, 0};
	assert_int_equal(message_flags(reader, &one, &c, &k->m, &not).kind, FAIL_DENIED);
	view_close(&v);
	view_close(&other);
	view_close(&reader);
	kit_reopen(k);
	v = kit_view(k, "INBOX");
	assert_int_equal(view_recent(v), 0);
	view_close(&v);
}

static void picks(struct kit *k)
{
	for (int i = 0; i < 5; i++)
		assert_ok(kit_deliver(k, "", "pick", 10));
	struct view *v = kit_view(k, "INBOX");
	assert_ok(message_remove(v, &(struct uids){(uint32_t[]){2}, 1}));
	kit_pull(k, v);
	struct imap_range r[] = {{2, 3}, {5, IMAP_STAR}};
	struct imap_set s = {r, 2, false, false};
	struct uids got;
	assert_ok(view_pick(v, &s, true, &k->m, &got));
	assert_int_equal(got.n, 2);
	assert_int_equal(got.v[0], 3);
	assert_int_equal(got.v[1], 5);
	struct imap_range n[] = {{2, 9}};
	s = (struct imap_set){n, 1, false, false};
	assert_ok(view_pick(v, &s, false, &k->m, &got));
	assert_int_equal(got.n, 3);
	assert_int_equal(got.v[0], 3);
	view_close(&v);
}

static void a_slow_view_compares_whole(struct kit *k)
{
	for (int i = 0; i < 3; i++)
		assert_ok(kit_deliver(k, "", "slow", 10));
	struct view *v = kit_view(k, "INBOX"), *slow = kit_view(k, "INBOX");
	struct uids two = {(uint32_t[]){1, 2}, 2}, not;
	for (int i = 0; i <= STORE_JOURNAL_MAX / 2; i++) {
		struct flag_change c = {i % 2 ? FLAGS_ADD : FLAGS_REMOVE, {STORE_SEEN, NULL, 0}, false, 0};
		assert_ok(message_flags(v, &two, &c, &k->m, &not));
		if (i % 50 == 0)
			arena_clear(&k->m);
	}
	assert_ok(message_remove(v, &(struct uids){(uint32_t[]){1}, 1}));
	assert_ok(kit_deliver(k, "", "slow", 10));
	struct view_changes c = kit_pull(k, slow);
	assert_int_equal(c.gone_n, 1);
	assert_int_equal(c.flagged_n, 1);
	assert_int_equal(c.flagged[0].uid, 2);
	assert_int_equal(c.flagged[0].number, 1);
	assert_int_equal(c.exists, 3);
	view_close(&v);
	view_close(&slow);
}

#define RUN(NAME) static void test_##NAME(void **state) { (void)state; kit_run(NAME); }
#define TESTS(X)                                                                                           \
	X(a_new_account_has_its_mailboxes) X(letters_come_back_byte_for_byte) X(ranges_touch_header_and_file)  \
	X(a_delivery_is_kept_once) X(a_missing_mailbox_means_inbox) X(columns_come_in_batches)                 \
	X(a_long_header_is_not_in_the_row) X(flags_and_keywords) X(the_last_keyword_is_refused)                         \
	X(flags_of_two_at_once_are_both_kept) X(a_mailbox_is_read_ahead)                                               \
	X(unchangedsince_tells_the_changed) X(expunge_and_what_a_second_view_sees)                             \
	X(copies_share_and_moves_move) X(append_is_all_or_nothing) X(a_waiting_view_is_woken)                  \
	X(recent_goes_to_the_first) X(picks) X(a_slow_view_compares_whole)
TESTS(RUN)

int main(void)
{
#define UNIT(NAME) cmocka_unit_test(test_##NAME),
	const struct CMUnitTest tests[] = {TESTS(UNIT)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
