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
	{4,
	"INSERT INTO counts VALUES(0,9,100,500,1,15,0,0,0,0,0);"
	"INSERT INTO counts VALUES(1,9,100,3,1,15,1,0,0,1,0);"
	"INSERT INTO mailbox(id,tag,use,created,name) VALUES(1,77,0,1700000000,'INBOX');"
	"INSERT INTO subscription VALUES('INBOX');"
	"INSERT INTO keyword VALUES(1,6,'$Work');"
	"INSERT INTO list VALUES(4294967298,CAST(x'020000000F000000F40100000000000008000000000040000000000000000"
	"0F1536500C4FF01F1536500'||zeroblob(3948) AS BLOB));"
	"INSERT INTO content(id,header_size,head_size,rest_size,blob,trace,envelope,basic,structure,parts,head,search,rest,"
	" delivery)"
	" VALUES(500,6,6,5,NULL,x'54720D0A',x'65',x'62',x'73',x'70',x'00413A0D0A0D0A',x'0068656C6C6F',x'0068656C6C6F',"
	" NULL);"
	"INSERT INTO vanished VALUES(1,9,1,1);"
	"INSERT INTO delivered VALUES(x'00000000000000000000000000000001',1700000000);"
	"INSERT INTO former VALUES('gone',99);"
	"INSERT INTO arrivals VALUES(1,x'00000000000000000000000000000001',4711);"},
	/* Its message is in no list yet. */
	{5,
	"INSERT INTO counts VALUES(0,9,100,499,0,0,0,0,0,0,0);"
	"INSERT INTO counts VALUES(1,9,100,2,0,0,0,0,0,1,0);"
	"INSERT INTO mailbox(id,tag,use,created,name) VALUES(1,77,0,1700000000,'INBOX');"
	"INSERT INTO subscription VALUES('INBOX');"
	"INSERT INTO keyword VALUES(1,6,'$Work');"
	"INSERT INTO content(id,header_size,head_size,rest_size,blob,trace,envelope,basic,structure,parts,head,search,rest,"
	" delivery,box,record)"
	" VALUES(500,6,6,5,NULL,x'54720D0A',x'65',x'62',x'73',x'70',x'00413A0D0A0D0A',x'0068656C6C6F',x'0068656C6C6F',"
	" NULL,1,x'020000000F000000F4010000000000000A0000000000400000000000000000F1536500C4FF01F1536500');"
	"INSERT INTO vanished VALUES(1,9,1,1);"
	"INSERT INTO delivered VALUES(x'00000000000000000000000000000001',1700000000);"
	"INSERT INTO former VALUES('gone',99);"
	"INSERT INTO arrivals VALUES(1,x'00000000000000000000000000000001',4711);"},
};

enum { VERSIONS = sizeof earlier / sizeof *earlier };

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
	assert_int_equal(f.rows[0].date, 1700000000);
	assert_int_equal(f.rows[0].saved, 1700000001);
	view_close(&v);
	kit_expect_sound(k);
	assert_ok(kit_deliver(k, "", "goes on", 100));
}

static struct db_options options_of(const struct kit *k)
{
	return (struct db_options){.files = k->files, .path = "mail.db", .key = key, .id = id, .schema = &store_schema};
}

static void write_version(struct kit *k, uint32_t version, const char *sql)
{
	k->sim = sim_new(version);
	k->files = sim_files(k->sim);
	const struct db_options o = options_of(k);
	struct db *db = NULL;
	assert_ok(db_open_at(&o, version, &db));
	assert_ok(db_exec(db, sql));
	db_close(&db);
}

static void write_earlier(struct kit *k, size_t i)
{
	write_version(k, earlier[i].version, earlier[i].sql);
}

static void from_each(void *arg)
{
	struct kit *k = arg;
	for (size_t i = 0; i < VERSIONS; i++) {
		write_earlier(k, i);
		assert_ok(kit_open(k));
		look(k);
		kit_expect_sound(k);
		kit_close(k);
		sim_free(&k->sim);
	}
}

/* In the place of the newest version: an account that is not there yet. */
static void begin_with(struct kit *k, size_t i)
{
	if (i + 1 < VERSIONS) {
		write_earlier(k, i);
	} else {
		k->sim = sim_new(i);
		k->files = sim_files(k->sim);
	}
}

static void look_at(struct kit *k, size_t i)
{
	if (i + 1 < VERSIONS)
		look(k);
	else
		assert_ok(kit_deliver(k, "", "the first", 100));
	kit_expect_sound(k);
}

/* The N-th operation of the first opening fails; the next one finds all the mail. */
static bool interrupted(struct kit *k, size_t i, enum sim_fault fault, uint64_t n)
{
	begin_with(k, i);
	sim_fault_at(k->sim, fault, n);
	result r = kit_open(k);
	if (!failed(r))
		kit_close(k);
	bool hit = sim_steps(k->sim) >= n;
	sim_fault_at(k->sim, SIM_NONE, 0);
	if (fault != SIM_FULL)
		sim_crash(k->sim);
	assert_ok(kit_open(k));
	look_at(k, i);
	kit_close(k);
	sim_free(&k->sim);
	return hit;
}

