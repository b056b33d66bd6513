/* The account's tables, version by version; and typed access to their rows.
 *
 * All of it runs on the store thread, inside a job. `struct` rows are plain
 * values. Errors are the database's. */
#ifndef ACCOUNT_STORE_SCHEMA_H
#define ACCOUNT_STORE_SCHEMA_H

#include "account/store/mailbox.h"
#include "engine/query.h"

extern const struct db_schema store_schema;

struct account_row {
	uint64_t modseq;      /* the last one given */
	uint32_t uidvalidity; /* the last one given */
	uint64_t content;     /* the last content number given */
	uint64_t octets;
	uint64_t messages;
	uint64_t quota;
};

struct box_row {
	uint64_t id;
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint64_t modseq;
	uint32_t messages;
	uint32_t unseen;
	uint32_t deleted;
	uint32_t recent; /* uids from here on are \Recent */
	uint64_t octets;
	uint64_t deleted_octets;
	uint64_t tag; /* random, its mailbox id */
	unsigned use;
};

/* What memory keeps of a message. */
struct row {
	uint32_t uid;
	uint32_t size;
	uint64_t modseq;
	uint64_t flags;
	uint64_t content;
};

struct message_dates {
	int64_t date;
	int64_t saved;
	int16_t minutes;
};

/* What a message more or less of those flags counts. */
void count_flags(struct box_row *b, uint64_t flags, uint32_t size, int sign);
/* What a message more counts, its uid and modseq the highest. */
void count_in_box(struct box_row *b, const struct row *row);
void count_in_account(struct account_row *a, const struct row *row);

result account_get(struct db *db, struct account_row *out) NODISCARD;
result account_put(struct db *db, const struct account_row *row) NODISCARD;

result box_get(struct db *db, uint64_t id, struct box_row *out) NODISCARD; /* ABSENT */
result box_find(struct db *db, str name, struct box_row *out) NODISCARD;   /* ABSENT */
result box_put(struct db *db, const struct box_row *row) NODISCARD;
result box_insert(struct db *db, struct box_row *row, str name) NODISCARD; /* sets the id; EXISTS */
result box_drop(struct db *db, uint64_t id) NODISCARD;
/* All columns of a mailbox, as box_from_query reads them from column 0 on; the name is column BOX_NAME.
 * A condition on m.id or m.name may follow. */
#define BOX_COLUMNS                                                                                   \
	"m.id,c.uidvalidity,c.next,c.modseq,c.messages,c.unseen,c.deleted,c.recent,c.octets,c.deleted_octets," \
	"m.tag,m.use,m.name FROM mailbox m JOIN counts c ON c.id=m.id"
enum { BOX_NAME = 12 };
void box_from_query(const struct query *q, struct box_row *out);

#endif
