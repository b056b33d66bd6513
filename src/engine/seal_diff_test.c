/* SQLite over the seal behaves as SQLite without it: the same random SQL on
 * both gives the same codes and the same rows, through rollbacks, spills,
 * checkpoints, vacuums and reopening. */
#include "base/mem.h"
#include "base/test.h"
#include "engine/files_sim.h"
#include "engine/seal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const unsigned char key[BOX_KEY] = "a key", id[BOX_ID] = "an id";

struct pair {
	struct files_local files;
	struct seal *seal;
	sqlite3 *sealed, *plain;
	char folder[64], plain_path[96];
	uint64_t rng;
	unsigned rows, writes; /* that the workload met, so that it is known to do something */
};

static uint64_t below(struct pair *p, uint64_t n)
{
	return sim_random(&p->rng) % n;
}

static int add_row(void *ctx, int n, char **values, char **names)
{
	(void)names;
	uint64_t *sum = ctx;
	for (int i = 0; i < n; i++)
		for (const char *c = values[i] ? values[i] : "-"; *c; c++)
			*sum = *sum * 1099511628211u + (unsigned char)*c;
	*sum += 1;
	return 0;
}

static void both(struct pair *p, const char *sql)
{
	uint64_t sums[2] = {0, 0};
	int a = sqlite3_exec(p->sealed, sql, add_row, &sums[0], NULL);
	int b = sqlite3_exec(p->plain, sql, add_row, &sums[1], NULL);
	if ((a & 0xff) != (b & 0xff) || sums[0] != sums[1])
		fail_msg("%s: sealed %d %s, plain %d %s", sql, a, sqlite3_errmsg(p->sealed), b,
			sqlite3_errmsg(p->plain));
	p->rows += sums[0] != 0;
}

