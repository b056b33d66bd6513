#include "account/store/kit.h"
#include "account/store/core.h"
#include "base/mem.h"
#include "engine/seal.h"
#include "run/clock.h"
#include "run/loop.h"
#include "run/random.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const unsigned char key[32] = "a key for tests", id[16] = "an account";

enum { KIT_ARENA = 64 << 20 };

result kit_open(struct kit *k)
{
	struct store_options options = {k->files, k->key ? k->key : key, id, k->quota, k->give_up};
	TRY(store_open(&options, &k->store));
	k->store->kept.views += k->watched;
	k->owner = (struct actor){k->store, ACTOR_OWNER};
	k->courier = (struct actor){k->store, ACTOR_COURIER};
	k->administrator = (struct actor){k->store, ACTOR_ADMINISTRATOR};
	return OK;
}

void kit_close(struct kit *k)
{
	store_close(&k->store);
}

void kit_reopen(struct kit *k)
{
	kit_close(k);
	assert_ok(kit_open(k));
}

result kit_gather_bodies(void *names, str name)
{
	if (str_ends(name, STR(".body")))
		buf_put(names, name);
	return buf_result(names);
}

void kit_expect_sound(struct kit *k)
{
	AUTO_ARENA arena m = arena_new(4 << 20);
	struct findings f;
	assert_ok(store_check(&k->administrator, false, &m, &f));
	for (size_t i = 0; i < f.n; i++)
		printf("found: %.*s\n", STR_ARG(f.v[i].sentence));
	assert_int_equal(f.n, 0);
}

struct turn {
	void (*fn)(struct kit *k);
	struct kit *kit;
};

static void one_turn(void *arg)
{
	struct turn *t = arg;
	assert_ok(kit_open(t->kit));
	t->fn(t->kit);
	kit_expect_sound(t->kit);
	kit_close(t->kit);
}

void kit_on_fiber(void (*fn)(void *arg), void *arg)
{
	static bool started;
	if (!started) {
		assert_ok(random_open());
		assert_ok(seal_start());
		started = true;
	}
	assert_ok(loop_open());
	assert_ok(fiber_start(fn, arg, "test", NULL));
	loop_run();
	loop_close();
}

static void run_in_memory(void (*fn)(struct kit *k), bool watched)
{
	struct kit k = {.sim = sim_new(7), .m = arena_new(KIT_ARENA), .watched = watched};
	k.files = sim_files(k.sim);
	kit_on_fiber(one_turn, &(struct turn){fn, &k});
	arena_free(&k.m);
	sim_free(&k.sim);
}

void kit_run(void (*fn)(struct kit *k))
{
	run_in_memory(fn, false);
}

void kit_run_watched(void (*fn)(struct kit *k))
{
	run_in_memory(fn, true);
}

static result unlink_one(void *ctx, str name)
{
	char text[300];
	snprintf(text, sizeof text, "%.*s", STR_ARG(name));
	(void)unlinkat(*(int *)ctx, text, 0);
	return OK;
}

