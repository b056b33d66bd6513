#include "account/store/list.h"
#include "account/store/view.h"
#include "run/clock.h"

/* Version 1. `message` lies in the order sessions read it. In `content` what is
 * small and asked for often comes first, so that reading it touches no overflow
 * page. A content row without a row in `shared` belongs to exactly one message:
 * a count inside the content row would rewrite the body with every COPY. `blob`
 * is the key of a body file; head, search and rest are packed (pack.h).
 * `vanished` holds runs of uids that were removed together. `former` remembers
 * the highest UIDVALIDITY a name had when its mailbox left it. */
static const char version_1[] =
	"CREATE TABLE account(id INTEGER PRIMARY KEY CHECK(id=1), modseq INTEGER NOT NULL,"
	" uidvalidity INTEGER NOT NULL, content INTEGER NOT NULL, octets INTEGER NOT NULL,"
	" messages INTEGER NOT NULL, quota INTEGER NOT NULL) STRICT;"
	"CREATE TABLE mailbox(id INTEGER PRIMARY KEY AUTOINCREMENT, uidvalidity INTEGER NOT NULL,"
	" uidnext INTEGER NOT NULL, modseq INTEGER NOT NULL, messages INTEGER NOT NULL, unseen INTEGER NOT NULL,"
	" deleted INTEGER NOT NULL,"
	" recent INTEGER NOT NULL, octets INTEGER NOT NULL, deleted_octets INTEGER NOT NULL,"
	" tag INTEGER NOT NULL UNIQUE, use INTEGER NOT NULL, created INTEGER NOT NULL,"
	" name TEXT NOT NULL UNIQUE) STRICT;"
	"CREATE TABLE subscription(name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;"
	"CREATE TABLE former(name TEXT PRIMARY KEY, uidvalidity INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE keyword(mailbox INTEGER NOT NULL, bit INTEGER NOT NULL, name TEXT NOT NULL,"
	" PRIMARY KEY(mailbox, bit)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE message(mailbox INTEGER NOT NULL, uid INTEGER NOT NULL, content INTEGER NOT NULL,"
	" flags INTEGER NOT NULL, modseq INTEGER NOT NULL, size INTEGER NOT NULL, date INTEGER NOT NULL,"
	" minutes INTEGER NOT NULL, saved INTEGER NOT NULL, PRIMARY KEY(mailbox, uid)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE content(id INTEGER PRIMARY KEY, header_size INTEGER NOT NULL, head_size INTEGER NOT NULL,"
	" rest_size INTEGER NOT NULL, blob BLOB,"
	" trace BLOB NOT NULL, envelope BLOB NOT NULL, basic BLOB NOT NULL, structure BLOB NOT NULL,"
	" parts BLOB NOT NULL, head BLOB NOT NULL, search BLOB NOT NULL, rest BLOB NOT NULL) STRICT;"
	"CREATE INDEX content_blob ON content(blob) WHERE blob IS NOT NULL;"
	"CREATE TABLE shared(content INTEGER PRIMARY KEY, messages INTEGER NOT NULL CHECK(messages > 1)) STRICT;"
	"CREATE TABLE vanished(mailbox INTEGER NOT NULL, modseq INTEGER NOT NULL, first INTEGER NOT NULL,"
	" last INTEGER NOT NULL, PRIMARY KEY(mailbox, modseq, first)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE delivered(id BLOB PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

/* Version 2: every arrival counts in the account and in a mailbox, so the two lie
 * on one page: `counts`, where 0 is the account and `next` its last content
 * number, else a mailbox and `next` its UIDNEXT. A delivery id is kept in the
 * content it brought; in `delivered` are those whose content is gone and those
 * that could not be found by time (delivered.h). */
static const char version_2[] =
	"CREATE TABLE counts(id INTEGER PRIMARY KEY, modseq INTEGER NOT NULL, uidvalidity INTEGER NOT NULL,"
	" next INTEGER NOT NULL, messages INTEGER NOT NULL, octets INTEGER NOT NULL, unseen INTEGER NOT NULL,"
	" deleted INTEGER NOT NULL, deleted_octets INTEGER NOT NULL, recent INTEGER NOT NULL,"
	" quota INTEGER NOT NULL) STRICT;"
	"INSERT INTO counts SELECT 0,modseq,uidvalidity,content,messages,octets,0,0,0,0,quota FROM account;"
	"INSERT INTO counts SELECT id,modseq,uidvalidity,uidnext,messages,octets,unseen,deleted,deleted_octets,recent,0"
	" FROM mailbox;"
	"DROP TABLE account;"
	"ALTER TABLE mailbox DROP COLUMN uidvalidity;"
	"ALTER TABLE mailbox DROP COLUMN uidnext;"
	"ALTER TABLE mailbox DROP COLUMN modseq;"
	"ALTER TABLE mailbox DROP COLUMN messages;"
	"ALTER TABLE mailbox DROP COLUMN unseen;"
	"ALTER TABLE mailbox DROP COLUMN deleted;"
	"ALTER TABLE mailbox DROP COLUMN recent;"
	"ALTER TABLE mailbox DROP COLUMN octets;"
	"ALTER TABLE mailbox DROP COLUMN deleted_octets;"
	"ALTER TABLE content ADD COLUMN delivery BLOB;";

