/* Rules of an account: from where and when its owner may come in.
 *
 * A rule concerns the protocols that it names, or all. Where rules concern a
 * protocol, a login by it has to fit one of them, in all that this one says;
 * where none does, everything is permitted. "admin" stands for logins to the
 * administration API over the network; its local socket has none, whose callers the
 * kernel names.
 * The country of an address that no database knows is ZZ: a list of countries
 * permits it only if it names ZZ, a list of others ("all but these") unless it
 * does. Calls suspend but those that say not to. */
#ifndef AUTH_RULES_H
#define AUTH_RULES_H

#include "auth/directory.h"
#include "auth/scope.h"
#include "run/places.h"

enum { RULES_MAX = 20, RULE_HOURS = 11, RULE_ADMIN = 1u << EDGE_AUTH_PROTOCOL_ADMIN, RULE_COUNTRIES = 60 };

struct rule {
	uint64_t id;
	struct scope scope; /* protocols: RULE_ADMIN too */
	str hours;          /* "08:00-18:00"; empty: always */
	str countries;      /* "DE CH"; empty: all */
	bool others;        /* all countries but these */
};

/* The arena's, oldest first. */
struct rules {
	struct rule *v;
	size_t n;
};
result rules_read(struct directory *d, uint64_t account, arena *a, struct rules *out) NODISCARD;
/* LIMIT, ABSENT. `id` is set here. */
result rule_keep(struct directory *d, uint64_t account, struct rule *r) NODISCARD;
result rule_drop(struct directory *d, uint64_t account, uint64_t id) NODISCARD;

/* Codes of two letters; INPUT. And back: an array of the arena. Do not suspend. */
result rules_countries(const str *words, size_t n, arena *a, str *out) NODISCARD;
result rules_country_words(str countries, arena *a, str **out, size_t *n) NODISCARD;

/* Minutes of a day; until may be before from: over midnight. False: no such text. Does not suspend. */
struct rule_hours {
	unsigned from, until;
};
bool rules_hours_of(str text, struct rule_hours *out);

struct rule_visit {
	enum edge_auth_protocol protocol;
	str client;
	unsigned minute; /* of the day, here */
	const struct places *places;
};
/* NULL: it may come in; otherwise the sentence for who does. Does not suspend. */
const char *rules_bar(const struct rules *r, const struct rule_visit *v);
/* The same of the account's rules, now: `v->minute` is set here. Suspends. */
result rules_ask(struct directory *d, uint64_t account, struct rule_visit *v, const char **why) NODISCARD;

#endif
