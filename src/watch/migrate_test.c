/* A ledger of each earlier version, in that version's own words, is brought forward. */
#include "base/test.h"

#include "engine/migrate_kit.h"
#include "engine/query.h"
#include "watch/ledger_store.h"

#define STORY \
	"INSERT INTO epoch(id, started, marks, first_row) VALUES (1, 5, 1, 1);" \
	"INSERT INTO entries(id, packed) VALUES (1, x'00');" \
	"INSERT INTO mark(lane, key, row, at) VALUES (2, 7, 1, 0);"

static const char *const earlier[] = {
	STORY,
	STORY "INSERT INTO habit(account, address, first, last) VALUES (1, zeroblob(16), 2, 3);"
	      "INSERT INTO conduct(account, packed) VALUES (1, x'01');",
};

static void look(struct db *db)
{
	int64_t n;
	assert_ok(db_get(db, &n, "SELECT count(*) FROM mark JOIN entries ON entries.id = mark.row WHERE mark.key = 7"));
	assert_int_equal(n, 1);
	assert_ok(db_get(db, &n, "SELECT count(*) FROM ban"));
	assert_int_equal(n, 0);
	assert_ok(db_get(db, &n, "SELECT (SELECT count(*) FROM habit) = (SELECT count(*) FROM conduct)"));
	assert_int_equal(n, 1);
}

static void a_ledger_of_each_version_is_brought_forward(void **state)
{
	(void)state;
	migrate_all(&(struct migrate_from){&ledger_schema, earlier, sizeof earlier / sizeof *earlier, look});
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_ledger_of_each_version_is_brought_forward)};
	return cmocka_run_group_tests_name("ledger migrations", tests, NULL, NULL);
}
