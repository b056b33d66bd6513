/* What libunbound found, as an answer of asker-resolve. Pure; nothing suspends. */
#ifndef RESOLVE_ANSWER_H
#define RESOLVE_ANSWER_H

#include <unbound.h>

#include "talk/asker_resolve.h"

/* Copies into the arena. Of more than ASKER_RESOLVE_LOOKED_UP_RECORDS_MAX records the first are given. */
result answer_of(const struct ub_result *found, arena *a, struct asker_resolve_looked_up *answer) NODISCARD;
/* Nobody answered, and why in words. */
void answer_failed(const char *why, struct asker_resolve_looked_up *answer);
/* May this be asked? ASCII letters, digits, '-', '_', '/' and '*' in labels of 1 to 63. */
bool answer_name_ok(str name);

#endif
