#include "watch/watch.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <time.h>

#include "engine/seal.h"
#include "run/clock.h"
#include "run/files.h"
#include "run/fiber.h"
#include "run/secret.h"
#include "talk/principal_vault.h"
#include "talk/room.h"
#include "watch/acts.h"
#include "watch/audit.h"
#include "watch/detect/detect.h"
#include "watch/bans.h"
#include "watch/exports.h"
#include "watch/journal.h"

static const uint64_t BAN_SECONDS_MAX = 100ULL * 366 * 86400;
enum { OWN_COUNTERS = 8, VAULT_ARENA = 4096, SIGN_MS = 1000 };

static struct {
	bool to_file;
	enum log_level least;
	int64_t keep_ms;
	int64_t forget_ms;
	uint64_t octets_max;
	struct files_local files;
	struct files_local audit_folder;
	struct audit *audit;
	struct journal *journal;
	struct ledger *ledger;
	struct detect *detect;
	struct bans *bans;
	struct acts *acts;
	struct exports *exports;
	char export[64];
	struct networks never_ban;
	bool contains;
	int page;
	uint64_t events[LOG_EVENTS];
	uint64_t damaged;
	uint64_t lines_told;
} watch = {.page = -1};

struct places *watch_places;

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

/* Line, counter, ledger; false when it is damaged. */
static bool keep_record(const struct entry *e, struct log_record *out)
{
	struct log_record r;
	char stamp[STAMP_SIZE];
	stamp_of(e->at, stamp);
	if (!log_read(e->record, &r) || !write_line(&r, &e->from, stamp)) {
		watch.damaged++;
		return false;
	}
	watch.events[r.event]++;
	if (!trace_is_none(&r.trace) && log_meaning_of(r.event)->level >= LOG_INFO)
		ledger_add(watch.ledger, e, &r);
	if (watch.exports)
		exports_take(watch.exports, e, &r);
	if (watch.detect)
		detect_take(watch.detect, e, &r);
	*out = r;
	return true;
}

/* What edges tell of the bans that they keep. */
static void hear_of_bans(struct log_record r)
{
	struct log_value v;
	str network = {NULL, 0};
	uint64_t connections = 0;
	while (log_next(&r, &v)) {
		if (v.type == 's' && str_eq(v.name, STR("network")))
			network = v.text;
		else if (v.type == 'u' && str_eq(v.name, STR("connections")))
			connections = v.number;
	}
	bans_refused(watch.bans, network, connections);
}

static void take_record(const struct entry *e)
{
	struct log_record r;
	if (!keep_record(e, &r))
		return;
	if (watch.audit && log_meaning_of(r.event)->audit)
		audit_add(watch.audit, e);
	if (watch.bans && r.event == EV_BAN_REFUSED && str_starts(e->from.role, STR("edge")))
		hear_of_bans(r);
}

result watch_attest(const struct origin *from, str record)
{
	const struct entry e = {.at = clock_wall_ms(), .from = *from, .record = record};
	struct log_record r;
	if (!watch.ledger || !watch.journal || !watch.audit)
		return failure(FAIL_BUSY, "the log is starting or stopping; try again");
	bool good = keep_record(&e, &r);
	journal_kick(watch.journal);
	if (!good || !log_meaning_of(r.event)->audit)
		return failure(FAIL_INPUT, "that is no record of the audit log");
	return audit_attest(watch.audit, &e);
}