static void open_pair(struct pair *p, bool create)
{
	struct seal_options o = {.files = &p->files.base, .path = "s.db", .key = key, .id = id,
		.mirror = 150};
	int reserve = SEAL_RESERVED, flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
	assert_ok(seal_new(&o, &p->seal));
	assert_int_equal(seal_connect(p->seal, flags, &p->sealed), SQLITE_OK);
	assert_int_equal(sqlite3_open_v2(p->plain_path, &p->plain, flags, "unix"), SQLITE_OK);
	assert_int_equal(sqlite3_file_control(p->sealed, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve), SQLITE_OK);
	reserve = SEAL_RESERVED;
	assert_int_equal(sqlite3_file_control(p->plain, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve), SQLITE_OK);
	int persist = 1; /* both keep their log: a checkpoint's answer tells its length */
	assert_int_equal(sqlite3_file_control(p->plain, "main", SQLITE_FCNTL_PERSIST_WAL, &persist), SQLITE_OK);
	both(p, "PRAGMA journal_size_limit=4000000");
	both(p, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY");
	both(p, "PRAGMA synchronous=OFF; PRAGMA cache_size=30");
	if (create)
		both(p, "PRAGMA journal_mode=MEMORY; PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL");
	both(p, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=200; PRAGMA foreign_keys=ON");
}

static void close_pair(struct pair *p)
{
	assert_int_equal(sqlite3_close(p->sealed), SQLITE_OK);
	assert_int_equal(sqlite3_close(p->plain), SQLITE_OK);
	seal_free(&p->seal);
}

static void write_rows(struct pair *p)
{
	static const char *const forms[] = {
		"INSERT INTO a (k, v, w) VALUES (%llu, substr(hex(zeroblob(%llu)), 1, %llu), %llu)",
		"INSERT OR REPLACE INTO a (id, k, v, w) VALUES (%llu %% 300, %llu, zeroblob(%llu), %llu)",
		"UPDATE a SET v = v || %llu, w = %llu WHERE k %% 17 = %llu %% 17 AND w > %llu",
		"DELETE FROM a WHERE k %% 13 = %llu %% 13 AND id %% 3 = %llu %% 3 OR w = %llu + %llu",
		"INSERT INTO b (a, note) SELECT id, %llu FROM a WHERE k < %llu ORDER BY v, id "
		"LIMIT %llu %% 9 OFFSET %llu %% 5",
		"UPDATE b SET note = note + %llu + %llu WHERE rowid %% 7 = %llu %% 7 AND a > %llu",
		"INSERT OR IGNORE INTO c VALUES ('key' || %llu, zeroblob(%llu), %llu + %llu)",
		"DELETE FROM c WHERE name > 'key' || %llu AND n < %llu AND %llu > %llu",
		"INSERT INTO a (k, v, w) WITH RECURSIVE s(i) AS "
		"(SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < %llu %% 60) "
		"SELECT i * 31 %% 97 + %llu, zeroblob(%llu), %llu FROM s",
	};
	char sql[512];
	const char *form = forms[below(p, sizeof forms / sizeof *forms)];
	unsigned long long n[4];
	for (int i = 0; i < 4; i++)
		n[i] = below(p, below(p, 4) ? 1000 : 12000);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(sql, sizeof sql, form, n[0], n[1], n[2], n[3]);
#pragma GCC diagnostic pop
	both(p, sql);
	p->writes++;
}

static void read_rows(struct pair *p)
{
	static const char *const reads[] = {
		"SELECT count(*), sum(k), sum(w), sum(length(v)) FROM a",
		"SELECT id, k, hex(substr(v, 1, 5)) FROM a ORDER BY k DESC, id LIMIT 50",
		"SELECT a.k, count(b.note), total(b.note) FROM a LEFT JOIN b ON b.a = a.id GROUP BY a.k ORDER BY 1",
		"SELECT name, n, length(body) FROM c ORDER BY name",
		"PRAGMA page_count", "PRAGMA freelist_count",
		"SELECT type, name, sql, rootpage FROM sqlite_schema ORDER BY name",
	};
	both(p, reads[below(p, sizeof reads / sizeof *reads)]);
}

static void other_thing(struct pair *p)
{
	static const char *const things[] = {
		"BEGIN", "BEGIN IMMEDIATE", "COMMIT", "COMMIT", "COMMIT", "ROLLBACK",
		"SAVEPOINT s", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE s",
		"CREATE INDEX IF NOT EXISTS a_v ON a (v, k)", "DROP INDEX IF EXISTS a_v",
		"CREATE INDEX IF NOT EXISTS a_w ON a (w)", "REINDEX", "ANALYZE",
		"PRAGMA wal_checkpoint(PASSIVE)", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA wal_checkpoint(RESTART)",
		"PRAGMA incremental_vacuum(7)", "PRAGMA incremental_vacuum(0)", "PRAGMA integrity_check",
		"CREATE TABLE IF NOT EXISTS d AS SELECT k, v FROM a", "DROP TABLE IF EXISTS d",
		"DELETE FROM b", "DELETE FROM a WHERE id % 2", "PRAGMA foreign_key_check",
	};
	both(p, things[below(p, sizeof things / sizeof *things)]);
}

static void reopen_or_vacuum(struct pair *p)
{
	both(p, "COMMIT");
	if (below(p, 3) == 0) {
		both(p, "VACUUM");
		return;
	}
	close_pair(p);
	open_pair(p, false);
}

static void step(struct pair *p)
{
	uint64_t dice = below(p, 200);
	if (dice < 100)
		write_rows(p);
	else if (dice < 150)
		read_rows(p);
	else if (dice < 197)
		other_thing(p);
	else
		reopen_or_vacuum(p);
}

static void remove_files(struct pair *p)
{
	static const char *const names[] = {"s.db", "s.db-wal", "p.db", "p.db-wal"};
	for (int i = 0; i < 4; i++)
		(void)unlinkat(p->files.folder, names[i], 0);
	close(p->files.folder);
	assert_int_equal(rmdir(p->folder), 0);
}

static void round_of(uint64_t seed, int count)
{
	struct pair p = {.rng = seed};
	snprintf(p.folder, sizeof p.folder, "/tmp/postern-diff-XXXXXX");
	assert_non_null(mkdtemp(p.folder));
	snprintf(p.plain_path, sizeof p.plain_path, "%s/p.db", p.folder);
	p.files = files_local(open(p.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	open_pair(&p, true);
	both(&p, "CREATE TABLE a (id INTEGER PRIMARY KEY, k INTEGER, v BLOB, w INTEGER); CREATE INDEX a_k ON a (k);"
		 "CREATE TABLE b (a INTEGER REFERENCES a ON DELETE CASCADE, note INTEGER);"
		 "CREATE INDEX b_a ON b (a);"
		 "CREATE TABLE c (name TEXT PRIMARY KEY, body BLOB, n INTEGER) WITHOUT ROWID");
	for (int i = 0; i < count; i++)
		step(&p);
	both(&p, "ROLLBACK");
	both(&p, "PRAGMA integrity_check");
	both(&p, "SELECT id, k, hex(v), w FROM a ORDER BY id");
	both(&p, "SELECT rowid, a, note FROM b ORDER BY rowid");
	both(&p, "SELECT name, hex(body), n FROM c ORDER BY name");
	assert_true(p.rows > 20 && p.writes > 50);
	close_pair(&p);
	remove_files(&p);
}

static void random_sql_gives_the_same(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= test_often(6, 200); seed++)
		round_of(seed, 400);
}

static int start(void **state)
{
	(void)state;
	return failed(seal_start()) ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_sql_gives_the_same),
	};
	return cmocka_run_group_tests_name("seal_diff", tests, start, NULL);
}