/* Version 3: up to where the arrivals of a locked account were merged. */
static const char version_3[] =
	"CREATE TABLE arrivals(id INTEGER PRIMARY KEY CHECK(id=1), file BLOB NOT NULL, upto INTEGER NOT NULL) STRICT;";

/* Version 4: `message` becomes `list` (list.h); what lies in it goes there with version 6. */
static const char version_4[] = "CREATE TABLE list(id INTEGER PRIMARY KEY, records BLOB NOT NULL) STRICT;";

/* Version 5: where a letter went, as long as no list has it (unlisted.h). */
static const char version_5[] = "ALTER TABLE content ADD COLUMN box INTEGER;"
				"ALTER TABLE content ADD COLUMN record BLOB;";

/* Version 6: the lists' chunks are packed (list_pack.h); until then they were 95 records of fixed length. */
static const char version_6[] = "ALTER TABLE list RENAME TO former_list;"
				"CREATE TABLE list(id INTEGER PRIMARY KEY, records BLOB NOT NULL) STRICT;";

/* Version 7: letters are kept ahead of their commit (kept.h). */
static const char version_7[] = "CREATE TABLE kept(generation INTEGER NOT NULL) STRICT; INSERT INTO kept VALUES(0);";

/* All of it, for a new account: the steps, which take columns away again, cost it 8 ms more. */
static const char newest[] =
	"CREATE TABLE mailbox(id INTEGER PRIMARY KEY AUTOINCREMENT, tag INTEGER NOT NULL UNIQUE, use INTEGER NOT NULL,"
	" created INTEGER NOT NULL, name TEXT NOT NULL UNIQUE) STRICT;"
	"CREATE TABLE counts(id INTEGER PRIMARY KEY, modseq INTEGER NOT NULL, uidvalidity INTEGER NOT NULL,"
	" next INTEGER NOT NULL, messages INTEGER NOT NULL, octets INTEGER NOT NULL, unseen INTEGER NOT NULL,"
	" deleted INTEGER NOT NULL, deleted_octets INTEGER NOT NULL, recent INTEGER NOT NULL,"
	" quota INTEGER NOT NULL) STRICT;"
	"CREATE TABLE subscription(name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;"
	"CREATE TABLE former(name TEXT PRIMARY KEY, uidvalidity INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE keyword(mailbox INTEGER NOT NULL, bit INTEGER NOT NULL, name TEXT NOT NULL,"
	" PRIMARY KEY(mailbox, bit)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE list(id INTEGER PRIMARY KEY, records BLOB NOT NULL) STRICT;"
	"CREATE TABLE content(id INTEGER PRIMARY KEY, header_size INTEGER NOT NULL, head_size INTEGER NOT NULL,"
	" rest_size INTEGER NOT NULL, blob BLOB,"
	" trace BLOB NOT NULL, envelope BLOB NOT NULL, basic BLOB NOT NULL, structure BLOB NOT NULL,"
	" parts BLOB NOT NULL, head BLOB NOT NULL, search BLOB NOT NULL, rest BLOB NOT NULL, delivery BLOB,"
	" box INTEGER, record BLOB) STRICT;"
	"CREATE INDEX content_blob ON content(blob) WHERE blob IS NOT NULL;"
	"CREATE TABLE shared(content INTEGER PRIMARY KEY, messages INTEGER NOT NULL CHECK(messages > 1)) STRICT;"
	"CREATE TABLE vanished(mailbox INTEGER NOT NULL, modseq INTEGER NOT NULL, first INTEGER NOT NULL,"
	" last INTEGER NOT NULL, PRIMARY KEY(mailbox, modseq, first)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE delivered(id BLOB PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE arrivals(id INTEGER PRIMARY KEY CHECK(id=1), file BLOB NOT NULL, upto INTEGER NOT NULL) STRICT;"
	"CREATE TABLE kept(generation INTEGER NOT NULL) STRICT; INSERT INTO kept VALUES(0);";

static const char *const steps[] = {version_1, version_2, version_3, version_4, version_5, version_6, version_7};
const struct db_schema store_schema = {
	.steps = steps, .count = sizeof steps / sizeof *steps, .behind = list_migrate, .newest = newest, .kept_since = 7};

result account_get(struct db *db, struct account_row *out)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT modseq,uidvalidity,next,octets,messages,quota FROM counts WHERE id=0"));
	TRY(query_next(q, &row));
	if (!row)
		return failure(FAIL_ABSENT, "the account's database holds no account");
	*out = (struct account_row){
		.modseq = (uint64_t)query_int(q, 0),
		.uidvalidity = (uint32_t)query_int(q, 1),
		.content = (uint64_t)query_int(q, 2),
		.octets = (uint64_t)query_int(q, 3),
		.messages = (uint64_t)query_int(q, 4),
		.quota = (uint64_t)query_int(q, 5),
	};
	return OK;
}

