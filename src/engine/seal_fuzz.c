/* Damaged databases: the input says what to do to the files of a database
 * that was left by a kill; opening it must refuse them as damaged, or show
 * the state after some whole transaction. The last transaction alone may be
 * lost, and more only when the log's end was cut off. */
#include "base/cursor.h"
#include "base/mem.h"
#include "engine/files_sim.h"
#include "engine/query.h"
#include "engine/seal_wal.h"

enum { TURNS = 5 };

static const unsigned char key[BOX_KEY] = "a key", id[BOX_ID] = "an id";
static const char *const steps[] = {"CREATE TABLE t (n INTEGER PRIMARY KEY, turn INTEGER, body BLOB)"};
static const struct db_schema schema = {steps, 1};

static struct db_options options_on(struct sim *sim, bool salvage)
{
	return (struct db_options){
		.files = sim_files(sim), .path = "f.db", .key = key, .id = id, .schema = &schema, .salvage = salvage};
}

/* Turn k writes k into each of three rows: a half transaction would show. */
static void make_files(str out[2])
{
	static char bytes[2][1 << 20];
	struct sim *sim = sim_new(1);
	struct db_options o = options_on(sim, false);
	struct db *db;
	must(!failed(seal_start()) && !failed(db_open(&o, &db)) && !failed(db_checkpoint(db)));
	for (int turn = 1; turn <= TURNS; turn++) {
		must(!failed(db_begin(db)));
		for (int n = 0; n < 3; n++)
			must(!failed(db_run(db, "INSERT OR REPLACE INTO t VALUES (?1, ?2, zeroblob(5000))", DB_INT(n),
				DB_INT(turn))));
		must(!failed(db_commit(db)));
	}
	for (int i = 0; i < 2; i++) {
		str file = sim_bytes(sim, i ? "f.db-wal" : "f.db");
		must(file.n <= sizeof bytes[i]);
		memcpy(bytes[i], file.p, file.n);
		out[i] = str_of(bytes[i], file.n);
	}
	db_close(&db);
	sim_free(&sim);
}

/* One act: flip bits, write bytes over, copy a frame's length elsewhere, or cut. */
static void damage(cursor *c, char *p, size_t *n, bool *cut)
{
	size_t at = cursor_u32(c) % *n, to = cursor_u32(c) % *n, len = cursor_u16(c) % 8192;
	unsigned act = cursor_u8(c) % 4;
	if (len > *n - at)
		len = *n - at;
	if (len > *n - to)
		len = *n - to;
	if (act == 0)
		p[at] ^= (char)len;
	else if (act == 1)
		memset(p + at, (char)to, len);
	else if (act == 2)
		memmove(p + to, p + at, len);
	else
		*n = at + 1;
	*cut = *cut || act != 0;
}

static void look(struct db *db, bool cut, bool salvage)
{
	int64_t turn, count, least;
	if (failed(db_get(db, &turn, "SELECT coalesce(max(turn), 0) FROM t")) ||
		failed(db_get(db, &least, "SELECT coalesce(min(turn), 0) FROM t")) ||
		failed(db_get(db, &count, "SELECT count(*) FROM t")))
		return; /* a page of the database was damaged: it was said */
	must(turn == least && count == (turn ? 3 : 0) && turn <= TURNS);
	must(cut || salvage || turn >= TURNS - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static str files[2];
	if (!files[0].p)
		make_files(files);
	cursor c = cursor_on(str_of((const char *)data, size));
	struct sim *sim = sim_new(1);
	bool cut = false, salvage = cursor_u8(&c) & 1;
	AUTO_MEM char *copy[2] = {mem_alloc(files[0].n), NULL};
	AUTO_MEM char *log = mem_alloc(files[1].n);
	copy[1] = log;
	size_t n[2] = {files[0].n, files[1].n};
	for (int i = 0; i < 2; i++)
		memcpy(copy[i], files[i].p, files[i].n);
	while (!c.bad && !cursor_done(&c)) {
		unsigned which = cursor_u8(&c) & 1;
		damage(&c, copy[which], &n[which], &cut);
	}
	sim_put(sim, "f.db", str_of(copy[0], n[0]));
	sim_put(sim, "f.db-wal", str_of(copy[1], n[1]));
	struct db_options o = options_on(sim, salvage);
	struct db *db = NULL;
	if (!failed(db_open(&o, &db)))
		look(db, cut, salvage);
	db_close(&db);
	sim_free(&sim);
	return 0;
}
