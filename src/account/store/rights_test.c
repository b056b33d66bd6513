/* Each row of the rights table: whoever lacks the right is refused before
 * anything happens, whoever has it is not. A row without a call fails. */
#include "account/store/kit.h"
#include "account/store/rights.h"

#include <stdio.h>

/* The owner's views; asked for with another actor's hands. */
struct scene {
	struct kit *k;
	struct actor actor;
	struct view *view;
};

static result call_usage(struct scene *s)
{
	struct store_usage u;
	return store_usage_of(&s->actor, &u);
}

static result call_quota_set(struct scene *s)
{
	return store_quota_set(&s->actor, 1 << 30);
}

static result call_trim(struct scene *s)
{
	return store_trim(&s->actor);
}

static result call_check(struct scene *s)
{
	struct findings f;
	return store_check(&s->actor, false, &s->k->m, &f);
}

static result call_may_take(struct scene *s)
{
	uint64_t room;
	return store_may_take(&s->actor, 1, &room);
}

static result call_deliver(struct scene *s)
{
	struct letter l = kit_letter(s->k, "rights", 10);
	struct incoming a = {kit_delivery(s->k), 1, STR(""), {0}, &l};
	struct arrived done;
	return message_deliver(&s->actor, &a, &done);
}

static result call_list(struct scene *s)
{
	struct mailbox_entries e;
	return mailbox_list(&s->actor, &s->k->m, &e);
}

static result call_status(struct scene *s)
{
	struct mailbox_status out;
	return mailbox_status_of(&s->actor, STR("INBOX"), &out);
}

static result call_create(struct scene *s)
{
	struct mailbox_status out;
	return mailbox_create(&s->actor, STR("made"), 0, &out);
}

static result call_delete(struct scene *s)
{
	return mailbox_delete(&s->actor, STR("Junk"));
}

static result call_rename(struct scene *s)
{
	return mailbox_rename(&s->actor, STR("Drafts"), STR("Sketches"));
}

static result call_subscribe(struct scene *s)
{
	return mailbox_subscribe(&s->actor, STR("News"), true);
}

static result call_view(struct scene *s)
{
	struct view *v = NULL;
	result r = view_open(&s->actor, STR("INBOX"), true, &v);
	view_close(&v);
	return r;
}

/* Every way to read asks for the same right; all have to answer alike. */
static result call_read(struct scene *s)
{
	struct view_changes c;
	struct mailbox_status st;
	struct fetched f;
	struct letter_bytes *b = NULL;
	struct imap_set gone;
	AUTO_BUF buf out = buf_new(1 << 20);
	struct uids one = {(uint32_t[]){1}, 1};
	const result got[] = {
		view_pull(s->view, true, &s->k->m, &c),
		view_status(s->view, &st),
		fetch_rows(s->view, &one, FETCH_DATES, &s->k->m, &f),
		view_vanished(s->view, 0, NULL, &s->k->m, &gone),
		fetch_open(s->view, 1, &b),
	};
	if (b && failed(fetch_bytes(b, 0, 10, &out)))
		fail_msg("what was opened cannot be read");
	fetch_close(&b);
	for (size_t i = 1; i < sizeof got / sizeof *got; i++)
		assert_int_equal(got[i].kind, got[0].kind);
	result waited = view_wait(s->view, 1);
	assert_int_equal(waited.kind, failed(got[0]) ? got[0].kind : FAIL_TIMEOUT);
	return got[0];
}

static result call_append(struct scene *s)
{
	struct letter l = kit_letter(s->k, "rights", 10);
	struct append_item item = {&l, {0}, 1, 0};
	struct append a = {STR("Sent"), &item, 1};
	struct appended done;
	return message_append(&s->actor, &a, &done);
}

static result call_flags(struct scene *s)
{
	struct uids one = {(uint32_t[]){1}, 1}, not;
	struct flag_change c = {FLAGS_ADD, {STORE_FLAGGED, NULL, 0}, false, 0};
	return message_flags(s->view, &one, &c, &s->k->m, &not);
}

static result call_expunge(struct scene *s)
{
	struct uids one = {(uint32_t[]){2}, 1};
	result r = message_expunge(s->view, NULL);
	assert_int_equal(message_remove(s->view, &one).kind, r.kind);
	return r;
}

static result call_copy(struct scene *s)
{
	struct copied done;
	struct uids one = {(uint32_t[]){1}, 1};
	return message_copy(s->view, &(struct copy_order){&one, STR("Sent"), false}, &s->k->m, &done);
}

static result call_move(struct scene *s)
{
	struct copied done;
	struct uids one = {(uint32_t[]){3}, 1};
	return message_move(s->view, &(struct copy_order){&one, STR("Sent"), false}, &s->k->m, &done);
}

static result (*const calls[STORE_OPS])(struct scene *) = {
	[OP_USAGE] = call_usage,
	[OP_QUOTA_SET] = call_quota_set,
	[OP_TRIM] = call_trim,
	[OP_CHECK] = call_check,
	[OP_MAY_TAKE] = call_may_take,
	[OP_DELIVER] = call_deliver,
	[OP_LIST] = call_list,
	[OP_STATUS] = call_status,
	[OP_CREATE] = call_create,
	[OP_DELETE] = call_delete,
	[OP_RENAME] = call_rename,
	[OP_SUBSCRIBE] = call_subscribe,
	[OP_VIEW] = call_view,
	[OP_READ] = call_read,
	[OP_APPEND] = call_append,
	[OP_FLAGS] = call_flags,
	[OP_EXPUNGE] = call_expunge,
	[OP_COPY] = call_copy,
	[OP_MOVE] = call_move,
};

/* A view keeps the actor that opened it; here another one gets hold of it. */
static struct view *opened_by(struct kit *k, enum actor_kind kind)
{
	struct view *v = kit_view(k, "INBOX");
	kit_view_actor(v)->kind = kind;
	return v;
}

static void fresh_scene(struct kit *k, enum store_op op, enum actor_kind kind)
{
	struct scene s = {k, {k->store, kind}, NULL};
	uint64_t modseq = kit_modseq(k);
	bool has = store_op_rights(op) & 1U << kind;
	s.view = opened_by(k, kind);
	result r = calls[op](&s);
	view_close(&s.view);
	if (has && failed(r))
		fail_msg("%s by actor %d: %s", store_op_name(op), kind, r.text);
	if (!has && r.kind != FAIL_DENIED)
		fail_msg("%s by actor %d is not refused", store_op_name(op), kind);
	if (!has)
		assert_int_equal(kit_modseq(k), modseq);
}

static void each_row(struct kit *k)
{
	for (int i = 0; i < 3; i++)
		assert_ok(kit_deliver(k, "", "rights", 10));
	for (unsigned op = 0; op < STORE_OPS; op++) {
		if (!calls[op])
			fail_msg("%s has no call in this test", store_op_name(op));
		for (enum actor_kind kind = ACTOR_OWNER; kind <= ACTOR_ADMINISTRATOR; kind++)
			if (!(store_op_rights(op) & 1U << kind))
				fresh_scene(k, op, kind);
		for (enum actor_kind kind = ACTOR_OWNER; kind <= ACTOR_ADMINISTRATOR; kind++)
			if (store_op_rights(op) & 1U << kind)
				fresh_scene(k, op, kind);
	}
}

static void test_each_row(void **state)
{
	(void)state;
	kit_run(each_row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_row)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
