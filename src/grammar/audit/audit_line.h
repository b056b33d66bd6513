/* A record of the audit log: one line of JSON (docs/audit.md has the format).
 *
 *   {"hash":H,"record":{"seq":N,"time":T,"prev":H,"event":E,"room":R,"number":N,
 *    "trace":T,"fields":{...}}}
 *   {"seq":N,"clear":{"user":[SALT,"anna@example.org"]}}
 *
 * H is the SHA-256 of the octets of "record"'s value; `prev` the H of the record
 * before. A field is a number, a word of ours, or {"sealed":S}, where S is the
 * SHA-256 of salt and text, both of which stand in the clear line alone. Only
 * what is printed here is read: no blanks, this order, no other escapes. Views
 * point into what was read. No sockets, no clock; nothing suspends. */
#ifndef GRAMMAR_AUDIT_LINE_H
#define GRAMMAR_AUDIT_LINE_H

#include "base/log_read.h"
#include "grammar/text/json_text.h"

enum {
	AUDIT_HASH = 32,
	AUDIT_SALT = 16,
	AUDIT_SIGNATURE = 64,
	AUDIT_FIELDS_MAX = 32,    /* fields of a record; further ones are left out, and "cut":1 says so */
	AUDIT_NAME_MAX = 64,      /* octets of a field's name */
	AUDIT_LINE_MAX = 32768,   /* octets of a line without its LF */
	AUDIT_TIME = 24,          /* 2026-11-22T05:00:00.123Z */
};

struct audit_hash {
	unsigned char b[AUDIT_HASH];
};

struct audit_line {
	struct audit_hash hash, prev;
	uint64_t seq;
	str time, event, room; /* as they stand between quotes */
	uint64_t number;
	str trace;             /* 32 digits, or empty */
	str fields;            /* inside the braces */
	str record;            /* what the hash covers */
};

struct audit_value {
	str name;
	char type; /* 's' a word, 'x' sealed, 'u', 'i' */
	str text;  /* as it stands between quotes */
	uint64_t number;
	struct audit_hash sealed;
};

bool audit_line_read(str line, struct audit_line *out);   /* without LF; does not compute the hash */
bool audit_field_next(str *fields, struct audit_value *out); /* of what audit_line_read gave */
bool audit_field_find(str fields, str name, struct audit_value *out);
struct audit_hash audit_hash_of(str octets);

/* What is about to be a record. */
struct audit_draft {
	uint64_t seq;
	struct audit_hash prev;
	str time, event, room;
	uint64_t number;
	const trace_id *trace;     /* NULL, or zero: none */
	unsigned char seed[32];    /* random and secret: salts come from it, and it is forgotten */
};
/* Appends the line with LF, and the clear line if there is one. False when the
 * record is damaged: nothing was put. *hash is the new one. */
bool audit_line_put(const struct audit_draft *d, struct log_record fields, buf *chain, buf *clear,
		    struct audit_hash *hash);

struct audit_clear {
	uint64_t seq;
	str fields; /* inside the braces */
};
struct audit_clear_value {
	str name;
	unsigned char salt[AUDIT_SALT];
	str text; /* as it stands between quotes */
};
bool audit_clear_read(str line, struct audit_clear *out);
bool audit_clear_next(str *fields, struct audit_clear_value *out);
bool audit_clear_fits(const struct audit_clear_value *v, const struct audit_hash *sealed);

#endif
