/* A database of every earlier version comes forward with its mail. */
#include "account/store/kit.h"
#include "account/store/list_record.h"

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
	{6,
	"INSERT INTO counts VALUES(0,9,100,500,1,15,0,0,0,0,0);"
	"INSERT INTO counts VALUES(1,9,100,3,1,15,1,0,0,1,0);"
	"INSERT INTO mailbox(id,tag,use,created,name) VALUES(1,77,0,1700000000,'INBOX');"
	"INSERT INTO subscription VALUES('INBOX');"
	"INSERT INTO keyword VALUES(1,6,'$Work');"
	"INSERT INTO list VALUES(4294967298,CAST(x'0100FF010FE8070E4082C49FD50C0177'||zeroblob(3974) AS BLOB));"
	"INSERT INTO content(id,header_size,head_size,rest_size,blob,trace,envelope,basic,structure,parts,head,search,rest,"
	" delivery)"
	" VALUES(500,6,6,5,NULL,x'54720D0A',x'65',x'62',x'73',x'70',x'00413A0D0A0D0A',x'0068656C6C6F',x'0068656C6C6F',"
	" NULL);"
	"INSERT INTO vanished VALUES(1,9,1,1);"
	"INSERT INTO delivered VALUES(x'00000000000000000000000000000001',1700000000);"
	"INSERT INTO former VALUES('gone',99);"
	"INSERT INTO arrivals VALUES(1,x'00000000000000000000000000000001',4711);"},
	{7,
	"INSERT INTO counts VALUES(0,9,100,500,1,15,0,0,0,0,0);"
	"INSERT INTO counts VALUES(1,9,100,3,1,15,1,0,0,1,0);"
	"INSERT INTO mailbox(id,tag,use,created,name) VALUES(1,77,0,1700000000,'INBOX');"
	"INSERT INTO subscription VALUES('INBOX');"
	"INSERT INTO keyword VALUES(1,6,'$Work');"
	"INSERT INTO list VALUES(4294967298,CAST(x'0100FF010FE8070E4082C49FD50C0177'||zeroblob(3974) AS BLOB));"
	"INSERT INTO content(id,header_size,head_size,rest_size,blob,trace,envelope,basic,structure,parts,head,search,rest,"
	" delivery)"
	" VALUES(500,6,6,5,NULL,x'54720D0A',x'65',x'62',x'73',x'70',x'00413A0D0A0D0A',x'0068656C6C6F',x'0068656C6C6F',"
	" NULL);"
	"INSERT INTO vanished VALUES(1,9,1,1);"
	"INSERT INTO delivered VALUES(x'00000000000000000000000000000001',1700000000);"
	"INSERT INTO former VALUES('gone',99);"
	"INSERT INTO arrivals VALUES(1,x'00000000000000000000000000000001',4711);"
	"UPDATE kept SET generation=3;"},
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

static void write_with(struct kit *k, uint32_t version, const char *sql, void (*more)(struct db *db))
{
	k->sim = sim_new(version);
	k->files = sim_files(k->sim);
	const struct db_options o = options_of(k);
	struct db *db = NULL;
	assert_ok(db_open_at(&o, version, &db));
	if (version == 4 || version == 5)
		assert_ok(db_exec(db, "DROP TABLE message")); /* which came along with their own code's step */
	assert_ok(db_exec(db, sql));
	if (more)
		more(db);
	db_close(&db);
}

