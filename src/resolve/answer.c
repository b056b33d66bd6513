#include "resolve/answer.h"
#include "resolve/resolver.h"

enum { RCODE_NOERROR = 0, RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3, RCODE_REFUSED = 5 };

static bool is_name_octet(unsigned char c)
{
	return ascii_alpha(c) || ascii_digit(c) || c == '-' || c == '_' || c == '/' || c == '*';
}

bool answer_name_ok(str name)
{
	size_t label = 0;
	if (name.n == 0 || name.n > RESOLVER_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = str_at(name, i);
		if (c == '.' ? label == 0 : !is_name_octet(c))
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > RESOLVER_LABEL_MAX)
			return false;
	}
	return label > 0;
}

void answer_failed(const char *why, struct asker_resolve_looked_up *answer)
{
	*answer = (struct asker_resolve_looked_up){.finding = ASKER_RESOLVE_FINDING_FAILED, .why = str_from(why)};
}

static const char *failure_words(int rcode)
{
	switch (rcode) {
	case RCODE_SERVFAIL:
		return "no name server of the domain gave a usable answer (SERVFAIL)";
	case RCODE_REFUSED:
		return "the name server refuses to answer (REFUSED)";
	default:
		return "the name server answered with an error";
	}
}

static result copy_records(const struct ub_result *found, arena *a, struct asker_resolve_looked_up *answer)
{
	size_t n = 0;
	while (found->data[n] && n < ASKER_RESOLVE_LOOKED_UP_RECORDS_MAX)
		n++;
	str *rows = arena_array(a, n, sizeof *rows);
	if (!rows)
		return arena_result(a);
	for (size_t i = 0; i < n; i++)
		rows[i] = arena_dup(a, str_of(found->data[i], (size_t)found->len[i]));
	answer->records.p = rows;
	answer->records.n = n;
	return arena_result(a);
}

/* libunbound ends names with a dot; one that is too long to say is left out with all it led to. */
static str canonical(const struct ub_result *found, arena *a)
{
	str name = str_from(found->canonname);
	if (str_ends(name, STR(".")))
		name.n--;
	str asked = str_from(found->qname);
	if (str_ends(asked, STR(".")))
		asked.n--;
	return str_ieq(name, asked) ? (str){NULL, 0} : arena_dup(a, name);
}

static uint32_t seconds(const struct ub_result *found)
{
	uint32_t most = found->havedata ? RESOLVER_TTL_MAX : RESOLVER_TTL_NONE;
	return found->ttl < 0 ? 0 : (uint32_t)found->ttl > most ? most : (uint32_t)found->ttl;
}

static result answer_bogus(const struct ub_result *found, arena *a, struct asker_resolve_looked_up *answer)
{
	str why = str_sub(str_from(found->why_bogus), 0, ASKER_RESOLVE_LOOKED_UP_WHY_MAX);
	*answer = (struct asker_resolve_looked_up){
		.finding = ASKER_RESOLVE_FINDING_BOGUS,
		.why = why.n > 0 ? arena_dup(a, why) : STR("the answer's signatures are not valid (DNSSEC)"),
	};
	return arena_result(a);
}

result answer_of(const struct ub_result *found, arena *a, struct asker_resolve_looked_up *answer)
{
	if (found->bogus)
		return answer_bogus(found, a, answer);
	if (found->rcode != RCODE_NOERROR && found->rcode != RCODE_NXDOMAIN) {
		answer_failed(failure_words(found->rcode), answer);
		return OK;
	}
	*answer = (struct asker_resolve_looked_up){
		.finding = found->nxdomain ? ASKER_RESOLVE_FINDING_NO_NAME : ASKER_RESOLVE_FINDING_NO_DATA,
		.secure = found->secure,
		.ttl = seconds(found),
		.canonical = canonical(found, a),
	};
	if (!found->havedata)
		return arena_result(a);
	answer->finding = ASKER_RESOLVE_FINDING_FOUND;
	return copy_records(found, a, answer);
}
