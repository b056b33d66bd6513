/* A directory of each earlier version, in that version's own words, is brought forward. */
#include "base/test.h"

#include "auth/directory_core.h"
#include "engine/migrate_kit.h"
#include "engine/query.h"

static const char *const earlier[] = {
	"INSERT INTO domain (id, name) VALUES (1, 'example.test');"
	"INSERT INTO account (id, name, hash, quota, admin, disabled, created, state) VALUES (1, '', '-', 0, 0, 0, 5, 1);"
	"INSERT INTO address (id, key, domain, account) VALUES (3, 'anna@example.test', 1, 1);"
	"INSERT INTO address (id, key, domain) VALUES (4, 'all@example.test', 1);"
	"INSERT INTO target (alias, target) VALUES (4, 3);",
	"INSERT INTO domain (id, name) VALUES (1, 'example.test');"
	"INSERT INTO address (id, key, domain) VALUES (3, 'anna@example.test', 1), (4, 'all@example.test', 1);"
	"INSERT INTO target (alias, target) VALUES (4, 3);"
	"INSERT INTO forward_key (key, made) VALUES (x'00', 1);",
	"INSERT INTO domain (id, name) VALUES (1, 'example.test');"
	"INSERT INTO account (id, name, hash, quota, admin, disabled, created, state) VALUES (1, '', '-', 0, 0, 0, 5, 1);"
	"INSERT INTO address (id, key, domain, account) VALUES (3, 'anna@example.test', 1, 1);"
	"INSERT INTO address (id, key, domain) VALUES (4, 'all@example.test', 1);"
	"INSERT INTO target (alias, target) VALUES (4, 3);"
	"INSERT INTO mark_key (key) VALUES (x'00');",
	"INSERT INTO domain (id, name) VALUES (1, 'example.test');"
	"INSERT INTO address (id, key, domain) VALUES (3, 'anna@example.test', 1), (4, 'all@example.test', 1);"
	"INSERT INTO target (alias, target) VALUES (4, 3);"
	"INSERT INTO salt_key (key) VALUES (x'00');",
	"INSERT INTO domain (id, name, signs) VALUES (1, 'example.test', 1);"
	"INSERT INTO account (id, name, hash, quota, admin, disabled, created, state) VALUES (1, '', '-', 0, 0, 0, 5, 1);"
	"INSERT INTO address (id, key, domain, account) VALUES (3, 'anna@example.test', 1, 1);"
	"INSERT INTO address (id, key, domain) VALUES (4, 'all@example.test', 1);"
	"INSERT INTO target (alias, target) VALUES (4, 3);",
	"INSERT INTO domain (id, name, second_factor) VALUES (1, 'example.test', 0);"
	"INSERT INTO account (id, name, hash, quota, admin, disabled, created, state) VALUES (1, '', '-', 0, 0, 0, 5, 1);"
	"INSERT INTO address (id, key, domain, account) VALUES (3, 'anna@example.test', 1, 1);"
	"INSERT INTO address (id, key, domain) VALUES (4, 'all@example.test', 1);"
	"INSERT INTO target (alias, target) VALUES (4, 3);"
	"INSERT INTO rule (account, protocols, networks, hours) VALUES (1, 2, '192.0.2.0/24', '');",
	"INSERT INTO domain (id, name, second_factor) VALUES (1, 'example.test', 0);"
	"INSERT INTO account (id, name, hash, quota, admin, disabled, created, state) VALUES (1, '', '-', 0, 0, 0, 5, 1);"
	"INSERT INTO address (id, key, domain, account) VALUES (3, 'anna@example.test', 1, 1);"
	"INSERT INTO address (id, key, domain) VALUES (4, 'all@example.test', 1);"
	"INSERT INTO target (alias, target) VALUES (4, 3);"
	"INSERT INTO rule (account, protocols, networks, hours, others) VALUES (1, 2, '192.0.2.0/24', '', 0);",
	"INSERT INTO domain (id, name, second_factor) VALUES (1, 'example.test', 0);"
	"INSERT INTO account (id, name, hash, quota, admin, disabled, created, state) VALUES (1, '', '-', 0, 0, 0, 5, 1);"
	"INSERT INTO address (id, key, domain, account) VALUES (3, 'anna@example.test', 1, 1);"
	"INSERT INTO address (id, key, domain) VALUES (4, 'all@example.test', 1);"
	"INSERT INTO target (alias, target) VALUES (4, 3);"
	"INSERT INTO authority (certificate) VALUES (x'00');",
	"INSERT INTO domain (id, name, second_factor) VALUES (1, 'example.test', 0);"
	"INSERT INTO account (id, name, hash, quota, admin, disabled, created, state) VALUES (1, '', '-', 0, 0, 0, 5, 1);"
	"INSERT INTO address (id, key, domain, account) VALUES (3, 'anna@example.test', 1, 1);"
	"INSERT INTO address (id, key, domain) VALUES (4, 'all@example.test', 1);"
	"INSERT INTO target (alias, target) VALUES (4, 3);",
};

static void look(struct db *db)
{
	int64_t n;
	assert_ok(db_get(db, &n, "SELECT count(*) FROM address JOIN target ON target.alias = address.id"
		" WHERE key = 'all@example.test'"));
	assert_int_equal(n, 1);
	assert_ok(db_get(db, &n, "SELECT (SELECT count(*) FROM outside) + (SELECT count(*) FROM route)"
		" + (SELECT count(*) FROM dkim_key) + (SELECT count(*) FROM app_password)"
		" + (SELECT sum(second_factor) FROM domain) + (SELECT count(*) FROM rule WHERE countries <> '' OR others)"
		" + (SELECT count(*) FROM lock) + (SELECT count(*) FROM opener)"
		" + (SELECT count(*) FROM contained) + (SELECT count(*) FROM notice)"));
	assert_int_equal(n, 0);
	assert_ok(db_get(db, &n, "SELECT count(*) FROM domain WHERE signs"));
	assert_int_equal(n, 1);
}

static void a_directory_of_each_version_is_brought_forward(void **state)
{
	(void)state;
	migrate_all(&(struct migrate_from){&directory_schema, earlier, sizeof earlier / sizeof *earlier, look});
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_directory_of_each_version_is_brought_forward)};
	return cmocka_run_group_tests_name("directory migrations", tests, NULL, NULL);
}
