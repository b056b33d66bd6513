/* A database of every earlier version comes forward with its mail. */
#include "account/store/kit.h"
#include "account/store/schema.h"

/* What an account of version N holds, written with that version's own SQL:
 * one row is added here with each new version, none is ever changed. */
static const struct {
	uint32_t version;
	const char *sql;
} earlier[] = {
	{1,
	"INSERT INTO account VALUES(1,9,100,500,15,1,0);"
	"INSERT INTO mailbox(id,uidvalidity,uidnext,modseq,messages,unseen,deleted,recent,octets,deleted_octets,tag,use,"
	" created,name) VALUES(1,100,3,9,1,1,0,1,15,0,77,0,1700000000,'INBOX');"
	"INSERT INTO subscription VALUES('INBOX');"
	"INSERT INTO keyword VALUES(1,6,'$Work');"
	"INSERT INTO message(mailbox,uid,content,flags,modseq,size,date,minutes,saved)"
	" VALUES(1,2,500,64,8,15,1700000000,-60,1700000001);"
	"INSERT INTO content(id,header_size,head_size,rest_size,blob,trace,envelope,basic,structure,parts,head,search,rest)"
	" VALUES(500,6,6,5,NULL,x'54720D0A',x'65',x'62',x'73',x'70',x'00413A0D0A0D0A',x'0068656C6C6F',x'0068656C6C6F');"
	"INSERT INTO vanished VALUES(1,9,1,1);"
	"INSERT INTO delivered VALUES(x'00000000000000000000000000000001',1700000000);"
	"INSERT INTO former VALUES('gone',99);"},
	{2,
	"INSERT INTO counts VALUES(0,9,100,500,1,15,0,0,0,0,0);"
	"INSERT INTO counts VALUES(1,9,100,3,1,15,1,0,0,1,0);"
	"INSERT INTO mailbox(id,tag,use,created,name) VALUES(1,77,0,1700000000,'INBOX');"
	"INSERT INTO subscription VALUES('INBOX');"
	"INSERT INTO keyword VALUES(1,6,'$Work');"
	"INSERT INTO message(mailbox,uid,content,flags,modseq,size,date,minutes,saved)"
	" VALUES(1,2,500,64,8,15,1700000000,-60,1700000001);"
	"INSERT INTO content(id,header_size,head_size,rest_size,blob,trace,envelope,basic,structure,parts,head,search,rest,"
	" delivery)"
	" VALUES(500,6,6,5,NULL,x'54720D0A',x'65',x'62',x'73',x'70',x'00413A0D0A0D0A',x'0068656C6C6F',x'0068656C6C6F',"
	" NULL);"
	"INSERT INTO vanished VALUES(1,9,1,1);"
	"INSERT INTO delivered VALUES(x'00000000000000000000000000000001',1700000000);"
	"INSERT INTO former VALUES('gone',99);"},
	{3,
	"INSERT INTO counts VALUES(0,9,100,500,1,15,0,0,0,0,0);"
	"INSERT INTO counts VALUES(1,9,100,3,1,15,1,0,0,1,0);"
	"INSERT INTO mailbox(id,tag,use,created,name) VALUES(1,77,0,1700000000,'INBOX');"
	"INSERT INTO subscription VALUES('INBOX');"
	"INSERT INTO keyword VALUES(1,6,'$Work');"
	"INSERT INTO message(mailbox,uid,content,flags,modseq,size,date,minutes,saved)"
	" VALUES(1,2,500,64,8,15,1700000000,-60,1700000001);"
	"INSERT INTO content(id,header_size,head_size,rest_size,blob,trace,envelope,basic,structure,parts,head,search,rest,"
	" delivery)"
	" VALUES(500,6,6,5,NULL,x'54720D0A',x'65',x'62',x'73',x'70',x'00413A0D0A0D0A',x'0068656C6C6F',x'0068656C6C6F',"
	" NULL);"
	"INSERT INTO vanished VALUES(1,9,1,1);"
	"INSERT INTO delivered VALUES(x'00000000000000000000000000000001',1700000000);"
	"INSERT INTO former VALUES('gone',99);"
	"INSERT INTO arrivals VALUES(1,x'00000000000000000000000000000001',4711);"},
};

