#include "grammar/dns/sts.h"

#include "grammar/dns/name.h"
#include "grammar/dns/record_fields.h"

enum { AGE_DIGITS_MAX = 10 };

/* ---- the record ---- */

bool sts_is_record(str text)
{
	cursor at;
	return record_begins(text, STR("v=STSv1"), &at);
}

static bool is_id(str id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!ascii_alpha(str_at(id, i)) && !ascii_digit(str_at(id, i)))
			return false;
	return id.n >= 1 && id.n <= STS_ID_MAX;
}

result sts_record(str text, str *id)
{
	cursor at;
	struct record_field f;
	str found = {NULL, 0};
	if (!record_begins(text, STR("v=STSv1"), &at))
		return failure(FAIL_INPUT, "it is no MTA-STS record");
	for (;;) {
		TRY(record_field_next(&at, &f));
		if (f.name.n == 0)
			break;
		if (!found.n && str_eq(f.name, STR("id")))
			found = f.value;
	}
	if (!is_id(found))
		return failure(FAIL_INPUT, "the MTA-STS record has no id of 1 to 32 letters and digits");
	*id = found;
	return OK;
}

/* ---- the policy ---- */

struct reading {
	str *mx;
	size_t mx_n;
	bool version, mode, age;
	struct sts_policy policy;
};

static bool is_pattern(str s)
{
	return dns_name_is(str_starts(s, STR("*.")) ? str_skip(s, 2) : s);
}

static result read_mode(struct reading *r, str value)
{
	static const str words[] = {
		[STS_NONE] = STR_INIT("none"), [STS_TESTING] = STR_INIT("testing"), [STS_ENFORCE] = STR_INIT("enforce")};
	if (r->mode)
		return OK;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (str_eq(value, words[i])) {
			r->policy.mode = (enum sts_mode)i;
			r->mode = true;
			return OK;
		}
	}
	return failure(FAIL_INPUT, "the MTA-STS policy's mode is neither enforce, testing nor none");
}

static result read_age(struct reading *r, str value)
{
	uint64_t age;
	if (r->age)
		return OK;
	if (value.n > AGE_DIGITS_MAX || !str_to_u64(value, &age))
		return failure(FAIL_INPUT, "the MTA-STS policy's max_age is no number of up to ten digits");
	r->policy.max_age = age > STS_AGE_MAX ? STS_AGE_MAX : (uint32_t)age;
	r->age = true;
	return OK;
}

static result read_mx(struct reading *r, str value)
{
	if (!is_pattern(value))
		return failure(FAIL_INPUT, "an mx of the MTA-STS policy is no name of a host");
	if (r->mx_n == STS_MX_MAX)
		return failure(FAIL_INPUT, "the MTA-STS policy has more than 1000 mx");
	r->mx[r->mx_n++] = value;
	return OK;
}

static result read_version(struct reading *r, str value)
{
	if (!r->version && !str_eq(value, STR("STSv1")))
		return failure(FAIL_INPUT, "the MTA-STS policy's version is not STSv1");
	r->version = true;
	return OK;
}

static result read_field(struct reading *r, str line)
{
	static const struct {
		str name;
		result (*read)(struct reading *r, str value);
	} fields[] = {{STR_INIT("version"), read_version}, {STR_INIT("mode"), read_mode},
		      {STR_INIT("mx"), read_mx}, {STR_INIT("max_age"), read_age}};
	size_t colon = str_chr(line, ':');
	if (colon == STR_NONE || colon == 0)
		return failure(FAIL_INPUT, "the MTA-STS policy has a line that is not name: value");
	str name = str_sub(line, 0, colon), value = str_trim(str_skip(line, colon + 1));
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (str_eq(name, fields[i].name))
			return fields[i].read(r, value);
	return OK;
}

static size_t lines_in(str text)
{
	size_t n = 1;
	for (size_t i = 0; i < text.n; i++)
		n += str_at(text, i) == '\n';
	return n;
}

static result complete(const struct reading *r)
{
	if (!r->version || !r->mode || !r->age)
		return failure(FAIL_INPUT, "the MTA-STS policy lacks its version, mode or max_age");
	if (r->policy.mode != STS_NONE && r->mx_n == 0)
		return failure(FAIL_INPUT, "the MTA-STS policy names no mx");
	return OK;
}

result sts_policy(str text, arena *a, struct sts_policy *out)
{
	struct reading r = {0};
	if (text.n > STS_POLICY_MAX)
		return failure(FAIL_INPUT, "the MTA-STS policy is larger than 64 KiB");
	size_t lines = lines_in(text);
	r.mx = arena_array(a, lines < STS_MX_MAX ? lines : STS_MX_MAX, sizeof *r.mx);
	if (!r.mx)
		return arena_result(a);
	while (text.n > 0) {
		size_t end = str_chr(text, '\n');
		str line = str_sub(text, 0, end);
		text = end == STR_NONE ? (str){NULL, 0} : str_skip(text, end + 1);
		if (str_trim(line).n > 0)
			TRY(read_field(&r, str_trim(line)));
	}
	TRY(complete(&r));
	*out = r.policy;
	out->mx.p = r.mx;
	out->mx.n = r.mx_n;
	return OK;
}

bool sts_mx_matches(const struct sts_policy *p, str host)
{
	size_t dot = str_chr(host, '.');
	str parent = dot == STR_NONE ? (str){NULL, 0} : str_skip(host, dot + 1);
	for (size_t i = 0; i < p->mx.n; i++) {
		str pattern = p->mx.p[i];
		bool wild = str_starts(pattern, STR("*."));
		if (wild ? dot != 0 && parent.n > 0 && str_ieq(parent, str_skip(pattern, 2)) : str_ieq(host, pattern))
			return true;
	}
	return false;
}
