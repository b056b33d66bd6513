/* Each kind of damage to the account's invariants: found, mended where that is
 * possible, and then nothing is found any more. */
#include "account/store/kit.h"
#include "account/store/core.h"

static const struct damage {
	const char *sql;
	const char *says; /* a part of some sentence */
	bool mended;
} damages[] = {
	{"UPDATE counts SET messages=messages+1 WHERE id=1", "counts", true},
	{"UPDATE counts SET unseen=0 WHERE id=1", "counts", true},
	{"UPDATE counts SET deleted_octets=5 WHERE id=1", "counts", true},
	{"UPDATE counts SET next=2 WHERE id=1", "again", true},
	{"UPDATE counts SET next=9 WHERE id=1", "without a record", true},
	{"UPDATE counts SET modseq=1 WHERE id=1", "newer", true},
	{"UPDATE counts SET modseq=1 WHERE id=0", "ahead", true},
	{"UPDATE counts SET uidvalidity=1 WHERE id=0", "not given out", true},
	{"UPDATE counts SET octets=octets+1 WHERE id=0", "The account counts", true},
	{"UPDATE counts SET next=1 WHERE id=0", "given out again", true},
	{"UPDATE message SET size=size+1 WHERE uid=2", "the size it says", true},
	{"DELETE FROM vanished", "without a record", true},
	{"DELETE FROM message WHERE uid=2", "belongs to no message", true},
	{"DELETE FROM shared", "belongs to 2 messages and counts 1", true},
	{"UPDATE shared SET messages=3", "counts 3", true},
	{"INSERT INTO shared VALUES(4711,2)", "belongs to 0 messages", true},
	{"DELETE FROM content WHERE id=(SELECT content FROM message WHERE uid=2)", "has no content", false},
	{"DELETE FROM keyword", "without a name", true},
	{"UPDATE keyword SET bit=8", "without a name", true},
	{"UPDATE counts SET next=1 WHERE id=1", "again", true},
	{"UPDATE message SET modseq=999 WHERE uid=3", "newer", true},
	{"UPDATE vanished SET modseq=999", "newer", true},
	{"UPDATE counts SET recent=0 WHERE id=1", "which messages are new", true},
	{"UPDATE counts SET recent=99 WHERE id=1", "which messages are new", true},
	{"DELETE FROM message WHERE uid=5", "without a record", true},
	{"UPDATE vanished SET last=9", "again", true},
	{"UPDATE vanished SET first=2,last=1", "no message there can be", true},
	{"INSERT INTO vanished VALUES(4711,1,1,2)", "removed messages belong to no mailbox", true},
	{"INSERT INTO counts VALUES(4711,0,0,0,0,0,0,0,0,0,0)", "rows of counts belong to no mailbox", true},
	{"DELETE FROM counts WHERE id=1", "no row of counts", true},
	{"UPDATE content SET delivery=zeroblob(16) WHERE id=(SELECT min(id) FROM content)", "nobody looks", true},
	{"UPDATE content SET delivery=x'00' WHERE id=(SELECT min(id) FROM content)", "nobody looks", true},
	{"INSERT INTO keyword VALUES(4711,6,'x')", "keywords belong to no mailbox", true},
	{"DELETE FROM mailbox WHERE name='Archive'", "of 1 messages is missing", true},
	{"DELETE FROM mailbox WHERE name='INBOX'", "There is no INBOX", true},
	{"INSERT INTO former SELECT 'INBOX',uidvalidity FROM counts WHERE id=1", "its name had before", true},
	{"INSERT INTO former VALUES('INBOX',4294967000)", "had a UIDVALIDITY the account", true},
	{"UPDATE content SET blob=zeroblob(32) WHERE blob IS NOT NULL", "cannot be read", false},
	{"UPDATE content SET blob=x'00' WHERE blob IS NOT NULL", "wrong length", false},
	{"UPDATE content SET rest_size=1 WHERE blob IS NOT NULL", "not the size", false},
	{"UPDATE mailbox SET name='x' WHERE name='INBOX'", "no INBOX", true},
	{"INSERT INTO vanished SELECT id,1,2,2 FROM mailbox WHERE name='INBOX'", "recorded as removed", true},
	{"UPDATE list SET records=zeroblob(7)", "is damaged from UID", false},
	{"INSERT INTO list VALUES(5,zeroblob(3990))", "is damaged from UID 5", false},
	{"INSERT INTO list VALUES(-5,zeroblob(3990))", "is damaged from UID", false},
	{"UPDATE list SET id=id+1", "is damaged from UID 2", false},
	{"UPDATE list SET records=CAST(x'FFFF'||substr(records,3) AS BLOB)",
		"is damaged from UID", false},
	{"UPDATE list SET records=CAST(substr(records,1,3989)||x'01' AS BLOB)", "is damaged from UID", false},
	{"INSERT INTO list SELECT id+2,records FROM list WHERE id<8589934592", "is damaged from UID 3", false},
	{"INSERT INTO vanished SELECT id,1,1,4 FROM mailbox WHERE name='INBOX'", "UID 3 of mailbox INBOX is there", true},
};