static void interrupted_anywhere(void *arg)
{
	static const enum sim_fault faults[] = {SIM_REFUSE, SIM_FULL, SIM_CRASH};
	for (size_t i = 0; i < VERSIONS; i++) {
		for (size_t f = 0; f < sizeof faults / sizeof *faults; f++) {
			uint64_t n = 1;
			while (interrupted(arg, i, faults[f], n))
				n++;
			assert_true(n > 5);
		}
	}
}

/* Every third uid of a mailbox, and another mailbox behind it. */
#define COUNT_TO_MANY "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<600) "
enum { MANY = 600 };
static const char many[] =
	"INSERT INTO counts VALUES(0,9,101,601,601,9015,0,0,0,0,0);"
	"INSERT INTO counts VALUES(1,9,100,1801,600,9000,300,0,0,1,0);"
	"INSERT INTO counts VALUES(2,9,101,2,1,15,1,0,0,1,0);"
	"INSERT INTO mailbox(id,tag,use,created,name) VALUES(1,77,0,1700000000,'INBOX'),(2,78,0,1700000000,'Other');"
	COUNT_TO_MANY "INSERT INTO message(mailbox,uid,content,flags,modseq,size,date,minutes,saved)"
	" SELECT 1,3*i,i,8*(i%2),1+i%9,15,1700000000+i,i,1700000001+i FROM n;"
	"INSERT INTO message(mailbox,uid,content,flags,modseq,size,date,minutes,saved) VALUES(2,1,601,0,9,15,1,1,1);"
	COUNT_TO_MANY "INSERT INTO vanished SELECT 1,9,3*i-2,3*i-1 FROM n;"
	COUNT_TO_MANY "INSERT INTO content(id,header_size,head_size,rest_size,blob,trace,envelope,basic,structure,parts,"
	"head,search,rest) SELECT i,6,6,5,NULL,x'54720D0A',x'65',x'62',x'73',x'70',x'00413A0D0A0D0A',x'0068656C6C6F',"
	"x'0068656C6C6F' FROM (SELECT i FROM n UNION ALL SELECT 601);";

static void many_come_along(void *arg)
{
	struct kit *k = arg;
	struct fetched f;
	struct uids one = {(uint32_t[]){900}, 1};
	write_version(k, 3, many);
	assert_ok(kit_open(k));
	kit_expect_sound(k);
	struct view *v = kit_view(k, "INBOX");
	assert_int_equal(view_exists(v), MANY);
	for (uint32_t i = 1; i <= MANY; i++) {
		struct view_message m;
		assert_ok(view_at(v, i, &m));
		assert_int_equal(m.uid, 3 * i);
		assert_int_equal(m.flags & STORE_SYSTEM, 8 * (i % 2));
		assert_int_equal(m.modseq, 1 + i % 9);
		assert_int_equal(m.content, i);
	}
	assert_ok(fetch_rows(v, &one, 0, &k->m, &f));
	assert_int_equal(f.rows[0].date, 1700000300);
	assert_int_equal(f.rows[0].saved, 1700000301);
	assert_int_equal(f.rows[0].minutes, 300);
	view_close(&v);
	assert_ok(kit_deliver(k, "Other", "goes on", 100));
	kit_expect_sound(k);
	kit_close(k);
	sim_free(&k->sim);
}

static void test_many_messages(void **state)
{
	(void)state;
	struct kit k = {.m = arena_new(1 << 20)};
	kit_on_fiber(many_come_along, &k);
	arena_free(&k.m);
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

/* Every table and index with its words, as SQLite keeps them. */
static void put_schema(struct kit *k, uint32_t first, buf *out)
{
	struct db *db = NULL;
	struct query *q = NULL;
	write_version(k, first, "");
	const struct db_options o = options_of(k);
	assert_ok(db_open(&o, &db));
	assert_int_equal(db_version(db), store_schema.count);
	assert_ok(db_ask(db, &q,
		"SELECT name||' of '||tbl_name||': '||ifnull(sql,'')||char(10) FROM sqlite_schema ORDER BY name"));
	for (bool row = true; row;) {
		assert_ok(query_next(q, &row));
		if (row)
			buf_put(out, query_bytes(q, 0));
	}
	query_end(&q);
	db_close(&db);
	sim_free(&k->sim);
}

static void test_a_new_one_is_what_the_steps_lead_to(void **state)
{
	struct kit k = {0};
	AUTO_BUF buf new = buf_new(65536), stepped = buf_new(65536);
	(void)state;
	put_schema(&k, store_schema.count, &new);
	put_schema(&k, 1, &stepped);
	assert_true(new.n > 1000);
	assert_str(buf_str(&new), buf_str(&stepped));
}

static void test_no_version_is_forgotten(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < store_schema.count; i++)
		assert_int_equal(earlier[i].version, i + 1);
	assert_int_equal(VERSIONS, store_schema.count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_from_each_version),
		cmocka_unit_test(test_a_migration_that_is_interrupted), cmocka_unit_test(test_many_messages),
		cmocka_unit_test(test_a_new_one_is_what_the_steps_lead_to),
		cmocka_unit_test(test_no_version_is_forgotten)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
