#include "watch/watch.h"

#include <fcntl.h>
#include <time.h>

#include "engine/seal.h"
#include "run/clock.h"
#include "run/fiber.h"
#include "run/secret.h"
#include "talk/principal_vault.h"
#include "talk/room.h"
#include "watch/journal.h"

enum { OWN_COUNTERS = 5, VAULT_ARENA = 4096 };

static struct {
	bool to_file;
	enum log_level least;
	int64_t keep_ms;
	uint64_t octets_max;
	struct files_local files;
	struct journal *journal;
	struct ledger *ledger;
	uint64_t events[LOG_EVENTS];
	uint64_t damaged;
	uint64_t lines_told;
} watch;

/* ---- events ---- */

/* Losing lines is said once it is over: while there is no room, there is none for this. */
static void tell_lost_lines(buf *lines, const struct origin *from, const char *stamp)
{
	uint64_t lost = journal_dropped(watch.journal) - watch.lines_told;
	if (lost == 0)
		return;
	watch.lines_told += lost;
	watch.events[EV_ROOM_DROPPED]++;
	buf_put(lines, STR("{\"time\":\""));
	buf_put(lines, str_from(stamp));
	buf_put(lines, STR("\",\"level\":\"warning\",\"event\":\"room.dropped\",\"room\":\"watch\",\"number\":0,"
			   "\"fields\":{\"what\":\"log lines\",\"events\":"));
	buf_put_u64(lines, lost);
	buf_put(lines, STR(",\"seen-from\":"));
	json_put(lines, from->role);
	buf_put(lines, STR("}}\n"));
}

static bool write_line(const struct log_record *r, const struct origin *from, const char *stamp)
{
	struct log_record walk = *r;
	struct log_value v;
	if (log_meaning_of(r->event)->level < watch.least) {
		while (log_next(&walk, &v))
			;
		return !walk.fields.bad;
	}
	buf *lines = journal_lines(watch.journal);
	if (!lines)
		return true;
	tell_lost_lines(lines, from, stamp);
	return line_put(lines, r, from, stamp);
}

static void take_record(const struct entry *e, const char *stamp)
{
	struct log_record r;
	if (!log_read(e->record, &r) || !write_line(&r, &e->from, stamp)) {
		watch.damaged++;
		return;
	}
	watch.events[r.event]++;
	if (!trace_is_none(&r.trace) && log_meaning_of(r.event)->level >= LOG_INFO)
		ledger_add(watch.ledger, e, &r);
}

void watch_take(const struct origin *from, str records)
{
	char stamp[STAMP_SIZE];
	struct entry e = {.at = clock_wall_ms(), .from = *from};
	cursor c = cursor_on(records);
	if (!watch.ledger || !watch.journal)
		return; /* stopping */
	stamp_of(e.at, stamp);
	while (!cursor_done(&c)) {
		e.record = cursor_take(&c, cursor_u16(&c));
		if (c.bad || e.record.n > LOG_RECORD_MAX) {
			watch.damaged++;
			break;
		}
		take_record(&e, stamp);
	}
	journal_kick(watch.journal);
}

/* Watch's own events go the same way, without a channel. */
static void own_sink(void *ctx, str record)
{
	static const struct origin self = {.role = STR_INIT("watch")};
	char packet[2 + LOG_RECORD_MAX];
	(void)ctx;
	packet[0] = (char)(record.n & 0xff);
	packet[1] = (char)(record.n >> 8);
	memcpy(packet + 2, record.p, record.n);
	watch_take(&self, str_of(packet, 2 + record.n));
}

/* ---- questions ---- */

result watch_find(str query, arena *a, struct web_watch_traces *out)
{
	if (!watch.ledger)
		return failure(FAIL_BUSY, "the log is stopping");
	return ledger_find(watch.ledger, query, a, out);
}

result watch_counters(arena *a, struct web_watch_counters_are *out)
{
	struct web_watch_counter_row *rows = arena_array(a, LOG_EVENTS + OWN_COUNTERS, sizeof *rows);
	size_t n = 0;
	if (!rows)
		return arena_result(a);
	for (unsigned i = 0; i < LOG_EVENTS; i++)
		rows[n++] = (struct web_watch_counter_row){str_from(log_meaning_of(i)->name), watch.events[i]};
	rows[n++] = (struct web_watch_counter_row){STR("watch.records-damaged"), watch.damaged};
	if (watch.journal)
		rows[n++] = (struct web_watch_counter_row){STR("watch.lines-dropped"), journal_dropped(watch.journal)};
	if (watch.ledger) {
		rows[n++] = (struct web_watch_counter_row){STR("watch.ledger-kept"), ledger_kept(watch.ledger)};
		rows[n++] = (struct web_watch_counter_row){STR("watch.ledger-dropped"), ledger_dropped(watch.ledger)};
	}
	out->rows.p = rows;
	out->rows.n = n;
	return OK;
}

/* ---- life ---- */

result watch_prepare(const struct options *o)
{
	watch.to_file = options_number(o, OPT_LOG) == 1;
	watch.least = (enum log_level)options_number(o, OPT_LOG_LEVEL);
	watch.keep_ms = (int64_t)options_number(o, OPT_TRACE_TIME);
	watch.octets_max = options_number(o, OPT_TRACE_SIZE);
	watch.files = files_local(AT_FDCWD);
	tzset(); /* else the first line's time looks for the time zone, in the jail */
	return seal_start();
}

/* The key is made only when there is no ledger that another one sealed. */
static result fetch_key(struct secret *key)
{
	AUTO_ARENA arena a = arena_new(VAULT_ARENA);
	struct channel *vault;
	struct principal_vault_own_key_is is;
	struct principal_vault_own_key ask = {.make = false};
	bool there;
	TRY(files_exists(&watch.files.base, "ledger.db", &there));
	TRY(room_connect(&principal_vault_as_principal_kind, "vault", 0, &vault));
	result r = principal_vault_own_key_call(vault, NULL, &ask, &a, &is);
	if (r.kind == FAIL_ABSENT && !there) {
		ask.make = true;
		r = principal_vault_own_key_call(vault, NULL, &ask, &a, &is);
	}
	if (!failed(r))
		memcpy(secret_bytes(key), is.key, sizeof is.key);
	secret_wipe(&is, sizeof is);
	return r;
}

result watch_start_with(const unsigned char key[LEDGER_KEY])
{
	struct ledger_options o = {
		.files = &watch.files.base, .key = key, .keep_ms = watch.keep_ms, .octets_max = watch.octets_max};
	TRY(journal_open(watch.to_file, &watch.journal));
	log_set_sink(own_sink, NULL);
	result r = ledger_open(&o, &watch.ledger);
	if (failed(r)) { /* a room that did not start is not stopped */
		log_set_sink(NULL, NULL);
		journal_close(&watch.journal);
	}
	return r;
}

result watch_start(void)
{
	struct secret *key = NULL;
	TRY(secret_new(LEDGER_KEY, &key));
	result r = fetch_key(key);
	if (!failed(r))
		r = watch_start_with(secret_bytes(key));
	secret_free(&key);
	return r;
}

void watch_stop(void)
{
	log_set_sink(NULL, NULL);
	ledger_close(&watch.ledger);
	journal_close(&watch.journal);
}
