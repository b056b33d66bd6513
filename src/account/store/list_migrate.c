#include "account/store/list.h"
#include "base/mem.h"

static struct entry entry_of(const struct query *q)
{
	return (struct entry){
		.row = {(uint32_t)query_int(q, 1), (uint32_t)query_int(q, 5), (uint64_t)query_int(q, 4),
			(uint64_t)query_int(q, 3), (uint64_t)query_int(q, 2)},
		.dates = {query_int(q, 6), query_int(q, 8), (int16_t)query_int(q, 7)},
	};
}

static result take_over(struct db *db, struct lists *l)
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

result list_migrate(struct db *db, uint32_t version)
{
	if (version != 4)
		return OK;
	struct lists *l = mem_alloc(sizeof *l);
	if (!l)
		return failure(FAIL_MEMORY, "out of memory");
	result r = take_over(db, l);
	mem_free(l);
	TRY(r);
	return db_run(db, "DROP TABLE message");
}
