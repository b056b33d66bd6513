/* Addresses that servers called unknown, again and again: mail to them fails at
 * once for a while, so that a list with dead addresses does not spoil what the
 * servers think of this one. */
#include <time.h>

#include "grammar/smtp/mailbox.h"
#include "queue/mail_core.h"

enum { UNKNOWN_HITS = 3, KEY_ARENA = 16384 };

/* One form for all spellings: who a server does not know as "Anna" it does not know as "anna" either. */
static str key_of(str address, arena *a)
{
	size_t at = str_rchr(address, '@');
	char *p = arena_alloc(a, address.n);
	str domain;
	if (!p || at == STR_NONE)
		return address;
	for (size_t i = 0; i < address.n; i++)
		p[i] = (char)ascii_lower(str_at(address, i));
	str lower = str_of(p, address.n);
	if (str_is_ascii(str_skip(lower, at)) || failed(mailbox_domain(str_skip(lower, at + 1), a, &domain)))
		return lower;
	AUTO_BUF buf b = buf_new(address.n + domain.n);
	buf_put(&b, str_sub(lower, 0, at + 1));
	buf_put(&b, domain);
	return arena_dup(a, buf_str(&b));
}

/* Unknown, moved, or syntactically no address there (RFC 3463, RFC 5248). */
bool suppress_counts(str status)
{
	static const str codes[] = {STR_INIT("5.1.1"), STR_INIT("5.1.3"), STR_INIT("5.1.6"), STR_INIT("5.2.1")};
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (str_eq(status, codes[i]))
			return true;
	return false;
}

static str sentence(int64_t until, uint64_t hits, str text, arena *a)
{
	AUTO_BUF buf b = buf_new(500);
	char day[16] = "";
	time_t t = (time_t)(until / 1000);
	struct tm tm;
	if (gmtime_r(&t, &tm))
		strftime(day, sizeof day, "%Y-%m-%d", &tm);
	buf_printf(&b, "not tried: its server has called this address unknown %llu times; until %s mail to it is"
		" returned at "
		"once. 'postern queue lift ADDRESS' ends that. The server's last words: ", (unsigned long long)hits, day);
	buf_put(&b, str_sub(text, 0, b.max - b.n));
	return arena_dup(a, buf_str(&b));
}

result suppress_find(struct db *db, const struct suppress_note *n, arena *a, str *why)
{
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	*why = (str){0};
	TRY(db_ask(db, &rows, "SELECT until, hits, text FROM suppressed WHERE address = ?1 AND until > ?2",
		DB_BLOB(key_of(n->address, a)), DB_INT(n->now)));
	TRY(query_next(rows, &row));
	if (!row)
		return OK;
	*why = sentence(query_int(rows, 0), (uint64_t)query_int(rows, 1), query_bytes(rows, 2), a);
	return arena_result(a);
}

/* Hits that lie further apart than the time of a suppression are not counted together. */
result suppress_unknown(struct db *db, const struct suppress_note *n)
{
	AUTO_ARENA arena a = arena_new(KEY_ARENA);
	int64_t for_ms = (int64_t)n->for_ms;
	str key = key_of(n->address, &a);
	TRY(db_run(db, "DELETE FROM suppressed WHERE address = ?1 AND last < ?2", DB_BLOB(key),
		DB_INT(n->now - for_ms)));
	return db_run(db, "INSERT INTO suppressed (address, hits, last, until, status, text) VALUES (?1, 1, ?2, 0, ?3, ?4)"
		" ON CONFLICT (address) DO UPDATE SET hits = hits + 1, last = ?2, status = ?3, text = ?4,"
		" until = CASE WHEN hits + 1 >= ?5 THEN ?6 ELSE 0 END", DB_BLOB(key), DB_INT(n->now), DB_BLOB(n->status),
		DB_BLOB(n->text), DB_INT(UNKNOWN_HITS), DB_INT(n->now + for_ms));
}

result suppress_known(struct db *db, str address)
{
	AUTO_ARENA arena a = arena_new(KEY_ARENA);
	return db_run(db, "DELETE FROM suppressed WHERE address = ?1", DB_BLOB(key_of(address, &a)));
}
