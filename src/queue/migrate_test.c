#include "base/test.h"
#include "engine/migrate_kit.h"
#include "engine/query.h"
#include "queue/items.h"

/* A queue that each earlier version left behind, in that version's own words. */
static const char *const earlier[] = {
	"INSERT INTO item (id, delivery, account, sender, recipient, size, octets, state, attempts, deaths, kept,"
	" next, why) VALUES (7, x'01', 3, x'61', x'62', 5, 9, 0, 2, 1, 1000, 2000, x'78');"
	"INSERT INTO content (item, wrapped, body, sealed) VALUES (7, x'aa', NULL, x'bb');",
	"INSERT INTO item (id, delivery, account, sender, recipient, size, octets, state, attempts, deaths, kept,"
	" next, why, notify) VALUES (7, x'01', 3, x'61', x'62', 5, 9, 0, 2, 1, 1000, 2000, x'78', 0);"
	"INSERT INTO content (item, wrapped, body, sealed) VALUES (7, x'aa', NULL, x'bb');",
	"INSERT INTO item (id, delivery, account, sender, recipient, size, octets, state, attempts, deaths, kept,"
	" next, why, notify, hold) VALUES (7, x'01', 3, x'61', x'62', 5, 9, 0, 2, 1, 1000, 2000, x'78', 0, 0);"
	"INSERT INTO content (item, wrapped, body, sealed) VALUES (7, x'aa', NULL, x'bb');"
	"INSERT INTO suppressed VALUES (x'424042', 3, 1, 2, x'', x''), (x'624062', 3, 1, 2, x'', x'');",
	"INSERT INTO item (id, delivery, account, sender, recipient, size, octets, state, attempts, deaths, kept,"
	" next, why, notify, hold) VALUES (7, x'01', 3, x'61', x'62', 5, 9, 0, 2, 1, 1000, 2000, x'78', 0, 0);"
	"INSERT INTO content (item, wrapped, body, sealed) VALUES (7, x'aa', NULL, x'bb');",
};

static void look(struct db *db)
{
	int64_t n;
	assert_ok(db_get(db, &n, "SELECT attempts FROM item WHERE id = 7"));
	assert_int_equal(n, 2);
	assert_ok(db_get(db, &n, "SELECT notify + ret + length(envid) + length(orcpt) FROM item WHERE id = 7"));
	assert_int_equal(n, 0);
	assert_ok(db_get(db, &n, "SELECT seq FROM sqlite_sequence WHERE name = 'item'"));
	assert_int_equal(n, 7);
	assert_ok(db_get(db, &n, "SELECT value FROM known WHERE name = 'routes'"));
	assert_int_equal(n, 0);
	assert_ok(db_get(db, &n, "SELECT (SELECT count(*) FROM contained) + count(*) FROM suppressed"
		" WHERE address <> x'624062'"));
	assert_int_equal(n, 0);
	assert_ok(db_get(db, &n, "SELECT count(*) FROM content WHERE item = 7 AND sealed = x'bb'"));
	assert_int_equal(n, 1);
}

static void a_queue_of_each_version_is_brought_forward(void **state)
{
	(void)state;
	migrate_all(&(struct migrate_from){&items_schema, earlier, sizeof earlier / sizeof *earlier, look});
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_queue_of_each_version_is_brought_forward)};
	return cmocka_run_group_tests_name("queue migrations", tests, NULL, NULL);
}
