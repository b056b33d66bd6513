/* What the seal costs: commits and cold reads beside plain SQLite with the
 * same settings, on the disk under the folder given (default: here).
 *
 * A message is a row of 4 KiB (random bytes) and one index row. "Cold" is a
 * new connection with an empty page cache of SQLite's; "from disk" has also
 * dropped the kernel's copy of the file. */
#include "base/mem.h"
#include "engine/seal.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { BODY = 4096, READS = 1000, SLICES = 10 };

static const unsigned char key[BOX_KEY] = "a key", id[BOX_ID] = "an id";

struct side {
	const char *name;
	bool sealed;
	struct files_local files;
	struct seal *seal;
	sqlite3 *db;
};

struct cost {
	double wall, cpu; /* microseconds each */
};

static double seconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct cost now(void)
{
	return (struct cost){seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

static struct cost since(struct cost start, int count)
{
	struct cost end = now();
	return (struct cost){(end.wall - start.wall) * 1e6 / count, (end.cpu - start.cpu) * 1e6 / count};
}

static void run(struct side *s, const char *sql)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return;
	fprintf(stderr, "seal_bench: %s: %s\n", sql, sqlite3_errmsg(s->db));
	exit(2);
}

static void open_side(struct side *s, bool create)
{
	int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0), reserve = SEAL_RESERVED, keep = 1;
	struct seal_options o = {.files = &s->files.base, .path = "bench-sealed.db", .key = key, .id = id};
	if (s->sealed)
		must(!failed(seal_new(&o, &s->seal)) && seal_connect(s->seal, flags, &s->db) == SQLITE_OK);
	else
		must(sqlite3_open_v2("bench-plain.db", &s->db, flags | SQLITE_OPEN_NOMUTEX, "unix") == SQLITE_OK);
	if (s->sealed)
		sqlite3_file_control(s->db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
	else
		sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
	run(s, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY; PRAGMA synchronous=FULL");
	run(s, "PRAGMA cache_size=-2048; PRAGMA secure_delete=OFF; PRAGMA journal_size_limit=4500000");
	if (create)
		run(s, "PRAGMA journal_mode=MEMORY; PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL");
	run(s, "PRAGMA journal_mode=WAL");
	if (create)
		run(s, "CREATE TABLE m (n INTEGER PRIMARY KEY, body BLOB);"
		       "CREATE TABLE i (box INTEGER, uid INTEGER, m INTEGER, PRIMARY KEY (box, uid)) WITHOUT ROWID");
}

static void close_side(struct side *s)
{
	must(sqlite3_close(s->db) == SQLITE_OK);
	seal_free(&s->seal);
}

static struct cost commits(struct side *s, int count, int each)
{
	static unsigned char body[BODY];
	static int64_t uid;
	sqlite3_stmt *message, *index;
	must(sqlite3_prepare_v2(s->db, "INSERT INTO m (body) VALUES (?1)", -1, &message, NULL) == SQLITE_OK);
	must(sqlite3_prepare_v2(s->db, "INSERT INTO i VALUES (1, ?1, last_insert_rowid())", -1, &index, NULL) ==
	     SQLITE_OK);
	struct cost start = now();
	for (int c = 0; c < count; c++) {
		run(s, "BEGIN IMMEDIATE");
		for (int i = 0; i < each; i++) {
			randombytes_buf(body, sizeof body);
			sqlite3_bind_blob(message, 1, body, BODY, SQLITE_STATIC);
			sqlite3_bind_int64(index, 1, ++uid);
			must(sqlite3_step(message) == SQLITE_DONE && sqlite3_step(index) == SQLITE_DONE);
			sqlite3_reset(message);
			sqlite3_reset(index);
		}
		run(s, "COMMIT");
	}
	struct cost cost = since(start, count * each);
	sqlite3_finalize(message);
	sqlite3_finalize(index);
	return cost;
}

static void forget(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && fdatasync(fd) == 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
	close(fd);
}

static struct cost reads(struct side *s, bool from_disk)
{
	sqlite3_stmt *get;
	close_side(s);
	if (from_disk)
		forget(s->sealed ? "bench-sealed.db" : "bench-plain.db");
	open_side(s, false);
	must(sqlite3_prepare_v2(s->db, "SELECT body FROM m WHERE n = 1 + abs(random()) % (SELECT max(n) FROM m)", -1,
		     &get, NULL) == SQLITE_OK);
	struct cost start = now();
	for (int i = 0; i < READS; i++) {
		must(sqlite3_step(get) == SQLITE_ROW && sqlite3_column_bytes(get, 0) == BODY);
		sqlite3_reset(get);
	}
	struct cost cost = since(start, READS);
	sqlite3_finalize(get);
	return cost;
}

static void line(const char *what, const struct cost *plain, const struct cost *sealed)
{
	printf("%-34s %9.1f %9.1f %6.2f %9.1f %9.1f %9.1f\n", what, plain->wall, sealed->wall,
		sealed->wall / plain->wall, plain->cpu, sealed->cpu, sealed->cpu - plain->cpu);
}

enum { CASES = 5 };

static void add(struct cost *sum, struct cost one)
{
	sum->wall += one.wall / SLICES;
	sum->cpu += one.cpu / SLICES;
}

static struct cost reopen(struct side *s)
{
	struct cost start = now();
	close_side(s);
	open_side(s, false);
	run(s, "SELECT count(*) FROM sqlite_schema");
	return since(start, 1);
}

/* The sides take turns in slices, so that a disk that is busy now and idle then is so for both. */
static void slice(struct side *s, struct cost out[CASES], int scale)
{
	add(&out[0], commits(s, 200 * scale, 1));
	add(&out[1], commits(s, 30 * scale, 32));
	add(&out[2], reads(s, false));
	add(&out[3], reads(s, true));
	add(&out[4], reopen(s));
}

int main(int argc, char **argv)
{
	static const char *const cases[CASES] = {"message, one to a commit", "message, 32 to a commit",
		"cold read of a row", "cold read of a row, from disk", "close and open"};
	struct side sides[2] = {{.name = "plain"}, {.name = "sealed", .sealed = true}};
	struct cost costs[2][CASES] = {0};
	int scale = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1;
	if (argc > 1 && chdir(argv[1]) != 0) {
		fprintf(stderr, "usage: seal_bench [FOLDER [SCALE]]: no such folder: %s\n", argv[1]);
		return 1;
	}
	must(!failed(seal_start()));
	for (int i = 0; i < 2; i++) {
		sides[i].files = files_local(AT_FDCWD);
		open_side(&sides[i], true);
		commits(&sides[i], 200, 1); /* the log has its size, as it has in a server that runs */
		commits(&sides[i], 50, 32);
	}
	for (int i = 0; i < 2 * SLICES; i++)
		slice(&sides[i % 2], costs[i % 2], scale > 0 ? scale : 1);
	for (int i = 0; i < 2; i++)
		close_side(&sides[i]);
	printf("%-34s %9s %9s %6s %9s %9s %9s\n", "microseconds each", "plain", "sealed", "ratio", "plain cpu",
		"seal cpu", "more cpu");
	for (int i = 0; i < CASES; i++)
		line(cases[i], &costs[0][i], &costs[1][i]);
	static const char *const names[] = {"bench-plain.db", "bench-plain.db-wal", "bench-sealed.db",
		"bench-sealed.db-wal"};
	for (int i = 0; i < 4; i++)
		(void)unlink(names[i]);
	return 0;
}
