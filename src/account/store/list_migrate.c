#include "account/store/list.h"
#include "base/mem.h"

/* ---- up to version 3: rows of `message` ---- */

static struct entry entry_of(const struct query *q)
{
	return (struct entry){
		.row = {(uint32_t)query_int(q, 1), (uint32_t)query_int(q, 5), (uint64_t)query_int(q, 4),
			(uint64_t)query_int(q, 3), (uint64_t)query_int(q, 2)},
		.dates = {query_int(q, 6), query_int(q, 8), (int16_t)query_int(q, 7)},
	};
}

static result take_rows(struct db *db, struct lists *l)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q,
		"SELECT mailbox,uid,content,flags,modseq,size,date,minutes,saved FROM message ORDER BY mailbox,uid"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return lists_settle(l, db);
		const struct entry e = entry_of(q);
		const struct place p = {l, db, (uint64_t)query_int(q, 0)};
		TRY(list_add(&p, &e));
	}
}

/* ---- versions 4 and 5: 95 records of fixed length in a chunk, behind the last one zeros ---- */

enum { FORMER_RECORDS = 95 };

static result damaged(void)
{
	return failure(FAIL_DAMAGE, "a mailbox's list of messages is damaged; restore from a backup");
}

static result take_chunk(const struct place *p, str bytes)
{
	if (bytes.n != FORMER_RECORDS * LIST_RECORD)
		return damaged();
	for (; bytes.n; bytes = str_skip(bytes, LIST_RECORD)) {
		struct entry e;
		record_get((const unsigned char *)bytes.p, &e);
		if (e.row.uid == 0)
			return OK;
		TRY(list_add(p, &e));
	}
	return OK;
}

static result take_chunks(struct db *db, struct lists *l)
{
	struct query AUTO_QUERY *q = NULL;
	struct place p = {l, db, 0};
	bool row;
	TRY(db_ask(db, &q, "SELECT id>>32,records FROM former_list ORDER BY id"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return lists_settle(l, db);
		int64_t box = query_int(q, 0);
		if (box < 1 || box > STORE_BOX_ID_MAX)
			return damaged();
		p.box = (uint64_t)box;
		TRY(take_chunk(&p, query_bytes(q, 1)));
	}
}

/* ---- */

/* An account of version 3 comes through 4 and 5 with its rows; one that version 4 or 5 wrote has no such table. */
static result take_over(struct db *db, struct lists *l)
{
	int64_t rows;
	TRY(db_get(db, &rows, "SELECT count(*) FROM sqlite_schema WHERE type='table' AND name='message'"));
	if (rows)
		TRY(take_rows(db, l));
	TRY(take_chunks(db, l));
	return db_exec(db, "DROP TABLE IF EXISTS message; DROP TABLE former_list");
}

result list_migrate(struct db *db, uint32_t version)
{
	if (version != 6)
		return OK;
	struct lists AUTO_MEM *l = mem_alloc(sizeof *l);
	return l ? take_over(db, l) : failure(FAIL_MEMORY, "out of memory");
}
