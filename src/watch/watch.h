/* What watch does with an event: counts it, writes its line, keeps it for the
 * ledger. In that order of importance: under pressure ledger entries are
 * dropped first (ledger.h), then lines (journal.h), counters never.
 *
 * One process is one watch. Damaged records are counted and skipped, since a
 * room that speaks nonsense must not take the log away from the others. */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

#include "config/options.h"
#include "run/places.h"
#include "talk/web_watch.h"
#include "watch/ledger.h"

/* Where addresses are; NULL: no database was given. */
extern struct places *watch_places;

result watch_prepare(const struct options *o) NODISCARD;
void watch_page(int fd); /* where edges read bans; taken; before the start */
result watch_start(void) NODISCARD; /* on a fiber, after the jail: its key comes from vault */
result watch_start_with(const unsigned char key[LEDGER_KEY]) NODISCARD; /* for the bench */
void watch_stop(void);              /* suspends */

/* A packet of records, each behind its length (u16). */
void watch_take(const struct origin *from, str records);
/* One record that its room waits for: OK when it is in the audit log, on the disk. Suspends. */
result watch_attest(const struct origin *from, str record) NODISCARD;
result watch_audit_show(const struct web_watch_audit_show *q, arena *a, struct web_watch_audit_records *out) NODISCARD;
result watch_audit_head(arena *a, struct web_watch_audit_head_is *out) NODISCARD; /* suspends */
bool watch_knows_habit(uint64_t account, str client); /* does it usually log in from there? */
result watch_find(str query, arena *a, struct web_watch_traces *out) NODISCARD; /* suspends */
result watch_ban_list(str after, arena *a, struct web_watch_bans *out) NODISCARD; /* these four suspend */
result watch_ban_add(const struct web_watch_ban_add *m) NODISCARD;
result watch_ban_remove(str network) NODISCARD;
result watch_ban_why(str address, arena *a, struct web_watch_ban_is *out) NODISCARD;
result watch_counters(arena *a, struct web_watch_counters_are *out) NODISCARD;

#endif