result account_put(struct db *db, const struct account_row *row)
{
	return db_run(db,
		"INSERT INTO counts(id,modseq,uidvalidity,next,octets,messages,quota,unseen,deleted,deleted_octets,recent)"
		" VALUES(0,?1,?2,?3,?4,?5,?6,0,0,0,0) ON CONFLICT(id) DO UPDATE SET"
		" modseq=?1,uidvalidity=?2,next=?3,octets=?4,messages=?5,quota=?6",
		DB_INT(row->modseq), DB_INT(row->uidvalidity), DB_INT(row->content), DB_INT(row->octets),
		DB_INT(row->messages), DB_INT(row->quota));
}

void box_from_query(const struct query *q, struct box_row *out)
{
	*out = (struct box_row){
		.id = (uint64_t)query_int(q, 0),
		.uidvalidity = (uint32_t)query_int(q, 1),
		.uidnext = (uint32_t)query_int(q, 2),
		.modseq = (uint64_t)query_int(q, 3),
		.messages = (uint32_t)query_int(q, 4),
		.unseen = (uint32_t)query_int(q, 5),
		.deleted = (uint32_t)query_int(q, 6),
		.recent = (uint32_t)query_int(q, 7),
		.octets = (uint64_t)query_int(q, 8),
		.deleted_octets = (uint64_t)query_int(q, 9),
		.tag = (uint64_t)query_int(q, 10),
		.use = (unsigned)query_int(q, 11),
	};
}

static result one_box(struct db *db, const char *sql, const struct db_arg *args, struct box_row *out)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask_args(db, &q, sql, args));
	TRY(query_next(q, &row));
	if (!row)
		return failure(FAIL_ABSENT, "there is no such mailbox");
	box_from_query(q, out);
	return OK;
}

void count_flags(struct box_row *b, uint64_t flags, uint32_t size, int sign)
{
	uint32_t one = sign < 0 ? UINT32_MAX : 1;
	if (!(flags & STORE_SEEN))
		b->unseen += one;
	if (flags & STORE_DELETED) {
		b->deleted += one;
		b->deleted_octets += sign < 0 ? -(uint64_t)size : size;
	}
}

void count_in_box(struct box_row *b, const struct row *row)
{
	b->uidnext = row->uid + 1;
	b->modseq = row->modseq;
	b->messages++;
	b->octets += row->size;
	count_flags(b, row->flags, row->size, 1);
}

void count_in_account(struct account_row *a, const struct row *row)
{
	a->modseq = row->modseq > a->modseq ? row->modseq : a->modseq;
	a->content = row->content > a->content ? row->content : a->content;
	a->messages++;
	a->octets += row->size;
}

result box_get(struct db *db, uint64_t id, struct box_row *out)
{
	return one_box(db, "SELECT " BOX_COLUMNS " WHERE m.id=?1", DB_ARGS(DB_INT(id)), out);
}

result box_find(struct db *db, str name, struct box_row *out)
{
	return one_box(db, "SELECT " BOX_COLUMNS " WHERE m.name=?1", DB_ARGS(DB_TEXT(name)), out);
}

result box_put(struct db *db, const struct box_row *r)
{
	return db_run(db,
		"UPDATE counts SET uidvalidity=?2,next=?3,modseq=?4,messages=?5,unseen=?6,deleted=?7,recent=?8,"
		"octets=?9,deleted_octets=?10 WHERE id=?1",
		DB_INT(r->id), DB_INT(r->uidvalidity), DB_INT(r->uidnext), DB_INT(r->modseq), DB_INT(r->messages),
		DB_INT(r->unseen), DB_INT(r->deleted), DB_INT(r->recent), DB_INT(r->octets), DB_INT(r->deleted_octets));
}

result box_insert(struct db *db, struct box_row *r, str name)
{
	TRY(db_run(db,
		"INSERT INTO mailbox(tag,use,created,name) VALUES(?1,?2,?3,?4)", DB_INT(r->tag), DB_INT(r->use),
		DB_INT(clock_wall_s()), DB_TEXT(name)));
	r->id = (uint64_t)db_last_row(db);
	if (r->id > STORE_BOX_ID_MAX)
		return failure(FAIL_LIMIT, "the account has given out all its mailbox numbers");
	return db_run(db,
		"INSERT INTO counts(id,uidvalidity,next,modseq,messages,octets,unseen,deleted,deleted_octets,recent,quota)"
		" VALUES(?1,?2,?3,?4,0,0,0,0,0,1,0)",
		DB_INT(r->id), DB_INT(r->uidvalidity), DB_INT(r->uidnext), DB_INT(r->modseq));
}

result box_drop(struct db *db, uint64_t id)
{
	TRY(db_run(db, "DELETE FROM counts WHERE id=?1", DB_INT(id)));
	return db_run(db, "DELETE FROM mailbox WHERE id=?1", DB_INT(id));
}