static result to_row(void *ctx, uint64_t box, const struct entry *e)
{
	const struct row *r = &e->row;
	return db_run(ctx, "INSERT INTO temp.message VALUES(?1,?2,?3,?4,?5,?6)", DB_INT(box), DB_INT(r->uid),
		DB_INT(r->size), DB_INT(r->content), DB_INT(r->flags), DB_INT(r->modseq));
}

static result from_rows(struct db *db, struct lists *l)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT * FROM temp.message ORDER BY mailbox,uid"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return lists_settle(l, db);
		struct entry e = {.row = {(uint32_t)query_int(q, 1), (uint32_t)query_int(q, 2), (uint64_t)query_int(q, 5),
			(uint64_t)query_int(q, 4), (uint64_t)query_int(q, 3)}};
		TRY(list_add(&(struct place){l, db, (uint64_t)query_int(q, 0)}, &e));
	}
}

/* The lists are rows while they are hurt. */
static result hurt(struct db *db, void *arg)
{
	const struct damage *d = arg;
	static struct lists l; /* too large for the stack of a fiber */
	l = (struct lists){0};
	TRY(db_exec(db, "CREATE TEMP TABLE message(mailbox,uid,size,content,flags,modseq)"));
	TRY(list_read_all(&l, db, &(struct list_reader){.take = to_row, .ctx = db}));
	TRY(db_exec(db, d->sql));
	if (strstr(d->sql, " message")) {
		TRY(db_exec(db, "DELETE FROM list"));
		TRY(from_rows(db, &l));
	}
	return db_exec(db, "DROP TABLE temp.message");
}

static void fill(struct kit *k)
{
	str word = STR("Word");
	struct uids one = {(uint32_t[]){3}, 1}, not;
	struct flag_change c = {FLAGS_ADD, {0, &word, 1}, false, 0};
	struct copied copied;
	for (int i = 0; i < 4; i++)
		assert_ok(kit_deliver(k, "", "check", 100));
	assert_ok(kit_deliver(k, "", "large", 1200000));
	struct view *v = kit_view(k, "INBOX");
	assert_ok(message_flags(v, &one, &c, &k->m, &not));
	assert_ok(message_copy(v, &(struct copy_order){&one, STR("Archive"), false}, &k->m, &copied));
	assert_ok(message_remove(v, &(struct uids){(uint32_t[]){1}, 1}));
	view_close(&v);
}

static bool says(const struct findings *f, const char *part, bool mended)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_find(f->v[i].sentence, str_from(part)) != STR_NONE && f->v[i].mended == mended)
			return true;
	return false;
}

static const struct damage *damage;

static void one_damage(struct kit *k)
{
	struct findings f;
	fill(k);
	kit_expect_sound(k);
	struct commit_job job = {hurt, NULL, (void *)(uintptr_t)damage, true};
	assert_ok(committer_do(k->store->committer, &job));
	assert_ok(store_check(&k->administrator, false, &k->m, &f));
	if (!says(&f, damage->says, false))
		fail_msg("not found: %s", damage->sql);
	assert_ok(store_check(&k->administrator, true, &k->m, &f));
	if (!says(&f, damage->says, damage->mended))
		fail_msg("not mended: %s", damage->sql);
	assert_ok(store_check(&k->administrator, false, &k->m, &f));
	assert_int_equal(f.n == 0, damage->mended);
}

static void turn(void *arg)
{
	struct kit *k = arg;
	assert_ok(kit_open(k));
	one_damage(k);
	if (damage->mended) {
		kit_reopen(k);
		kit_expect_sound(k);
	}
	kit_close(k);
}

static void test_each_damage(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
		struct kit k = {.sim = sim_new(i), .m = arena_new(64 << 20)};
		k.files = sim_files(k.sim);
		damage = &damages[i];
		kit_on_fiber(turn, &k);
		arena_free(&k.m);
		sim_free(&k.sim);
	}
}

/* ---- files nobody names ---- */

static result count_bodies(void *ctx, str name)
{
	*(unsigned *)ctx += str_ends(name, STR(".body")) || str_ends(name, STR(".part"));
	return OK;
}

static void expect_bodies(struct kit *k, unsigned want)
{
	unsigned n = 0;
	assert_ok(files_list(k->files, count_bodies, &n));
	assert_int_equal(n, want);
}

static result orphan(struct db *db, void *arg)
{
	struct store *s = arg;
	struct blob_key key;
	(void)db;
	return engine_put_body(s->engine, STR("nobody's"), &key);
}

