/* "v=STSv1; id=20160831; more=x": the fields of the TXT records of MTA-STS (RFC
 * 8461 3.1) and TLSRPT (RFC 8460 3), version first. Views of the text; nothing
 * suspends. INPUT for what is no such record. */
#ifndef GRAMMAR_RECORD_FIELDS_H
#define GRAMMAR_RECORD_FIELDS_H

#include "base/cursor.h"
#include "base/fail.h"

struct record_field {
	str name, value;
};

/* Does the record begin with this version ("v=STSv1") and end, or go on with ';'? Then *at is behind it. */
bool record_begins(str text, str version, cursor *at);
/* *out has an empty name at the end. */
result record_field_next(cursor *at, struct record_field *out) NODISCARD;

#endif