void watch_take(const struct origin *from, str records)
{
	struct entry e = {.at = clock_wall_ms(), .from = *from};
	cursor c = cursor_on(records);
	if (!watch.ledger || !watch.journal)
		return; /* stopping */
	while (!cursor_done(&c)) {
		e.record = cursor_take(&c, cursor_u16(&c));
		if (c.bad || e.record.n > LOG_RECORD_MAX) {
			watch.damaged++;
			break;
		}
		take_record(&e);
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

bool watch_knows_habit(uint64_t account, str client)
{
	return watch.detect && detect_is_familiar(watch.detect, account, client);
}

result watch_audit_show(const struct web_watch_audit_show *q, arena *a, struct web_watch_audit_records *out)
{
	const struct audit_question ask = {.account = q->account, .before = q->before, .since = q->since};
	if (!watch.audit)
		return failure(FAIL_BUSY, "the log is stopping");
	return audit_show(watch.audit, &ask, a, out);
}

result watch_audit_head(arena *a, struct web_watch_audit_head_is *out)
{
	struct audit_checkpoint c;
	if (!watch.audit)
		return failure(FAIL_BUSY, "the log is stopping");
	TRY(audit_checkpoint(watch.audit, &c));
	out->seq = c.seq;
	out->time = arena_dup(a, str_of(c.time, sizeof c.time));
	memcpy(out->hash, c.hash.b, sizeof out->hash);
	memcpy(out->key, c.key, sizeof out->key);
	memcpy(out->signature, c.signature, sizeof out->signature);
	return arena_result(a);
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
	if (watch.bans)
		rows[n++] = (struct web_watch_counter_row){STR("watch.bans"), bans_count(watch.bans)};
	if (watch.audit) {
		rows[n++] = (struct web_watch_counter_row){STR("watch.audit-records"), audit_records(watch.audit)};
		rows[n++] = (struct web_watch_counter_row){STR("watch.audit-lost"), audit_lost(watch.audit)};
	}
	out->rows.p = rows;
	out->rows.n = n;
	return OK;
}

/* ---- bans ---- */

static result stopping(void)
{
	return failure(FAIL_BUSY, "the log is starting or stopping; try again");
}

result watch_ban_list(str after, arena *a, struct web_watch_bans *out)
{
	return watch.bans ? bans_list(watch.bans, after, a, out) : stopping();
}

result watch_ban_add(const struct web_watch_ban_add *m)
{
	static const enum ban_grade grades[] = {[WEB_WATCH_BAN_GRADE_BANNED] = BAN_FULL,
		[WEB_WATCH_BAN_GRADE_TARPIT] = BAN_TARPIT, [WEB_WATCH_BAN_GRADE_DELAY] = BAN_DELAY};
	struct ban_wish w = {.row.grade = grades[m->grade], .by_hand = true, .why = m->reason, .by = STR("administrator")};
	if (m->seconds > BAN_SECONDS_MAX)
		return failure(FAIL_INPUT, "a ban lasts a hundred years at most, or for good");
	TRY(net_parse_cidr(m->network, &w.row.network));
	w.row.until = m->seconds ? clock_wall_ms() + (int64_t)m->seconds * 1000 : 0;
	if (!watch.bans)
		return stopping();
	TRY(bans_set(watch.bans, &w));
	return bans_settle(watch.bans);
}

result watch_ban_remove(str network)
{
	net_cidr c;
	TRY(net_parse_cidr(network, &c));
	if (!watch.bans)
		return stopping();
	TRY(bans_remove(watch.bans, &c, STR("administrator")));
	return bans_settle(watch.bans);
}

result watch_ban_why(str address, arena *a, struct web_watch_ban_is *out)
{
	AUTO_BUF buf points = buf_new(WEB_WATCH_BAN_IS_POINTS_MAX);
	net_addr who;
	if (!watch.bans)
		return stopping();
	TRY(bans_why(watch.bans, address, a, out));
	if (watch.detect && !failed(net_parse_ip(address, &who)))
		detect_tell(watch.detect, &who, &points);
	out->points = arena_dup(a, buf_str(&points));
	return arena_result(a);
}

void watch_page(int fd)
{
	watch.page = fd;
}

/* ---- life ---- */

result watch_prepare(const struct options *o)
{
	watch.to_file = options_number(o, OPT_LOG) == 1;
	watch.least = (enum log_level)options_number(o, OPT_LOG_LEVEL);
	watch.keep_ms = (int64_t)options_number(o, OPT_TRACE_TIME);
	watch.octets_max = options_number(o, OPT_TRACE_SIZE);
	watch.forget_ms = (int64_t)options_number(o, OPT_AUDIT_PSEUDONYMISE);
	watch.files = files_local(AT_FDCWD);
	watch.contains = options_yes(o, OPT_CONTAIN);
	TRY(settings_never_ban(o, &watch.never_ban));
	snprintf(watch.export, sizeof watch.export, "%.*s", STR_ARG(options_text(o, OPT_EXPORT)));
	mallopt(M_ARENA_MAX, 1); /* its threads have no heap of their own: of such a one malloc_trim gives no end back */
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

/* ---- who is attacking ---- */

/* Each was written down as an event when it was asked for. What bans_set refuses is never banned, or decided. */
static void take_measure(void *ctx, const struct measure *m)
{
	static const enum ban_grade grades[MEASURES] = {
		[MEASURE_DELAY] = BAN_DELAY, [MEASURE_TARPIT] = BAN_TARPIT, [MEASURE_BAN] = BAN_FULL};
	const struct ban_wish w = {.row = {.network = m->network, .grade = grades[m->kind], .until = m->until},
				   .why = m->evidence, .by = m->detector};
	(void)ctx;
	if (w.row.grade == BAN_NONE && watch.acts)
		acts_take(watch.acts, m, watch.contains);
	if (w.row.grade == BAN_NONE || !watch.bans)
		return;
	result r = bans_set(watch.bans, &w);
	if (failed(r) && r.kind != FAIL_DENIED && r.kind != FAIL_EXISTS)
		log_event(EV_ROOM_DROPPED, NULL, F_STR("what", STR("a ban")), F_U64("events", 1),
			  F_STR("why", str_from(r.text)));
}

static result start_detect(void)
{
	const struct detect_options o = {.measures = {.take = take_measure}, .ledger = watch.ledger,
					 .never = watch.never_ban,
					 .places = (struct places *const *)&watch_places};
	return detect_open(&o, &watch.detect);
}

result watch_start_with(const unsigned char key[LEDGER_KEY])
{
	struct ledger_options o = {
		.files = &watch.files.base, .key = key, .keep_ms = watch.keep_ms, .octets_max = watch.octets_max};
	TRY(journal_open(watch.to_file, &watch.journal));
	log_set_sink(own_sink, NULL);
	result r = ledger_open(&o, &watch.ledger);
	if (!failed(r))
		r = start_detect();
	if (failed(r))
		watch_stop(); /* a room that did not start is not stopped */
	return r;
}

/* ---- the audit log ---- */

static result have_signed(void *ctx, const struct audit_checkpoint *head, unsigned char signature[AUDIT_SIGNATURE])
{
	AUTO_ARENA arena a = arena_new(VAULT_ARENA);
	struct channel *vault;
	struct principal_vault_audit_signed is;
	struct principal_vault_audit_sign ask = {.seq = head->seq, .time = str_of(head->time, AUDIT_TIME)};
	const struct asking how = {.arena = &a, .timeout_ms = SIGN_MS};
	(void)ctx;
	memcpy(ask.hash, head->hash.b, sizeof ask.hash);
	TRY(room_connect(&principal_vault_as_principal_kind, "vault", 0, &vault));
	result r = principal_vault_audit_sign_call_within(vault, &how, &ask, &is);
	if (failed(r)) /* the refusal's sentence ends with the arena */
		return failure(r.kind, "the vault does not sign the audit log");
	memcpy(signature, is.signature, AUDIT_SIGNATURE);
	return OK;
}

static result ask_audit_key(struct audit_options *o)
{
	AUTO_ARENA arena a = arena_new(VAULT_ARENA);
	struct channel *vault;
	struct principal_vault_audit_key ask = {0};
	struct principal_vault_audit_key_is is;
	TRY(room_connect(&principal_vault_as_principal_kind, "vault", 0, &vault));
	result r = principal_vault_audit_key_call(vault, NULL, &ask, &a, &is);
	if (failed(r))
		return failure(r.kind, "the vault does not give the audit log's key");
	memcpy(o->key, is.public, sizeof o->key);
	memcpy(o->signed_hash.b, is.hash, sizeof o->signed_hash.b);
	o->signed_seq = is.seq;
	return OK;
}

static result start_audit(void)
{
	struct audit_options o = {.files = &watch.audit_folder.base, .signer = {.sign = have_signed},
				  .forget_ms = watch.forget_ms};
	int folder;
	TRY(ask_audit_key(&o));
	TRY(dir_make_at(AT_FDCWD, "audit", 0700));
	TRY(dir_open_at(AT_FDCWD, "audit", &folder));
	watch.audit_folder = files_local(folder);
	return audit_open(&o, &watch.audit);
}

static result start_bans(void)
{
	const struct bans_options o = {.ledger = watch.ledger, .page = watch.page, .never = watch.never_ban};
	watch.page = -1;
	return bans_open(&o, &watch.bans);
}

result watch_start(void)
{
	struct secret *key = NULL;
	TRY(secret_new(LEDGER_KEY, &key));
	result r = fetch_key(key);
	if (!failed(r))
		r = watch_start_with(secret_bytes(key));
	secret_free(&key);
	TRY(r);
	r = start_audit();
	if (!failed(r))
		r = exports_open(str_from(watch.export), &watch.exports);
	if (!failed(r))
		r = start_bans();
	if (!failed(r))
		r = acts_open(&watch.acts);
	if (failed(r))
		watch_stop(); /* a room that did not start is not stopped */
	return r;
}

void watch_stop(void)
{
	acts_close(&watch.acts);
	bans_close(&watch.bans);
	exports_close(&watch.exports);
	log_set_sink(NULL, NULL);
	audit_close(&watch.audit);
	detect_close(&watch.detect);
	ledger_close(&watch.ledger);
	journal_close(&watch.journal);
}