static void body_files_are_swept(struct kit *k)
{
	struct findings f;
	fill(k);
	expect_bodies(k, 1);
	assert_ok(store_read(k->store, orphan, NULL, k->store));
	expect_bodies(k, 2);
	kit_reopen(k);
	expect_bodies(k, 1);
	assert_ok(store_read(k->store, orphan, NULL, k->store));
	assert_ok(store_check(&k->administrator, false, &k->m, &f));
	assert_true(f.n == 1 && says(&f, "1 body files belong to no message", false));
	expect_bodies(k, 2);
	assert_ok(store_check(&k->administrator, true, &k->m, &f));
	assert_true(f.n == 1 && says(&f, "1 body files belong to no message", true));
	expect_bodies(k, 1);
	struct view *v = kit_view(k, "INBOX");
	assert_ok(message_remove(v, &(struct uids){(uint32_t[]){5}, 1}));
	view_close(&v);
	expect_bodies(k, 0);
}

/* A lull would have taken it: a check that only looks does not cry wolf, unless the disk does not let it go. */
static void a_sweep_that_is_due_is_no_finding(struct kit *k)
{
	struct findings f;
	fill(k);
	assert_ok(store_read(k->store, orphan, NULL, k->store));
	k->store->sweep_due = true;
	sim_fault_at(k->sim, SIM_REFUSE, 1);
	assert_ok(store_check(&k->administrator, false, &k->m, &f));
	sim_fault_at(k->sim, SIM_NONE, 0);
	assert_true(f.n == 1 && says(&f, "1 body files belong to no message", false));
	assert_true(k->store->sweep_due);
	expect_bodies(k, 2);
	assert_ok(store_check(&k->administrator, false, &k->m, &f));
	assert_int_equal(f.n, 0);
	assert_false(k->store->sweep_due);
	expect_bodies(k, 1);
}

static void test_sweep(void **state)
{
	(void)state;
	kit_run(body_files_are_swept);
	kit_run(a_sweep_that_is_due_is_no_finding);
}

/* One operation of the disk is refused while a large letter comes, comes again, and goes. */
static struct {
	uint64_t operation;
	bool over;     /* there were fewer */
	bool given_up; /* nobody knows what is committed: the process ends */
} refusal;

static void on_give_up(result why)
{
	assert_true(failed(why));
	refusal.given_up = true;
}

static void come_and_go(struct kit *k)
{
	enum { LARGE = 1200000 };
	struct letter l = kit_letter(k, "large", LARGE);
	struct incoming what = {.delivery = kit_delivery(k), .received = 1700000000, .letter = &l};
	struct arrived done;
	k->give_up = on_give_up;
	kit_reopen(k);
	struct view *v = kit_view(k, "INBOX");
	sim_fault_at(k->sim, SIM_REFUSE, refusal.operation);
	result r = message_deliver(&k->courier, &what, &done);
	if (!failed(r))
		r = message_deliver(&k->courier, &what, &done); /* comes again: its file has no row */
	if (!failed(r))
		r = message_remove(v, &(struct uids){(uint32_t[]){kit_last_uid(k, "INBOX")}, 1});
	refusal.over = sim_steps(k->sim) < refusal.operation;
	sim_fault_at(k->sim, SIM_NONE, 0);
	view_close(&v);
	assert_true(!failed(r) || !refusal.over);
	if (refusal.given_up)
		kit_reopen(k);
	else
		assert_ok(store_trim(&k->administrator));
	expect_bodies(k, (unsigned)kit_number(k, "SELECT count(*) FROM content WHERE blob IS NOT NULL"));
}

/* Most are swept in the next lull; only after a commit that failed it takes an opening. */
static void test_what_the_disk_does_not_let_go(void **state)
{
	unsigned lulls = 0;
	(void)state;
	refusal.over = false;
	for (refusal.operation = 1; !refusal.over; refusal.operation++) {
		refusal.given_up = false;
		kit_run(come_and_go);
		lulls += !refusal.given_up;
	}
	assert_true(lulls > 4);
}

/* ---- a full disk ---- */

static void deleting_works_on_a_full_disk(struct kit *k)
{
	bool there;
	fill(k);
	assert_ok(files_exists(k->files, "ballast", &there));
	assert_true(there);
	struct view *v = kit_view(k, "INBOX");
	sim_fault_at(k->sim, SIM_FULL_COPYING, 1);
	struct uids one = {(uint32_t[]){2}, 1}, not;
	struct flag_change c = {FLAGS_ADD, {STORE_SEEN, NULL, 0}, false, 0};
	assert_int_equal(message_flags(v, &one, &c, &k->m, &not).kind, FAIL_FULL);
	assert_int_equal(message_remove(v, &one).kind, FAIL_FULL); /* this disk gives nothing back */
	sim_fault_at(k->sim, SIM_NONE, 0);
	assert_ok(files_exists(k->files, "ballast", &there));
	assert_false(there);
	assert_ok(message_remove(v, &one));
	view_close(&v);
	assert_ok(store_trim(&k->administrator));
	assert_ok(files_exists(k->files, "ballast", &there));
	assert_true(there);
}

static void test_full(void **state)
{
	(void)state;
	kit_run(deleting_works_on_a_full_disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_damage), cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_what_the_disk_does_not_let_go), cmocka_unit_test(test_full)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
