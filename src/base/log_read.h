/* Decoding of an event record (see log.h), for watch and for tools.
 *
 * Views point into the record. Records come from other rooms, so every length
 * is checked; a record that does not fit sets `bad` in the cursor. */
#ifndef BASE_LOG_READ_H
#define BASE_LOG_READ_H

#include "base/cursor.h"
#include "base/log.h"

struct log_record {
	unsigned event;
	trace_id trace;
	cursor fields;
};

struct log_value {
	str name;
	char type; /* 's', 'u', 'i' */
	str text;
	uint64_t number;
};

bool log_read(str record, struct log_record *out);
bool log_next(struct log_record *r, struct log_value *out); /* false at the end or when bad */

#endif