static void write_version(struct kit *k, uint32_t version, const char *sql)
{
	write_with(k, version, sql, NULL);
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
enum { MANY = 600, FORMER_RECORDS = 95, FORMER_CHUNK = FORMER_RECORDS * LIST_RECORD };
static const char many[] =
	"INSERT INTO counts VALUES(0,9,101,601,601,9015,0,0,0,0,0);"
	"INSERT INTO counts VALUES(1,9,100,1801,600,9000,300,0,0,1,0);"
	"INSERT INTO counts VALUES(2,9,101,2,1,15,1,0,0,1,0);"
	"INSERT INTO mailbox(id,tag,use,created,name) VALUES(1,77,0,1700000000,'INBOX'),(2,78,0,1700000000,'Other');"
	COUNT_TO_MANY "INSERT INTO vanished SELECT 1,9,3*i-2,3*i-1 FROM n;"
	COUNT_TO_MANY "INSERT INTO content(id,header_size,head_size,rest_size,blob,trace,envelope,basic,structure,parts,"
	"head,search,rest) SELECT i,6,6,5,NULL,x'54720D0A',x'65',x'62',x'73',x'70',x'00413A0D0A0D0A',x'0068656C6C6F',"
	"x'0068656C6C6F' FROM (SELECT i FROM n UNION ALL SELECT 601);";

static struct entry one_of_many(uint32_t i)
{
	return (struct entry){.row = {3 * i, 15, 1 + i % 9, 8 * (i % 2), i},
		.dates = {1700000000 + i, 1700000001 + i, (int16_t)i}};
}
static const struct entry in_other = {.row = {1, 15, 9, 0, 601}, .dates = {1, 1, 1}};

static void put_row(struct db *db, uint64_t box, const struct entry *e)
{
	assert_ok(db_run(db,
		"INSERT INTO message(mailbox,uid,content,flags,modseq,size,date,minutes,saved)"
		" VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)",
		DB_INT(box), DB_INT(e->row.uid), DB_INT(e->row.content), DB_INT(e->row.flags), DB_INT(e->row.modseq),
		DB_INT(e->row.size), DB_INT(e->dates.date), DB_INT(e->dates.minutes), DB_INT(e->dates.saved)));
}

static void write_rows(struct db *db)
{
	for (uint32_t i = 1; i <= MANY; i++) {
		const struct entry e = one_of_many(i);
		put_row(db, 1, &e);
	}
	put_row(db, 2, &in_other);
}

static void put_former(struct db *db, uint64_t box, uint32_t from, const unsigned char *chunk)
{
	assert_ok(db_run(db, "INSERT INTO list VALUES(?1,?2)", DB_INT(box << 32 | from),
		DB_BLOB(str_of((const char *)chunk, FORMER_CHUNK))));
}

/* The first chunk begins at 0, others where the one before ends; one with nothing in it is the last. */
static void write_chunks(struct db *db)
{
	unsigned char chunk[FORMER_CHUNK] = {0};
	uint32_t from = 0, n = 0;
	for (uint32_t i = 1; i <= MANY; i++) {
		const struct entry e = one_of_many(i);
		record_put(chunk + n++ * LIST_RECORD, &e);
		if (n < FORMER_RECORDS && i < MANY)
			continue;
		put_former(db, 1, from, chunk);
		memset(chunk, 0, sizeof chunk);
		from = e.row.uid + 1;
		n = 0;
	}
	put_former(db, 1, from, chunk);
	record_put(chunk, &in_other);
	put_former(db, 2, 1, chunk);
}

static void look_at_many(struct kit *k)
{
	struct fetched f;
	struct uids one = {(uint32_t[]){900}, 1};
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
}

static void many_come_along(void *arg)
{
	static const struct {
		uint32_t version;
		void (*write)(struct db *db);
	} from[] = {{3, write_rows}, {4, write_chunks}, {5, write_chunks}};
	struct kit *k = arg;
	for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
		write_with(k, from[i].version, many, from[i].write);
		assert_ok(kit_open(k));
		look_at_many(k);
		kit_close(k);
		sim_free(&k->sim);
	}
}

/* What no list can be is not taken for one, and nothing is lost: the account does not open. */
static void damaged_lists_stay(void *arg)
{
	static const char *const damages[] = {
		"UPDATE list SET records=zeroblob(7) WHERE id=4294967296",
		"UPDATE list SET id=1 WHERE id>8589934592",
		"UPDATE list SET id=-id WHERE id>8589934592",
		"UPDATE list SET records=CAST(substr(records,43,42)||substr(records,1,42)||substr(records,85) AS BLOB)",
	};
	struct kit *k = arg;
	for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
		write_with(k, 5, many, write_chunks);
		const struct db_options o = options_of(k);
		struct db *db = NULL;
		assert_ok(db_open_at(&o, 5, &db));
		assert_ok(db_exec(db, damages[i]));
		db_close(&db);
		assert_int_equal(kit_open(k).kind, FAIL_DAMAGE);
		assert_ok(db_open_at(&o, 5, &db));
		assert_int_equal(db_version(db), 5);
		db_close(&db);
		sim_free(&k->sim);
	}
}

static void test_damaged_lists(void **state)
{
	(void)state;
	struct kit k = {.m = arena_new(1 << 20)};
	kit_on_fiber(damaged_lists_stay, &k);
	arena_free(&k.m);
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
		cmocka_unit_test(test_damaged_lists),
		cmocka_unit_test(test_a_new_one_is_what_the_steps_lead_to),
		cmocka_unit_test(test_no_version_is_forgotten)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
