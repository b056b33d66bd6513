#include "engine/seal_kit.h"
#include "engine/query.h"

enum { SLOTS = 24, BODY_MAX = 9000, LONG_LOG = 1000 };

const unsigned char kit_key[BOX_KEY] = "the key of the sealing tests....", kit_id[BOX_ID] = "the database id";

static const char *const steps[] = {
	"CREATE TABLE slot (n INTEGER PRIMARY KEY, turn INTEGER NOT NULL, body BLOB NOT NULL) STRICT;"
	"CREATE INDEX slot_turn ON slot (turn)",
};
static const struct db_schema schema = {steps, 1};

struct slot {
	int64_t turn; /* 0: empty */
	size_t size;
	uint64_t seed;
};

struct db_options kit_options(struct sim *sim)
{
	static uint64_t turns; /* with a mirror and without, also one after the other on the same files */
	return (struct db_options){.files = sim_files(sim), .path = "t.db", .key = kit_key, .id = kit_id,
		.schema = &schema, .log_frames = 30, .mirror = sim_random(&turns) & 1};
}

result kit_open(struct sim *sim, struct db **out)
{
	struct db_options o = kit_options(sim);
	return db_open(&o, out);
}

static size_t body_of(const struct slot *s, unsigned char *out)
{
	uint64_t rng = s->seed;
	for (size_t i = 0; i < s->size; i++)
		out[i] = (unsigned char)(i % 8 ? out[i - 1] * 3 + 1 : (unsigned char)sim_random(&rng));
	return s->size;
}

static void model_turn(struct slot model[SLOTS], int64_t turn)
{
	uint64_t rng = (uint64_t)turn * 77;
	size_t writes = 1 + sim_random(&rng) % 4;
	for (size_t i = 0; i < writes; i++) {
		struct slot *s = &model[sim_random(&rng) % SLOTS];
		*s = (struct slot){turn, sim_random(&rng) % BODY_MAX, sim_random(&rng)};
		if (sim_random(&rng) % 8 == 0)
			s->size = 0;
	}
}

result kit_turn(struct db *db, int64_t turn)
{
	struct slot model[SLOTS] = {0};
	unsigned char body[BODY_MAX];
	model_turn(model, turn);
	TRY(db_begin(db));
	for (int n = 0; n < SLOTS; n++) {
		if (!model[n].turn)
			continue;
		str bytes = str_of((char *)body, body_of(&model[n], body));
		result r = db_run(db, "INSERT OR REPLACE INTO slot VALUES (?1, ?2, ?3)", DB_INT(n), DB_INT(turn),
			DB_BLOB(bytes));
		if (failed(r)) {
			db_rollback(db);
			return r;
		}
	}
	return db_commit(db);
}

void kit_expect_turns(struct db *db, int64_t *last)
{
	struct slot model[SLOTS] = {0};
	unsigned char body[BODY_MAX];
	assert_ok(db_get(db, last, "SELECT coalesce(max(turn), 0) FROM slot"));
	for (int64_t turn = 1; turn <= *last; turn++)
		model_turn(model, turn);
	for (int n = 0; n < SLOTS; n++) {
		struct query AUTO_QUERY *q = NULL;
		bool row;
		assert_ok(db_ask(db, &q, "SELECT turn, body FROM slot WHERE n = ?1", DB_INT(n)));
		assert_ok(query_next(q, &row));
		assert_int_equal(row, model[n].turn > 0);
		if (!row)
			continue;
		assert_int_equal(query_int(q, 0), model[n].turn);
		str got = query_bytes(q, 1);
		assert_int_equal(got.n, body_of(&model[n], body));
		assert_memory_equal(got.p, body, got.n);
	}
	assert_ok(db_check(db));
}

void kit_copy(struct sim *from, struct sim *to)
{
	sim_put(to, "t.db", sim_bytes(from, "t.db"));
	if (sim_bytes(from, "t.db-wal").p)
		sim_put(to, "t.db-wal", sim_bytes(from, "t.db-wal"));
}

struct db *kit_logged(struct sim *sim, int64_t turns)
{
	struct db *db;
	struct db_options o = kit_options(sim);
	o.log_frames = LONG_LOG;
	assert_ok(db_open(&o, &db));
	assert_ok(db_checkpoint(db));
	for (int64_t turn = 1; turn <= turns; turn++)
		assert_ok(kit_turn(db, turn));
	return db;
}

struct sim *kit_killed_after(int64_t turns)
{
	struct sim *sim = sim_new(1), *left = sim_new(2);
	struct db *db = kit_logged(sim, turns);
	kit_copy(sim, left);
	db_close(&db);
	sim_free(&sim);
	return left;
}

size_t kit_room_in(str log)
{
	return (log.n - WAL_FRAMES_AT) / WAL_FRAME;
}

size_t kit_frames_in(str log)
{
	size_t n = log.n;
	while (n > WAL_FRAMES_AT && log.p[n - 1] == 0)
		n--;
	return (n - WAL_FRAMES_AT + WAL_FRAME - 1) / WAL_FRAME;
}

int kit_start(void **state)
{
	(void)state;
	return failed(seal_start()) ? -1 : 0;
}
