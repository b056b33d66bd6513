#include "auth/directory_rows.h"

static result detach_one(struct db *db, uint64_t address)
{
	TRY(db_run(db, "DELETE FROM send_as WHERE key = (SELECT key FROM address WHERE id = ?1)", DB_INT(address)));
	TRY(db_run(db, "DELETE FROM target WHERE target = ?1", DB_INT(address)));
	return db_run(db, "UPDATE domain SET catch_all = NULL WHERE catch_all = ?1", DB_INT(address));
}

static result erase_one(struct db *db, uint64_t address)
{
	TRY(detach_one(db, address));
	return db_run(db, "DELETE FROM address WHERE id = ?1", DB_INT(address));
}

static result erase_widowed(struct db *db)
{
	for (;;) {
		int64_t id;
		result r = db_get(db, &id, "SELECT id FROM address WHERE account IS NULL AND fixed = 0"
			" AND NOT EXISTS (SELECT 1 FROM target WHERE alias = address.id)"
			" AND NOT EXISTS (SELECT 1 FROM outside WHERE alias = address.id)");
		if (r.kind == FAIL_ABSENT)
			return OK;
		TRY(r);
		TRY(erase_one(db, (uint64_t)id));
	}
}

result rows_detach(struct db *db, uint64_t address)
{
	TRY(detach_one(db, address));
	return erase_widowed(db);
}

result rows_erase(struct db *db, uint64_t address)
{
	TRY(erase_one(db, address));
	return erase_widowed(db);
}

result rows_add_address(struct db *db, str key, uint64_t domain, uint64_t *id)
{
	TRY(db_run(db, "INSERT INTO address (key, domain) VALUES (?1, ?2)", DB_TEXT(key), DB_INT(domain)));
	*id = (uint64_t)db_last_row(db);
	return OK;
}