void kit_run_on_disk(void (*fn)(struct kit *k))
{
	struct kit k = {.m = arena_new(KIT_ARENA)};
	snprintf(k.folder, sizeof k.folder, "%s", "/tmp/postern-store-XXXXXX");
	assert_non_null(mkdtemp(k.folder));
	int fd = open(k.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	k.local = files_local(fd);
	k.files = &k.local.base;
	kit_on_fiber(one_turn, &(struct turn){fn, &k});
	assert_ok(files_list(k.files, unlink_one, &fd));
	close(fd);
	assert_int_equal(rmdir(k.folder), 0);
	arena_free(&k.m);
}

struct letter kit_letter(struct kit *k, const char *subject, size_t body)
{
	AUTO_BUF buf b = buf_new(300 << 20);
	buf_printf(&b, "From: a@example.test\r\nTo: b@example.test\r\nSubject: %s\r\n\r\n", subject);
	size_t header = b.n;
	uint64_t state = body + strlen(subject);
	while (b.n < header + body)
		buf_printf(&b, "%s %llx\r\n", subject, (unsigned long long)sim_random(&state));
	assert_ok(buf_result(&b));
	return (struct letter){
		.trace = STR("Return-Path: <a@example.test>\r\n"
			"Received: by example.test; Mon, 1 Jan 2024 00:00:00 +0000\r\n"),
		.body = arena_dup(&k->m, buf_str(&b)),
		.header_size = header,
		.envelope = arena_dup(&k->m, str_from(subject)),
		.structure = STR("(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1 NIL NIL NIL NIL)"),
		.basic = STR("(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1)"),
		.parts = STR("parts"),
		.search = arena_dup(&k->m, str_from(subject)),
	};
}

trace_id kit_delivery(struct kit *k)
{
	trace_id t = {{0}};
	uint64_t ms = (uint64_t)clock_wall_ms();
	k->deliveries++;
	for (unsigned i = 0; i < 6; i++)
		t.b[i] = (unsigned char)(ms >> (40 - 8 * i));
	for (unsigned i = 0; i < 4; i++)
		t.b[12 + i] = (unsigned char)(k->deliveries >> (24 - 8 * i));
	return t;
}

result kit_deliver(struct kit *k, const char *mailbox, const char *subject, size_t body)
{
	struct letter l = kit_letter(k, subject, body);
	struct incoming a = {kit_delivery(k), 1700000000, str_from(mailbox), {0}, &l};
	struct arrived done;
	return message_deliver(&k->courier, &a, &done);
}

result kit_append(struct kit *k, const char *mailbox, uint64_t flags, const char *subject)
{
	struct letter l = kit_letter(k, subject, 100);
	struct append_item item = {&l, {.system = flags}, 1700000001, 60};
	struct append a = {str_from(mailbox), &item, 1};
	struct appended done;
	return message_append(&k->owner, &a, &done);
}

struct view *kit_view(struct kit *k, const char *mailbox)
{
	struct view *v = NULL;
	assert_ok(view_open(&k->owner, str_from(mailbox), true, &v));
	return v;
}

struct uids kit_uids(struct kit *k, size_t n, ...)
{
	uint32_t *v = arena_array(&k->m, n, sizeof *v);
	va_list args;
	va_start(args, n);
	for (size_t i = 0; i < n; i++)
		v[i] = va_arg(args, uint32_t);
	va_end(args);
	return (struct uids){v, n};
}

struct view_changes kit_pull(struct kit *k, struct view *v)
{
	struct view_changes c;
	assert_ok(view_pull(v, true, &k->m, &c));
	return c;
}

str kit_bytes(struct kit *k, struct view *v, uint32_t uid)
{
	struct letter_bytes *b = NULL;
	AUTO_BUF buf out = buf_new(300 << 20);
	assert_ok(fetch_open(v, uid, &b));
	assert_ok(fetch_bytes(b, 0, UINT64_MAX, &out));
	assert_int_equal(out.n, fetch_size(b));
	fetch_close(&b);
	return arena_dup(&k->m, buf_str(&out));
}

uint32_t kit_last_uid(struct kit *k, const char *mailbox)
{
	struct view *v = kit_view(k, mailbox);
	uint32_t uid = view_uid(v, view_exists(v));
	view_close(&v);
	return uid;
}

struct asked {
	const char *sql;
	int64_t answer;
};

static result ask(struct db *db, void *arg)
{
	struct asked *a = arg;
	return db_get(db, &a->answer, a->sql);
}

int64_t kit_number(struct kit *k, const char *sql)
{
	struct asked a = {.sql = sql};
	assert_ok(store_catch_up(k->store));
	assert_ok(store_read(k->store, ask, NULL, &a));
	return a.answer;
}

static result write_run(struct db *db, void *sql)
{
	return db_exec(db, sql);
}

void kit_write(struct kit *k, const char *sql)
{
	struct commit_job job = {.run = write_run, .arg = (void *)(uintptr_t)sql, .writes = true};
	assert_ok(store_catch_up(k->store));
	assert_ok(committer_do(k->store->committer, &job));
}

uint64_t kit_flags(struct view *v, uint32_t uid)
{
	struct view_message m;
	if (failed(view_get(v, uid, &m)))
		return UINT64_MAX;
	return m.flags & ~STORE_RECENT;
}

struct actor *kit_view_actor(struct view *v)
{
	return &v->actor;
}

uint64_t kit_modseq(const struct kit *k)
{
	assert_ok(store_catch_up(k->store));
	return k->store->account.modseq;
}

size_t kit_views(const struct kit *k, const char *mailbox)
{
	size_t n = 0;
	LIST_EACH(node, &catalog_find(&k->store->catalog, str_from(mailbox))->loaded->views)
		n++;
	return n;
}