static const unsigned char key[32] = "a key for tests", id[16] = "an account";

static void look(struct kit *k)
{
	struct view *v = kit_view(k, "INBOX");
	assert_int_equal(view_exists(v), 1);
	assert_int_equal(view_uid(v, 1), 2);
	assert_int_equal(view_keyword_bit(v, STR("$work")), 6);
	assert_int_equal(kit_flags(v, 2), 64);
	assert_str(kit_bytes(k, v, 2), STR("Tr\r\nA:\r\n\r\nhello"));
	struct fetched f;
	struct uids one = {(uint32_t[]){2}, 1};
	assert_ok(fetch_rows(v, &one, FETCH_SEARCH | FETCH_ENVELOPE, &k->m, &f));
	assert_str(f.rows[0].search, STR("hello"));
	assert_int_equal(f.rows[0].minutes, -60);
	view_close(&v);
	kit_expect_sound(k);
	assert_ok(kit_deliver(k, "", "goes on", 100));
}

static void write_earlier(struct kit *k, size_t i)
{
	k->sim = sim_new(i);
	k->files = sim_files(k->sim);
	struct db_options o = {.files = k->files, .path = "mail.db", .key = key, .id = id, .schema = &store_schema};
	struct db *db = NULL;
	assert_ok(db_open_at(&o, earlier[i].version, &db));
	assert_ok(db_exec(db, earlier[i].sql));
	db_close(&db);
}

static void from_each(void *arg)
{
	struct kit *k = arg;
	for (size_t i = 0; i < sizeof earlier / sizeof *earlier; i++) {
		write_earlier(k, i);
		assert_ok(kit_open(k));
		look(k);
		kit_expect_sound(k);
		kit_close(k);
		sim_free(&k->sim);
	}
}

/* The N-th operation of the first opening fails; the next one finds all the mail. */
static bool interrupted(struct kit *k, size_t i, enum sim_fault fault, uint64_t n)
{
	write_earlier(k, i);
	sim_fault_at(k->sim, fault, n);
	result r = kit_open(k);
	if (!failed(r))
		kit_close(k);
	bool hit = sim_steps(k->sim) >= n;
	sim_fault_at(k->sim, SIM_NONE, 0);
	if (fault != SIM_FULL)
		sim_crash(k->sim);
	assert_ok(kit_open(k));
	look(k);
	kit_close(k);
	sim_free(&k->sim);
	return hit;
}

static void interrupted_anywhere(void *arg)
{
	static const enum sim_fault faults[] = {SIM_REFUSE, SIM_FULL, SIM_CRASH};
	for (size_t i = 0; i + 1 < sizeof earlier / sizeof *earlier; i++) {
		for (size_t f = 0; f < sizeof faults / sizeof *faults; f++) {
			uint64_t n = 1;
			while (interrupted(arg, i, faults[f], n))
				n++;
			assert_true(n > 5);
		}
	}
}

static void test_a_migration_that_is_interrupted(void **state)
{
	(void)state;
	struct kit k = {.m = arena_new(16 << 20)};
	kit_on_fiber(interrupted_anywhere, &k);
	arena_free(&k.m);
}

static void test_from_each_version(void **state)
{
	(void)state;
	struct kit k = {.m = arena_new(1 << 20)};
	kit_on_fiber(from_each, &k);
	arena_free(&k.m);
}

static void test_no_version_is_forgotten(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < store_schema.count; i++)
		assert_int_equal(earlier[i].version, i + 1);
	assert_int_equal(sizeof earlier / sizeof *earlier, store_schema.count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_from_each_version),
		cmocka_unit_test(test_a_migration_that_is_interrupted),
		cmocka_unit_test(test_no_version_is_forgotten)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
